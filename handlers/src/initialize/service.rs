//! One delivery of one newcomer: what it is sent, and when it is left to the next delivery.
//!
//! An invocation ends when all of its batch are dealt with, and only so many run at once, so a
//! client that makes nothing of its turn holds up others. Time is given for progress: a post that
//! does not succeed within [`PATIENCE`] ends the turn, one after the other may go on.

use std::time::Duration;

use futures::stream::{self, TryStreamExt};
use place_canvas::store::After;
use place_canvas::wire::{ServerFrame, update_frames};
use place_canvas::{ConnectionId, Position};
use rand::Rng;
use tokio::time::{Instant, sleep, timeout, timeout_at};
use tracing::{info, warn};

use super::{Cache, Copy, Service, millis};
use crate::broadcast::give_up;
use crate::error::{Error, chain};
use crate::event::{Newcomer, QueueMessage};
use crate::gateway::{Frame, GatewayError};
use crate::ports::{Again, Gateway};

/// How long a connection may answer 410 because its `$connect` has not returned.
const OPENING: Duration = Duration::from_secs(5);
/// How much of that a delivery waits for at most. `$connect` returns at once when it has queued the
/// client, so this is enough as a rule.
const HELD: Duration = Duration::from_millis(750);
/// How long a post may fail, or go unanswered, until the client is left to the next delivery.
const PATIENCE: Duration = Duration::from_secs(2);
/// How long removing and closing a client may take that is given up.
const CLOSING: Duration = Duration::from_secs(1);
/// First and longest pause before a failed post is repeated.
const PAUSES: (Duration, Duration) = (Duration::from_millis(50), Duration::from_millis(400));
/// Posts in flight to one client, between the first part of the picture and the last.
const IN_FLIGHT: usize = 4;
/// Entries of history that are read at once.
const PAGE: usize = 1000;
/// Pictures that one client is sent until it is left to the message's next delivery.
const PICTURES: u32 = 3;

/// How a newcomer fared.
#[derive(Debug)]
enum Served {
    /// It has the picture of this position and this many frames.
    Yes(Position, usize),
    /// It left.
    Gone,
    /// It is not open yet.
    NotOpen,
}

/// What came of sending a picture.
enum Sent {
    /// All of it arrived, in this many frames.
    Whole(usize),
    /// The history after it is gone.
    Outdated,
    /// The connection is not open yet.
    NotOpen,
}

/// A delivery.
pub(super) struct Turn<'a, C, G, Q> {
    pub(super) service: &'a Service<'a, C, G, Q>,
    /// When it must be over.
    pub(super) until: Instant,
    /// Whether the message is not delivered again.
    pub(super) is_last: bool,
}

