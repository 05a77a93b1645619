//! Writing the table of current colours, and what is in doubt about it.
//!
//! A write that was not answered may be done at any later moment, and then put an old colour in the
//! place of a newer one: when its time was up, when its process was killed, when it was dropped. And
//! a save that lost its lease without knowing may write after the save that has it now. So the
//! pixels are noted as doubtful in the cache before they are written, and only those that were
//! written with a clear answer are taken off, as long as the lease is held. Every save looks at
//! those that are left, until [`DOUBT`] has passed, and writes anew whichever row does not show what
//! the canvas shows.

use std::collections::BTreeSet;
use std::time::Duration;

use place_canvas::store::Canvas;
use place_canvas::tables::Current;
use place_canvas::{Pixel, Token};
use tokio::time::Instant;
use tracing::info;

use super::{Cache, Place, Rows, Saver};
use crate::error::Error;

/// For how long a write that was announced and not answered may yet be done: an invocation lasts 15
/// minutes at most, and DynamoDB refuses a call whose signature is older than five. The rest is for
/// clocks that differ, and for what is on its way inside DynamoDB.
pub(super) const DOUBT: Duration = Duration::from_mins(25);

/// Rows that are looked at and written at once.
const AT_ONCE: usize = 10_000;

/// Doubts that are noted apart. A table that refuses every save for hours leaves one a save, most of
/// them about the same pixels.
pub(super) const MOST_DOUBTS: u64 = 20;

/// Colours that are being written.
pub(super) struct Colours<'a, C, R> {
    saver: &'a Saver<'a, C, R>,
    name: Token,
    doubtful: Vec<Place>,
}

impl<'a, C: Cache, R: Rows> Colours<'a, C, R> {
    /// Notes that `rows` will be written.
    pub(super) async fn announce(
        saver: &'a Saver<'a, C, R>,
        rows: &[Current],
    ) -> Result<Self, Error> {
        let name = Token::random();
        let places: Vec<Place> = rows.iter().map(place).collect();
        if saver.cache.note_doubt(&name, &places).await? > MOST_DOUBTS {
            merge_doubts(saver, &name).await?;
        }
        Ok(Self {
            saver,
            name,
            doubtful: Vec::new(),
        })
    }

    /// Writes some of them.
    pub(super) async fn write(&mut self, some: &[Current]) -> Result<(), Error> {
        let doubtful = self.saver.tables.post_pixels(some).await?;
        self.doubtful.extend(doubtful);
        Ok(())
    }

    /// Notes what is still in doubt.
    pub(super) async fn done(self) -> Result<(), Error> {
        settle(self.saver, &self.name, &self.doubtful).await
    }
}

/// Leaves only the rows of `left` in doubt, and fails when another save may write by now.
async fn settle<C: Cache, R: Rows>(
    saver: &Saver<'_, C, R>,
    name: &Token,
    left: &[Place],
) -> Result<(), Error> {
    if saver.cache.settle_doubt(saver.token, name, left).await? {
        Ok(())
    } else {
        Err(Error::LeaseLost("save"))
    }
}

/// Makes one doubt of all but `own`. It counts as new, so that what was new in it is looked at long
/// enough.
async fn merge_doubts<C: Cache, R: Rows>(
    saver: &Saver<'_, C, R>,
    own: &Token,
) -> Result<(), Error> {
    let mut doubts = saver.cache.doubts().await?;
    doubts.retain(|doubt| doubt.name != *own);
    let places: BTreeSet<Place> = doubts.iter().flat_map(|d| &d.places).copied().collect();
    let places: Vec<Place> = places.into_iter().collect();
    saver.cache.note_doubt(&Token::random(), &places).await?;
    for doubt in doubts {
        settle(saver, &doubt.name, &[]).await?;
    }
    Ok(())
}

/// Looks at all rows in doubt, as far as there is time, and writes those that are wrong; answers
/// how many.
///
/// What is painted and not yet saved is written too. The next save writes it again, as it does
/// after a full one.
pub(super) async fn settle_doubts<C: Cache, R: Rows>(
    saver: &Saver<'_, C, R>,
    until: Instant,
) -> Result<u64, Error> {
    let doubts = saver.cache.doubts().await?;
    if doubts.is_empty() {
        return Ok(0);
    }
    let Canvas { at, picture, .. } = saver.cache.read_canvas().await?;
    saver.reach(at).await?;
    let mut written = 0;
    for doubt in doubts {
        for places in doubt.places.chunks(AT_ONCE) {
            if Instant::now() >= until {
                return Ok(written);
            }
            let rows = saver.tables.current(places).await?;
            let shown = |&(x, y): &Place| Some(Pixel::new(x, y, picture.get(x, y)?));
            let is_wrong = |pixel: &Pixel| {
                let row = rows.get(&(pixel.x, pixel.y));
                row.is_none_or(|row| row.pixel.rgb != pixel.rgb)
            };
            let wrong = places.iter().filter_map(shown).filter(is_wrong);
            let wrong: Vec<Current> = wrong.map(|pixel| Current { pixel, at }).collect();
            if !wrong.is_empty() {
                info!(
                    pixels = wrong.len(),
                    "mending rows that a late write may have spoilt"
                );
                let mut colours = Colours::announce(saver, &wrong).await?;
                colours.write(&wrong).await?;
                colours.done().await?;
                written += wrong.len() as u64;
            }
        }
        if doubt.age >= DOUBT {
            settle(saver, &doubt.name, &[]).await?;
        }
    }
    Ok(written)
}

fn place(row: &Current) -> Place {
    (row.pixel.x, row.pixel.y)
}
