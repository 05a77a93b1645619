//! Asking a cache again that stumbles.

use std::time::Duration;

use rand::Rng;
use tokio::time::{Instant, sleep, timeout_at};
use tracing::warn;

use crate::error::{Error, chain};

/// First and longest pause.
const PAUSES: (Duration, Duration) = (Duration::from_millis(50), Duration::from_secs(1));

/// Asks again and again, in jittered and growing pauses, while that leaves time before `until`.
///
/// A cache that fails over is asked for some seconds by one call alone, which is cut off at `until`.
pub(super) async fn patiently<T, F>(until: Instant, ask: impl Fn() -> F) -> Result<T, Error>
where
    F: Future<Output = Result<T, Error>>,
{
    let mut pause = PAUSES.0;
    loop {
        let asked = timeout_at(until, ask()).await;
        let error = match asked.unwrap_or(Err(Error::TimeUp("cache"))) {
            Ok(answer) => return Ok(answer),
            Err(error) => error,
        };
        if Instant::now() + pause >= until {
            return Err(error);
        }
        warn!(error = chain(&error), "asking the cache again");
        sleep(pause.mul_f64(rand::rng().random_range(0.5..1.0))).await;
        pause = (pause * 2).min(PAUSES.1);
    }
}
