//! What is known of a run so far, from its events alone.

use std::collections::HashMap;
use std::time::Duration;

use super::step::StepView;
use super::words;
use crate::engine::event::Planned;
use crate::engine::{Event, EventKind, Outcome, Problem, ResourceKey, Step};

/// From here on a wait's line says how long it is already.
const LONG: Duration = Duration::from_secs(30);

/// What is known of a run so far.
#[derive(Debug, Default)]
pub(super) struct Board {
    /// `up`, `teardown`, ...
    pub(super) command: &'static str,
    /// Everything that the run is about, in the order of the plan.
    pub(super) items: Vec<Item>,
    /// How often a call was tried again.
    pub(super) retries: u64,
    /// The latest of these.
    pub(super) latest_retry: Option<Retry>,
    /// How the run ended.
    end: Option<End>,
    index: HashMap<ResourceKey, usize>,
}

/// What is known of one resource.
#[derive(Debug)]
pub(super) struct Item {
    /// AWS's word for it, and its name.
    pub(super) label: String,
    /// AWS's word for it.
    pub(super) kind: &'static str,
    /// Its name.
    pub(super) name: String,
    /// Its step.
    pub(super) step: Step,
    /// What was found, in one word.
    pub(super) found: Option<&'static str>,
    /// Where it is.
    pub(super) phase: Phase,
    /// When work on it began, since the run began.
    pub(super) began: Option<Duration>,
    /// When work on it ended.
    pub(super) ended: Option<Duration>,
}

/// How a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    /// Everything had its turn, or was held up by a failure.
    Complete,
    /// By an interrupt: what was not begun will not be.
    CutShort,
}

/// Where a resource is.
#[derive(Debug)]
pub(super) enum Phase {
    /// Its turn has not come.
    Pending,
    /// It is being worked on.
    Working {
        /// `creating`, ...
        verb: &'static str,
        /// What this waits for.
        wait: Option<Waiting>,
    },
    /// It is as it will be.
    Settled(Outcome),
    /// It failed.
    Failed(Problem),
}

/// A wait that goes on.
#[derive(Debug)]
pub(super) struct Waiting {
    /// What for.
    pub(super) what: String,
    /// Usual range, in seconds.
    pub(super) usual_s: Option<(u64, u64)>,
    /// What it hangs on.
    pub(super) blocker: Option<String>,
    /// When it began, since the run began.
    pub(super) since: Duration,
}

/// A call that is tried again.
#[derive(Debug)]
pub(super) struct Retry {
    /// Which call, and why.
    pub(super) line: String,
    /// When, since the run began.
    pub(super) at: Duration,
}

impl Board {
    /// Takes an event in.
    pub(super) fn apply(&mut self, event: &Event) {
        match &event.kind {
            EventKind::Started { command, resources } => self.start(command, resources),
            EventKind::Observed { key, state, .. } => self.change(key, |item| {
                item.found = Some(state);
            }),
            EventKind::Working { key, verb } => self.change(key, |item| {
                item.began.get_or_insert(event.at);
                item.phase = Phase::Working { verb, wait: None };
            }),
            EventKind::Waiting {
                key,
                what,
                usual_s,
                blocker,
                waited,
            } => {
                let waiting = Waiting {
                    what: what.clone(),
                    usual_s: *usual_s,
                    blocker: blocker.clone(),
                    since: event.at.saturating_sub(*waited),
                };
                self.change(key, |item| item.wait(waiting));
            }
            EventKind::Retrying {
                operation,
                attempt,
                reason,
                ..
            } => {
                self.retries += 1;
                let line = retry(operation, *attempt, reason);
                self.latest_retry = Some(Retry { line, at: event.at });
            }
            EventKind::Done { key, outcome, .. } => {
                self.settle(key, event.at, Phase::Settled(*outcome));
            }
            EventKind::Blocked { key, .. } => {
                self.settle(key, event.at, Phase::Settled(Outcome::Blocked));
            }
            EventKind::Failed { key, .. } => {
                if let Some(problem) = problem(&event.kind) {
                    self.settle(key, event.at, Phase::Failed(problem));
                }
            }
            EventKind::Finished { outcome, .. } => {
                let interrupted = *outcome == "interrupted";
                self.end = Some(if interrupted {
                    End::CutShort
                } else {
                    End::Complete
                });
            }
            EventKind::Note { .. } => {}
        }
    }

