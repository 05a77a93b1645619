//! The two tables.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use place_canvas::tables::{Change, Current, State, Stored};
use place_canvas::{Picture, Position, Rgb};
use tokio::time::{Instant, sleep};

use super::{Faults, geometry};
use crate::error::Error;
use crate::save::{Place, Rows};

/// Rows of one call.
const BATCH: usize = 25;

/// How a call about current colours fares that is not simply done.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Weather {
    /// Done.
    Fair,
    /// A first try is not answered, and done once more after so long.
    Late(Duration),
    /// Not done, and an error.
    Refused,
}

/// The tables: their rows, and how many were written.
#[derive(Default)]
pub(crate) struct FakeTables {
    pub(crate) faults: Faults,
    /// How long a batch takes, of history and of current colours.
    pub(crate) latency: Mutex<(Duration, Duration)>,
    pub(crate) history: Mutex<BTreeMap<(u16, u16, String), Rgb>>,
    current: Mutex<BTreeMap<Place, (Rgb, Position)>>,
    pub(crate) written: Mutex<u64>,
    /// Rows of the table of current colours that were written.
    pub(crate) coloured: Mutex<u64>,
    /// How the next calls fare; then all are fair.
    pub(crate) weather: Mutex<VecDeque<Weather>>,
    /// Calls under way, by number.
    in_flight: Mutex<BTreeMap<u64, Vec<Current>>>,
    calls: AtomicU64,
    pub(crate) state: Mutex<Option<State>>,
    /// How often the table of current colours was made anew.
    made: AtomicU64,
    late: Mutex<Vec<(Instant, Vec<Current>)>>,
}

fn table_id(made: u64) -> String {
    format!("t{made}")
}

impl FakeTables {
    /// Those of a canvas that was opened and that nobody has painted on. They share the cache's
    /// faults.
    pub(crate) fn new(faults: Faults) -> Self {
        let state = State {
            position: Position::ZERO,
            salt: "salt".to_owned(),
            geometry: geometry(),
            background: Rgb::WHITE,
            filled: Some(table_id(0)),
            filling: None,
        };
        Self {
            faults,
            state: Mutex::new(Some(state)),
            ..Self::default()
        }
    }

    /// Makes the table of current colours anew, without a row.
    pub(crate) fn make_anew(&self) {
        self.current.lock().unwrap().clear();
        self.made.fetch_add(1, Ordering::Relaxed);
    }

    /// From now on a batch takes so many milliseconds.
    pub(crate) fn take(&self, ms: u64) {
        let latency = Duration::from_millis(ms);
        *self.latency.lock().unwrap() = (latency, latency);
    }

    /// The picture that the rows show on white.
    pub(crate) fn picture(&self) -> Picture {
        let mut picture = Picture::new(geometry(), Rgb::WHITE);
        for ((x, y), (rgb, _)) in &self.rows() {
            picture.set(place_canvas::Pixel::new(*x, *y, *rgb));
        }
        picture
    }

    /// The table of current colours.
    pub(crate) fn rows(&self) -> BTreeMap<Place, (Rgb, Position)> {
        self.arrive();
        self.current.lock().unwrap().clone()
    }

    /// Whatever a process that died had under way is done after `delay`.
    pub(crate) fn abandon(&self, delay: Duration) {
        let due = Instant::now() + delay;
        let abandoned = std::mem::take(&mut *self.in_flight.lock().unwrap());
        let mut late = self.late.lock().unwrap();
        late.extend(abandoned.into_values().map(|rows| (due, rows)));
    }

    /// Does what is late and due.
    fn arrive(&self) {
        let mut late = self.late.lock().unwrap();
        late.sort_by_key(|(due, _)| *due);
        let due = late.partition_point(|(due, _)| *due <= Instant::now());
        for (_, rows) in late.drain(..due) {
            self.put(&rows);
        }
    }

    fn put(&self, rows: &[Current]) {
        let mut current = self.current.lock().unwrap();
        for Current { pixel, at } in rows {
            current.insert((pixel.x, pixel.y), (pixel.rgb, *at));
        }
    }

    /// One call; answers the rows that are then in doubt.
    async fn put_some(&self, some: &[Current]) -> Result<Vec<Place>, Error> {
        let weather = self.weather.lock().unwrap().pop_front();
        if matches!(weather, Some(Weather::Refused)) {
            return Err(Error::TimeUp("a refused write"));
        }
        let call = self.calls.fetch_add(1, Ordering::Relaxed);
        let under_way = || self.in_flight.lock().unwrap();
        under_way().insert(call, some.to_vec());
        self.faults.step().await?;
        let latency = self.latency.lock().unwrap().1;
        if latency > Duration::ZERO {
            sleep(latency).await;
        }
        self.arrive();
        self.put(some);
        under_way().remove(&call);
        *self.written.lock().unwrap() += some.len() as u64;
        *self.coloured.lock().unwrap() += some.len() as u64;
        self.faults.step().await?;
        match weather {
            None | Some(Weather::Fair | Weather::Refused) => Ok(Vec::new()),
            Some(Weather::Late(delay)) => {
                let again = (Instant::now() + delay, some.to_vec());
                self.late.lock().unwrap().push(again);
                Ok(some.iter().map(|row| (row.pixel.x, row.pixel.y)).collect())
            }
        }
    }
}

impl Rows for FakeTables {
    async fn post_changes(&self, changes: &[Change]) -> Result<(), Error> {
        for some in changes.chunks(BATCH) {
            self.faults.step().await?;
            let latency = self.latency.lock().unwrap().0;
            if latency > Duration::ZERO {
                sleep(latency).await;
            }
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

    async fn post_pixels(&self, pixels: &[Current]) -> Result<Vec<Place>, Error> {
        let mut doubtful = Vec::new();
        for some in pixels.chunks(BATCH) {
            doubtful.extend(self.put_some(some).await?);
        }
        Ok(doubtful)
    }

    async fn current(&self, places: &[Place]) -> Result<HashMap<Place, Current>, Error> {
        self.faults.step().await?;
        let rows = self.rows();
        let row = |&(x, y): &Place| {
            let (rgb, at) = *rows.get(&(x, y))?;
            let pixel = place_canvas::Pixel::new(x, y, rgb);
            Some(((x, y), Current { pixel, at }))
        };
        Ok(places.iter().filter_map(row).collect())
    }

    async fn all(&self, mut on_page: impl FnMut(Vec<Current>)) -> Result<u64, Error> {
        self.faults.step().await?;
        let rows = self.rows();
        let row = |((x, y), (rgb, at)): (&Place, &(Rgb, Position))| Current {
            pixel: place_canvas::Pixel::new(*x, *y, *rgb),
            at: *at,
        };
        on_page(rows.iter().map(row).collect());
        Ok(rows.len() as u64)
    }

    async fn table_id(&self) -> Result<Option<String>, Error> {
        Ok(Some(table_id(self.made.load(Ordering::Relaxed))))
    }

    async fn state(&self) -> Result<Option<State>, Error> {
        self.faults.step().await?;
        Ok(self.state.lock().unwrap().clone())
    }

    async fn store_state(&self, state: &State) -> Result<Stored, Error> {
        self.faults.step().await?;
        let stored = {
            let mut stored = self.state.lock().unwrap();
            let later = |stored: &State| stored.position > state.position;
            if stored.as_ref().is_some_and(later) {
                Stored::Outdated
            } else {
                *stored = Some(state.clone());
                Stored::Yes
            }
        };
        self.faults.step().await?;
        Ok(stored)
    }
}
