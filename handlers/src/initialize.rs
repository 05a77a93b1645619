//! initializeConnection: sends the picture to newcomers.
//!
//! The picture of a position P is encoded once and serves everyone who comes within
//! `init.reuse_ms`, or for longer while little is painted ([`reuse`]), so it may be older than the newcomer. The changes after P follow as updates.
//!
//! # Why no newcomer starts with a gap
//!
//! A picture has two parts at least. The changes after P are read when the first part has arrived,
//! so at a moment T at which the connection is open and the client in its shard's set, and they are
//! posted before the last part, so that a client keeps them and everything that a loop posts
//! meanwhile, and applies them together. A broadcast loop reads history first and the set of
//! clients after that. Take any change, and the frame of a loop that carries it.
//!
//! - The loop did not find the client in the set, or its post failed because the connection was
//!   not open yet: then the loop had read the change from history before T, so the change is in
//!   what is read here.
//! - Otherwise the loop posts the frame to the client.
//!
//! Either way the client gets it, and what it gets twice it drops. What is read here is still
//! there as a rule: history is kept for a minute at least, and a picture is reused for half a
//! minute at most. A client that is served for longer, because it is slow or throttled, may find
//! the history after its picture gone: then it gets a new picture.
//!
//! Who comes back and says which position it holds is sent what it has missed instead, between `resume`
//! and `resumed`: read after the connection is open, as above, and complete for the same reason.
//!
//! # Who is not served at once
//!
//! What fails comes again within seconds ([`again`]), and waits in the queue instead of in the
//! function ([`service`]): a connection that is gone, slow or not open yet holds nobody up.

mod again;
mod reuse;
mod service;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use futures::future::join_all;
use place_canvas::store::Canvas;
use place_canvas::wire::{Shown, init_frames};
use place_canvas::{Position, png};
use tokio::sync::Mutex;
use tokio::time::Instant;
use tracing::info;

use crate::error::Error;
use crate::event::{BatchAnswer, QueueEvent, QueueMessage};
use crate::gateway::Frame;
use crate::ports::{Again, Clients, Gateway, History, Look};
use service::Turn;

/// Longest time that a picture is reused, whatever is configured: well below the minute for which
/// history is kept.
const LONGEST_REUSE: Duration = Duration::from_secs(30);
/// Kept free before the invocation's time-out, to see to those that were not served.
const RESERVE: Duration = Duration::from_secs(3);
/// Bytes of a frame beside its data, about: a frame of this and half of a picture in base64 can't
/// hold all of the picture.
const ENVELOPE: usize = 256;

/// What newcomers need from the cache.
pub trait Cache: Clients + History + Look {}
impl<T: Clients + History + Look> Cache for T {}

/// A picture, cut into frames.
struct Copy {
    taken: Instant,
    at: Position,
    frames: Vec<Frame>,
}

/// The latest picture that this process has encoded.
pub struct Gallery {
    reuse: Duration,
    frame_bytes: usize,
    latest: Mutex<Option<Arc<Copy>>>,
}

impl Gallery {
    /// No picture yet; one is reused for `reuse`, in frames of at most `frame_bytes`.
    pub fn new(reuse: Duration, frame_bytes: usize) -> Self {
        Self {
            reuse: reuse.min(LONGEST_REUSE),
            frame_bytes,
            latest: Mutex::new(None),
        }
    }

    /// Newcomers that arrive together wait for one encoding. The picture `outdated` is not answered
    /// again.
    async fn picture(
        &self,
        cache: &impl Look,
        outdated: Option<Position>,
    ) -> Result<Arc<Copy>, Error> {
        let mut latest = self.latest.lock().await;
        let is_good = |copy: &&Arc<Copy>| {
            copy.taken.elapsed() < self.reuse && outdated.is_none_or(|at| at < copy.at)
        };
        if let Some(copy) = latest.as_ref().filter(is_good) {
            return Ok(Arc::clone(copy));
        }
        *latest = None;
        let taken = Instant::now();
        let Canvas { epoch, at, picture } = cache.read_canvas().await?;
        let png = png::encode(&picture);
        let geometry = picture.geometry();
        drop(picture);
        let frame_bytes = self.frame_bytes.min(ENVELOPE + png.len() * 2 / 3);
        let shown = Shown {
            epoch: &epoch,
            at,
            geometry,
        };
        let frames = init_frames(&png, shown, frame_bytes);
        let frames = frames.into_iter().map(Frame::new).collect();
        let copy = Arc::new(Copy { taken, at, frames });
        info!(%at, png_bytes = png.len(), elapsed_ms = millis(taken), "encoded the picture");
        *latest = Some(Arc::clone(&copy));
        Ok(copy)
    }
}

/// What newcomers are served with.
pub struct Service<'a, C, G, Q> {
    /// The picture.
    pub gallery: &'a Gallery,
    /// The cache.
    pub cache: &'a C,
    /// The clients' connections.
    pub gateway: &'a G,
    /// The queue that they come from.
    pub queue: &'a Q,
    /// Deliveries of a message before it goes to the dead-letter queue.
    pub tries: u32,
}

/// Sends the picture to every newcomer of a batch, to several at once.
///
/// A message that is no newcomer is dropped. One whose client could not be served is reported to
/// come again, within seconds; at the last delivery the client is disconnected instead.
pub async fn handle<C: Cache, G: Gateway, Q: Again>(
    event: &QueueEvent,
    deadline: Instant,
    service: &Service<'_, C, G, Q>,
) -> BatchAnswer {
    let until = deadline.checked_sub(RESERVE).unwrap_or(deadline);
    let served = event.records.iter().map(|message| async move {
        let turn = Turn {
            service,
            until,
            is_last: message.receives() >= service.tries,
        };
        (message.message_id.as_str(), turn.message(message).await)
    });
    let served: HashMap<_, _> = join_all(served).await.into_iter().collect();
    let has_failed = |message: &QueueMessage| !served[message.message_id.as_str()];
    let answer = BatchAnswer::fifo(&event.records, has_failed);
    again::soon(event, &answer, service.queue).await;
    answer
}

fn millis(since: Instant) -> u64 {
    u64::try_from(since.elapsed().as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests;
