//! `sendMessage`: paints what a client sends, answers its pings, and wakes the broadcast when it
//! sleeps.

use std::time::Duration;

use place_canvas::wire::{ClientMessage, ErrorCode, ServerFrame, parse_named_message};
use place_canvas::{ConnectionId, Geometry, PaintError, Pixel, Position, Shard, StoreError, Token};
use rand::Rng;
use tracing::{info, warn};

use crate::error::{Error, chain};
use crate::event::{SocketAnswer, SocketEvent};
use crate::gateway::Frame;
use crate::ports::{Calls, Gateway, Newcomers, Paint};
use crate::queues::{Call, Reason};

mod told;
pub use told::Told;

/// Tries to queue a wake-up, each of which already is several of the SDK's.
const TRIES: u32 = 2;
/// Longest pause between them.
const PAUSE: Duration = Duration::from_millis(200);
/// How long all of it may take: the sender is to hear of a failure before Lambda ends the
/// invocation, and an invocation that waits costs concurrency.
const WAKING: Duration = Duration::from_secs(3);

/// What a message may paint.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Size of the canvas.
    pub geometry: Geometry,
    /// Pixels in one message.
    pub max_pixels: usize,
}

/// What is wrong, for the sender.
#[derive(Debug, PartialEq, Eq)]
struct Refusal {
    code: ErrorCode,
    message: String,
    /// Whether the sender has heard so: one that floods is not answered each time.
    told: bool,
    retry_ms: Option<u64>,
    /// The first pixel that it is about.
    place: Option<(u16, u16)>,
}

impl Refusal {
    fn new(code: ErrorCode, message: impl Into<String>) -> Self {
        Self {
            code,
            message: message.into(),
            told: false,
            retry_ms: None,
            place: None,
        }
    }

    fn frame(self, name: Option<String>) -> ServerFrame {
        ServerFrame::Error {
            code: self.code,
            message: self.message,
            retry_ms: self.retry_ms,
            name,
            x: self.place.map(|(x, _)| x),
            y: self.place.map(|(_, y)| y),
        }
    }
}

/// Does what the message of `event` says: paints all of it or nothing, or answers a ping.
///
/// The sender hears of everything that goes wrong through an `error` frame, unless it floods; API
/// Gateway always gets a 200, because what it makes of anything else is not documented clearly.
pub async fn handle(
    event: &SocketEvent,
    limits: Limits,
    told: &Told,
    (canvas, queues, gateway): (&impl Paint, &(impl Calls + Newcomers), &impl Gateway),
) -> SocketAnswer {
    let Some(connection) = event.connection() else {
        warn!("dropped an event without a connection id");
        return SocketAnswer::BAD_REQUEST;
    };
    let ports = (canvas, queues, queues);
    let body = event.body.as_deref().unwrap_or("");
    let (name, message) = parse_named_message(body, limits.max_pixels, limits.geometry);
    let message = message.map_err(|rejection| Refusal {
        place: rejection.place,
        ..Refusal::new(rejection.code, rejection.message)
    });
    let answer = match answer(&connection, event, (name.as_deref(), message), ports).await {
        Ok(None) => return SocketAnswer::OK,
        Ok(Some(pong)) => pong,
        Err(refusal) => {
            info!(%connection, code = %refusal.code, message = refusal.message, "refused a message");
            if refusal.told {
                return SocketAnswer::OK;
            }
            refusal.frame(name)
        }
    };
    if told.once_more(&connection)
        && let Err(error) = gateway
            .post(&connection, &Frame::new(answer.to_text()))
            .await
    {
        info!(%connection, error = chain(&error), "could not answer the sender");
    }
    SocketAnswer::OK
}

/// Does what the message says; the frame, if the sender gets one.
async fn answer(
    connection: &ConnectionId,
    event: &SocketEvent,
    (name, message): (Option<&str>, Result<ClientMessage, Refusal>),
    ports: (&impl Paint, &impl Calls, &impl Newcomers),
) -> Result<Option<ServerFrame>, Refusal> {
    match message? {
        ClientMessage::Paint(pixels) => {
            paint(connection, event.source(), (&pixels, name), ports).await?;
            Ok(None)
        }
        ClientMessage::Ping { at } => ping(connection, at, ports).await.map(Some),
    }
}

async fn paint(
    connection: &ConnectionId,
    source: &str,
    (pixels, name): (&[Pixel], Option<&str>),
    (canvas, calls, newcomers): (&impl Paint, &impl Calls, &impl Newcomers),
) -> Result<(), Refusal> {
    let painted = canvas.paint(connection, source, pixels, name).await;
    let painted = painted.map_err(|error| refusal(connection, &error))?;
    let (at, count) = (painted.at, pixels.len());
    info!(%connection, %at, pixels = count, wakes = painted.wake.len(), "painted");
    let wakes = Wakes {
        shards: &painted.wake,
        at,
        caller: &painted.caller,
    };
    let (woken, ()) = futures::join!(
        wakes.call(canvas, calls),
        welcome_back(connection, painted.is_back.then_some(at), newcomers)
    );
    // The pixels are painted and safe whatever happened: the next ping or paint calls again.
    woken.map_err(|error| {
        warn!(%connection, error = chain(&error), "could not wake the broadcast");
        Refusal::new(
            ErrorCode::Unavailable,
            "painted, but others will see it late",
        )
    })
}

