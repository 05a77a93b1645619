//! `sendMessage`: paints what a client sends, and wakes the broadcast when it sleeps.

use std::time::Duration;

use place_canvas::wire::{ErrorCode, error_frame, parse_client_message};
use place_canvas::{ConnectionId, Geometry, PaintError, Painted};
use rand::Rng;
use tracing::{info, warn};

use crate::error::{Error, chain};
use crate::event::{SocketAnswer, SocketEvent};
use crate::gateway::Frame;
use crate::ports::{Calls, Gateway, Paint};
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
}

impl Refusal {
    fn new(code: ErrorCode, message: impl Into<String>) -> Self {
        Self {
            code,
            message: message.into(),
            told: false,
        }
    }
}

/// Paints the message of `event`: all of it or nothing.
///
/// The sender hears of everything that goes wrong through an `error` frame, unless it floods; API
/// Gateway always gets a 200, because what it makes of anything else is not documented clearly.
pub async fn handle(
    event: &SocketEvent,
    limits: Limits,
    told: &Told,
    canvas: &impl Paint,
    calls: &impl Calls,
    gateway: &impl Gateway,
) -> SocketAnswer {
    let Some(connection) = event.connection() else {
        warn!("dropped an event without a connection id");
        return SocketAnswer::BAD_REQUEST;
    };
    if let Err(refusal) = paint(&connection, event, limits, canvas, calls).await {
        info!(%connection, code = %refusal.code, message = refusal.message, "refused a message");
        if refusal.told || !told.once_more(&connection) {
            return SocketAnswer::OK;
        }
        let frame = Frame::new(error_frame(refusal.code, refusal.message));
        if let Err(error) = gateway.post(&connection, &frame).await {
            info!(%connection, error = chain(&error), "could not tell the sender");
        }
    }
    SocketAnswer::OK
}

async fn paint(
    connection: &ConnectionId,
    event: &SocketEvent,
    limits: Limits,
    canvas: &impl Paint,
    calls: &impl Calls,
) -> Result<(), Refusal> {
    let body = event.body.as_deref().unwrap_or("");
    let pixels = parse_client_message(body, limits.max_pixels, limits.geometry)
        .map_err(|rejection| Refusal::new(rejection.code, rejection.message))?;
    let painted = canvas
        .paint(connection, event.source(), &pixels)
        .await
        .map_err(|error| refusal(connection, &error))?;
    let count = pixels.len();
    info!(%connection, at = %painted.at, pixels = count, wakes = painted.wake.len(), "painted");
    // The pixels are painted and safe whatever happens now: the mark "called" that the paint left
    // expires after some seconds, then the next paint calls again, and so does the next save.
    wake(&painted, calls).await.map_err(|error| {
        warn!(%connection, error = chain(&error), "could not wake the broadcast");
        Refusal::new(
            ErrorCode::Unavailable,
            "painted, but others will see it late",
        )
    })
}

async fn wake(painted: &Painted, calls: &impl Calls) -> Result<(), Error> {
    let wakes = painted.wake.iter().map(|shard| async move {
        let call = Call {
            shard: *shard,
            at: painted.at,
            reason: Reason::Paint,
        };
        call_patiently(&call, calls).await
    });
    let all = tokio::time::timeout(WAKING, futures::future::join_all(wakes)).await;
    let all = all.map_err(|_| Error::TimeUp("queueing"))?;
    all.into_iter().collect()
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
            ..Refusal::new(ErrorCode::CoolingDown, format!("wait {retry_ms} ms"))
        },
        PaintError::Full => Refusal::new(
            ErrorCode::Unavailable,
            "the canvas is not being saved, nothing can be painted now",
        ),
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
