//! How many rows are written at once.

use std::time::Duration;

/// How long writing one stride shall take.
const LENGTH: Duration = Duration::from_secs(1);
/// Rows of the first stride, and of the shortest and the longest.
const FIRST: usize = 100;
const SHORTEST: usize = 25;
const LONGEST: usize = 10_000;

/// Rows that are written at once: about as many as the table takes in [`LENGTH`], so that a save
/// whose time is up soon can stop between two strides however slow the table is.
#[derive(Debug)]
pub(super) struct Stride(usize);

impl Stride {
    /// A cautious one.
    pub(super) const fn new() -> Self {
        Self(FIRST)
    }

    /// Its rows.
    pub(super) const fn rows(&self) -> usize {
        self.0
    }

    /// Learns that `rows` rows took `elapsed`.
    pub(super) fn learn(&mut self, rows: usize, elapsed: Duration) {
        let elapsed = elapsed.as_millis().max(1);
        let fitting = rows as u128 * LENGTH.as_millis() / elapsed;
        let fitting = usize::try_from(fitting).unwrap_or(LONGEST);
        self.0 = fitting.clamp(SHORTEST, LONGEST.min(self.0 * 2));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stride_follows_the_table() {
        let mut stride = Stride::new();
        for _ in 0..9 {
            stride.learn(stride.rows(), Duration::ZERO);
        }
        assert_eq!(stride.rows(), LONGEST);
        stride.learn(10_000, Duration::from_secs(40));
        assert_eq!(stride.rows(), 250);
        stride.learn(250, Duration::from_mins(10));
        assert_eq!(stride.rows(), SHORTEST);
        stride.learn(25, Duration::from_millis(500));
        assert_eq!(stride.rows(), 50);
    }
}
