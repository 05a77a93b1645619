//! save: writes what was painted into the tables, and forgets it in the cache.
//!
//! Under a lease, from `saved` on, in segments: each change becomes a row of the history table,
//! the last colour of each changed pixel a row of the table of current colours; only when all of a
//! segment is written does `saved` move past it and history get trimmed.
//!
//! # Why nothing is lost, and nothing doubled
//!
//! Killed anywhere before `saved` moves, the next save reads the same changes again and writes the
//! same rows again: a change's key is made of its position, and a pixel's row is overwritten.
//! `saved` moves in one script that checks the lease and the place it moves from.
//!
//! # Why the table of current colours ends equal to the canvas
//!
//! Segments follow one another in the order of the changes, within a save and from save to save,
//! and a segment writes each pixel once, in its last colour. So a row can only become too old when
//! a call is done after a later segment's. That is rare, because of the lease: it is renewed every
//! [`lease::RENEWAL`], every call is dropped as soon as a renewal fails or is overdue, and the lease
//! outlives that moment; a save that fails leaves its lease to expire too, instead of giving it
//! back. And it is made good where it happens, because the rows of every call that was not answered
//! clearly, under the lease, are in doubt until nothing can change them any more (see `colours.rs`).
//! A lease that the cache lost lets two saves overlap for a moment.
//!
//! # A cache that lost something
//!
//! Before anything is read the canvas is opened, if it is not, with what the tables hold; and what
//! the tables hold beyond a cache that went back in time is painted anew (see `opening.rs`).

mod colours;
mod full;
mod lease;
mod opening;
mod ports;
pub(crate) mod prune;
mod segment;
mod stride;

use std::cell::RefCell;
use std::time::Duration;

use place_canvas::store::{SaveLease, SaveSummary};
use place_canvas::tables::{Filling, State, Stored};
use place_canvas::{Position, Shard, Token};
use serde::{Deserialize, Serialize};
use tokio::time::Instant;
use tracing::{info, warn};

use crate::broadcast::Invocation;
use crate::error::{Error, chain};
use crate::ports::{Calls, Lookup};
use crate::queues::{Call, Reason};
use lease::{LEASE, Lease};
pub use ports::{Cache, Opens, Place, Rows, Saves};
pub use prune::Ghosts;
use segment::Segments;

/// Kept free before the invocation's time-out, to say that the time is up.
const LAST_WORDS: Duration = Duration::from_secs(2);

/// What a save is asked for. A schedule sends whatever it likes: anything that isn't `full` is an
/// ordinary save.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SaveEvent {
    /// Write every pixel of the canvas, not only the changed ones.
    pub full: bool,
    /// With `full`: pixels, row by row, that an earlier answer's `next` says are written.
    pub offset: u64,
    /// Give the canvas the configured size, if that is larger.
    pub resize: bool,
    /// With `resize`: also if that is smaller, and what lies outside is lost.
    pub crop: bool,
}

impl SaveEvent {
    /// What `event` asks for.
    pub fn read(event: &serde_json::Value) -> Self {
        let says = |name: &str| event.get(name).and_then(serde_json::Value::as_bool) == Some(true);
        let offset = event.get("offset").and_then(serde_json::Value::as_u64);
        Self {
            full: says("full"),
            offset: offset.unwrap_or(0),
            resize: says("resize"),
            crop: says("crop"),
        }
    }
}

/// What a save did.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SaveAnswer {
    /// Changes that it wrote to the history table.
    pub changes: u64,
    /// Pixels that it wrote to the table of current colours.
    pub pixels: u64,
    /// Position up to which was saved before.
    pub from: Position,
    /// Position up to which is saved now.
    pub to: Position,
    /// How long it took, in milliseconds.
    pub elapsed_ms: u64,
    /// Whether everything is saved that had been painted when it began; otherwise its time was up.
    pub complete: bool,
    /// Another save was running, and this one did nothing.
    pub held: bool,
    /// It opened the canvas: there was none, it has another size now, or the cache had failed over.
    #[serde(default)]
    pub opened: bool,
    /// Pixels that were saved, that the cache had lost, and that it painted anew.
    #[serde(default)]
    pub recovered: u64,
    /// The `offset` with which a full save that ran out of time goes on.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub next: Option<u64>,
}

/// Saves, wakes the shards whose loop died, and forgets clients that are gone.
pub async fn handle(
    event: SaveEvent,
    invocation: Invocation<'_>,
    cache: &impl Cache,
    tables: &impl Rows,
    calls: &impl Calls,
    gateway: &impl Lookup,
) -> Result<SaveAnswer, Error> {
    let start = Instant::now();
    let (saved, (), ()) = futures::join!(
        save(event, invocation, cache, tables),
        wake(invocation, cache, calls),
        prune::tidy(invocation, cache, gateway)
    );
    let answer = saved.map(|answer| SaveAnswer {
        elapsed_ms: millis(start),
        ..answer
    });
    match &answer {
        Ok(SaveAnswer { held: true, .. }) => info!("another save runs"),
        Ok(SaveAnswer {
            changes,
            pixels,
            from,
            to,
            elapsed_ms,
            complete,
            opened,
            recovered,
            ..
        }) => {
            let full = event.full;
            info!(changes, pixels, %from, %to, elapsed_ms, complete, full, opened, recovered, "saved");
        }
        Err(error) => warn!(
            elapsed_ms = millis(start),
            error = chain(error),
            "could not save"
        ),
    }
    answer
}

