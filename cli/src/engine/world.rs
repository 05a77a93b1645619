//! A small world of fake resources for the engine's tests: things stand or don't, take their
//! time, need each other, and fail when told to.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use tokio::sync::watch;

use super::event::{Event, EventKind, EventSink};
use super::outcome::{Difference, Failure, FailureKind, Left, Observed, Outcome};
use super::resource::{Progress, Resource, ResourceKey, Step};
use super::runner::Runner;
use super::wait::{Poll, Wait};

/// How a thing behaves.
#[derive(Clone, Debug, Default)]
pub(super) struct Thing {
    pub(super) key: &'static str,
    pub(super) needs: Vec<&'static str>,
    pub(super) removed_after: Option<Vec<&'static str>>,
    pub(super) takes: Duration,
    pub(super) used_only: bool,
    pub(super) data: bool,
    pub(super) billable: bool,
}

/// A thing that takes no time and needs nothing.
pub(super) fn thing(key: &'static str) -> Thing {
    Thing {
        key,
        ..Thing::default()
    }
}

impl Thing {
    pub(super) fn needs(mut self, needs: &[&'static str]) -> Self {
        self.needs = needs.to_vec();
        self
    }

    pub(super) fn removed_after(mut self, keys: &[&'static str]) -> Self {
        self.removed_after = Some(keys.to_vec());
        self
    }

    pub(super) const fn takes(mut self, seconds: u64) -> Self {
        self.takes = Duration::from_secs(seconds);
        self
    }
}

/// What a thing is like in the world.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Standing {
    Ready,
    Drifted,
    Fixed,
    Foreign,
    Forbidden,
    Impossible,
}

/// A moment in which a thing fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Moment {
    Observing,
    BeforeEffect,
    AfterEffect,
}

#[derive(Default)]
struct State {
    standing: BTreeMap<&'static str, Standing>,
    failing: BTreeSet<(&'static str, Moment)>,
    /// Removal is accepted, and nothing happens.
    lingering: BTreeSet<&'static str>,
    /// Looks that still show what is removed.
    fading: BTreeMap<&'static str, u32>,
    /// Looks that show it on its way to another state.
    busy: BTreeMap<&'static str, u32>,
    log: Vec<String>,
    events: Vec<String>,
}

/// The world, which outlives runs.
#[derive(Clone, Default)]
pub(super) struct World(Arc<Mutex<State>>);

impl World {
    fn state<T>(&self, change: impl FnOnce(&mut State) -> T) -> T {
        change(&mut self.0.lock().unwrap())
    }

    pub(super) fn resources(&self, things: Vec<Thing>) -> Vec<Arc<dyn Resource>> {
        let fake = |thing| {
            Arc::new(Fake {
                thing,
                world: self.clone(),
            }) as Arc<dyn Resource>
        };
        things.into_iter().map(fake).collect()
    }

    /// A run over `things` that nobody interrupts.
    pub(super) fn runner(&self, things: &[Thing]) -> Runner {
        let (sender, interrupted) = watch::channel(false);
        drop(sender);
        self.runner_with(things, interrupted)
    }

    pub(super) fn runner_with(
        &self,
        things: &[Thing],
        interrupted: watch::Receiver<bool>,
    ) -> Runner {
        let resources = self.resources(things.to_vec());
        Runner::new(resources, Arc::new(self.clone()), interrupted).unwrap()
    }

    pub(super) fn put(&self, key: &'static str, standing: Standing) {
        self.state(|state| state.standing.insert(key, standing));
    }

    pub(super) fn fail(&self, key: &'static str, moment: Moment) {
        self.state(|state| state.failing.insert((key, moment)));
    }

    pub(super) fn mend(&self) {
        self.state(|state| state.failing.clear());
    }

    pub(super) fn linger(&self, key: &'static str) {
        self.state(|state| state.lingering.insert(key));
    }

    /// Goes on being seen for some looks once it is removed.
    pub(super) fn fade(&self, key: &'static str, looks: u32) {
        self.state(|state| state.fading.insert(key, looks));
    }

    /// Is on its way to another state for some looks.
    pub(super) fn keep_busy(&self, key: &'static str, looks: u32) {
        self.state(|state| state.busy.insert(key, looks));
    }

    /// Whether a thing that is gone is seen all the same.
    fn is_seen_still(&self, key: &str) -> bool {
        self.state(|state| count_down(&mut state.fading, key))
    }

    fn is_busy(&self, key: &str) -> bool {
        self.state(|state| count_down(&mut state.busy, key))
    }

    pub(super) fn standing(&self) -> Vec<&'static str> {
        self.state(|state| state.standing.keys().copied().collect())
    }

    /// Everything that was done to things since the last call.
    pub(super) fn log(&self) -> Vec<String> {
        self.state(|state| std::mem::take(&mut state.log))
    }

    /// Every event since the last call, in short.
    pub(super) fn events(&self) -> Vec<String> {
        self.state(|state| std::mem::take(&mut state.events))
    }

    fn fails(&self, key: &'static str, moment: Moment) -> Result<(), Failure> {
        if !self.state(|state| state.failing.contains(&(key, moment))) {
            return Ok(());
        }
        let left = if moment == Moment::AfterEffect {
            Left::Unknown
        } else {
            Left::Nothing
        };
        Err(Failure::new(format!("working on `{key}`"))
            .caused_by("told to fail")
            .left(left))
    }
}

