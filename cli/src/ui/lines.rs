//! Events where nothing can be redrawn: one plain line for each that says something new.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};

use super::board::{self, Board};
use super::step::StepView;
use super::style::Theme;
use super::summary::{self, Ending};
use super::terminal::Terminal;
use super::{failures, words};
use crate::engine::{Event, EventKind, EventSink, Outcome, ResourceKey, Step};

/// From this attempt on a retry is worth a line of its own.
const STUBBORN: u32 = 3;

/// Writes events as plain lines on stderr.
pub(super) struct Lines {
    terminal: Arc<Terminal>,
    verbosity: i8,
    story: Mutex<Story>,
}

impl Lines {
    /// A sink that writes to `terminal`.
    pub(super) fn new(terminal: Arc<Terminal>, theme: Theme, verbosity: i8) -> Self {
        Self {
            terminal,
            verbosity,
            story: Mutex::new(Story::new(theme, verbosity > 0)),
        }
    }
}

impl EventSink for Lines {
    fn event(&self, event: &Event) {
        let mut story = self.story.lock().unwrap_or_else(PoisonError::into_inner);
        let lines = story.tell(event);
        let is_bad = matches!(event.kind, EventKind::Failed { .. });
        if self.verbosity >= 0 || is_bad {
            for line in &lines {
                self.terminal.say(line);
            }
        }
    }
}

/// Turns events into lines.
pub(super) struct Story {
    board: Board,
    theme: Theme,
    verbose: bool,
    told: HashSet<Step>,
    surveyed: bool,
}

impl Story {
    /// A story that has not begun.
    pub(super) fn new(theme: Theme, verbose: bool) -> Self {
        let told = HashSet::new();
        Self {
            board: Board::default(),
            theme,
            verbose,
            told,
            surveyed: false,
        }
    }

    /// What there is to say about `event`.
    pub(super) fn tell(&mut self, event: &Event) -> Vec<String> {
        self.board.apply(event);
        let mut lines = Vec::new();
        if self.ends_survey(&event.kind) {
            lines.push(format!("{}: found {}", self.board.command, self.found()));
        }
        match &event.kind {
            EventKind::Started { command, resources } => {
                let count = words::count(resources.len() as u64, "resource");
                lines.push(format!("{command}: checking {count}"));
            }
            EventKind::Finished { .. } => lines.extend(self.ending(&event.kind)),
            kind => lines.extend(self.line(kind)),
        }
        if let EventKind::Done { key, .. }
        | EventKind::Blocked { key, .. }
        | EventKind::Failed { key, .. } = &event.kind
        {
            lines.extend(self.step_of(key));
        }
        lines
    }

    fn line(&self, kind: &EventKind) -> Option<String> {
        let about = |key: &ResourceKey, text: String| Some(self.about(key, &text));
        match kind {
            EventKind::Observed { key, state, detail } => match detail {
                Some(detail) => about(key, format!("{state}: {detail}")),
                None => self.verbose.then(|| self.about(key, state)),
            },
            EventKind::Working { key, verb } => about(key, (*verb).to_owned()),
            EventKind::Waiting { key, .. } => about(key, board::waiting(kind)),
            EventKind::Retrying {
                operation,
                attempt,
                reason,
                ..
            } => {
                let line = board::retry(operation, *attempt, reason);
                (self.verbose || *attempt >= STUBBORN).then_some(line)
            }
            EventKind::Done {
                key,
                outcome,
                elapsed,
            } => {
                let was_tried = self
                    .board
                    .item(key)
                    .is_some_and(|item| item.began.is_some());
                let word = summary::outcome(*outcome);
                let elapsed = words::duration(*elapsed);
                if was_tried {
                    about(key, format!("{word} ({elapsed})"))
                } else {
                    (self.verbose || *outcome == Outcome::Kept).then(|| self.about(key, word))
                }
            }
            EventKind::Blocked { key, by } => about(
                key,
                format!("not tried, because {} failed", self.board.label(by)),
            ),
            EventKind::Failed { key, .. } => {
                let problem = board::problem(kind)?;
                about(
                    key,
                    format!("failed\n{}", failures::problem(self.theme, &problem)),
                )
            }
            EventKind::Note { message } => Some(message.clone()),
            EventKind::Started { .. } | EventKind::Finished { .. } => None,
        }
    }

