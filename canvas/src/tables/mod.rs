//! The DynamoDB tables: every pixel's current colour, every change, and the journal with the stack's
//! state.
//!
//! | table | row | attributes |
//! |---|---|---|
//! | current colours | one a pixel, overwritten | `pixel` = "x y" (partition key), `rgb` = "r g b", `t` = position |
//! | history | one a change | `pixel` = "x y" (partition key), `t` = sort key of the position and the record's index, `rgb`, `by` = connection id |
//! | journal | one for what must outlive the cache | `hour` = `state` (partition key), `positions` = `canvas` (sort key), see [`State`] |
//!
//! Reads and writes go out in batches, several at once. What DynamoDB leaves unprocessed is sent
//! again after a jittered, growing pause, a bounded number of times. No key occurs twice in what
//! is written, because DynamoDB refuses a batch with two rows of one key and because the order of
//! two batches that are under way is anybody's guess.

mod backoff;
mod read;
mod rows;
mod scan;
pub mod schema;
mod state;
#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;
mod write;

use std::error::Error;

use aws_sdk_dynamodb::Client;
use thiserror::Error;

pub use rows::{Change, Current, HistoryRow};
pub use state::{Filling, State, Stored};
pub use write::Counts;

/// Calls in flight at once, unless said otherwise.
pub const IN_FLIGHT: usize = 16;

/// Why the tables could not do it.
#[derive(Debug, Error)]
pub enum TablesError {
    /// DynamoDB refused or could not be reached.
    #[error("{doing} table `{table}`")]
    Call {
        /// What was being done.
        doing: &'static str,
        /// The table.
        table: String,
        /// What the SDK says.
        source: Box<dyn Error + Send + Sync>,
    },
    /// DynamoDB left rows undone each time.
    #[error("{doing} table `{table}`: {left} rows were left after {tries} tries")]
    Unprocessed {
        /// What was being done.
        doing: &'static str,
        /// The table.
        table: String,
        /// Rows that are not known to be done, of all that were asked for.
        left: u64,
        /// Tries of the call that gave up.
        tries: u32,
    },
    /// A row is not of the form that this crate writes.
    #[error("table `{table}` holds a row that can't be read: {detail}")]
    Row {
        /// The table.
        table: String,
        /// What is wrong with it.
        detail: String,
    },
}

/// The tables of a stack.
#[derive(Clone, Debug)]
pub struct Tables {
    client: Client,
    mru: String,
    history: String,
    journal: Option<String>,
    in_flight: usize,
}

impl Tables {
    /// The tables named `mru` (current colours) and `history`.
    pub fn new(client: Client, mru: impl Into<String>, history: impl Into<String>) -> Self {
        Self {
            client,
            mru: mru.into(),
            history: history.into(),
            journal: None,
            in_flight: IN_FLIGHT,
        }
    }

    /// The same with the journal of this name; an empty name is none.
    #[must_use]
    pub fn with_journal(self, journal: impl Into<String>) -> Self {
        let journal = Some(journal.into()).filter(|name| !name.is_empty());
        Self { journal, ..self }
    }

    /// The same with so many calls in flight at once (0 counts as 1).
    #[must_use]
    pub fn with_in_flight(self, in_flight: usize) -> Self {
        Self {
            in_flight: in_flight.max(1),
            ..self
        }
    }

    fn failed(
        doing: &'static str,
        table: &str,
        source: impl Into<Box<dyn Error + Send + Sync>>,
    ) -> TablesError {
        TablesError::Call {
            doing,
            table: table.to_owned(),
            source: source.into(),
        }
    }
}