impl<C: Cache, G: Gateway, Q: Again> Turn<'_, C, G, Q> {
    /// Whether the message is dealt with.
    pub(super) async fn message(&self, message: &QueueMessage) -> bool {
        let Some(newcomer) = message.read::<Newcomer>() else {
            warn!(
                message_id = message.message_id,
                "dropped a message that is no newcomer"
            );
            return true;
        };
        let start = Instant::now();
        let connection = &newcomer.connection;
        // A post that hangs must not take the others' answers with it.
        let served = timeout_at(self.until, self.newcomer(&newcomer)).await;
        let served = served.unwrap_or(Err(Error::TimeUp("picture")));
        let (elapsed_ms, delivery) = (millis(start), message.receives());
        match &served {
            Ok(Served::Yes(at, frames)) => {
                let from = newcomer.from.map(tracing::field::display);
                info!(%connection, %at, from, frames, elapsed_ms, delivery, "sent the picture");
                return true;
            }
            Ok(Served::Gone) => {
                info!(%connection, elapsed_ms, delivery, "the newcomer is gone");
                return true;
            }
            Ok(Served::NotOpen) => {
                info!(%connection, elapsed_ms, delivery, "the connection is not open yet");
            }
            Err(error) => {
                let error = chain(error);
                warn!(%connection, elapsed_ms, delivery, error, "could not send the picture");
            }
        }
        if self.is_last {
            // It comes back and is a newcomer again, instead of waiting for ever.
            let (cache, gateway) = (self.service.cache, self.service.gateway);
            let closing = timeout(CLOSING, give_up(gateway, cache, connection));
            let in_time = closing.await.is_ok();
            warn!(%connection, delivery, in_time, "gave a newcomer up and closed its connection");
        }
        self.is_last
    }

    async fn newcomer(&self, newcomer: &Newcomer) -> Result<Served, Error> {
        let client = &newcomer.connection;
        match self.resume_or_picture(client, newcomer.from).await {
            Err(Error::Gateway(GatewayError::Gone)) => {
                self.service.cache.remove(client).await?;
                Ok(Served::Gone)
            }
            served => served,
        }
    }

    async fn resume_or_picture(
        &self,
        client: &ConnectionId,
        from: Option<Position>,
    ) -> Result<Served, Error> {
        if let Some(from) = from
            && let Some(served) = self.resume(client, from).await?
        {
            return Ok(served);
        }
        self.picture(client).await
    }

    /// Sends what a client that holds `from` has missed; nothing where history does not reach so far
    /// back, or a picture is shorter.
    async fn resume(&self, client: &ConnectionId, from: Position) -> Result<Option<Served>, Error> {
        let missed = self.service.cache.follow(from, PAGE).await?;
        if missed.gap || missed.entries.len() == PAGE {
            return Ok(None);
        }
        let begin = ServerFrame::Resume { from };
        if !self.open(client, &Frame::new(begin.to_text())).await? {
            return Ok(Some(Served::NotOpen));
        }
        // Read once more: the connection is open by now, so whatever comes later, a loop sends.
        let Some((at, updates)) = self.send_updates(client, from).await? else {
            return Ok(None);
        };
        let end = ServerFrame::Resumed { at };
        self.post(client, &Frame::new(end.to_text())).await?;
        Ok(Some(Served::Yes(at, updates + 2)))
    }

    async fn picture(&self, client: &ConnectionId) -> Result<Served, Error> {
        let mut outdated = None;
        for _ in 0..PICTURES {
            let (gallery, cache) = (self.service.gallery, self.service.cache);
            let copy = gallery.current(cache, outdated).await?;
            match self.send_all(client, &copy).await? {
                Sent::Whole(frames) => return Ok(Served::Yes(copy.at, frames)),
                Sent::Outdated => {
                    info!(%client, at = %copy.at, "the history after the picture is gone");
                    outdated = Some(copy.at);
                }
                Sent::NotOpen => return Ok(Served::NotOpen),
            }
        }
        Err(Error::TimeUp("picture"))
    }

    async fn send_all(&self, client: &ConnectionId, copy: &Copy) -> Result<Sent, Error> {
        let [first, middle @ .., last] = copy.frames.as_slice() else {
            unreachable!("a picture has two parts at least");
        };
        if !self.open(client, first).await? {
            return Ok(Sent::NotOpen);
        }
        // A client joins parts by their numbers, in whatever order they come.
        stream::iter(middle.iter().map(Ok))
            .try_for_each_concurrent(IN_FLIGHT, |part| self.post(client, part))
            .await?;
        let Some((_, updates)) = self.send_updates(client, copy.at).await? else {
            return Ok(Sent::Outdated);
        };
        self.post(client, last).await?;
        Ok(Sent::Whole(copy.frames.len() + updates))
    }

    /// Posts the first part, again while the answer is 410 and the connection may not be open yet;
    /// says whether it is. One that is in no shard has left, and one that connected a while ago too.
    async fn open(&self, client: &ConnectionId, part: &Frame) -> Result<bool, Error> {
        let held = Instant::now() + HELD;
        let mut pause = PAUSES.0;
        loop {
            match self.post(client, part).await {
                Err(GatewayError::Gone) => {}
                posted => return Ok(posted.map(|()| true)?),
            }
            let age = self.service.cache.age(client).await?;
            if age.is_none_or(|age| age >= OPENING) {
                return Err(GatewayError::Gone.into());
            }
            if !self.is_last && Instant::now() + pause > held {
                return Ok(false);
            }
            pause = wait(pause).await;
        }
    }

    /// Posts all changes after a position; answers where that led, and in how many frames.
    async fn send_updates(
        &self,
        client: &ConnectionId,
        after: Position,
    ) -> Result<Option<(Position, usize)>, Error> {
        let (mut from, mut sent) = (after, 0);
        loop {
            let After { entries, gap } = self.service.cache.follow(from, PAGE).await?;
            if gap {
                return Ok(None);
            }
            for update in update_frames(from, &entries, self.service.gallery.frame_bytes) {
                from = update.at;
                self.post(client, &Frame::new(update.text)).await?;
                sent += 1;
            }
            if entries.len() < PAGE {
                return Ok(Some((from, sent)));
            }
        }
    }

    /// Posts one frame, again and again while that makes sense.
    async fn post(&self, client: &ConnectionId, frame: &Frame) -> Result<(), GatewayError> {
        let until = self.until.min(Instant::now() + PATIENCE);
        let mut pause = PAUSES.0;
        loop {
            let posted = timeout_at(until, self.service.gateway.post(client, frame)).await;
            let unanswered = || Err(GatewayError::Unreachable("timed out".to_owned()));
            let Err(error) = posted.unwrap_or_else(|_| unanswered()) else {
                return Ok(());
            };
            let is_final = matches!(error, GatewayError::Gone | GatewayError::Denied(_));
            if is_final || Instant::now() + pause >= until {
                return Err(error);
            }
            pause = wait(pause).await;
        }
    }
}

/// Pauses, for somewhat less than `pause`; answers the next pause.
async fn wait(pause: Duration) -> Duration {
    sleep(pause.mul_f64(rand::rng().random_range(0.5..1.0))).await;
    (pause * 2).min(PAUSES.1)
}
