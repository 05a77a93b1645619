//! Reading the whole canvas.

use super::history::RawEntry;
use super::{Store, StoreError};
use crate::picture::Picture;
use crate::position::Position;

const DOING: &str = "reading the canvas";

type Answer = (
    Option<Vec<u8>>,
    Vec<RawEntry>,
    (Option<String>, Option<String>),
);

impl Store {
    /// The canvas and the position that it shows: exactly the changes up to there are in it.
    ///
    /// Before the first paint it is the background at position `ZERO`.
    pub async fn read_canvas(&self) -> Result<(Position, Picture), StoreError> {
        let (bytes, newest, size) = self.canvas_answer().await?;
        let geometry = self.config.geometry;
        let Some(bytes) = bytes else {
            return Ok((
                Position::ZERO,
                Picture::new(geometry, self.config.background),
            ));
        };
        self.check_size(size)?;
        let at = newest.first().map(|(id, _)| id.parse()).transpose();
        let at = at.map_err(StoreError::position(DOING))?.unwrap_or_default();
        let picture = Picture::from_rgb(geometry, bytes);
        Ok((
            at,
            picture.map_err(|error| StoreError::answer(DOING, error))?,
        ))
    }

    /// A transaction, not a script: a script would copy the canvas twice inside Redis.
    async fn canvas_answer(&self) -> Result<Answer, StoreError> {
        let mut pipe = self.reading();
        pipe.atomic();
        pipe.cmd("GET").arg(self.keys.canvas());
        pipe.cmd("XREVRANGE")
            .arg(self.keys.history())
            .arg("+")
            .arg("-")
            .arg("COUNT")
            .arg(1);
        pipe.cmd("HMGET")
            .arg(self.keys.meta())
            .arg("width")
            .arg("height");
        let mut link = self.link.for_a_large_answer();
        let answer = pipe.query_async(&mut link).await;
        answer.map_err(|source| StoreError::Redis {
            doing: DOING,
            source,
        })
    }

    fn check_size(&self, size: (Option<String>, Option<String>)) -> Result<(), StoreError> {
        let (width, height) = (size.0.unwrap_or_default(), size.1.unwrap_or_default());
        let geometry = self.config.geometry;
        let same = width == geometry.width().to_string() && height == geometry.height().to_string();
        if same {
            Ok(())
        } else {
            Err(self.mismatch(&width, &height))
        }
    }
}
