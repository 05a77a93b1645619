//! What a run came to: an outcome for each resource, every failure, a verdict.

use std::collections::BTreeMap;
use std::error::Error;
use std::time::Duration;

use super::event::EventKind;
use super::outcome::{Failure, FailureKind, Left, Outcome};

/// How a run as a whole is to be taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// Everything is as it was asked for.
    Done,
    /// Something failed that a second run alone won't mend.
    Failed,
    /// Something is not finished: run the command again.
    Incomplete,
    /// The operator interrupted.
    Interrupted,
}

impl Verdict {
    /// The word for scripts.
    pub(crate) const fn label(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Failed => "failed",
            Self::Incomplete => "incomplete",
            Self::Interrupted => "interrupted",
        }
    }
}

/// A failure as it is shown and recorded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Problem {
    /// What was being done.
    pub(crate) message: String,
    /// Why it failed, outermost first.
    pub(crate) causes: Vec<String>,
    /// What to do next.
    pub(crate) hint: Option<String>,
    /// What is left behind.
    pub(crate) left: Left,
    /// How it is to be taken.
    pub(crate) kind: FailureKind,
}

impl From<Failure> for Problem {
    fn from(failure: Failure) -> Self {
        Self {
            message: failure.to_string(),
            causes: causes(&failure),
            hint: failure.hint,
            left: failure.left,
            kind: failure.kind,
        }
    }
}

/// The causes of an error, outermost first, without the error itself.
pub(crate) fn causes(error: &dyn Error) -> Vec<String> {
    let sources = std::iter::successors(error.source(), |&cause| cause.source());
    sources.map(ToString::to_string).collect()
}

/// What became of one resource.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    /// AWS's word for it.
    pub(crate) kind: &'static str,
    /// Its name.
    pub(crate) name: String,
    /// What became of it.
    pub(crate) outcome: Outcome,
    /// Why, where it failed.
    pub(crate) problem: Option<Problem>,
    /// It costs money by merely existing, and may exist.
    pub(crate) costs: bool,
}

/// What a run came to.
#[derive(Clone, Debug)]
pub(crate) struct Report {
    /// Every resource that the run was about, in the order of the plan.
    pub(crate) entries: Vec<Entry>,
    /// Length of the run.
    pub(crate) elapsed: Duration,
    /// How to take it.
    pub(crate) verdict: Verdict,
}

/// Where people reach a canvas, as far as it is there.
#[derive(Clone, Debug, Default)]
pub(crate) struct Addresses {
    /// Where clients connect.
    pub(crate) websocket: Option<String>,
    /// Where people open the page.
    pub(crate) page: Option<String>,
}

impl Report {
    pub(super) fn new(entries: Vec<Entry>, elapsed: Duration, interrupted: bool) -> Self {
        let verdict = verdict(&entries, interrupted);
        Self {
            entries,
            elapsed,
            verdict,
        }
    }

    /// How many resources ended in which way.
    pub(crate) fn counts(&self) -> BTreeMap<Outcome, usize> {
        let mut counts = BTreeMap::new();
        for entry in &self.entries {
            *counts.entry(entry.outcome).or_default() += 1;
        }
        counts
    }

    /// Names of what still costs money after a teardown.
    pub(crate) fn costly(&self) -> Vec<String> {
        let costly = self.entries.iter().filter(|entry| entry.costs);
        costly
            .map(|entry| format!("{} `{}`", entry.kind, entry.name))
            .collect()
    }

    /// The last event of the run.
    pub(crate) fn finished(&self, calls: Option<u64>, addresses: Addresses) -> EventKind {
        EventKind::Finished {
            outcome: self.verdict.label(),
            counts: self.counts(),
            calls,
            elapsed: self.elapsed,
            websocket_url: addresses.websocket,
            page_url: addresses.page,
            error: None,
        }
    }
}

/// Being interrupted outweighs failures, and a failure that won't mend itself outweighs a wait
/// that came to nothing.
fn verdict(entries: &[Entry], interrupted: bool) -> Verdict {
    let problems = || entries.iter().filter_map(|entry| entry.problem.as_ref());
    let has = |kind| problems().any(|problem| problem.kind == kind);
    let ended = |outcome| entries.iter().any(|entry| entry.outcome == outcome);
    let unfinished = ended(Outcome::Interrupted);
    if (interrupted && unfinished) || has(FailureKind::Interrupted) {
        Verdict::Interrupted
    } else if has(FailureKind::Permanent) || has(FailureKind::Denied) {
        Verdict::Failed
    } else if has(FailureKind::Incomplete) || ended(Outcome::Blocked) || unfinished {
        Verdict::Incomplete
    } else {
        Verdict::Done
    }
}
