//! initializeConnection: sends the picture to newcomers.
//!
//! The picture of a position P is encoded once and serves everyone who comes within
//! `init.reuse_ms`, so it may be older than the newcomer. The changes after P follow as updates.
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

use std::sync::Arc;
use std::time::Duration;

use place_canvas::store::{After, Canvas};
use place_canvas::wire::{Shown, init_frames, update_frames};
use place_canvas::{ConnectionId, Position, png};
use rand::Rng;
use tokio::sync::Mutex;
use tokio::time::{Instant, sleep, timeout_at};
use tracing::{info, warn};

use crate::error::{Error, chain};
use crate::event::{BatchAnswer, Newcomer, QueueEvent, QueueMessage};
use crate::gateway::{Frame, GatewayError};
use crate::ports::{Clients, Gateway, History, Look};

/// How long a connection may answer 410 because its `$connect` has not returned.
const OPENING: Duration = Duration::from_secs(5);
/// Longest time that a picture is reused, whatever is configured: well below the minute for which
/// history is kept.
const LONGEST_REUSE: Duration = Duration::from_secs(30);
/// Kept free before the invocation's time-out, to answer what was not done.
const RESERVE: Duration = Duration::from_secs(2);
/// First and longest pause before a failed post is repeated.
const PAUSES: (Duration, Duration) = (Duration::from_millis(50), Duration::from_secs(1));
/// Bytes of a frame beside its data, about: a frame of this and half of a picture in base64 can't
/// hold all of the picture.
const ENVELOPE: usize = 256;
/// Entries of history that are read at once.
const PAGE: usize = 1000;
/// Pictures that one client is sent until it is left to the message's next delivery.
const PICTURES: u32 = 3;

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

/// Sends the picture to every newcomer of a batch, to several at once.
///
/// A message that is no newcomer is dropped. One whose client could not be served before
/// `deadline` is reported to come again.
pub async fn handle(
    event: &QueueEvent,
    deadline: Instant,
    gallery: &Gallery,
    cache: &impl Cache,
    gateway: &impl Gateway,
) -> BatchAnswer {
    let until = deadline.checked_sub(RESERVE).unwrap_or(deadline);
    let served = event.records.iter().map(|message| async move {
        let service = Service {
            gallery,
            cache,
            gateway,
            until,
        };
        service.message(message).await
    });
    let served = futures::future::join_all(served).await;
    let failed: Vec<_> = event
        .records
        .iter()
        .zip(served)
        .filter(|(_, ok)| !ok)
        .collect();
    BatchAnswer::fifo(&event.records, |message| {
        failed
            .iter()
            .any(|(failed, _)| failed.message_id == message.message_id)
    })
}

/// How a newcomer fared.
#[derive(Debug)]
enum Served {
    /// It has the picture of this position and this many frames.
    Yes(Position, usize),
    /// It left.
    Gone,
}

struct Service<'a, C, G> {
    gallery: &'a Gallery,
    cache: &'a C,
    gateway: &'a G,
    until: Instant,
}

impl<C: Cache, G: Gateway> Service<'_, C, G> {
    /// Whether the message is dealt with.
    async fn message(&self, message: &QueueMessage) -> bool {
        let Some(Newcomer { connection }) = message.read() else {
            warn!(
                message_id = message.message_id,
                "dropped a message that is no newcomer"
            );
            return true;
        };
        let start = Instant::now();
        // A post that hangs must not take the others' answers with it.
        let served = timeout_at(self.until, self.newcomer(&connection)).await;
        let served = served.unwrap_or(Err(Error::TimeUp("picture")));
        let elapsed_ms = millis(start);
        match &served {
            Ok(Served::Yes(at, frames)) => {
                info!(%connection, %at, frames, elapsed_ms, "sent the picture");
            }
            Ok(Served::Gone) => info!(%connection, elapsed_ms, "the newcomer is gone"),
            Err(error) => {
                warn!(%connection, elapsed_ms, error = chain(error), "could not send the picture");
            }
        }
        served.is_ok()
    }

    async fn newcomer(&self, client: &ConnectionId) -> Result<Served, Error> {
        let mut outdated = None;
        for _ in 0..PICTURES {
            let copy = self.gallery.picture(self.cache, outdated).await?;
            match self.send_all(client, &copy).await {
                Ok(Some(frames)) => return Ok(Served::Yes(copy.at, frames)),
                Ok(None) => {
                    info!(%client, at = %copy.at, "the history after the picture is gone");
                    outdated = Some(copy.at);
                }
                Err(Error::Gateway(GatewayError::Gone)) => {
                    self.cache.remove(client).await?;
                    return Ok(Served::Gone);
                }
                Err(error) => return Err(error),
            }
        }
        Err(Error::TimeUp("picture"))
    }

    /// Answers the number of frames; `None` when the history after the picture is gone.
    async fn send_all(&self, client: &ConnectionId, copy: &Copy) -> Result<Option<usize>, Error> {
        let opening = Instant::now() + OPENING;
        let (last, parts) = copy
            .frames
            .split_last()
            .expect("a picture has two parts at least");
        for (number, part) in parts.iter().enumerate() {
            self.post(client, part, (number == 0).then_some(opening))
                .await?;
        }
        let Some(updates) = self.send_updates(client, copy.at).await? else {
            return Ok(None);
        };
        self.post(client, last, None).await?;
        Ok(Some(copy.frames.len() + updates))
    }

    async fn send_updates(
        &self,
        client: &ConnectionId,
        after: Position,
    ) -> Result<Option<usize>, Error> {
        let (mut from, mut sent) = (after, 0);
        loop {
            let After { entries, gap } = self.cache.follow(from, PAGE).await?;
            if gap {
                return Ok(None);
            }
            for update in update_frames(from, &entries, self.gallery.frame_bytes) {
                from = update.at;
                self.post(client, &Frame::new(update.text), None).await?;
                sent += 1;
            }
            if entries.len() < PAGE {
                return Ok(Some(sent));
            }
        }
    }

    /// Posts one frame, again and again while that makes sense.
    async fn post(
        &self,
        client: &ConnectionId,
        frame: &Frame,
        may_open_until: Option<Instant>,
    ) -> Result<(), GatewayError> {
        let mut pause = PAUSES.0;
        loop {
            let error = match self.gateway.post(client, frame).await {
                Ok(()) => return Ok(()),
                Err(error) => error,
            };
            let until = match error {
                GatewayError::Gone => may_open_until.unwrap_or_else(Instant::now).min(self.until),
                GatewayError::Denied(_) => Instant::now(),
                _ => self.until,
            };
            if Instant::now() + pause >= until {
                return Err(error);
            }
            sleep(pause.mul_f64(rand::rng().random_range(0.5..1.0))).await;
            pause = (pause * 2).min(PAUSES.1);
        }
    }
}

fn millis(since: Instant) -> u64 {
    u64::try_from(since.elapsed().as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests;
