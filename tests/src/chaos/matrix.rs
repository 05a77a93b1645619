//! Trying cases, several at a time.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use super::case::Case;
use super::rig::Rig;
use super::summary::{Failure, Kind, Summary};
use crate::proxy::Operation;

type Queue = Mutex<VecDeque<Case>>;
type Outcome = Result<Option<Operation>, Failure>;

/// Several rigs, started side by side.
///
/// # Panics
/// When one doesn't come up.
pub async fn rigs(count: usize) -> Vec<Arc<Rig>> {
    let starting = (0..count).map(|_| async { Arc::new(Rig::start().await) });
    futures::future::join_all(starting).await
}

/// Tries all `cases`, each on a rig that is free; after `until` only the first `always` of them.
/// Tells `progress` of each.
pub async fn run(
    rigs: &[Arc<Rig>],
    cases: Vec<Case>,
    until: Option<(Instant, usize)>,
    progress: impl Fn(&Summary, Option<&Failure>),
) -> Summary {
    let summary = Mutex::new(Summary::default());
    let all = cases.len();
    let queue: Queue = Mutex::new(cases.into());
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
            while let Some(case) = next() {
                tell(&attempt(Arc::clone(&rig), case).await);
            }
        }
    };
    futures::future::join_all(rigs.iter().map(work)).await;
    let summary = summary.lock().unwrap_or_else(PoisonError::into_inner);
    summary.clone()
}

/// A case in a task of its own: one that panics is one that failed.
async fn attempt(rig: Arc<Rig>, case: Case) -> Outcome {
    let tried = case.clone();
    let outcome = tokio::spawn(async move { rig.attempt(&tried).await }).await;
    let broken = |error: tokio::task::JoinError| {
        let panic = error.into_panic();
        let text = panic.downcast_ref::<String>().cloned();
        let text = text.or_else(|| panic.downcast_ref::<&str>().map(|&text| text.to_owned()));
        Failure::new(&case, Kind::Stuck, text.unwrap_or_default())
    };
    outcome.map_err(broken).and_then(|outcome| outcome)
}
