//! The Redis store: the canvas, its history, the clients and the leases.
//!
//! Every change that must be atomic is one Lua script (`scripts/*.lua`), and every time that is
//! compared is Redis's own, so that no two clocks are ever mixed.
//!
//! # Keys
//!
//! All of them start with `{place:<stack>}:`, a hash tag, so that a script may touch them all on a
//! cluster-mode cache.
//!
//! | suffix | type | meaning |
//! |---|---|---|
//! | `canvas` | string | width x height x 3 bytes, row by row |
//! | `history` | stream | an entry a message: `p` pixel records, `c` connection id, `i` salted hash of the source address, `u` short name of the player |
//! | `clients:<shard>` | set | connection ids |
//! | `joined:<shard>` | hash | when each of them connected, in ms, and the player's short name if it gave one |
//! | `roster:<shard>` | counter | changes of `clients:<shard>`, so that a loop knows when to read it again |
//! | `cursor:<shard>` | string | position up to which the shard's clients have been sent updates |
//! | `awake:<shard>` | string | lease: `called:` and by whom, or the token of the loop that runs; when it ends, in ms |
//! | `sharding` | string | number of shards that the sets of clients are laid out for |
//! | `pruning` | string, expires | a refused connect looks for clients that are gone |
//! | `saved` | string | position up to which history is in DynamoDB |
//! | `unsaved` | counter | changes (pixels) in history after `saved` |
//! | `saving` | string | lease: token of the save that runs; when it ends, in ms |
//! | `last_save` | string | what the last save did, as JSON |
//! | `cooldown` | sorted set | who must wait (`c:<id>`, `i:<hash>`), by when that ends, in ms |
//! | `done:0`, `done:1` | hash, expires | position of what a message painted, by the message's name; the two take turns |
//! | `next` | string | a canvas that is being prepared, see [`Opening`] |
//! | `doubtful` | hash | pixels whose row of current colours may yet be overwritten, see [`Doubt`] |
//! | `meta` | hash | epoch, width, height, background, salt, first position, when it was opened, the cache's replication id then: written when the canvas is opened, and checked by every reader |
//!
//! # Opening
//!
//! A canvas without an epoch is closed: nobody paints on it, and no save writes. A save that finds it
//! so opens it (see [`Opening`]), with what the tables hold. So a cache that lost everything comes
//! back with what was saved, and its emptiness overwrites nothing.
//!
//! # What is kept of history
//!
//! The newest entry is never trimmed, so its id is the newest position; nor is anything that is
//! not saved, that a shard still needs, or that is younger than [`StoreConfig::retain`]. A shard
//! needs what follows its cursor while it has clients or a loop, for [`StoreConfig::patience`]. A
//! shard with neither needs nothing: its cursor jumps to the newest position when a client joins or
//! a loop takes it. Of what could go, the newest entry stays too, so a reader whose own entry is
//! there has missed nothing.

mod canvas;
mod clients;
mod doubts;
mod history;
mod keys;
mod link;
mod opening;
mod paint;
mod pauses;
mod ping;
mod resharding;
mod save;
mod script;
mod server;
mod shards;
mod stats;
#[cfg(test)]
mod tests;
mod verdict;
mod watch;

use std::fmt;
use std::time::Duration;

use rand::Rng;
use thiserror::Error;

pub use canvas::Canvas;
pub use clients::{Admission, ClientPage, Joined};
pub use doubts::Doubt;
pub use history::After;
pub use opening::{Found, Opening, Source, random_salt};
pub use paint::{PaintError, Painted, Painter, history_bytes};
pub use ping::Pong;
pub use save::{MarkSaved, SaveLease, SaveSummary};
pub use shards::{Asleep, Polled, Taken};
pub use stats::{CanvasStats, Memory, ShardState, ShardStats, Stats};
pub use watch::Watched;

use crate::connection::{ConnectionId, Shard, shard_of};
use crate::geometry::Geometry;
use crate::pixel::Rgb;
use crate::position::PositionError;
use keys::Keys;
use link::Link;

/// Largest canvas, in bytes: Redis holds no longer string.
const MAX_CANVAS_BYTES: usize = 512 * 1024 * 1024;

/// What the store must know of the stack.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoreConfig {
    /// Name of the stack: part of every key.
    pub stack: String,
    /// Size of the canvas.
    pub geometry: Geometry,
    /// Colour that a new canvas is filled with.
    pub background: Rgb,
    /// Shards that the clients are spread over (0 counts as 1).
    pub shards: u16,
    /// Whether the cache speaks the cluster protocol, as ElastiCache serverless does.
    pub cluster: bool,
    /// Clients admitted at once.
    pub max_clients: u64,
    /// Unsaved changes past which paints are refused.
    pub max_unsaved: u64,
    /// Bytes of history past which paints are refused, by what an entry takes as a rule; 0 for no
    /// limit.
    pub max_history_bytes: u64,
    /// Pause between two messages of one connection, in milliseconds; 0 for none.
    pub cooldown_ms: u32,
    /// Messages a second from one source address; 0 for no limit.
    pub max_messages_per_second_per_source: u32,
    /// How long saved history is kept for newcomers at least.
    pub retain: Duration,
    /// How long saved history is kept for a shard that lags, at most: whatever stops its loop must
    /// not fill the cache.
    pub patience: Duration,
}

