//! The client that the wire protocol (`docs/protocol.md`) has in mind: a model for tests and load
//! tools.
//!
//! It starts with nothing, joins the parts of the first whole picture, and then applies updates.
//! Updates that it can't apply yet (no picture, or a gap before them) are kept and tried again
//! after each frame, so frames may overtake one another without harm. A gap that stays is for the
//! driver to mend, by reconnecting with a new model.

use std::collections::BTreeMap;

use thiserror::Error;

use crate::geometry::{Geometry, GeometryError};
use crate::picture::Picture;
use crate::pixel;
use crate::png::{self, PngError};
use crate::position::Position;
use crate::wire::{ErrorCode, FrameError, ServerFrame, decode_data};

/// What a frame did to the client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// A part of a picture that is not whole yet.
    Kept,
    /// The client moved: it now holds this position.
    Applied(Position),
    /// The frame holds nothing that the client doesn't.
    Dropped,
    /// The update starts after what the client holds: it keeps it, and must reconnect unless a
    /// frame that is under way closes the gap.
    Gap {
        /// What the client holds.
        held: Position,
        /// Where the update starts.
        from: Position,
    },
    /// The answer to a ping. A client that shows another canvas, or what nobody else shows, must
    /// connect anew.
    Alive {
        /// Whether the client shows the canvas's past or present.
        is_well: bool,
    },
    /// The server rejected a message of this client.
    Rejected {
        /// The kind of fault.
        code: ErrorCode,
        /// The same for people.
        message: String,
    },
}

