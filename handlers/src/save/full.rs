//! Saving every pixel of the canvas.

use std::time::Duration;

use place_canvas::store::Canvas;
use place_canvas::tables::Current;
use tokio::time::Instant;

use super::colours::Colours;
use super::stride::Stride;
use super::{Cache, Rows, SaveAnswer, Saver};
use crate::error::Error;

/// Kept free before the invocation's time-out.
const RESERVE: Duration = Duration::from_secs(10);

/// Writes every pixel from number `offset` on, or as many as there is time for: `answer.next` says
/// where to go on.
///
/// The rows show the canvas as of a position that may be past `saved`. Changes between the two are
/// written once more by the next save, in their order, which ends at the same colours.
pub(super) async fn save<C: Cache, R: Rows>(
    saver: &Saver<'_, C, R>,
    offset: u64,
    deadline: Instant,
    answer: &mut SaveAnswer,
) -> Result<(), Error> {
    let available = deadline.saturating_duration_since(Instant::now());
    let until = deadline
        .checked_sub(RESERVE.min(available / 3))
        .unwrap_or(deadline);
    let Canvas { at, picture, .. } = saver.cache.read_canvas().await?;
    saver.reach(at).await?;
    let skipped = usize::try_from(offset).unwrap_or(usize::MAX);
    let mut pixels = picture
        .pixels()
        .skip(skipped)
        .map(|pixel| Current { pixel, at });
    let (mut written, mut stride) = (offset, Stride::new());
    loop {
        let some: Vec<Current> = pixels.by_ref().take(stride.rows()).collect();
        if some.is_empty() {
            return Ok(());
        }
        let start = Instant::now();
        if start >= until {
            answer.next = Some(written);
            answer.complete = false;
            return Ok(());
        }
        let mut colours = Colours::announce(saver, &some).await?;
        colours.write(&some).await?;
        colours.done().await?;
        stride.learn(some.len(), start.elapsed());
        written += some.len() as u64;
        answer.pixels += some.len() as u64;
    }
}