    /// The steps that the run is about.
    pub(super) fn steps(&self) -> Vec<StepView<'_>> {
        let steps = Step::ALL.into_iter().map(|step| self.step(step));
        steps.filter(|view| !view.items.is_empty()).collect()
    }

    /// One step. What nothing was said about in a complete run was none of the run's business: a
    /// teardown leaves alone what the stack merely uses.
    pub(super) fn step(&self, step: Step) -> StepView<'_> {
        let complete = self.end == Some(End::Complete);
        let mut items: Vec<_> = self.items.iter().filter(|item| item.step == step).collect();
        items.retain(|item| !complete || item.is_settled());
        StepView {
            step,
            items,
            interrupted: self.end == Some(End::CutShort),
        }
    }

    /// The resource `key`.
    pub(super) fn item(&self, key: &ResourceKey) -> Option<&Item> {
        self.index.get(key).map(|position| &self.items[*position])
    }

    /// What to call the resource `key`.
    pub(super) fn label<'a>(&'a self, key: &'a ResourceKey) -> &'a str {
        self.item(key).map_or(key.as_str(), |item| &item.label)
    }

    /// Whether anything was tried, or failed.
    pub(super) fn is_eventful(&self) -> bool {
        self.items.iter().any(Item::is_eventful)
    }

    /// Every failure, in the order of the plan.
    pub(super) fn problems(&self) -> impl Iterator<Item = &Problem> {
        self.items.iter().filter_map(|item| match &item.phase {
            Phase::Failed(problem) => Some(problem),
            _ => None,
        })
    }

    fn start(&mut self, command: &'static str, resources: &[Planned]) {
        let keys = resources.iter().map(|planned| planned.key.clone());
        *self = Self {
            command,
            index: keys
                .enumerate()
                .map(|(position, key)| (key, position))
                .collect(),
            items: resources.iter().map(Item::new).collect(),
            ..Self::default()
        };
    }

    fn settle(&mut self, key: &ResourceKey, at: Duration, phase: Phase) {
        self.change(key, |item| {
            item.ended = Some(at);
            item.phase = phase;
        });
    }

    fn change(&mut self, key: &ResourceKey, change: impl FnOnce(&mut Item)) {
        if let Some(position) = self.index.get(key) {
            change(&mut self.items[*position]);
        }
    }
}

impl Item {
    fn new(planned: &Planned) -> Self {
        Self {
            label: format!("{} `{}`", planned.kind, planned.name),
            kind: planned.kind,
            name: planned.name.clone(),
            step: planned.step,
            found: None,
            phase: Phase::Pending,
            began: None,
            ended: None,
        }
    }

    /// Whether it was tried, or failed.
    pub(super) fn is_eventful(&self) -> bool {
        self.began.is_some() || matches!(self.phase, Phase::Failed(_))
    }

    /// Whether it is as it will be.
    pub(super) const fn is_settled(&self) -> bool {
        matches!(self.phase, Phase::Settled(_) | Phase::Failed(_))
    }

    fn wait(&mut self, waiting: Waiting) {
        if let Phase::Working { wait, .. } = &mut self.phase {
            *wait = Some(waiting);
        }
    }
}

/// A wait, on a line: what for, what it hangs on, the usual range, how long already.
pub(super) fn waiting(kind: &EventKind) -> String {
    let EventKind::Waiting {
        what,
        usual_s,
        blocker,
        waited,
        ..
    } = kind
    else {
        return String::new();
    };
    let blocker = blocker
        .as_ref()
        .map(|blocker| format!(": {blocker}"))
        .unwrap_or_default();
    let usual = usual_s.map(|(from, to)| format!(" (usually {})", words::range(from, to)));
    let usual = usual.unwrap_or_default();
    let so_far = if *waited >= LONG {
        format!(", {} so far", words::duration(*waited))
    } else {
        String::new()
    };
    format!("waiting for {what}{blocker}{usual}{so_far}")
}

/// A retry in words.
pub(super) fn retry(operation: &str, attempt: u32, reason: &str) -> String {
    format!("trying {operation} again after attempt {attempt}: {reason}")
}

/// What went wrong, where `kind` says that something did.
pub(super) fn problem(kind: &EventKind) -> Option<Problem> {
    let EventKind::Failed {
        message,
        causes,
        hint,
        left,
        kind,
        ..
    } = kind
    else {
        return None;
    };
    Some(Problem {
        message: message.clone(),
        causes: causes.clone(),
        hint: hint.clone(),
        left: *left,
        kind: *kind,
    })
}