async fn ping(
    connection: &ConnectionId,
    holds: Option<Position>,
    (canvas, calls, newcomers): (&impl Paint, &impl Calls, &impl Newcomers),
) -> Result<ServerFrame, Refusal> {
    let pong = canvas.ping(connection, holds).await.map_err(|error| {
        warn!(%connection, error = chain(&error), "could not answer a ping");
        Refusal::new(ErrorCode::Unavailable, "the canvas does not answer now")
    })?;
    let wakes = Wakes {
        shards: &pong.wake,
        at: pong.at,
        caller: &pong.caller,
    };
    let (woken, ()) = futures::join!(
        wakes.call(canvas, calls),
        welcome_back(connection, pong.is_back.then_some(pong.at), newcomers)
    );
    if let Err(error) = woken {
        warn!(%connection, error = chain(&error), "could not wake the broadcast");
    }
    info!(%connection, at = %pong.at, wakes = pong.wake.len(), back = pong.is_back, lost = pong.is_lost, "answered a ping");
    Ok(ServerFrame::Pong {
        at: pong.at,
        epoch: pong.epoch,
        online: pong.online,
        lost: pong.is_lost,
    })
}

/// Queues a client that the cache had lost for a picture.
async fn welcome_back(client: &ConnectionId, at: Option<Position>, newcomers: &impl Newcomers) {
    let Some(at) = at else {
        return;
    };
    info!(%client, "put a client back that the cache had lost");
    let queueing = tokio::time::timeout(WAKING, newcomers.announce_again(client, at));
    let queued = queueing.await.unwrap_or(Err(Error::TimeUp("queueing")));
    if let Err(error) = queued {
        // It finds a gap in the next update, and connects anew.
        warn!(%client, error = chain(&error), "could not queue a client for a picture");
    }
}

/// Shards that are to be woken.
struct Wakes<'a> {
    shards: &'a [Shard],
    at: Position,
    caller: &'a Token,
}

impl Wakes<'_> {
    /// Wakes them. If some can't be, their calls are taken back, so that the next ping or paint calls
    /// at once, and need not wait until they expire.
    async fn call(&self, canvas: &impl Paint, calls: &impl Calls) -> Result<(), Error> {
        let woken = self.try_call(calls).await;
        if woken.is_err()
            && let Err(error) = canvas.give_back(self.shards, self.caller).await
        {
            warn!(error = chain(&error), "could not take calls back");
        }
        woken
    }

    async fn try_call(&self, calls: &impl Calls) -> Result<(), Error> {
        let wakes = self.shards.iter().map(|shard| async move {
            let call = Call {
                shard: *shard,
                at: self.at,
                reason: Reason::Paint(self.caller.clone()),
            };
            call_patiently(&call, calls).await
        });
        let all = tokio::time::timeout(WAKING, futures::future::join_all(wakes)).await;
        let all = all.map_err(|_| Error::TimeUp("queueing"))?;
        all.into_iter().collect()
    }
}

async fn call_patiently(call: &Call, calls: &impl Calls) -> Result<(), Error> {
    for _ in 1..TRIES {
        match calls.call(call).await {
            Ok(()) => return Ok(()),
            Err(error) => warn!(error = chain(&error), "queueing a wake-up again"),
        }
        tokio::time::sleep(PAUSE.mul_f64(rand::rng().random())).await;
    }
    calls.call(call).await
}

fn refusal(connection: &ConnectionId, error: &PaintError) -> Refusal {
    match error {
        PaintError::CoolingDown { retry_ms, told } => Refusal {
            told: *told,
            retry_ms: Some(*retry_ms),
            ..Refusal::new(ErrorCode::CoolingDown, format!("wait {retry_ms} ms"))
        },
        PaintError::Full => Refusal::new(
            ErrorCode::Unavailable,
            "the canvas is not being saved, nothing can be painted now",
        ),
        PaintError::Store(StoreError::Closed) => {
            warn!(%connection, "the canvas is not open");
            Refusal::new(ErrorCode::Unavailable, "the canvas opens within a minute")
        }
        PaintError::OutOfBounds { .. } => Refusal::new(ErrorCode::OutOfBounds, error.to_string()),
        other => {
            warn!(%connection, error = chain(other), "could not paint");
            // The cache may have painted it and only its answer be lost.
            let message = "perhaps not painted: look, and try again";
            Refusal::new(ErrorCode::Unavailable, message)
        }
    }
}

#[cfg(test)]
mod tests;