    fn about(&self, key: &ResourceKey, text: &str) -> String {
        let label = self.board.label(key);
        match self.board.item(key) {
            Some(item) => format!("{}: {label}: {text}", heading(item.step)),
            None => format!("{label}: {text}"),
        }
    }

    /// Whether this is the first event after everything was looked at.
    fn ends_survey(&mut self, kind: &EventKind) -> bool {
        let surveying = matches!(
            kind,
            EventKind::Started { .. } | EventKind::Observed { .. } | EventKind::Retrying { .. }
        );
        let ends = !self.surveyed && !surveying && !self.found().is_empty();
        self.surveyed |= ends;
        ends
    }

    fn found(&self) -> String {
        let items = self.board.items.iter().collect();
        StepView {
            step: Step(0),
            items,
            interrupted: false,
        }
        .found()
    }

    /// The line of the step of `key`, when that was its last resource. Steps in which nothing was
    /// to be done are told at the end, in their order.
    fn step_of(&mut self, key: &ResourceKey) -> Option<String> {
        let step = self.board.item(key)?.step;
        let view = self.board.step(step);
        let is_news = view.is_over() && view.is_eventful();
        (is_news && self.told.insert(step)).then(|| step_line(&view))
    }

    fn ending(&mut self, kind: &EventKind) -> Vec<String> {
        let Some(ending) = Ending::of(self.board.command, kind) else {
            return Vec::new();
        };
        let steps = self.board.steps();
        let untold = steps.iter().filter(|view| !self.told.contains(&view.step));
        let mut lines: Vec<String> = untold.map(step_line).collect();
        lines.push(ending.summary(self.theme));
        lines.extend(ending.hints(self.theme, &self.board));
        lines
    }
}

fn heading(step: Step) -> String {
    format!("step {} {}", step.0, step.title())
}

