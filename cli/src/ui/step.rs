//! One numbered step: what its resources come to.

use std::collections::BTreeMap;
use std::time::Duration;

use super::board::{Item, Phase, Waiting};
use super::summary;
use crate::engine::{Outcome, Step};

/// One numbered step.
#[derive(Debug)]
pub(super) struct StepView<'a> {
    /// Which.
    pub(super) step: Step,
    /// Its resources, in the order of the plan.
    pub(super) items: Vec<&'a Item>,
    /// The run was interrupted.
    pub(super) interrupted: bool,
}

/// Where a step is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum StepState {
    /// Nothing of it was tried.
    Pending,
    /// Something of it is being worked on, or was and more will be.
    Working,
    /// All of it ended well.
    Done,
    /// Something of it failed, or could not be tried.
    Failed,
}

impl StepView<'_> {
    /// Where it is.
    pub(super) fn state(&self) -> StepState {
        let counts = self.counts();
        let bad = [Outcome::Failed, Outcome::Blocked]
            .iter()
            .any(|bad| counts.contains_key(bad));
        let working = self.working().next().is_some();
        if self.is_over() {
            if bad {
                StepState::Failed
            } else {
                StepState::Done
            }
        } else if working || self.items.iter().any(|item| item.began.is_some()) {
            StepState::Working
        } else {
            StepState::Pending
        }
    }

    /// Whether anything of it was tried, or failed.
    pub(super) fn is_eventful(&self) -> bool {
        self.items.iter().any(|item| item.is_eventful())
    }

    /// Whether all of its resources are as they will be.
    pub(super) fn is_over(&self) -> bool {
        self.settled() == self.items.len()
    }

    /// How many of its resources are as they will be.
    pub(super) fn settled(&self) -> usize {
        self.counts().values().sum()
    }

    /// How many of its resources ended in which way.
    pub(super) fn counts(&self) -> BTreeMap<Outcome, usize> {
        let mut counts = BTreeMap::new();
        for outcome in self.items.iter().filter_map(|item| self.outcome(item)) {
            *counts.entry(outcome).or_default() += 1;
        }
        counts
    }

    fn outcome(&self, item: &Item) -> Option<Outcome> {
        match &item.phase {
            Phase::Settled(outcome) => Some(*outcome),
            Phase::Failed(_) => Some(Outcome::Failed),
            Phase::Pending | Phase::Working { .. } => {
                self.interrupted.then_some(Outcome::Interrupted)
            }
        }
    }

    /// What is being worked on: verb and resource.
    pub(super) fn working(&self) -> impl Iterator<Item = (&'static str, &Item)> {
        self.items.iter().filter_map(|item| match &item.phase {
            Phase::Working { verb, .. } => Some((*verb, *item)),
            _ => None,
        })
    }

    /// The waits that go on.
    pub(super) fn waits(&self) -> impl Iterator<Item = &Waiting> {
        self.items.iter().filter_map(|item| match &item.phase {
            Phase::Working { wait, .. } => wait.as_ref(),
            _ => None,
        })
    }

    /// Time from the first to the last work on it; up to `now` while it goes on.
    pub(super) fn elapsed(&self, now: Duration) -> Option<Duration> {
        let began = self.items.iter().filter_map(|item| item.began).min()?;
        let over = self.is_over();
        let tried = self.items.iter().filter(|item| item.began.is_some());
        let ended = tried.filter_map(|item| item.ended).max();
        let end = if over { ended.unwrap_or(now) } else { now };
        Some(end.saturating_sub(began))
    }

    /// How it ended, how far it is, or how it was found.
    pub(super) fn words(&self) -> String {
        let counts = self.counts();
        if counts.is_empty() {
            return self.found();
        }
        summary::outcomes(&counts)
    }

    /// How its resources were found.
    pub(super) fn found(&self) -> String {
        let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
        for state in self.items.iter().filter_map(|item| item.found) {
            *counts.entry(state).or_default() += 1;
        }
        let words = counts
            .iter()
            .map(|(state, count)| format!("{count} {state}"));
        words.collect::<Vec<_>>().join(", ")
    }
}
