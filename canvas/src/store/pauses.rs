//! The pauses before a request is sent again.

use std::time::Duration;

use rand::Rng;

use super::verdict::Verdict;

/// First and longest pause. A node that was promoted is to be found within a fraction of a second,
/// and one that was demoted is not to be overrun by all functions at once.
const PAUSES: (Duration, Duration) = (Duration::from_millis(25), Duration::from_millis(400));

/// Jittered and growing.
#[derive(Debug)]
pub(super) struct Pauses {
    next: Duration,
    /// Whether the next attempt is the second one.
    is_first: bool,
}

impl Default for Pauses {
    fn default() -> Self {
        Self {
            next: PAUSES.0,
            is_first: true,
        }
    }
}

impl Pauses {
    /// The pause after an attempt that ended like this. A connection that broke is mended at once:
    /// a warm function finds its connection closed after a long freeze, so that is no rare case.
    pub(super) fn next(&mut self, verdict: Verdict) -> Duration {
        let is_first = std::mem::take(&mut self.is_first);
        if is_first && verdict == Verdict::Broke {
            return Duration::ZERO;
        }
        let pause = self.next.mul_f64(rand::rng().random_range(0.5..1.0));
        self.next = (self.next * 2).min(PAUSES.1);
        pause
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_connection_that_broke_is_mended_at_once_and_then_in_pauses() {
        let mut pauses = Pauses::default();
        assert_eq!(pauses.next(Verdict::Broke), Duration::ZERO);
        assert!(pauses.next(Verdict::Broke) >= PAUSES.0 / 2);
    }

    #[test]
    fn a_failover_is_waited_for_in_pauses_that_grow_to_less_than_half_a_second() {
        let mut pauses = Pauses::default();
        assert!(pauses.next(Verdict::FailingOver) >= PAUSES.0 / 2);
        let later: Vec<_> = (0..20).map(|_| pauses.next(Verdict::FailingOver)).collect();
        assert!(later.iter().all(|pause| *pause <= PAUSES.1), "{later:?}");
        assert!(later[19] >= PAUSES.1 / 2, "{later:?}");
    }
}
