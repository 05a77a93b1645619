//! placev2broadcast: tells a shard's clients what was painted.
//!
//! A wake-up starts a loop for one shard, which runs under a lease until a tick brings nothing.
//! Its frames carry positions, so what two loops that overlap post twice is dropped by the
//! clients, and what a loop that died did not post is posted by the next one.

mod attempt;
mod delivery;
mod pace;
mod patience;
mod progress;
mod shard_loop;

use std::collections::BTreeMap;
use std::time::Duration;

use place_canvas::Shard;
use tokio::time::Instant;
use tracing::{info, warn};

pub(crate) use attempt::{GRACE, give_up};
pub use progress::Counts;
pub use shard_loop::{Ending, Summary};

use crate::error::{Error, chain};
use crate::event::{BatchAnswer, QueueEvent, WakeUp};
use crate::ports::{Calls, Clients, Gateway, History, Shards};
use shard_loop::ShardLoop;

/// How the loops run.
#[derive(Clone, Copy, Debug)]
pub struct Tuning {
    /// Shortest time between two frames to one client.
    pub tick: Duration,
    /// Posts in flight in one invocation.
    pub concurrency: usize,
    /// Posts a second that all loops together may make.
    pub max_posts_per_second: u32,
    /// Largest frame.
    pub frame_bytes: usize,
}

/// One invocation.
#[derive(Clone, Copy, Debug)]
pub struct Invocation<'a> {
    /// Its id.
    pub request_id: &'a str,
    /// When Lambda ends it.
    pub deadline: Instant,
}

/// What the loops need from the cache.
pub trait Cache: Clients + History + Shards {}
impl<T: Clients + History + Shards> Cache for T {}

/// Runs a loop for each shard that a batch of wake-ups names.
///
/// A message that is no wake-up is dropped; one whose loop failed, and could not call the next one,
/// is reported to come again.
pub async fn handle(
    event: &QueueEvent,
    invocation: Invocation<'_>,
    tuning: Tuning,
    cache: &impl Cache,
    calls: &impl Calls,
    gateway: &impl Gateway,
) -> BatchAnswer {
    let mut shards: BTreeMap<Shard, Vec<&str>> = BTreeMap::new();
    for message in &event.records {
        if let Some(WakeUp { shard }) = message.read() {
            shards.entry(shard).or_default().push(&message.message_id);
        } else {
            warn!(
                message_id = message.message_id,
                "dropped a message that is no wake-up"
            );
        }
    }
    let count = shards.len();
    let loops = shards.iter().map(|(shard, messages)| async move {
        let (part, ports) = ((*shard, count), (cache, calls, gateway));
        let serving = ShardLoop::run(part, invocation, tuning, ports);
        (messages, report(*shard, &serving.await))
    });
    let ended = futures::future::join_all(loops).await;
    let failed: Vec<&str> = ended
        .into_iter()
        .filter(|(_, ok)| !ok)
        .flat_map(|(ids, _)| ids.iter().copied())
        .collect();
    BatchAnswer::fifo(&event.records, |message| {
        failed.contains(&message.message_id.as_str())
    })
}

fn report(shard: Shard, served: &Result<Summary, Error>) -> bool {
    match served {
        Ok(Summary {
            ending: Ending::Held,
            ..
        }) => info!(%shard, "another loop serves the shard"),
        Ok(Summary {
            from,
            to,
            ticks,
            frames,
            pixels,
            clients,
            elapsed,
            counts,
            ending,
        }) => info!(
            %shard, %from, %to, ticks, frames, pixels, clients, ?ending,
            posts = counts.posts, delivered = counts.delivered, throttled = counts.throttled,
            failed = counts.failed, gone = counts.gone, given_up = counts.given_up,
            elapsed_ms = u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX),
            "served the shard"
        ),
        Err(error) => warn!(%shard, error = chain(error), "could not serve the shard"),
    }
    served.is_ok()
}

#[cfg(test)]
mod tests;
