//! How far one client has got, and how its posts went.

use std::time::Duration;

use rand::Rng;
use tokio::time::Instant;

use super::attempt::Outcome;

/// Failed posts in a row (no answer, 5xx) after which a client is given up, if they took
/// [`MAX_FAILING`] too: a gateway that stumbles for a second fails four posts in a row.
const MAX_FAILURES: u32 = 4;
/// How long a client may fail at least.
const MAX_FAILING: Duration = Duration::from_secs(10);
/// How long a client may be throttled, while others are not, before that counts as failing: 429
/// also means that this one client's buffer is full.
const MAX_THROTTLED: Duration = Duration::from_mins(1);
/// Neither takes more than this part of a loop's time: the next loop knows nothing of what this one
/// has seen, and a client that is given up by none keeps the cursor, and all history after it, for
/// ever.
const SHARE: u32 = 2;
/// But both take so long at least: a loop that is called again and again for moments only must not
/// judge by moments.
const LEAST: Duration = Duration::from_secs(3);
/// Pause before the first repetition.
const FIRST_PAUSE: Duration = Duration::from_millis(100);
/// Longest pause before a repetition.
pub(super) const LONGEST_PAUSE: Duration = Duration::from_secs(2);

/// How long a client may fail, and how long it may be throttled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Forbearance {
    failing: Duration,
    throttled: Duration,
}

impl Forbearance {
    /// That of a loop which lasts `time`.
    pub(super) fn within(time: Duration) -> Self {
        let part = LEAST.max(time / SHARE);
        Self {
            failing: MAX_FAILING.min(part),
            throttled: MAX_THROTTLED.min(part),
        }
    }
}

/// How far one client is.
#[derive(Clone, Copy, Debug)]
pub(super) struct Progress {
    /// Number of the frame that it gets next.
    pub(super) next: u64,
    /// Posts in a row that did not get through.
    tries: u32,
    /// Those of them that were not throttled.
    failures: u32,
    failing_since: Option<Instant>,
    throttled_since: Option<Instant>,
    last: Option<Outcome>,
}

impl Progress {
    /// A client in order that gets the frame `next`.
    pub(super) const fn at(next: u64) -> Self {
        Self {
            next,
            tries: 0,
            failures: 0,
            failing_since: None,
            throttled_since: None,
            last: None,
        }
    }

    /// Takes in how a post ended.
    pub(super) fn note(&mut self, outcome: Outcome) {
        self.last = Some(outcome);
        match outcome {
            Outcome::Delivered | Outcome::NotOpen => *self = Self::at(self.next + 1),
            Outcome::Throttled => {
                self.tries += 1;
                self.throttled_since.get_or_insert_with(Instant::now);
            }
            Outcome::Failed | Outcome::Denied(_) | Outcome::Unanswered => {
                self.tries += 1;
                self.failures += 1;
                self.failing_since.get_or_insert_with(Instant::now);
            }
            Outcome::Gone | Outcome::GivenUp => {}
        }
    }

    pub(super) const fn is_failing(&self) -> bool {
        self.failures > 0
    }

    /// Whether the gateway answered the last post, but did not take it.
    pub(super) const fn is_refused(&self) -> bool {
        matches!(
            self.last,
            Some(Outcome::Throttled | Outcome::Failed | Outcome::Denied(_))
        )
    }

    /// Whether the gateway denied the last post.
    pub(super) const fn is_denied(&self) -> bool {
        matches!(self.last, Some(Outcome::Denied(_)))
    }

    /// Whether one failure more is one too many. What failed before `excused` is not held against
    /// the client.
    pub(super) fn has_failed_enough(&self, limit: Forbearance, excused: Instant) -> bool {
        let for_long = |since: Instant| since.max(excused).elapsed() >= limit.failing;
        self.failures + 1 >= MAX_FAILURES && self.failing_since.is_some_and(for_long)
    }

    pub(super) fn is_throttled_for_long(&self, limit: Forbearance) -> bool {
        self.throttled_since
            .is_some_and(|since| since.elapsed() > limit.throttled)
    }

    /// The pause before the next try: doubled each time, and spread, so that clients that failed
    /// together don't come back together.
    pub(super) fn pause(&self) -> Duration {
        let doubled = FIRST_PAUSE.saturating_mul(1 << self.tries.saturating_sub(1).min(8));
        doubled
            .min(LONGEST_PAUSE)
            .mul_f64(rand::rng().random_range(0.5..1.0))
    }
}

/// What was posted, and to what end.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Posts, repetitions included.
    pub posts: u64,
    /// Frames that arrived.
    pub delivered: u64,
    /// Posts that the gateway throttled.
    pub throttled: u64,
    /// Posts that failed otherwise.
    pub failed: u64,
    /// Clients that were gone and are removed.
    pub gone: u64,
    /// Clients that kept failing and are removed and disconnected.
    pub given_up: u64,
}

impl Counts {
    /// Counts how a post ended.
    pub(super) const fn add(&mut self, outcome: Outcome) {
        match outcome {
            Outcome::Delivered => self.delivered += 1,
            Outcome::Throttled => self.throttled += 1,
            Outcome::Failed | Outcome::Denied(_) | Outcome::Unanswered => self.failed += 1,
            Outcome::Gone => self.gone += 1,
            Outcome::GivenUp => self.given_up += 1,
            Outcome::NotOpen => {}
        }
    }
}
