//! The budget of posts: API Gateway throttles an account at some thousand calls a second, over all
//! its APIs, so the loops stay below their share instead of finding out.

use std::time::Duration;

use tokio::time::Instant;

/// How much of a second's posts may go out at once.
const BURST: Duration = Duration::from_millis(50);

/// Spaces posts so that no more than a given number starts in a second.
#[derive(Debug)]
pub(super) struct Pace {
    interval: Duration,
    /// When the next post were due if none had been early.
    due: Instant,
}

impl Pace {
    /// The pace of `posts_per_second`, at least one.
    pub(super) fn new(posts_per_second: f64) -> Self {
        Self {
            interval: interval(posts_per_second),
            due: Instant::now(),
        }
    }

    /// From now on `posts_per_second`.
    pub(super) fn set(&mut self, posts_per_second: f64) {
        self.interval = interval(posts_per_second);
    }

    /// When the next post may start.
    pub(super) fn next(&self) -> Instant {
        self.due.checked_sub(BURST).unwrap_or(self.due)
    }

    /// Counts a post that starts now.
    pub(super) fn count(&mut self) {
        self.due = self.due.max(Instant::now()) + self.interval;
    }
}

/// A little longer than the budget says, so that no second holds more with the burst at its start.
fn interval(posts_per_second: f64) -> Duration {
    (Duration::from_secs(1) + BURST).div_f64(posts_per_second.max(1.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn no_more_than_the_budget_starts_in_any_second() {
        let mut pace = Pace::new(500.0);
        let mut starts = Vec::new();
        for _ in 0..2000 {
            tokio::time::sleep_until(pace.next()).await;
            pace.count();
            starts.push(Instant::now());
        }
        for window in starts.windows(501) {
            assert!(window[500] - window[0] >= Duration::from_millis(999));
        }
        assert!(starts[1999] - starts[0] <= Duration::from_millis(4250));
    }

    #[tokio::test(start_paused = true)]
    async fn time_without_posts_is_not_saved_up() {
        let mut pace = Pace::new(100.0);
        tokio::time::sleep(Duration::from_mins(1)).await;
        let start = Instant::now();
        for _ in 0..100 {
            tokio::time::sleep_until(pace.next()).await;
            pace.count();
        }
        assert!(start.elapsed() >= Duration::from_millis(900));
    }
}
