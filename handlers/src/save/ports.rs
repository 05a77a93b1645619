//! What a save needs from the cache and from the tables.

use std::collections::HashMap;
use std::future::Future;
use std::time::Duration;

use place_canvas::store::{Doubt, MarkSaved, SaveLease, SaveSummary};
use place_canvas::tables::{Change, Current};
use place_canvas::{Position, Shard, Token};

use super::prune::Ghosts;
use crate::error::Error;
use crate::ports::{History, Look};

/// Column and row of a pixel.
pub type Place = (u16, u16);

/// The save's lease, and what it protects.
pub trait Saves: Sync {
    /// Takes the lease, unless another save runs.
    fn take(
        &self,
        token: &Token,
        ttl: Duration,
    ) -> impl Future<Output = Result<SaveLease, Error>> + Send;
    /// Renews the lease; `false` when it is lost.
    fn renew(
        &self,
        token: &Token,
        ttl: Duration,
    ) -> impl Future<Output = Result<bool, Error>> + Send;
    /// Moves `saved` and trims history.
    fn mark(
        &self,
        token: &Token,
        range: (Position, Position),
        changes: u64,
    ) -> impl Future<Output = Result<MarkSaved, Error>> + Send;
    /// Records what was done and gives the lease back.
    fn finish(
        &self,
        token: &Token,
        summary: &SaveSummary,
    ) -> impl Future<Output = Result<bool, Error>> + Send;
    /// Marks the shards that lag and that nobody serves as called, and answers them.
    fn lagging(&self) -> impl Future<Output = Result<Vec<Shard>, Error>> + Send;
    /// Position of the newest change.
    fn newest(&self) -> impl Future<Output = Result<Position, Error>> + Send;
    /// Notes that an unanswered write may yet overwrite the rows of these pixels; answers how many
    /// such notes there are.
    fn note_doubt(
        &self,
        name: &Token,
        places: &[Place],
    ) -> impl Future<Output = Result<u64, Error>> + Send;
    /// Notes that of what is noted under this name only these rows are left in doubt; `false`, and
    /// nothing is done, when the lease is lost.
    fn settle_doubt(
        &self,
        token: &Token,
        name: &Token,
        left: &[Place],
    ) -> impl Future<Output = Result<bool, Error>> + Send;
    /// What is noted.
    fn doubts(&self) -> impl Future<Output = Result<Vec<Doubt>, Error>> + Send;
}

/// The two tables.
pub trait Rows: Sync {
    /// Writes rows of the history table.
    fn post_changes(&self, changes: &[Change]) -> impl Future<Output = Result<(), Error>>;
    /// Writes rows of the table of current colours. Answers those that a try without a clear answer
    /// may yet overwrite; after a failure that may be any of them.
    fn post_pixels(&self, pixels: &[Current]) -> impl Future<Output = Result<Vec<Place>, Error>>;
    /// The rows of these pixels in the table of current colours, as far as they are there.
    fn current(
        &self,
        places: &[Place],
    ) -> impl Future<Output = Result<HashMap<Place, Current>, Error>>;
}

/// What a save needs from the cache.
pub trait Cache: Saves + History + Look + Ghosts {}
impl<T: Saves + History + Look + Ghosts> Cache for T {}
