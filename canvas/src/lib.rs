//! Pixels, geometry, the wire protocol, PNG, the Redis store and the DynamoDB tables.
//!
//! Nothing outside this crate knows a Redis key or a table's attribute. It takes a stack's name
//! and the canvas's sizes, never the configuration file.

pub mod admin;
pub mod client;
pub mod connection;
pub mod entry;
pub mod geometry;
pub mod picture;
pub mod pixel;
pub mod png;
pub mod position;
pub mod store;
pub mod tables;
#[cfg(any(test, feature = "testing"))]
pub mod testing;
pub mod wire;

pub use connection::{ConnectionId, Shard, shard_of};
pub use entry::Entry;
pub use geometry::Geometry;
pub use picture::Picture;
pub use pixel::{Coalesced, Pixel, RECORD_BYTES, Rgb};
pub use position::Position;
pub use store::{PaintError, Painted, Store, StoreConfig, StoreError, Token};
