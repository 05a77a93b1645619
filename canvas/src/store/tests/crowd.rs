//! People who paint all the time, and what became of it.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use tokio::task::JoinHandle;

use super::super::PaintError;
use super::*;

const PAINTERS: u16 = 8;
const SIDE: u16 = 1024;
const PAUSE: Duration = Duration::from_millis(5);

/// A store for a crowd.
pub(super) async fn store(url: &str, cluster: bool) -> Store {
    let mut config = StoreConfig::new("test", Geometry::new(SIDE, SIDE).unwrap());
    config.cluster = cluster;
    Store::connect(url, config).await.unwrap()
}

/// One paint and its outcome.
pub(super) struct Attempt {
    pub(super) pixel: Pixel,
    pub(super) sent: Instant,
    pub(super) answered: Instant,
    pub(super) outcome: Result<Position, PaintError>,
}

/// Painters at work.
pub(super) struct Crowd {
    stop: Arc<AtomicBool>,
    painters: Vec<JoinHandle<Vec<Attempt>>>,
}

impl Crowd {
    /// Each painter paints its own row from the left to the right.
    pub(super) fn start(store: &Store) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let painter = |row| tokio::spawn(paint_row(store.clone(), row, Arc::clone(&stop)));
        let painters = (0..PAINTERS).map(painter).collect();
        Self { stop, painters }
    }

    /// Ends the painting after the paints that are under way.
    pub(super) async fn stop(self) -> Vec<Attempt> {
        self.stop.store(true, Ordering::SeqCst);
        let mut attempts = Vec::new();
        for painter in self.painters {
            attempts.extend(painter.await.unwrap());
        }
        attempts
    }
}

async fn paint_row(store: Store, row: u16, stop: Arc<AtomicBool>) -> Vec<Attempt> {
    let painter = id(&format!("painter-{row}"));
    let mut attempts = Vec::new();
    for x in 0..SIDE {
        if stop.load(Ordering::SeqCst) {
            break;
        }
        let (pixel, sent) = (Pixel::new(x, row, RED), Instant::now());
        let by = Painter::Operator(&painter);
        let outcome = store.paint(by, ADDRESS, &[pixel]).await;
        attempts.push(Attempt {
            pixel,
            sent,
            answered: Instant::now(),
            outcome: outcome.map(|painted| painted.at),
        });
        tokio::time::sleep(PAUSE).await;
    }
    attempts
}

/// The attempts that were refused.
pub(super) fn refused(attempts: &[Attempt]) -> Vec<&PaintError> {
    let refused = attempts.iter().filter_map(|one| one.outcome.as_ref().err());
    refused.collect()
}

/// When the first paint that was answered after `moment` was answered, counted from there.
pub(super) fn painted_again(attempts: &[Attempt], moment: Instant) -> Duration {
    let answered = attempts.iter().filter(|one| one.outcome.is_ok());
    let answered = answered.filter_map(|one| one.answered.checked_duration_since(moment));
    answered.min().unwrap()
}

/// The accepted attempts that history does not have; asserts that it has the others exactly once and
/// that the canvas shows what history has.
pub(super) async fn lost<'a>(store: &Store, attempts: &'a [Attempt]) -> Vec<&'a Attempt> {
    let mut history = HashMap::new();
    let entries = store.read_after(Position::ZERO, usize::from(u16::MAX));
    for entry in entries.await.unwrap() {
        // The entry that opened the canvas has none.
        let Some(pixel) = entry.pixels.first() else {
            continue;
        };
        let before = history.insert((pixel.x, pixel.y), entry.at);
        assert_eq!(before, None, "{pixel:?} was painted twice");
    }
    let picture = store.read_canvas().await.unwrap().picture;
    for &(x, y) in history.keys() {
        assert_eq!(picture.get(x, y), Some(RED), "{x}, {y}");
    }
    let has = |one: &&Attempt| match (&one.outcome, history.get(&(one.pixel.x, one.pixel.y))) {
        (Ok(at), Some(found)) => at == found,
        (Ok(_), None) => false,
        (Err(_), _) => true,
    };
    attempts.iter().filter(|one| !has(one)).collect()
}
