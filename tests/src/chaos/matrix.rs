//! Trying cases, several at a time.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use super::case::{Case, Subject};
use super::rig::{Rig, Start};
use super::summary::{Failure, Kind, Summary};
use crate::proxy::Operation;

type Outcome = Result<Option<Operation>, Failure>;

/// Several rigs, started side by side.
///
/// # Panics
/// When one doesn't come up.
pub async fn rigs(count: usize) -> Vec<Arc<Rig>> {
    let starting = (0..count).map(|_| async { Arc::new(Rig::start().await) });
    futures::future::join_all(starting).await
}

/// An `up` that is cut off, and the teardown of what came of it that is cut off too.
#[derive(Debug)]
struct Round {
    up: Option<Case>,
    teardown: Option<Case>,
}

impl Round {
    async fn attempt(self, rig: &Arc<Rig>, tell: impl Fn(&Outcome)) {
        let mut from = Start::Nothing;
        if let Some(up) = self.up {
            let outcome = attempt(Arc::clone(rig), up, from).await;
            if outcome.is_ok() {
                from = Start::Whole;
            }
            tell(&outcome);
        }
        if let Some(teardown) = self.teardown {
            tell(&attempt(Arc::clone(rig), teardown, from).await);
        }
    }
}

/// The cases in pairs, in the order of the `up`s, and then whatever has no partner.
fn rounds(cases: Vec<Case>) -> VecDeque<Round> {
    let is_up = |case: &Case| case.subject == Subject::Up;
    let (ups, teardowns): (Vec<_>, Vec<_>) = cases.into_iter().partition(is_up);
    let count = ups.len().max(teardowns.len());
    let (mut ups, mut teardowns) = (ups.into_iter(), teardowns.into_iter());
    let pairs = (0..count).map(|_| Round {
        up: ups.next(),
        teardown: teardowns.next(),
    });
    pairs.collect()
}

/// Tries all `cases`, each on a rig that is free; after `until` only the first `always` of them,
/// which are `up`s. Tells `progress` of each.
pub async fn run(
    rigs: &[Arc<Rig>],
    cases: Vec<Case>,
    until: Option<(Instant, usize)>,
    progress: impl Fn(&Summary, Option<&Failure>),
) -> Summary {
    let summary = Mutex::new(Summary::default());
    let queue = Mutex::new(rounds(cases));
    let all = queue.lock().unwrap_or_else(PoisonError::into_inner).len();
    let tell = |outcome: &Outcome| {
        let mut summary = summary.lock().unwrap_or_else(PoisonError::into_inner);
        summary.add(outcome);
        progress(&summary, outcome.as_ref().err());
    };
    let next = || {
        let mut queue = queue.lock().unwrap_or_else(PoisonError::into_inner);
        let tried = all - queue.len();
        let late = until.is_some_and(|(end, always)| tried >= always && Instant::now() >= end);
        queue.pop_front().filter(|_| !late)
    };
    let work = |rig: &Arc<Rig>| {
        let rig = Arc::clone(rig);
        async move {
            while let Some(round) = next() {
                round.attempt(&rig, &tell).await;
            }
        }
    };
    futures::future::join_all(rigs.iter().map(work)).await;
    let summary = summary.lock().unwrap_or_else(PoisonError::into_inner);
    summary.clone()
}

/// A case in a task of its own: one that panics is one that failed.
async fn attempt(rig: Arc<Rig>, case: Case, from: Start) -> Outcome {
    let tried = case.clone();
    let outcome = tokio::spawn(async move { rig.attempt(&tried, from).await }).await;
    let broken = |error: tokio::task::JoinError| {
        let panic = error.into_panic();
        let text = panic.downcast_ref::<String>().cloned();
        let text = text.or_else(|| panic.downcast_ref::<&str>().map(|&text| text.to_owned()));
        Failure::new(&case, Kind::Stuck, text.unwrap_or_default())
    };
    outcome.map_err(broken).and_then(|outcome| outcome)
}
