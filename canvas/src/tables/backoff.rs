//! The pause before what was left undone is sent again.

use std::time::Duration;

use rand::Rng;

/// Tries of one batch. With the pauses below it gives up after half a minute or so.
pub(super) const TRIES: u32 = 12;

const FIRST: Duration = Duration::from_millis(50);
const LONGEST: Duration = Duration::from_secs(5);

/// Waits before try number `next` (from 1): a random time up to one that doubles each time, so
/// that batches which were throttled together don't come back together.
pub(super) async fn pause(next: u32) {
    let longest = FIRST.saturating_mul(1 << next.min(10)).min(LONGEST);
    let pause = rand::rng().random_range(Duration::ZERO..=longest);
    tokio::time::sleep(pause).await;
}