/// A frame that breaks the protocol.
#[derive(Debug, Error)]
pub enum ClientError {
    /// The frame can't be read.
    #[error("an unusable frame")]
    Frame(#[from] FrameError),
    /// The joined parts are no picture.
    #[error("the joined picture is unusable")]
    Png(#[from] PngError),
    /// A frame names an empty canvas.
    #[error("an impossible canvas")]
    Geometry(#[from] GeometryError),
    /// A part's number is not between 1 and the number of parts.
    #[error("part {part} of {parts}")]
    Part {
        /// The part's number.
        part: u32,
        /// The number of parts.
        parts: u32,
    },
    /// The picture has another size than its frames say.
    #[error("the picture's size differs from what its frames say")]
    Size,
    /// An update doesn't lead forward.
    #[error("an update from `{from}` to `{at}`")]
    Backward {
        /// Where it starts.
        from: Position,
        /// Where it ends.
        at: Position,
    },
    /// An update paints outside the picture.
    #[error("an update paints outside the canvas")]
    Outside,
}

#[derive(Debug)]
struct State {
    epoch: String,
    picture: Picture,
    at: Position,
}

/// A model client.
#[derive(Debug, Default)]
pub struct ModelClient {
    state: Option<State>,
    /// Parts by the epoch, the position and the number of parts of their picture: two pictures may
    /// come interleaved when the queue delivers a connection twice.
    parts: BTreeMap<(String, Position, u32), BTreeMap<u32, Vec<u8>>>,
    /// Updates that can't be applied yet, by where they start and end.
    kept: BTreeMap<(Position, Position), Vec<u8>>,
}

impl ModelClient {
    /// A client that has just connected.
    pub fn new() -> Self {
        Self::default()
    }

    /// The picture, once it is there.
    pub fn picture(&self) -> Option<&Picture> {
        self.state.as_ref().map(|state| &state.picture)
    }

    /// The epoch of the canvas that the client shows.
    pub fn epoch(&self) -> Option<&str> {
        self.state.as_ref().map(|state| state.epoch.as_str())
    }

    /// The position that the client holds.
    pub fn position(&self) -> Option<Position> {
        self.state.as_ref().map(|state| state.at)
    }

    /// Whether updates are kept that a gap keeps from being applied.
    pub fn has_gap(&self) -> bool {
        self.state.is_some() && !self.kept.is_empty()
    }

    /// Takes in a frame of the server.
    pub fn on_frame(&mut self, text: &str) -> Result<Outcome, ClientError> {
        match ServerFrame::parse(text)? {
            ServerFrame::Init {
                epoch,
                at,
                width,
                height,
                part,
                parts,
                data,
            } => {
                let geometry = Geometry::new(width, height)?;
                let picture = (epoch, at, parts);
                self.keep_part(&picture, part, decode_data(&data)?)?;
                self.join(picture, geometry)
            }
            ServerFrame::Update { from, at, data } => self.update(from, at, decode_data(&data)?),
            ServerFrame::Error { code, message, .. } => Ok(Outcome::Rejected { code, message }),
            ServerFrame::Pong {
                at, epoch, lost, ..
            } => Ok(Outcome::Alive {
                is_well: !lost && self.is_part_of(&epoch, at),
            }),
            // A model client never asks for what it has missed.
            ServerFrame::Resume { .. } | ServerFrame::Resumed { .. } | ServerFrame::Unknown => {
                Ok(Outcome::Dropped)
            }
        }
    }

    /// Whether the client may have come to what it shows on a canvas of this epoch that is at `at`.
    fn is_part_of(&self, epoch: &str, at: Position) -> bool {
        let state = self.state.as_ref();
        state.is_none_or(|state| state.epoch == epoch && state.at <= at)
    }

    fn keep_part(
        &mut self,
        picture: &(String, Position, u32),
        part: u32,
        data: Vec<u8>,
    ) -> Result<(), ClientError> {
        let parts = picture.2;
        if part == 0 || part > parts {
            return Err(ClientError::Part { part, parts });
        }
        self.parts
            .entry(picture.clone())
            .or_default()
            .insert(part, data);
        Ok(())
    }

    fn join(
        &mut self,
        picture: (String, Position, u32),
        geometry: Geometry,
    ) -> Result<Outcome, ClientError> {
        let (.., parts) = picture;
        if self.parts[&picture].len() < parts as usize {
            return Ok(Outcome::Kept);
        }
        let whole = self.parts.remove(&picture).unwrap_or_default();
        let (epoch, at, _) = picture;
        let held = self.state.as_ref();
        // Of the same canvas an older picture says nothing; that of another one counts, whatever
        // the positions are.
        if held.is_some_and(|held| held.epoch == epoch && at <= held.at) {
            return Ok(Outcome::Dropped);
        }
        let file: Vec<u8> = whole.into_values().flatten().collect();
        let picture = png::decode(&file, geometry.pixels())?;
        if picture.geometry() != geometry {
            return Err(ClientError::Size);
        }
        self.parts.clear();
        self.state = Some(State { epoch, picture, at });
        self.settle()
    }

    fn update(
        &mut self,
        from: Position,
        at: Position,
        data: Vec<u8>,
    ) -> Result<Outcome, ClientError> {
        if at <= from {
            return Err(ClientError::Backward { from, at });
        }
        if self.position().is_some_and(|held| at <= held) {
            return Ok(Outcome::Dropped);
        }
        self.kept.insert((from, at), data);
        if self.state.is_none() {
            return Ok(Outcome::Kept);
        }
        self.settle()
    }

    /// Applies what is kept, as far as it leads.
    fn settle(&mut self) -> Result<Outcome, ClientError> {
        let Some(state) = &mut self.state else {
            return Ok(Outcome::Kept);
        };
        while let Some(entry) = self.kept.first_entry() {
            let (from, at) = *entry.key();
            if from > state.at {
                return Ok(Outcome::Gap {
                    held: state.at,
                    from,
                });
            }
            let records = entry.remove();
            if at > state.at {
                let pixels = pixel::decode(&records).map_err(FrameError::from)?;
                if state.picture.apply(&pixels) != pixels.len() {
                    return Err(ClientError::Outside);
                }
                state.at = at;
            }
        }
        Ok(Outcome::Applied(state.at))
    }
}

#[cfg(test)]
mod tests;