impl StoreConfig {
    /// The configuration of a stack with the default limits.
    pub fn new(stack: impl Into<String>, geometry: Geometry) -> Self {
        Self {
            stack: stack.into(),
            geometry,
            background: Rgb::WHITE,
            shards: 1,
            cluster: false,
            max_clients: 100_000,
            max_unsaved: 5_000_000,
            max_history_bytes: 0,
            cooldown_ms: 0,
            max_messages_per_second_per_source: 0,
            retain: Duration::from_mins(1),
            patience: Duration::from_mins(10),
        }
    }
}

/// Why the store could not do it.
#[derive(Debug, Error)]
pub enum StoreError {
    /// The cache's address is unusable.
    #[error("the cache's address is unusable")]
    Address(#[source] redis::RedisError),
    /// The cache can't be reached.
    #[error("connecting to the cache")]
    Connect(#[source] redis::RedisError),
    /// The cache refused or did not answer.
    #[error("{doing}")]
    Redis {
        /// What was being done.
        doing: &'static str,
        /// What went wrong.
        source: redis::RedisError,
    },
    /// The canvas is not open: nobody has opened it yet, or the cache has lost it.
    #[error("the canvas is not open")]
    Closed,
    /// The cache holds a canvas of another size.
    #[error("the cache holds a canvas of {stored}, the configuration says {configured}")]
    Mismatch {
        /// The cache's size.
        stored: String,
        /// The configured size.
        configured: String,
    },
    /// The canvas has another background than the configuration says.
    #[error("the canvas has the background {stored}, the configuration says {configured}")]
    Background {
        /// The canvas's background.
        stored: Rgb,
        /// The configured background.
        configured: Rgb,
    },
    /// The canvas is too large for a Redis string.
    #[error("a canvas of {0} bytes is over Redis's limit of 512 MiB")]
    TooLarge(usize),
    /// The cache holds or answers something that this version can't read.
    #[error("the cache's answer to {doing} is unusable: {detail}")]
    Answer {
        /// What was being done.
        doing: &'static str,
        /// What is wrong with it.
        detail: String,
    },
}

impl StoreError {
    fn answer(doing: &'static str, detail: impl fmt::Display) -> Self {
        Self::Answer {
            doing,
            detail: detail.to_string(),
        }
    }

    /// That a canvas has another size than the configuration says.
    pub fn mismatch(stored: Geometry, configured: Geometry) -> Self {
        Self::Mismatch {
            stored: stored.to_string(),
            configured: configured.to_string(),
        }
    }

    fn position(doing: &'static str) -> impl Fn(PositionError) -> Self {
        move |error| Self::answer(doing, error)
    }
}

/// What tells one holder of a lease from another.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Token(String);

impl Token {
    /// A token that nobody else has.
    pub fn random() -> Self {
        Self(format!("{:032x}", rand::rng().random::<u128>()))
    }

    /// The token as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The store of one stack. Clones share its connection.
#[derive(Clone)]
pub struct Store {
    config: StoreConfig,
    keys: Keys,
    link: Link,
}

impl fmt::Debug for Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Store")
            .field("config", &self.config)
            .finish_non_exhaustive()
    }
}

impl Store {
    /// Connects to the cache at `url`: `redis://host:port`, or `rediss://host:port` with TLS.
    ///
    /// A cache that doesn't answer is an error within seconds, here and in every later call.
    pub async fn connect(url: &str, config: StoreConfig) -> Result<Self, StoreError> {
        let store = Self::open(url, config)?;
        store.link.connect().await?;
        Ok(store)
    }

    /// The store behind `url`, which the first call connects to.
    ///
    /// Every call resolves the name again and asks again when the connection breaks or the cache
    /// fails over, for some seconds.
    pub fn open(url: &str, config: StoreConfig) -> Result<Self, StoreError> {
        let bytes = config.geometry.bytes();
        if bytes > MAX_CANVAS_BYTES {
            return Err(StoreError::TooLarge(bytes));
        }
        let link = Link::new(url, config.cluster)?;
        let config = StoreConfig {
            shards: config.shards.max(1),
            ..config
        };
        Ok(Self {
            keys: Keys::new(&config.stack),
            config,
            link,
        })
    }

    /// What the store was told of the stack.
    pub const fn config(&self) -> &StoreConfig {
        &self.config
    }

    /// Size of the canvas.
    pub const fn geometry(&self) -> Geometry {
        self.config.geometry
    }

    fn mismatch(&self, width: &str, height: &str) -> StoreError {
        StoreError::Mismatch {
            stored: format!("{width} x {height}"),
            configured: self.config.geometry.to_string(),
        }
    }

    /// All shards.
    pub fn shards(&self) -> impl ExactSizeIterator<Item = Shard> + use<> {
        (0..self.config.shards).map(Shard)
    }

    /// The shard of a connection.
    pub fn shard_of(&self, id: &ConnectionId) -> Shard {
        shard_of(id, self.config.shards)
    }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