async fn save(
    event: SaveEvent,
    invocation: Invocation<'_>,
    cache: &impl Cache,
    tables: &impl Rows,
) -> Result<SaveAnswer, Error> {
    let start = Instant::now();
    let token = Token::random();
    let SaveLease::Taken { saved, found } = cache.take(&token, LEASE).await? else {
        return Ok(SaveAnswer {
            held: true,
            ..SaveAnswer::new(Position::ZERO)
        });
    };
    let saver = Saver {
        cache,
        tables,
        token: &token,
        state: RefCell::new(None),
    };
    let mut answer = SaveAnswer::new(saved);
    let work = async {
        let deadline = invocation.deadline;
        let table = table_id(tables).await;
        let opening = opening::Request {
            event,
            found,
            table: table.clone(),
        };
        opening::settle(&saver, opening, &mut answer).await?;
        Segments {
            saver: &saver,
            deadline,
            goal: cache.newest().await?,
        }
        .save(&mut answer)
        .await?;
        if answer.complete {
            let left = deadline.saturating_duration_since(Instant::now());
            let until = Instant::now() + left / 2;
            answer.pixels += colours::settle_doubts(&saver, until).await?;
        }
        if event.full {
            let pixels = (event.offset, None);
            answer.next = full::save(&saver, pixels, deadline, &mut answer).await?;
            answer.complete &= answer.next.is_none();
        }
        if answer.complete {
            full::refill(&saver, table, deadline, &mut answer).await?;
        }
        Ok(())
    };
    let lease = Lease::taken(cache, &token, start);
    let available = invocation.deadline.saturating_duration_since(start);
    let until = start + available.saturating_sub(LAST_WORDS.min(available / 10));
    lease.hold(work, until).await?;
    answer.elapsed_ms = millis(start);
    if !cache.finish(&token, &answer.summary()).await? {
        return Err(Error::LeaseLost("save"));
    }
    Ok(answer)
}

impl SaveAnswer {
    const fn new(from: Position) -> Self {
        Self {
            changes: 0,
            pixels: 0,
            from,
            to: from,
            elapsed_ms: 0,
            complete: false,
            held: false,
            opened: false,
            recovered: 0,
            next: None,
        }
    }

    const fn summary(&self) -> SaveSummary {
        let Self {
            changes,
            pixels,
            from,
            to,
            elapsed_ms,
            ..
        } = *self;
        SaveSummary {
            ended_ms: 0,
            changes,
            pixels,
            from,
            to,
            elapsed_ms,
        }
    }
}

/// A save that has the lease, and what it works with.
struct Saver<'a, C, R> {
    cache: &'a C,
    tables: &'a R,
    token: &'a Token,
    /// What is stored of the canvas beside its pixels.
    state: RefCell<Option<State>>,
}

impl<C: Cache, R: Rows> Saver<'_, C, R> {
    /// Stores that rows up to this position may be written from now on: whatever becomes of the
    /// cache, and of this save, the next one knows how far the tables may be ahead.
    async fn reach(&self, position: Position) -> Result<(), Error> {
        let state = self.state.borrow().clone();
        match state {
            Some(state) if state.position < position => {
                self.store(State { position, ..state }).await
            }
            _ => Ok(()),
        }
    }

    /// Stores that the table of this id holds all that was saved, or how many pixels of it.
    async fn filled(&self, table: String, written: Option<u64>) -> Result<(), Error> {
        let state = self.state.borrow().clone();
        let Some(state) = state else {
            return Ok(());
        };
        let state = match written {
            None => State {
                filled: Some(table),
                filling: None,
                ..state
            },
            Some(written) => State {
                filling: Some(Filling { table, written }),
                ..state
            },
        };
        self.store(state).await
    }

    async fn store(&self, state: State) -> Result<(), Error> {
        match self.tables.store_state(&state).await? {
            Stored::Yes => {
                *self.state.borrow_mut() = Some(state);
                Ok(())
            }
            // Only who has the lease stores one, so another has it by now.
            Stored::Outdated => Err(Error::LeaseLost("save")),
        }
    }
}

/// The id of the table of current colours. A save goes on without one: a role that is older than the
/// code may not describe the table.
async fn table_id(tables: &impl Rows) -> Option<String> {
    let told = tables.table_id().await;
    let unknown = |error: &Error| {
        warn!(
            error = chain(error),
            "could not see whether a table was made anew"
        );
    };
    told.inspect_err(unknown).ok().flatten()
}

/// Calls the shards that lag: their loop died, or its wake-up was lost.
async fn wake(invocation: Invocation<'_>, cache: &impl Saves, calls: &impl Calls) {
    if let Err(error) = try_wake(invocation, cache, calls).await {
        warn!(error = chain(&error), "could not wake the shards that lag");
    }
}

/// Calls the shards that lag, and answers them.
pub(crate) async fn try_wake(
    invocation: Invocation<'_>,
    cache: &impl Saves,
    calls: &impl Calls,
) -> Result<Vec<Shard>, Error> {
    let lagging = cache.lagging().await?;
    if lagging.is_empty() {
        return Ok(lagging);
    }
    let at = cache.newest().await?;
    for shard in &lagging {
        let reason = Reason::Lagging(invocation.request_id.to_owned());
        calls
            .call(&Call {
                shard: *shard,
                at,
                reason,
            })
            .await?;
    }
    info!(shards = lagging.len(), "woke shards that lagged");
    Ok(lagging)
}

fn millis(since: Instant) -> u64 {
    u64::try_from(since.elapsed().as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests;
