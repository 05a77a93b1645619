//! Whom a delivery did not serve: it comes again within seconds, and after the last delivery the
//! client is told to come back by itself.
//!
//! SQS delivers again what a function reports as failed, but only after the queue's visibility
//! time-out, which must be longer than a whole invocation. So each failed message's own time-out is
//! cut short first. Lambda leaves it as it is (aws-dotnet-messaging does the same on FIFO queues),
//! and a message group holds one client alone, so nobody waits behind it.

use std::time::Duration;

use rand::Rng;
use tokio::time::timeout;
use tracing::warn;

use crate::error::{Error, chain};
use crate::event::{BatchAnswer, QueueEvent};
use crate::ports::Again;
use crate::queues::Unserved;

/// Longest pause before the next delivery, in seconds.
const LONGEST_PAUSE_S: u32 = 8;
/// How long the call may take: it is made in what is kept free before the invocation's time-out.
const TIME: Duration = Duration::from_millis(1500);

/// Cuts the time-outs of the messages short that `answer` reports as failed.
///
/// Where that fails too they come again after their queue's time-out.
pub(super) async fn soon(event: &QueueEvent, answer: &BatchAnswer, queue: &impl Again) {
    let has_failed = |id: &str| answer.failures.iter().any(|failed| failed.message_id == id);
    let failed = event
        .records
        .iter()
        .filter(|message| has_failed(&message.message_id));
    let unserved: Vec<Unserved> = failed
        .filter_map(|message| {
            Some(Unserved {
                receipt_handle: message.receipt_handle.clone()?,
                pause_s: pause_s(message.receives()),
            })
        })
        .collect();
    if unserved.is_empty() {
        return;
    }
    let changed = timeout(TIME, queue.again(&unserved)).await;
    if let Err(error) = changed.unwrap_or(Err(Error::TimeUp("queue"))) {
        let messages = unserved.len();
        warn!(messages, error = chain(&error), "messages come again late");
    }
}

/// Doubles with every delivery. The upper half is left to chance, so that a crowd that failed
/// together doesn't come again together.
fn pause_s(receives: u32) -> u32 {
    let most = 1_u32
        .checked_shl(receives.saturating_sub(1))
        .map_or(LONGEST_PAUSE_S, |pause| pause.min(LONGEST_PAUSE_S));
    rand::rng().random_range(most.div_ceil(2)..=most)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_and_end() {
        for (receives, pauses) in [(0, 1..=1), (1, 1..=1), (2, 1..=2), (3, 2..=4), (4, 4..=8)] {
            assert!((0..50).all(|_| pauses.contains(&pause_s(receives))));
        }
        assert!((5..100).all(|receives| (4..=8).contains(&pause_s(receives))));
    }
}
