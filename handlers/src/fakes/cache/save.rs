//! The save's lease, and what it protects.

use std::time::Duration;

use place_canvas::store::{Doubt, MarkSaved, SaveLease, SaveSummary};
use place_canvas::{Position, Shard, Token};
use tokio::time::Instant;

use super::{CALL, FakeCache, State};
use crate::error::Error;
use crate::save::{Place, Saves};

/// How long history is kept at least.
const RETAIN: Duration = Duration::from_mins(1);

impl State {
    pub(super) fn saves(&self, token: &Token) -> bool {
        let held = |(holder, until): &(String, Instant)| {
            holder == token.as_str() && *until > Instant::now()
        };
        self.saving.as_ref().is_some_and(held)
    }

    fn try_take(&mut self, token: &Token, ttl: Duration) -> SaveLease {
        let now = Instant::now();
        let is_held = self.saving.as_ref().is_some_and(|(_, until)| *until > now);
        if is_held && !self.saves(token) {
            return SaveLease::Held;
        }
        self.saving = Some((token.as_str().to_owned(), now + ttl));
        SaveLease::Taken {
            saved: self.saved,
            found: self.found(),
        }
    }

    fn note(&mut self, name: &Token, places: &[Place]) {
        if places.is_empty() {
            self.doubts.remove(name);
        } else {
            let noted = (Instant::now(), places.to_vec());
            self.doubts.insert(name.clone(), noted);
        }
    }
}

impl FakeCache {
    fn trim(&self, saved: Position) {
        let age = self.start.elapsed().saturating_sub(RETAIN).as_millis();
        let young = Position::new(1_000_000 + u64::try_from(age).unwrap(), 0);
        let mut state = self.state();
        let needed = (0..self.shards)
            .map(Shard)
            .filter(|shard| self.is_needed(&state, *shard));
        let slowest = needed.map(|shard| state.cursors.get(&shard).copied().unwrap_or_default());
        let floor = slowest.min().unwrap_or(saved).min(saved).min(young);
        let kept = state.history.iter().rev().find(|entry| entry.at <= floor);
        let floor = kept.map_or(floor, |entry| entry.at);
        state.history.retain(|entry| entry.at >= floor);
    }

    /// Calls the shards that lag.
    pub(super) fn call_lagging(&self, call: &str) -> Vec<Shard> {
        let lag = |state: &State, shard: Shard| {
            let behind = state.cursors.get(&shard).copied().unwrap_or_default() < state.newest;
            behind && self.is_peopled(state, shard) && !state.is_awake(shard)
        };
        let mut state = self.state();
        let lagging: Vec<_> = (0..self.shards)
            .map(Shard)
            .filter(|shard| lag(&state, *shard))
            .collect();
        for shard in &lagging {
            state.wake(*shard, call, CALL);
        }
        lagging
    }
}

impl Saves for FakeCache {
    async fn take(&self, token: &Token, ttl: Duration) -> Result<SaveLease, Error> {
        self.faults.step().await?;
        let lease = self.state().try_take(token, ttl);
        self.faults.step().await?;
        Ok(lease)
    }

    async fn renew(&self, token: &Token, ttl: Duration) -> Result<bool, Error> {
        self.faults.step().await?;
        let mut state = self.state();
        if !state.saves(token) {
            return Ok(false);
        }
        state.saving = Some((token.as_str().to_owned(), Instant::now() + ttl));
        Ok(true)
    }

    async fn mark(
        &self,
        token: &Token,
        (from, to): (Position, Position),
        changes: u64,
    ) -> Result<MarkSaved, Error> {
        self.faults.step().await?;
        let unsaved = {
            let mut state = self.state();
            if !state.saves(token) || (state.saved != from && state.saved != to) {
                return Ok(MarkSaved::Lost);
            }
            // Who is there already asks again.
            if state.saved == from {
                let unsaved = state.unsaved.checked_sub(changes);
                state.unsaved = unsaved.expect("no change is counted twice");
                if to >= state.newest {
                    state.unsaved = 0;
                }
            }
            state.saved = to;
            state.unsaved
        };
        self.trim(to);
        self.faults.step().await?;
        Ok(MarkSaved::Moved {
            trimmed: 0,
            unsaved,
        })
    }

    async fn finish(&self, token: &Token, _summary: &SaveSummary) -> Result<bool, Error> {
        self.faults.step().await?;
        let held = {
            let mut state = self.state();
            let held = state.saves(token);
            if held {
                state.saving = None;
            }
            held
        };
        self.faults.step().await?;
        Ok(held)
    }

    async fn lagging(&self) -> Result<Vec<Shard>, Error> {
        self.faults.step().await?;
        let lagging = self.call_lagging("called");
        self.faults.step().await?;
        Ok(lagging)
    }

    async fn newest(&self) -> Result<Position, Error> {
        self.faults.step().await?;
        Ok(self.state().newest)
    }

    async fn note_doubt(&self, name: &Token, places: &[Place]) -> Result<u64, Error> {
        self.faults.step().await?;
        let count = {
            let mut state = self.state();
            state.note(name, places);
            state.doubts.len() as u64
        };
        self.faults.step().await?;
        Ok(count)
    }

    async fn settle_doubt(
        &self,
        token: &Token,
        name: &Token,
        left: &[Place],
    ) -> Result<bool, Error> {
        self.faults.step().await?;
        let held = {
            let mut state = self.state();
            let held = state.saves(token);
            if held {
                state.note(name, left);
            }
            held
        };
        self.faults.step().await?;
        Ok(held)
    }

    async fn doubts(&self) -> Result<Vec<Doubt>, Error> {
        self.faults.step().await?;
        let doubt = |(name, (since, places)): (&Token, &(Instant, Vec<Place>))| Doubt {
            name: name.clone(),
            age: since.elapsed(),
            places: places.clone(),
        };
        Ok(self.state().doubts.iter().map(doubt).collect())
    }
}
