//! The two tables.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::time::Duration;

use place_canvas::tables::{Change, Current};
use place_canvas::{Picture, Position, Rgb};
use tokio::time::sleep;

use super::{Faults, geometry};
use crate::error::Error;
use crate::save::Rows;

/// Rows of one call.
const BATCH: usize = 25;

/// The tables: their rows, and how many were written.
#[derive(Default)]
pub(crate) struct FakeTables {
    pub(crate) faults: Faults,
    /// How long a batch takes.
    pub(crate) latency: Duration,
    pub(crate) history: Mutex<BTreeMap<(u16, u16, String), Rgb>>,
    pub(crate) current: Mutex<BTreeMap<(u16, u16), (Rgb, Position)>>,
    pub(crate) written: Mutex<u64>,
}

impl FakeTables {
    /// The picture that the rows show on white.
    pub(crate) fn picture(&self) -> Picture {
        let mut picture = Picture::new(geometry(), Rgb::WHITE);
        for ((x, y), (rgb, _)) in self.current.lock().unwrap().iter() {
            picture.set(place_canvas::Pixel::new(*x, *y, *rgb));
        }
        picture
    }
}

impl Rows for FakeTables {
    async fn post_changes(&self, changes: &[Change]) -> Result<(), Error> {
        for some in changes.chunks(BATCH) {
            self.faults.step().await?;
            sleep(self.latency).await;
            for Change {
                at, index, pixel, ..
            } in some
            {
                let key = (pixel.x, pixel.y, at.sort_key(*index));
                self.history.lock().unwrap().insert(key, pixel.rgb);
            }
            *self.written.lock().unwrap() += some.len() as u64;
            self.faults.step().await?;
        }
        Ok(())
    }

    async fn post_pixels(&self, pixels: &[Current]) -> Result<(), Error> {
        for some in pixels.chunks(BATCH) {
            self.faults.step().await?;
            sleep(self.latency).await;
            for Current { pixel, at } in some {
                let row = (pixel.rgb, *at);
                self.current.lock().unwrap().insert((pixel.x, pixel.y), row);
            }
            *self.written.lock().unwrap() += some.len() as u64;
            self.faults.step().await?;
        }
        Ok(())
    }
}
