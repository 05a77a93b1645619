//! The canvas as a PNG file: from Redis through the admin function, or from the saved rows.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use place_canvas::admin::{Request, Response};
use place_canvas::{Geometry, Picture, Position, Rgb, png};

use super::clients::{ask, unexpected};
use crate::error::CommandError;
use crate::steps::{Stack, tables};

/// How often an export restarts because the canvas changed between two parts.
const BEGINNINGS: usize = 5;

/// Parts that the table is scanned in at once.
const SEGMENTS: u32 = 8;

/// A picture as a PNG file, and which one it is.
pub(crate) struct Export {
    /// The file.
    pub(crate) png: Vec<u8>,
    /// Its position: the last change that it shows.
    pub(crate) at: Position,
}

/// The live canvas.
pub(crate) async fn live(stack: &Stack) -> Result<Export, CommandError> {
    let mut export = Export {
        png: Vec::new(),
        at: Position::ZERO,
    };
    let mut known = None;
    let mut beginnings = 0;
    loop {
        let request = Request::Canvas {
            at: known,
            offset: export.png.len() as u64,
        };
        let Response::Canvas(part) = ask(stack, &request).await? else {
            return Err(unexpected("canvas"));
        };
        if part.offset == 0 {
            beginnings += 1;
            export.png.clear();
        }
        let bytes = STANDARD
            .decode(&part.png)
            .map_err(|error| CommandError::Answer {
                doing: "reading the picture from the admin function".to_owned(),
                source: error.into(),
            })?;
        export.png.extend(bytes);
        (export.at, known) = (part.at, Some(part.at));
        if export.png.len() as u64 >= part.total {
            return Ok(export);
        }
        if beginnings > BEGINNINGS {
            return Err(CommandError::Answer {
                doing: "fetching the picture".to_owned(),
                source: "the canvas kept changing while its parts were fetched".into(),
            });
        }
    }
}

/// The saved canvas: every saved pixel on the background.
pub(crate) async fn saved(stack: &Stack) -> Result<Export, CommandError> {
    let canvas = &stack.config.canvas;
    let invalid = |error: Box<dyn std::error::Error + Send + Sync>| CommandError::Answer {
        doing: "drawing the canvas as configured".to_owned(),
        source: error,
    };
    let geometry = Geometry::new(canvas.width, canvas.height).map_err(|e| invalid(e.into()))?;
    let background: Rgb = canvas
        .background
        .parse()
        .map_err(|e| invalid(Box::new(e)))?;
    let mut picture = Picture::new(geometry, background);
    let mut at = Position::ZERO;
    tables::rows(stack)
        .scan_mru(SEGMENTS, |page| {
            for row in page {
                at = at.max(row.at);
                picture.apply(&[row.pixel]);
            }
        })
        .await
        .map_err(tables::failure)?;
    Ok(Export {
        png: png::encode(&picture),
        at,
    })
}
