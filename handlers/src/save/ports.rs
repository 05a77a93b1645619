//! What a save needs from the cache and from the tables.

use std::collections::HashMap;
use std::future::Future;
use std::time::Duration;

use place_canvas::store::{Doubt, MarkSaved, Opening, SaveLease, SaveSummary};
use place_canvas::tables::{Change, Current, State, Stored};
use place_canvas::{Geometry, Painted, Picture, Pixel, Position, Rgb, Shard, Token};

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

/// Opening the canvas, under the save's lease.
pub trait Opens: Sync {
    /// Size and background as configured.
    fn configured(&self) -> (Geometry, Rgb);
    /// The pixels in the cache, open or not, of a canvas of this size.
    fn pixels(&self, geometry: Geometry) -> impl Future<Output = Result<Picture, Error>> + Send;
    /// Closes the canvas, so that it can be opened in another size; `false` when the lease is lost.
    fn close(
        &self,
        token: &Token,
        to: Geometry,
    ) -> impl Future<Output = Result<bool, Error>> + Send;
    /// Opens the canvas under a new epoch, and answers where its history begins; `None` when the
    /// lease is lost.
    fn open(
        &self,
        token: &Token,
        opening: &Opening,
        picture: Option<&Picture>,
    ) -> impl Future<Output = Result<Option<Position>, Error>> + Send;
    /// Position of the newest change before this one.
    fn last_before(
        &self,
        position: Position,
    ) -> impl Future<Output = Result<Position, Error>> + Send;
    /// Paints, as one entry, what is saved and the cache has lost.
    fn paint_back(&self, pixels: &[Pixel]) -> impl Future<Output = Result<Painted, Error>> + Send;
}

/// The tables.
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
    /// Every row of the table of current colours, page by page; answers how many there are.
    fn all(&self, on_page: impl FnMut(Vec<Current>)) -> impl Future<Output = Result<u64, Error>>;
    /// The id of the table of current colours, if that can be told: a table that is made anew has
    /// another one.
    fn table_id(&self) -> impl Future<Output = Result<Option<String>, Error>>;
    /// What is stored of the canvas beside its pixels.
    fn state(&self) -> impl Future<Output = Result<Option<State>, Error>>;
    /// Stores it, unless what is stored is of a later position.
    fn store_state(&self, state: &State) -> impl Future<Output = Result<Stored, Error>>;
}

/// What a save needs from the cache.
pub trait Cache: Saves + Opens + History + Look + Ghosts {}
impl<T: Saves + Opens + History + Look + Ghosts> Cache for T {}
