//! Writing a PNG file, row by row: beside the picture there is one row and the file in memory.
//!
//! # Why all of the picture is in the file
//!
//! A palette holds 256 colours, and a picture with a few more is a third longer in true colour. A
//! palette with the few other pixels in an `update` frame would be shorter, and wrong. A client
//! that waits for its picture keeps what its shard's loop posts, and any of those frames may start
//! before the picture's position P and end after it. Say the `init` frames name a position before
//! P and an update leads from there to P: the loop's frame starts early enough to be applied first,
//! the client is past P, and drops the update with the pixels that only the update has. An update
//! that starts early enough to come first is applied also by a client that holds an older picture
//! (its message was delivered twice), and makes it skip what was painted between. So a picture is
//! whole, and what counts is how well true colour is compressed: see `mode.rs`.

use std::io::Write;

use png::{BitDepth, ColorType, Encoder, EncodingError};

use super::mode::{Mode, best};
use super::palette::Palette;
use crate::picture::Picture;

/// The PNG file of a picture: with a palette of 1, 2, 4 or 8 bits a pixel when it has at most 256
/// colours, of 24 bits a pixel otherwise.
#[expect(clippy::missing_panics_doc, reason = "writing to memory can't fail")]
pub fn encode(picture: &Picture) -> Vec<u8> {
    let palette = Palette::of(picture.rgb());
    best(&Source::of(picture, palette.as_ref()))
        .expect("writing a picture of the right size to memory can't fail")
}

/// A picture, and how its pixels are written.
pub(super) struct Source<'a> {
    picture: &'a Picture,
    /// Every colour of the picture; none: true colour.
    palette: Option<&'a Palette>,
}

impl<'a> Source<'a> {
    /// A picture, in the colours of a palette that has all of them, or in true colour.
    pub(super) const fn of(picture: &'a Picture, palette: Option<&'a Palette>) -> Self {
        Self { picture, palette }
    }

    /// Pixels in a row.
    pub(super) fn width(&self) -> usize {
        self.picture.geometry().width().into()
    }

    /// Rows.
    pub(super) fn height(&self) -> usize {
        self.picture.geometry().height().into()
    }

    /// Whether pixels are numbers of a palette's colours.
    pub(super) const fn is_indexed(&self) -> bool {
        self.palette.is_some()
    }

    /// Bytes of so many rows before they are compressed: a byte for the filter leads each.
    pub(super) fn raw_bytes(&self, rows: usize) -> usize {
        let bits = self.palette.map_or(24, |palette| palette.depth() as usize);
        rows * (1 + (self.width() * bits).div_ceil(8))
    }

    /// The PNG file of some rows, of which there are `count`.
    pub(super) fn write(
        &self,
        mode: Mode,
        count: usize,
        rows: impl Iterator<Item = usize>,
    ) -> Result<Vec<u8>, EncodingError> {
        let mut file = Vec::new();
        let (width, height) = (self.picture.geometry().width(), count);
        let height = u32::try_from(height).expect("a picture has at most 65,535 rows");
        let mut encoder = Encoder::new(&mut file, width.into(), height);
        if let Some(palette) = self.palette {
            encoder.set_color(ColorType::Indexed);
            encoder.set_depth(palette.depth());
            encoder.set_palette(palette.bytes());
        } else {
            encoder.set_color(ColorType::Rgb);
            encoder.set_depth(BitDepth::Eight);
        }
        mode.set(&mut encoder);
        let mut writer = encoder.write_header()?;
        let mut stream = writer.stream_writer()?;
        self.write_rows(rows, &mut stream)?;
        stream.finish()?;
        writer.finish()?;
        Ok(file)
    }

    fn write_rows(
        &self,
        rows: impl Iterator<Item = usize>,
        out: &mut impl Write,
    ) -> std::io::Result<()> {
        let bytes = self.width() * 3;
        let mut packed = Vec::new();
        for row in rows {
            let rgb = &self.picture.rgb()[row * bytes..(row + 1) * bytes];
            match self.palette {
                Some(palette) => {
                    palette.pack(rgb, &mut packed);
                    out.write_all(&packed)?;
                }
                None => out.write_all(rgb)?,
            }
        }
        Ok(())
    }
}
