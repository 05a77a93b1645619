//! Reading the whole canvas.

use redis::{ParsingError, Value, from_redis_value};

use super::history::RawEntry;
use super::script::broke;
use super::{Store, StoreError};
use crate::picture::Picture;
use crate::position::Position;

const DOING: &str = "reading the canvas";

/// Bytes of the canvas that are read by one command. The connection keeps a whole value in a buffer
/// until all of it is there, and copies it then: of a canvas in one piece it would hold three.
const PIECE: usize = 1 << 20;

/// The canvas's pieces, the newest entry, the size.
type Answer = Vec<Value>;
type Rest = (Vec<RawEntry>, (Option<String>, Option<String>));

impl Store {
    /// The canvas and the position that it shows: exactly the changes up to there are in it.
    ///
    /// Before the first paint it is the background at position `ZERO`.
    pub async fn read_canvas(&self) -> Result<(Position, Picture), StoreError> {
        let answer = match self.canvas_answer().await {
            Err(error) if broke(&error) => self.canvas_answer().await,
            answer => answer,
        }
        .map_err(|source| StoreError::Redis {
            doing: DOING,
            source,
        })?;
        let geometry = self.config.geometry;
        let (bytes, (newest, size)) =
            joined(answer, geometry.bytes()).map_err(|error| StoreError::answer(DOING, error))?;
        if bytes.is_empty() {
            return Ok((
                Position::ZERO,
                Picture::new(geometry, self.config.background),
            ));
        }
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
    async fn canvas_answer(&self) -> redis::RedisResult<Answer> {
        let mut pipe = redis::pipe();
        pipe.atomic();
        let bytes = self.config.geometry.bytes();
        for start in (0..bytes).step_by(PIECE) {
            let end = (start + PIECE).min(bytes) - 1;
            let key = self.keys.canvas();
            pipe.cmd("GETRANGE").arg(key).arg(start).arg(end);
        }
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
        pipe.query_async(&mut self.link.clone()).await
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

/// Each piece is freed as soon as it is copied. No bytes: there is no canvas.
fn joined(mut answer: Answer, bytes: usize) -> Result<(Vec<u8>, Rest), ParsingError> {
    let rest = answer.split_off(answer.len().min(bytes.div_ceil(PIECE)));
    let mut rgb = Vec::with_capacity(bytes);
    for piece in answer {
        let piece: Vec<u8> = from_redis_value(piece)?;
        rgb.extend_from_slice(&piece);
    }
    Ok((rgb, from_redis_value(Value::Array(rest))?))
}
