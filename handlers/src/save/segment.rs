//! Saving history, segment by segment.

use std::collections::{HashMap, VecDeque};
use std::time::Duration;

use place_canvas::store::MarkSaved;
use place_canvas::tables::{Change, Current};
use place_canvas::{Entry, Position};
use tokio::time::Instant;

use super::colours::Colours;
use super::stride::Stride;
use super::{Cache, Place, Rows, SaveAnswer, Saver};
use crate::error::Error;

/// Changes after which a segment ends. Within a segment a pixel's colour is written once, however
/// often it changed.
const SEGMENT_CHANGES: u64 = 100_000;
/// No segment begins when less than this is left.
const RESERVE: Duration = Duration::from_secs(20);
/// Part of an invocation that a segment may use at most, for functions with a short time-out.
const SHARE: u32 = 3;
/// Entries of history that are read at once.
const PAGE: usize = 2000;

/// Saves history after `saved`.
pub(super) struct Segments<'a, C, R> {
    pub(super) saver: &'a Saver<'a, C, R>,
    pub(super) deadline: Instant,
    /// What was the newest when the save began. What is painted while it runs is the next save's:
    /// a busy canvas would never let this one end, and have it write few rows at a time.
    pub(super) goal: Position,
}

/// What a segment has written of history.
#[derive(Default)]
struct Segment {
    changes: u64,
    /// The last colour of each pixel, in the order in which the pixels changed first.
    colours: Vec<Current>,
    /// Where a pixel stands among the colours.
    index: HashMap<Place, usize>,
    ends: Vec<End>,
}

/// Where an entry ends: what it comes to with all before it.
#[derive(Clone, Copy)]
struct End {
    at: Position,
    changes: u64,
    colours: usize,
}

impl<C: Cache, R: Rows> Segments<'_, C, R> {
    /// Saves everything up to the goal, or as much as there is time for, and says so in `answer`.
    pub(super) async fn save(&self, answer: &mut SaveAnswer) -> Result<(), Error> {
        let available = self.deadline.saturating_duration_since(Instant::now());
        let reserve = RESERVE.min(available / SHARE);
        // Two fifths for the history, the rest for the colours, which are fewer.
        let longest = reserve * 2 / 5;
        self.saver.reach(self.goal).await?;
        let (mut read, mut strides) = (VecDeque::new(), (Stride::new(), Stride::new()));
        while answer.to < self.goal {
            let start = Instant::now();
            if self.deadline.saturating_duration_since(start) < reserve {
                return Ok(());
            }
            let until = start + longest;
            let segment = self
                .history(answer.to, &mut read, until, &mut strides.0)
                .await?;
            if segment.ends.is_empty() {
                // The cache has lost what was there when the save began: there is nothing to save.
                break;
            }
            let until = Instant::now() + reserve * 3 / 5;
            let written = self.colours(&segment, until, &mut strides.1).await?;
            answer.pixels += written as u64;
            if written < segment.colours.len() {
                // What was not marked is read again.
                read.clear();
            }
            self.mark(segment.end(written), answer).await?;
        }
        answer.complete = true;
        Ok(())
    }

    /// Writes history after `from`. Entries that were `read` and not written stay there for the
    /// next segment.
    async fn history(
        &self,
        from: Position,
        read: &mut VecDeque<Entry>,
        until: Instant,
        stride: &mut Stride,
    ) -> Result<Segment, Error> {
        let (mut segment, mut to) = (Segment::default(), from);
        while segment.changes < SEGMENT_CHANGES && to < self.goal && Instant::now() < until {
            if read.is_empty() {
                let page = self.saver.cache.read_after(to, PAGE).await?;
                read.extend(page.into_iter().filter(|entry| entry.at <= self.goal));
            }
            let entries = take(read, stride.rows());
            let Some(last) = entries.last() else {
                break;
            };
            to = last.at;
            let changes: Vec<Change> = entries.iter().flat_map(Change::of).collect();
            let start = Instant::now();
            self.saver.tables.post_changes(&changes).await?;
            stride.learn(changes.len(), start.elapsed());
            for entry in &entries {
                segment.add(entry);
            }
        }
        Ok(segment)
    }

    /// Writes colours until `until`, but those of one entry at least; answers how many.
    async fn colours(
        &self,
        segment: &Segment,
        until: Instant,
        stride: &mut Stride,
    ) -> Result<usize, Error> {
        let rows = &segment.colours;
        let least = segment.ends.first().map_or(0, |end| end.colours);
        let mut colours = Colours::announce(self.saver, rows).await?;
        let mut written = 0;
        while written < rows.len() && (written < least || Instant::now() < until) {
            let some = &rows[written..rows.len().min(written + stride.rows())];
            let start = Instant::now();
            colours.write(some).await?;
            stride.learn(some.len(), start.elapsed());
            written += some.len();
        }
        colours.done().await?;
        Ok(written)
    }

    /// Moves `saved` to the end of what is written.
    async fn mark(&self, end: End, answer: &mut SaveAnswer) -> Result<(), Error> {
        let range = (answer.to, end.at);
        let Saver { cache, token, .. } = self.saver;
        match cache.mark(token, range, end.changes).await? {
            MarkSaved::Moved { .. } => {}
            MarkSaved::Lost => return Err(Error::LeaseLost("save")),
        }
        answer.to = end.at;
        answer.changes += end.changes;
        Ok(())
    }
}

/// Takes entries until they hold `changes` changes.
fn take(read: &mut VecDeque<Entry>, changes: usize) -> Vec<Entry> {
    let (mut entries, mut taken) = (Vec::new(), 0);
    while taken < changes
        && let Some(entry) = read.pop_front()
    {
        taken += entry.pixels.len();
        entries.push(entry);
    }
    entries
}

impl Segment {
    fn add(&mut self, entry: &Entry) {
        self.changes += entry.pixels.len() as u64;
        for pixel in &entry.pixels {
            let current = Current {
                pixel: *pixel,
                at: entry.at,
            };
            let last = self.colours.len();
            let place = *self.index.entry((pixel.x, pixel.y)).or_insert(last);
            match self.colours.get_mut(place) {
                Some(colour) => *colour = current,
                None => self.colours.push(current),
            }
        }
        self.ends.push(End {
            at: entry.at,
            changes: self.changes,
            colours: self.colours.len(),
        });
    }

    /// The end of the last entry all of whose pixels are among the first `written` colours. Those
    /// may be newer than the entry; whoever saves the rest writes them once more.
    fn end(&self, written: usize) -> End {
        let whole = self.ends.partition_point(|end| end.colours <= written);
        self.ends[whole.saturating_sub(1)]
    }
}
