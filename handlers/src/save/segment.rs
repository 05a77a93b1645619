//! Saving history, segment by segment.

use std::collections::{HashMap, VecDeque};
use std::time::Duration;

use place_canvas::store::MarkSaved;
use place_canvas::tables::{Change, Current};
use place_canvas::{Entry, Position, Token};
use tokio::time::Instant;

use super::{Cache, Rows, SaveAnswer};
use crate::error::Error;

/// Changes after which a segment ends. Within a segment a pixel's colour is written once, however
/// often it changed.
const SEGMENT_CHANGES: u64 = 100_000;
/// Time after which a segment ends, so that a throttled table doesn't keep `saved` from moving.
const SEGMENT_TIME: Duration = Duration::from_secs(8);
/// No segment begins when less than this is left: it takes [`SEGMENT_TIME`] for the history, and
/// about as long again for the colours.
const RESERVE: Duration = Duration::from_secs(20);
/// Part of an invocation that a segment may use at most, for functions with a short time-out.
const SHARE: u32 = 3;
/// Entries of history that are read at once.
const PAGE: usize = 2000;
/// Changes that are written to the history table at once.
const WRITE: usize = 10_000;

/// Saves history after `saved`.
pub(super) struct Segments<'a, C, R> {
    pub(super) cache: &'a C,
    pub(super) tables: &'a R,
    pub(super) token: &'a Token,
    pub(super) deadline: Instant,
}

/// What a segment has written.
#[derive(Default)]
struct Segment {
    changes: u64,
    colours: HashMap<(u16, u16), Current>,
}

impl<C: Cache, R: Rows> Segments<'_, C, R> {
    /// Saves everything, or as much as there is time for, and says so in `answer`.
    pub(super) async fn save(&self, answer: &mut SaveAnswer) -> Result<(), Error> {
        let available = self.deadline.saturating_duration_since(Instant::now());
        let reserve = RESERVE.min(available / SHARE);
        let longest = SEGMENT_TIME.min(available / SHARE);
        let mut read = VecDeque::new();
        while self.deadline.saturating_duration_since(Instant::now()) >= reserve {
            let segment_end = Instant::now() + longest;
            let (segment, to) = self.history(answer.to, &mut read, segment_end).await?;
            if to == answer.to {
                answer.complete = true;
                return Ok(());
            }
            self.colours(&segment, answer).await?;
            let range = (answer.to, to);
            match self.cache.mark(self.token, range, segment.changes).await? {
                MarkSaved::Moved { .. } => {}
                MarkSaved::Lost => return Err(Error::LeaseLost("save")),
            }
            answer.to = to;
            answer.changes += segment.changes;
        }
        Ok(())
    }

    /// Writes history after `from`; answers what it was, and where it ends. Entries that were
    /// `read` and not written stay there for the next segment.
    async fn history(
        &self,
        from: Position,
        read: &mut VecDeque<Entry>,
        until: Instant,
    ) -> Result<(Segment, Position), Error> {
        let (mut segment, mut to) = (Segment::default(), from);
        while segment.changes < SEGMENT_CHANGES && Instant::now() < until {
            if read.is_empty() {
                read.extend(self.cache.read_after(to, PAGE).await?);
            }
            if read.is_empty() {
                break;
            }
            let mut changes = Vec::new();
            while let Some(entry) = read.pop_front() {
                to = entry.at;
                changes.extend(Change::of(&entry));
                if changes.len() >= WRITE {
                    break;
                }
            }
            self.tables.post_changes(&changes).await?;
            segment.add(&changes);
        }
        Ok((segment, to))
    }

    async fn colours(&self, segment: &Segment, answer: &mut SaveAnswer) -> Result<(), Error> {
        let colours: Vec<Current> = segment.colours.values().copied().collect();
        self.tables.post_pixels(&colours).await?;
        answer.pixels += colours.len() as u64;
        Ok(())
    }
}

impl Segment {
    fn add(&mut self, changes: &[Change]) {
        self.changes += changes.len() as u64;
        for Change { at, pixel, .. } in changes {
            let current = Current {
                pixel: *pixel,
                at: *at,
            };
            self.colours.insert((pixel.x, pixel.y), current);
        }
    }
}
