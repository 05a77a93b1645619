//! Reading the whole canvas.

use redis::{ParsingError, Pipeline, Value, from_redis_value};

use super::history::RawEntry;
use super::script::is_full;
use super::{Store, StoreError};
use crate::picture::Picture;
use crate::position::Position;

const DOING: &str = "reading the canvas";

/// How often a canvas that takes no paints is read until nothing has moved meanwhile.
const STILL_READS: usize = 5;

/// Bytes of the canvas that are read by one command. The connection keeps a whole value in a buffer
/// until all of it is there, and copies it then: of a canvas in one piece it would hold three.
const PIECE: usize = 1 << 20;

/// The canvas's pieces, the newest entry, then epoch, width and height.
type Answer = Vec<Value>;
type Meta = (Option<String>, Option<String>, Option<String>);
type Rest = (Vec<RawEntry>, Meta);

/// The canvas as of a position.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Canvas {
    /// What tells this canvas from one that was opened before or after it.
    pub epoch: String,
    /// The changes up to here are in the picture, and no others.
    pub at: Position,
    /// The picture.
    pub picture: Picture,
}

impl Store {
    /// The canvas, its epoch and the position that it shows: exactly the changes up to there are in
    /// it.
    pub async fn read_canvas(&self) -> Result<Canvas, StoreError> {
        let answer = self.canvas_answer().await?;
        let geometry = self.config.geometry;
        let (bytes, (newest, (epoch, width, height))) =
            joined(answer, geometry.bytes()).map_err(|error| StoreError::answer(DOING, error))?;
        let (Some(epoch), Some((newest, _))) = (epoch, newest.first()) else {
            return Err(StoreError::Closed);
        };
        if bytes.is_empty() {
            return Err(StoreError::Closed);
        }
        self.check_size(&width.unwrap_or_default(), &height.unwrap_or_default())?;
        let at = newest.parse().map_err(StoreError::position(DOING))?;
        let picture = Picture::from_rgb(geometry, bytes);
        let picture = picture.map_err(|error| StoreError::answer(DOING, error))?;
        Ok(Canvas { epoch, at, picture })
    }

    /// A transaction, not a script: a script would copy the canvas twice inside Redis.
    async fn canvas_answer(&self) -> Result<Answer, StoreError> {
        let mut pipe = self.reading();
        match self.send(self.canvas_commands(pipe.atomic())).await {
            Err(error) if is_full(&error) => self.still_canvas(error).await,
            answer => answer,
        }
    }

    /// A cache that is full refuses every transaction. It refuses paints too, so nothing moves while
    /// the canvas is read, or soon nothing does.
    async fn still_canvas(&self, mut error: StoreError) -> Result<Answer, StoreError> {
        for _ in 0..STILL_READS {
            let before = self.newest().await?;
            match self.send(self.canvas_commands(&mut self.reading())).await {
                Ok(answer) if self.newest().await? == before => return Ok(answer),
                Ok(_) => {}
                Err(other) => error = other,
            }
        }
        Err(error)
    }

    fn canvas_commands<'a>(&self, pipe: &'a mut Pipeline) -> &'a Pipeline {
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
            .arg("epoch")
            .arg("width")
            .arg("height")
    }

    async fn send(&self, pipe: &Pipeline) -> Result<Answer, StoreError> {
        let mut link = self.link.for_a_large_answer();
        let answer = pipe.query_async(&mut link).await;
        answer.map_err(|source| StoreError::Redis {
            doing: DOING,
            source,
        })
    }

    fn check_size(&self, width: &str, height: &str) -> Result<(), StoreError> {
        let geometry = self.config.geometry;
        let same = width == geometry.width().to_string() && height == geometry.height().to_string();
        if same {
            Ok(())
        } else {
            Err(self.mismatch(width, height))
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