/// Whether one more look of those that are counted for `key` is left.
fn count_down(looks: &mut BTreeMap<&'static str, u32>, key: &str) -> bool {
    let left = looks.get_mut(key).filter(|left| **left > 0);
    left.map(|left| *left -= 1).is_some()
}

impl EventSink for World {
    fn event(&self, event: &Event) {
        let line = match &event.kind {
            EventKind::Working { key, verb } => format!("{verb} {key}"),
            EventKind::Done { key, outcome, .. } => format!("{outcome:?} {key}"),
            EventKind::Failed { key, .. } => format!("failed {key}"),
            EventKind::Blocked { key, by } => format!("blocked {key} by {by}"),
            _ => return,
        };
        self.state(|state| state.events.push(line));
    }
}

struct Fake {
    thing: Thing,
    world: World,
}

fn keys(keys: &[&'static str]) -> Vec<ResourceKey> {
    keys.iter().map(|key| ResourceKey::new(key)).collect()
}

#[async_trait(?Send)]
impl Resource for Fake {
    fn key(&self) -> ResourceKey {
        ResourceKey::new(self.thing.key)
    }

    fn step(&self) -> Step {
        Step(1)
    }

    fn kind(&self) -> &'static str {
        "thing"
    }

    fn name(&self) -> String {
        self.thing.key.to_owned()
    }

    fn needs(&self) -> Vec<ResourceKey> {
        keys(&self.thing.needs)
    }

    fn removed_after(&self) -> Option<Vec<ResourceKey>> {
        self.thing.removed_after.as_deref().map(keys)
    }

    fn billable(&self) -> bool {
        self.thing.billable
    }

    fn owned(&self) -> bool {
        !self.thing.used_only
    }

    fn holds_data(&self) -> bool {
        self.thing.data
    }

    async fn observe(&self) -> Result<Observed, Failure> {
        let key = self.thing.key;
        self.world.fails(key, Moment::Observing)?;
        let id = key.to_owned();
        if self.world.is_busy(key) {
            let state = "on its way".to_owned();
            return Ok(Observed::Changing { id, state });
        }
        let difference = Difference::new("size", "1", "2");
        Ok(
            match self.world.state(|state| state.standing.get(key).copied()) {
                None if self.world.is_seen_still(key) => Observed::ready(id),
                None => Observed::Absent,
                Some(Standing::Ready) => Observed::ready(id),
                Some(Standing::Drifted) => Observed::Drifted {
                    id,
                    differences: vec![difference],
                },
                Some(Standing::Fixed) => Observed::Drifted {
                    id,
                    differences: vec![difference.needs_replacement()],
                },
                Some(Standing::Impossible) => Observed::Impossible {
                    reason: "there is no room".to_owned(),
                    remedy: "make room".to_owned(),
                },
                Some(Standing::Foreign) => Observed::foreign(id, "somebody else's"),
                Some(Standing::Forbidden) => Observed::Foreign {
                    id,
                    detail: "in use by others".to_owned(),
                    remedy: Some("`--allow-it`".to_owned()),
                },
            },
        )
    }

    async fn ensure(&self, _: &Observed, progress: &Progress) -> Result<(), Failure> {
        let key = self.thing.key;
        self.world.fails(key, Moment::BeforeEffect)?;
        let before = self.world.state(|state| {
            state.log.push(format!("ensure {key}"));
            state.standing.insert(key, Standing::Ready)
        });
        if before.is_none() {
            // What is there already needs no second creation: a duplicate would show in the log.
            self.world
                .state(|state| state.log.push(format!("create {key}")));
        }
        self.world.fails(key, Moment::AfterEffect)?;
        wait(progress, self.thing.takes).await
    }

    async fn remove(&self, progress: &Progress) -> Result<(), Failure> {
        let key = self.thing.key;
        self.world.fails(key, Moment::BeforeEffect)?;
        wait(progress, self.thing.takes).await?;
        self.world.state(|state| {
            if !state.lingering.contains(key) && state.standing.remove(key).is_some() {
                state.log.push(format!("remove {key}"));
            }
        });
        self.world.fails(key, Moment::AfterEffect)
    }
}

async fn wait(progress: &Progress, takes: Duration) -> Result<(), Failure> {
    let until = tokio::time::Instant::now() + takes;
    let wait = Wait {
        first_pause: Duration::from_secs(1),
        longest_pause: Duration::from_secs(1),
        ..Wait::new("a thing to be there", Duration::from_hours(1))
    };
    let look = async || {
        let there = tokio::time::Instant::now() >= until;
        Ok(if there {
            Poll::Ready(())
        } else {
            Poll::Pending("making".to_owned())
        })
    };
    progress.until(wait, look).await
}

/// A plan with a long branch, a short one, and something that needs both.
pub(super) fn diamond() -> Vec<Thing> {
    vec![
        thing("root"),
        thing("long").needs(&["root"]).takes(60),
        thing("short").needs(&["root"]).takes(20),
        thing("top").needs(&["long", "short"]).takes(5),
    ]
}

/// The outcomes of a report, in the order of the plan.
pub(super) fn outcomes(report: &super::report::Report) -> Vec<(String, Outcome)> {
    let entries = report.entries.iter();
    entries
        .map(|entry| (entry.name.clone(), entry.outcome))
        .collect()
}

/// The kinds of a report's failures.
pub(super) fn failure_kinds(report: &super::report::Report) -> Vec<FailureKind> {
    report
        .entries
        .iter()
        .filter_map(|entry| Some(entry.problem.as_ref()?.kind))
        .collect()
}
