//! Saving every pixel of the canvas: because somebody asks for it, or because the table of current
//! colours was made anew beside a cache that had saved to the one before.

use std::time::Duration;

use place_canvas::Rgb;
use place_canvas::store::Canvas;
use place_canvas::tables::Current;
use tokio::time::Instant;
use tracing::warn;

use super::colours::Colours;
use super::stride::Stride;
use super::{Cache, Rows, SaveAnswer, Saver};
use crate::error::Error;

/// Kept free before the invocation's time-out.
const RESERVE: Duration = Duration::from_secs(10);

/// Writes every pixel from number `offset` on, except those of the colour `but`. Answers where to go
/// on when there is no time for all.
///
/// The rows show the canvas as of a position that may be past `saved`. Changes between the two are
/// written once more by the next save, in their order, which ends at the same colours.
pub(super) async fn save<C: Cache, R: Rows>(
    saver: &Saver<'_, C, R>,
    (offset, but): (u64, Option<Rgb>),
    deadline: Instant,
    answer: &mut SaveAnswer,
) -> Result<Option<u64>, Error> {
    let available = deadline.saturating_duration_since(Instant::now());
    let until = deadline
        .checked_sub(RESERVE.min(available / 3))
        .unwrap_or(deadline);
    let Canvas { at, picture, .. } = saver.cache.read_canvas().await?;
    saver.reach(at).await?;
    let skipped = usize::try_from(offset).unwrap_or(usize::MAX);
    let mut pixels = (offset..)
        .zip(picture.pixels().skip(skipped))
        .filter(|(_, pixel)| Some(pixel.rgb) != but)
        .peekable();
    let mut stride = Stride::new();
    while let Some(&(number, _)) = pixels.peek() {
        let start = Instant::now();
        if start >= until {
            return Ok(Some(number));
        }
        let some = pixels.by_ref().take(stride.rows());
        let some: Vec<_> = some.map(|(_, pixel)| Current { pixel, at }).collect();
        let mut colours = Colours::announce(saver, &some).await?;
        colours.write(&some).await?;
        colours.done().await?;
        stride.learn(some.len(), start.elapsed());
        answer.pixels += some.len() as u64;
    }
    Ok(None)
}

/// Fills the table of current colours if it was made anew, or holds what is
/// older than the canvas, as far as there is time. In a new table a pixel that nobody painted has no
/// row.
pub(super) async fn refill<C: Cache, R: Rows>(
    saver: &Saver<'_, C, R>,
    table: Option<String>,
    deadline: Instant,
    answer: &mut SaveAnswer,
) -> Result<(), Error> {
    let state = saver.state.borrow().clone();
    let (Some(table), Some(state)) = (table, state) else {
        return Ok(());
    };
    let Some(written) = state.lacks(&table) else {
        return Ok(());
    };
    warn!(
        written,
        "the table of current colours does not hold the canvas: filling it"
    );
    // Where no table is known to be filled there may be a row of any pixel.
    let unpainted = state.filled.is_some().then_some(state.background);
    let pixels = (written, unpainted);
    let next = save(saver, pixels, deadline, answer).await?;
    answer.complete &= next.is_none();
    saver.filled(table, next).await
}
