//! The functions alone: their real binaries on a stub of Lambda's Runtime API, with a real Redis,
//! a gateway that fails as it is told, and tables behind a proxy that kills and breaks.

#![expect(
    clippy::unwrap_used,
    reason = "a test that can't go on panics, with what it found"
)]

use place_tests::lambda::play as support;

mod budget;
mod cache_kills;
mod failover;
mod flood;
mod gateway_faults;
mod honest_flood;
mod kills;
mod newcomers;
mod noise;
mod saves;
mod shards;
mod table_faults;