fn step_line(view: &StepView<'_>) -> String {
    format!("{}: {}", heading(view.step), view.words())
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::super::script;
    use super::*;

    fn told(events: &[Event], verbose: bool) -> String {
        let mut story = Story::new(Theme::PLAIN, verbose);
        let lines: Vec<String> = events.iter().flat_map(|event| story.tell(event)).collect();
        lines.join("\n")
    }

    #[test]
    fn a_run_with_a_failure_a_wait_and_a_repair() {
        let events = [script::mixed(), script::mixed_end()].concat();
        let expected = "\
up: checking 4 resources
step 6 Tables: table `mru_pixels`: drifted: TableClass is STANDARD, should be \
STANDARD_INFREQUENT_ACCESS
up: found 3 absent, 1 drifted
step 1 VPC: NAT gateway `place-nat`: creating
step 2 Redis: serverless cache `placev2cache`: creating
step 6 Tables: table `mru_pixels`: repairing
step 2 Redis: serverless cache `placev2cache`: waiting for serverless cache `placev2cache` to be \
available: creating (usually 1 to 5 min)
step 1 VPC: NAT gateway `place-nat`: failed
error: creating NAT gateway `place-nat`
  caused by: ec2:CreateNatGateway was refused
  caused by: NatGatewayLimitExceeded: the maximum number of NAT gateways has been reached
  left behind: nothing
step 1 VPC: route `0.0.0.0/0`: not tried, because NAT gateway `place-nat` failed
step 1 VPC: 1 failed, 1 blocked
step 6 Tables: table `mru_pixels`: repaired (1.2 s)
step 6 Tables: 1 repaired
trying elasticache:DescribeServerlessCaches again after attempt 3: Throttling: rate exceeded
step 2 Redis: serverless cache `placev2cache`: created (1.2 s)
step 2 Redis: 1 created
up: failed, 1 created, 1 repaired, 1 failed, 1 blocked in 1 min 35 s, 84 calls

hint: ask AWS for more NAT gateways, or remove one
hint: fix the cause, then run the same command again to resume";
        assert_eq!(told(&events, false), expected);
    }

    #[test]
    fn a_run_that_finds_everything_in_place_says_so_step_by_step() {
        let expected = "\
up: checking 4 resources
up: found 4 ready
step 1 VPC: 2 unchanged
step 2 Redis: 1 unchanged
step 6 Tables: 1 unchanged
up: nothing to do, 4 resources as configured in 0.3 s, 84 calls";
        assert_eq!(told(&script::idle(), false), expected);
    }

    #[test]
    fn an_interrupted_run_says_what_was_not_tried_and_how_to_go_on() {
        let counts = [(Outcome::Created, 1), (Outcome::Interrupted, 3)];
        let events = [
            script::started("up"),
            script::working(500, script::TABLE, "creating"),
            script::done(1700, script::TABLE, Outcome::Created),
            script::finished(1800, "interrupted", &counts),
        ];
        let expected = "\
up: checking 4 resources
step 6 Tables: table `mru_pixels`: creating
step 6 Tables: table `mru_pixels`: created (1.2 s)
step 6 Tables: 1 created
step 1 VPC: 2 not tried
step 2 Redis: 1 not tried
up: interrupted, 1 created, 3 not tried in 1.8 s, 84 calls

hint: run the same command again to resume";
        assert_eq!(told(&events, false), expected);
    }

    #[test]
    fn a_teardown_is_silent_about_what_was_not_there() {
        let counts = [
            (Outcome::Removed, 1),
            (Outcome::Kept, 1),
            (Outcome::Absent, 1),
        ];
        let note = "subnet `a` was not removed: tagged as part of stack `b`".to_owned();
        let events = [
            script::started("teardown"),
            script::observed(script::NAT, "absent", None),
            script::done(300, script::NAT, Outcome::Absent),
            script::done(300, script::TABLE, Outcome::Kept),
            script::event(300, EventKind::Note { message: note }),
            script::working(300, script::CACHE, "removing"),
            script::done(1500, script::CACHE, Outcome::Removed),
            script::finished(1600, "done", &counts),
        ];
        let expected = "\
teardown: checking 4 resources
teardown: found 1 absent
step 6 Tables: table `mru_pixels`: kept
subnet `a` was not removed: tagged as part of stack `b`
step 2 Redis: serverless cache `placev2cache`: removing
step 2 Redis: serverless cache `placev2cache`: removed (1.2 s)
step 2 Redis: 1 removed
step 1 VPC: 1 absent
step 6 Tables: 1 kept
teardown: 1 removed, 1 kept, 1 absent in 1.6 s, 84 calls";
        assert_eq!(told(&events, false), expected);
    }

    #[test]
    fn a_wait_that_goes_on_says_how_long_already() {
        let mut waiting = script::waiting(61_500);
        let EventKind::Waiting { waited, .. } = &mut waiting.kind else {
            panic!("a wait");
        };
        *waited = Duration::from_mins(1);
        let line = told(&[waiting], false);
        let expected = "cache: waiting for serverless cache `placev2cache` to be available: \
                        creating (usually 1 to 5 min), 1 min so far";
        assert_eq!(line, expected);
    }

    #[test]
    fn early_retries_are_told_on_request_only() {
        let kind = EventKind::Retrying {
            key: None,
            operation: "sqs:CreateQueue".to_owned(),
            attempt: 1,
            reason: "no answer".to_owned(),
        };
        let events = [script::event(10, kind)];
        assert_eq!(told(&events, false), "");
        assert_eq!(
            told(&events, true),
            "trying sqs:CreateQueue again after attempt 1: no answer"
        );
    }

    #[test]
    fn a_resource_that_was_not_announced_is_called_by_its_key() {
        let key = ResourceKey::new("lease");
        let events = [script::working(10, key, "creating")];
        assert_eq!(told(&events, false), "lease: creating");
    }
}
