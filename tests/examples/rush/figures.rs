//! From times to figures.

use std::time::{Duration, Instant};

use serde::Serialize;

use super::Failure;
use super::client::Seen;
use super::options::Options;

/// The figures of a run.
#[derive(Debug, Serialize)]
pub(crate) struct Figures {
    clients: usize,
    messages: usize,
    pixels: usize,
    /// From the first message until the last client had seen the last pixel.
    all_seen_s: f64,
    /// From a pixel's sending until a client saw it.
    p50_ms: f64,
    p95_ms: f64,
    p99_ms: f64,
    /// Pairs of pixel and client that never met.
    missing: usize,
    refused: usize,
    frames_per_client: usize,
    bytes_per_client: usize,
}

impl Figures {
    /// The figures of what was `sent` and `seen`.
    pub(crate) fn new(
        options: &Options,
        started: Instant,
        sent: &[Option<Instant>],
        seen: &[Seen],
    ) -> Self {
        let pairs = || seen.iter().flat_map(|client| client.at.iter().zip(sent));
        let mut latencies: Vec<Duration> = pairs()
            .filter_map(|(seen, sent)| Some(seen.as_ref()?.saturating_duration_since((*sent)?)))
            .collect();
        latencies.sort_unstable();
        let last = seen
            .iter()
            .flat_map(|client| client.at.iter().flatten())
            .max();
        let total = |count: fn(&Seen) -> usize| seen.iter().map(count).sum::<usize>();
        Self {
            clients: seen.len(),
            messages: options.messages,
            pixels: sent.len(),
            all_seen_s: last.map_or(0.0, |last| (*last - started).as_secs_f64()),
            p50_ms: percentile(&latencies, 50),
            p95_ms: percentile(&latencies, 95),
            p99_ms: percentile(&latencies, 99),
            missing: pairs().filter(|(seen, _)| seen.is_none()).count(),
            refused: total(|client| client.refused),
            frames_per_client: total(|client| client.frames) / seen.len(),
            bytes_per_client: total(|client| client.bytes) / seen.len(),
        }
    }
}

impl Figures {
    /// Fails when somebody missed something.
    pub(crate) fn check(&self) -> Result<(), Failure> {
        let Self {
            missing, refused, ..
        } = self;
        if *missing > 0 || *refused > 0 {
            return Err(format!("{missing} pixels never arrived, {refused} refused").into());
        }
        Ok(())
    }
}

/// The nearest-rank percentile of sorted times, in milliseconds.
fn percentile(sorted: &[Duration], percent: usize) -> f64 {
    let rank = (sorted.len() * percent).div_ceil(100).max(1);
    sorted
        .get(rank - 1)
        .map_or(f64::NAN, |time| time.as_secs_f64() * 1000.0)
}
