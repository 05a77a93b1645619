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

/// Cases that are still to be tried: those that begin with nothing, and those that need a stack.
struct Queue {
    ups: VecDeque<Case>,
    teardowns: VecDeque<Case>,
    /// When to stop.
    end: Option<Instant>,
    /// So many of the `ups` are tried even then.
    always: usize,
}

impl Queue {
    fn new(cases: Vec<Case>, until: Option<(Instant, usize)>) -> Self {
        let needs_stack = |case: &Case| case.subject.needs_stack();
        let (teardowns, ups): (Vec<_>, Vec<_>) = cases.into_iter().partition(needs_stack);
        Self {
            ups: ups.into(),
            teardowns: teardowns.into(),
            end: until.map(|(end, _)| end),
            always: until.map_or(0, |(_, always)| always),
        }
    }

    fn late(&self) -> bool {
        self.end.is_some_and(|end| Instant::now() >= end)
    }

    /// The next case of a worker, and what it begins with: the teardown of what its last `up` made,
    /// if that stands.
    fn next(&mut self, stands: bool) -> Option<(Case, Start)> {
        let late = self.late();
        if stands
            && !late
            && let Some(teardown) = self.teardowns.pop_front()
        {
            return Some((teardown, Start::Whole));
        }
        if late && self.always == 0 {
            return None;
        }
        self.always = self.always.saturating_sub(1);
        let next = self.ups.pop_front().or_else(|| self.teardowns.pop_front());
        next.map(|case| (case, Start::Nothing))
    }
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
    let queue = Mutex::new(Queue::new(cases, until));
    let tell = |outcome: &Outcome| {
        let mut summary = summary.lock().unwrap_or_else(PoisonError::into_inner);
        summary.add(outcome);
        progress(&summary, outcome.as_ref().err());
    };
    let next = |stands| {
        let mut queue = queue.lock().unwrap_or_else(PoisonError::into_inner);
        queue.next(stands)
    };
    let work = |rig: &Arc<Rig>| {
        let rig = Arc::clone(rig);
        async move {
            let mut stands = false;
            while let Some((case, start)) = next(stands) {
                let made = case.subject == Subject::Up;
                let outcome = attempt(Arc::clone(&rig), case, start).await;
                stands = made && outcome.is_ok();
                tell(&outcome);
            }
        }
    };
    futures::future::join_all(rigs.iter().map(work)).await;
    let summary = summary.lock().unwrap_or_else(PoisonError::into_inner);
    summary.clone()
}

/// A case in a task of its own: one that panics is one that failed.
async fn attempt(rig: Arc<Rig>, case: Case, start: Start) -> Outcome {
    let tried = case.clone();
    let outcome = tokio::spawn(async move { rig.attempt(&tried, start).await }).await;
    let broken = |error: tokio::task::JoinError| {
        let panic = error.into_panic();
        let text = panic.downcast_ref::<String>().cloned();
        let text = text.or_else(|| panic.downcast_ref::<&str>().map(|&text| text.to_owned()));
        Failure::new(&case, Kind::Stuck, text.unwrap_or_default())
    };
    outcome.map_err(broken).and_then(|outcome| outcome)
}
