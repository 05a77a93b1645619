//! What a run came to, in one line.

use std::collections::BTreeMap;
use std::time::Duration;

use super::board::Board;
use super::style::Theme;
use super::{failures, words};
use crate::engine::{EventKind, Outcome};

/// How a run ended: the fields of its last event.
#[derive(Debug)]
pub(super) struct Ending<'a> {
    /// `up`, ...
    pub(super) command: &'a str,
    /// `done`, `failed`, `incomplete`, `interrupted`.
    pub(super) outcome: &'a str,
    /// How many resources ended in which way.
    pub(super) counts: &'a BTreeMap<Outcome, usize>,
    /// Calls made, where they are counted.
    pub(super) calls: Option<u64>,
    /// Length of the run.
    pub(super) elapsed: Duration,
}

/// Outcomes in the order in which they matter, with their words.
const OUTCOMES: [(Outcome, &str); 9] = [
    (Outcome::Created, "created"),
    (Outcome::Repaired, "repaired"),
    (Outcome::Removed, "removed"),
    (Outcome::Failed, "failed"),
    (Outcome::Blocked, "blocked"),
    (Outcome::Interrupted, "not tried"),
    (Outcome::Kept, "kept"),
    (Outcome::Unchanged, "unchanged"),
    (Outcome::Absent, "absent"),
];

/// "12 created, 3 unchanged".
pub(super) fn outcomes(counts: &BTreeMap<Outcome, usize>) -> String {
    let said = OUTCOMES.iter().filter_map(|(outcome, word)| {
        let count = counts.get(outcome).filter(|count| **count > 0)?;
        Some(format!("{count} {word}"))
    });
    said.collect::<Vec<_>>().join(", ")
}

/// One word for how a resource ended.
pub(super) fn outcome(outcome: Outcome) -> &'static str {
    let word = OUTCOMES.iter().find(|(candidate, _)| *candidate == outcome);
    word.map_or("settled", |(_, word)| word)
}

impl<'a> Ending<'a> {
    /// The ending that `kind` tells of, if it does. A run that broke off ends with its error.
    pub(super) fn of(command: &'a str, kind: &'a EventKind) -> Option<Self> {
        let EventKind::Finished {
            outcome,
            counts,
            calls,
            elapsed,
            error: None,
            ..
        } = kind
        else {
            return None;
        };
        Some(Self {
            command,
            outcome,
            counts,
            calls: *calls,
            elapsed: *elapsed,
        })
    }

    /// What the run came to, in one line.
    pub(super) fn summary(&self, theme: Theme) -> String {
        let command = self.command;
        let what = match self.outcome {
            "done" => theme.good(&self.result()),
            outcome => format!("{}, {}", theme.bad(outcome), outcomes(self.counts)),
        };
        let calls = self
            .calls
            .map(|calls| format!(", {}", words::count(calls, "call")));
        let elapsed = words::duration(self.elapsed);
        format!(
            "{command}: {what} in {elapsed}{}",
            calls.unwrap_or_default()
        )
    }

    fn result(&self) -> String {
        let only = |outcome| self.counts.keys().all(|other| *other == outcome);
        let total = self.counts.values().sum::<usize>();
        let all = || words::count(u64::try_from(total).unwrap_or(u64::MAX), "resource");
        if only(Outcome::Unchanged) {
            format!("nothing to do, {} as configured", all())
        } else if only(Outcome::Absent) {
            "the stack doesn't exist, nothing to do".to_owned()
        } else {
            outcomes(self.counts)
        }
    }

    /// What to do next, after a blank line: each failure's advice once, then how to go on.
    pub(super) fn hints(&self, theme: Theme, board: &Board) -> Vec<String> {
        let mut hints = failures::hints(theme, board.problems());
        hints.extend(self.advice().map(|advice| failures::hint(theme, advice)));
        if !hints.is_empty() {
            hints.insert(0, String::new());
        }
        hints
    }

    /// How to resume after a run that did not end well. `teardown` gives the advice with the
    /// remaining resources.
    fn advice(&self) -> Option<&'static str> {
        if self.command == "teardown" {
            return None;
        }
        match self.outcome {
            "failed" => Some("fix the cause, then run the same command again to resume"),
            "incomplete" | "interrupted" => Some("run the same command again to resume"),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn summary(outcome: &str, counts: &[(Outcome, usize)], calls: Option<u64>) -> String {
        let counts = counts.iter().copied().collect();
        let elapsed = Duration::from_millis(4_120);
        Ending {
            command: "up",
            outcome,
            counts: &counts,
            calls,
            elapsed,
        }
        .summary(Theme::PLAIN)
    }

    #[test]
    fn what_was_done_comes_first_and_zeros_are_left_out() {
        let counts = [
            (Outcome::Unchanged, 40),
            (Outcome::Created, 12),
            (Outcome::Repaired, 0),
        ];
        let said = summary("done", &counts, Some(212));
        assert_eq!(said, "up: 12 created, 40 unchanged in 4.1 s, 212 calls");
    }

    #[test]
    fn a_run_that_did_nothing_says_so() {
        let said = summary("done", &[(Outcome::Unchanged, 58)], None);
        assert_eq!(
            said,
            "up: nothing to do, 58 resources as configured in 4.1 s"
        );
        let said = summary("done", &[(Outcome::Absent, 58)], None);
        assert_eq!(said, "up: the stack doesn't exist, nothing to do in 4.1 s");
    }

    #[test]
    fn a_run_that_ended_badly_says_how() {
        let counts = [
            (Outcome::Failed, 1),
            (Outcome::Blocked, 7),
            (Outcome::Created, 50),
        ];
        let said = summary("failed", &counts, Some(1));
        assert_eq!(
            said,
            "up: failed, 50 created, 1 failed, 7 blocked in 4.1 s, 1 call"
        );
    }
}
