//! Opening the canvas.

use place_canvas::store::{Found, Opening, Source};
use place_canvas::{Entry, Geometry, Painted, Picture, Pixel, Position, Rgb, Token};

use super::{FakeCache, State};
use crate::error::Error;
use crate::fakes::geometry;
use crate::save::Opens;

impl State {
    pub(super) fn found(&self) -> Found {
        let is_there = self.epoch.is_some() || self.to.is_some() || self.is_closed;
        let size = self
            .other_size
            .as_ref()
            .map_or_else(geometry, Picture::geometry);
        Found {
            epoch: self.epoch.clone(),
            geometry: is_there.then_some(size),
            background: is_there.then_some(Rgb::WHITE),
            salt: self.salt.clone(),
            to: self.to.clone(),
            has_moved: self.has_moved,
        }
    }

    fn begin(&mut self, after: Position, now: Position) -> Position {
        let floor = after.max(self.newest).max(self.saved);
        let at = if now > floor {
            Position::new(now.ms, 1)
        } else {
            Position::new(floor.ms + 1, 1)
        };
        self.newest = at;
        self.first = Some(at);
        self.history.push(Entry {
            at,
            pixels: Vec::new(),
            by: String::new(),
            source: String::new(),
            player: String::new(),
        });
        for cursor in self.cursors.values_mut() {
            *cursor = at.previous();
        }
        at
    }
}

impl Opens for FakeCache {
    fn configured(&self) -> (Geometry, Rgb) {
        (geometry(), Rgb::WHITE)
    }

    async fn pixels(&self, wanted: Geometry) -> Result<Picture, Error> {
        self.faults.step().await?;
        let state = self.state();
        let picture = state.other_size.as_ref().unwrap_or(&state.picture).clone();
        assert_eq!(picture.geometry(), wanted);
        Ok(picture)
    }

    async fn close(&self, token: &Token, to: Geometry) -> Result<bool, Error> {
        self.faults.step().await?;
        let held = {
            let mut state = self.state();
            let held = state.saves(token);
            if held {
                (state.epoch, state.to) = (None, Some(to.to_string()));
            }
            held
        };
        self.faults.step().await?;
        Ok(held)
    }

    async fn open(
        &self,
        token: &Token,
        opening: &Opening,
        picture: Option<&Picture>,
    ) -> Result<Option<Position>, Error> {
        // Some parts of the picture, then the script that puts it in place.
        self.faults.step().await?;
        self.faults.step().await?;
        let now = u64::try_from(self.start.elapsed().as_millis()).unwrap();
        let opened = {
            let mut state = self.state();
            if !state.saves(token) {
                return Ok(None);
            }
            if let Some(picture) = picture {
                state.picture = picture.clone();
            }
            let begins = opening.source == Source::Saved || state.history.is_empty();
            if begins {
                state.history.clear();
                state.newest = Position::ZERO;
                state.unsaved = 0;
            }
            let at = state.begin(opening.after, Position::new(1_000_000 + now, 0));
            if begins {
                state.saved = at;
            }
            state.openings += 1;
            state.epoch = Some(format!("e{}", state.openings));
            (state.to, state.other_size, state.has_moved) = (None, None, false);
            state.is_closed = false;
            state.salt = Some(opening.salt.clone());
            at
        };
        self.faults.step().await?;
        Ok(Some(opened))
    }

    async fn last_before(&self, position: Position) -> Result<Position, Error> {
        self.faults.step().await?;
        let state = self.state();
        let before = state.history.iter().rev().find(|entry| entry.at < position);
        Ok(before.map_or(Position::ZERO, |entry| entry.at))
    }

    async fn paint_back(&self, pixels: &[Pixel]) -> Result<Painted, Error> {
        self.faults.step().await?;
        let painted = self.paint_now(pixels);
        self.faults.step().await?;
        Ok(painted)
    }
}
