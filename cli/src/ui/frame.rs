//! The live picture: the board as lines that fit the terminal.

use std::time::Duration;

use console::truncate_str;

use super::board::{Board, Item, Phase, Waiting};
use super::safe;
use super::step::{StepState, StepView};
use super::style::Theme;
use super::words;

/// Waits shorter than this would only flicker.
const WORTH_A_LINE: Duration = Duration::from_millis(1500);

/// How long a retry stays to be read.
const READABLE: Duration = Duration::from_secs(4);

/// What the picture is drawn on, and when.
#[derive(Clone, Copy, Debug)]
pub(super) struct Frame {
    /// Columns of the terminal.
    pub(super) width: usize,
    /// Rows of the terminal.
    pub(super) height: usize,
    /// Time since the run began.
    pub(super) now: Duration,
    /// How text may be dressed.
    pub(super) theme: Theme,
}

impl Frame {
    /// The picture of a run that goes on.
    pub(super) fn live(self, board: &Board) -> Vec<String> {
        if !board.is_eventful() {
            return self.fitted(vec![self.looking(board)]);
        }
        let steps = board.steps();
        // One row for the total, one for the cursor.
        let mut room = self.height.saturating_sub(steps.len() + 2);
        let mut lines = Vec::new();
        for step in &steps {
            lines.push(self.step(step));
            let details = self.details(step);
            let shown = details.len().min(room);
            room -= shown;
            lines.extend(details.into_iter().take(shown));
        }
        lines.push(self.total(board));
        self.fitted(lines)
    }

    /// The steps of a run that is over.
    pub(super) fn last(self, board: &Board) -> Vec<String> {
        self.fitted(board.steps().iter().map(|step| self.step(step)).collect())
    }

    fn fitted(self, lines: Vec<String>) -> Vec<String> {
        // The last column stays free: some terminals wrap as soon as it is written.
        let width = self.width.saturating_sub(1);
        let ellipsis = self.theme.ellipsis();
        let fitted = |line: String| truncate_str(&safe::clean(&line), width, ellipsis).into_owned();
        lines.into_iter().map(fitted).collect()
    }

    fn spinner(self) -> String {
        let turn = usize::try_from(self.now.as_millis() / 100).unwrap_or_default();
        self.theme.lively(self.theme.spinner(turn))
    }

    /// One line until something is to be done: a run that finds everything in place shows no more.
    fn looking(self, board: &Board) -> String {
        let (total, command) = (board.items.len() as u64, board.command);
        let seen = board
            .items
            .iter()
            .filter(|item| item.found.is_some())
            .count();
        let spinner = self.spinner();
        let elapsed = ticking(self.now);
        let total = words::count(total, "resource");
        format!("{spinner} {command}: checked {seen} of {total}, {elapsed}")
    }

    fn step(self, view: &StepView<'_>) -> String {
        let theme = self.theme;
        let mark = match view.state() {
            StepState::Pending => theme.quiet(theme.dot()),
            StepState::Working => self.spinner(),
            StepState::Done => theme.good(theme.tick()),
            StepState::Failed => theme.bad(theme.cross()),
        };
        let (number, title) = (view.step.0, view.step.title());
        let count = format!("{}/{}", view.settled(), view.items.len());
        let elapsed = view.elapsed(self.now).map(ticking).unwrap_or_default();
        let status = self.status(view);
        format!("{mark} {number}  {title:<13} {count:>5} {elapsed:>11}  {status}")
            .trim_end()
            .to_owned()
    }

    fn status(self, view: &StepView<'_>) -> String {
        let mut groups: Vec<(&str, Vec<&Item>)> = Vec::new();
        for (verb, item) in view.working() {
            match groups.iter_mut().find(|(other, _)| *other == verb) {
                Some((_, items)) => items.push(item),
                None => groups.push((verb, vec![item])),
            }
        }
        if groups.is_empty() {
            let waits = if view.state() == StepState::Working {
                "; the rest follows"
            } else {
                ""
            };
            return self.theme.quiet(&format!("{}{waits}", view.words()));
        }
        let groups = groups
            .iter()
            .map(|(verb, items)| format!("{verb} {}", labels(items)));
        groups.collect::<Vec<_>>().join("; ")
    }

    /// Failures and long waits of a step, a line each.
    fn details(self, view: &StepView<'_>) -> Vec<String> {
        let failed = view.items.iter().filter_map(|item| match &item.phase {
            Phase::Failed(problem) => {
                let cause = problem.causes.last().map(|cause| format!(": {cause}"));
                let text = format!("{}{}", problem.message, cause.unwrap_or_default());
                Some(format!(
                    "     {} {}",
                    self.theme.bad(self.theme.cross()),
                    one_line(&text)
                ))
            }
            _ => None,
        });
        let long = view
            .waits()
            .filter(|wait| self.now.saturating_sub(wait.since) >= WORTH_A_LINE);
        failed.chain(long.map(|wait| self.wait(wait))).collect()
    }

    /// A wait, on a line; the awaited resource comes last, because the line above names the
    /// resource.
    fn wait(self, wait: &Waiting) -> String {
        let waited = words::duration(self.now.saturating_sub(wait.since));
        let usual = wait
            .usual_s
            .map(|(from, to)| format!(", usually {}", words::range(from, to)));
        let usual = usual.unwrap_or_default();
        let blocker = wait.blocker.as_ref().map(|blocker| format!(": {blocker}"));
        let blocker = blocker.unwrap_or_default();
        let text = one_line(&format!("{waited}{usual}{blocker}; for {}", wait.what));
        self.theme.quiet(&format!("       {text}"))
    }

    fn total(self, board: &Board) -> String {
        let settled = board.steps().iter().map(StepView::settled).sum::<usize>();
        let (command, all) = (board.command, board.items.len());
        let elapsed = ticking(self.now);
        let mut line = format!("  {command}: {settled} of {all}, {elapsed}");
        if let Some(retry) = &board.latest_retry
            && self.now.saturating_sub(retry.at) < READABLE
        {
            line += "; ";
            line += &one_line(&retry.line);
        } else if board.retries > 0 {
            line += ", ";
            line += &words::count(board.retries, "retry");
        }
        self.theme.quiet(&line)
    }
}

/// A time that grows while it is looked at: no unit so fine that it is gone at once.
fn ticking(time: Duration) -> String {
    words::duration(time.max(Duration::from_millis(100)))
}

/// "queue `a`", "3 queues: a, b, c", "2: queue `a`, table `b`".
fn labels(items: &[&Item]) -> String {
    let count = items.len();
    match items {
        [item] => item.label.clone(),
        [first, ..] if items.iter().all(|item| item.kind == first.kind) => {
            let names: Vec<_> = items.iter().map(|item| item.name.as_str()).collect();
            format!(
                "{}: {}",
                words::count(count as u64, first.kind),
                names.join(", ")
            )
        }
        _ => {
            let labels: Vec<_> = items.iter().map(|item| item.label.as_str()).collect();
            format!("{count}: {}", labels.join(", "))
        }
    }
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::super::script;
    use super::*;
    use crate::engine::Event;

    fn board(events: &[Event]) -> Board {
        let mut board = Board::default();
        for event in events {
            board.apply(event);
        }
        board
    }

    const fn frame(width: usize, height: usize, ms: u64) -> Frame {
        Frame {
            width,
            height,
            now: Duration::from_millis(ms),
            theme: Theme::PLAIN,
        }
    }

    #[test]
    fn a_run_that_goes_on() {
        let lines = frame(80, 24, 42_000).live(&board(&script::mixed()));
        let expected = "\
✗ 1  VPC             2/2       0.6 s  1 failed, 1 blocked
     ✗ creating NAT gateway `place-nat`: NatGatewayLimitExceeded: the maximum …
⠋ 2  Redis           0/1        41 s  creating serverless cache `placev2cache`
       41 s, usually 1 to 5 min: creating; for serverless cache `placev2cache`…
✓ 6  Tables          1/1       1.2 s  1 repaired
  up: 3 of 4, 42 s, 1 retry";
        assert_eq!(lines.join("\n"), expected);
    }

    #[test]
    fn a_retry_stays_long_enough_to_be_read() {
        let lines = frame(120, 24, 9_500).live(&board(&script::mixed()));
        let expected = "  up: 3 of 4, 9.5 s; trying elasticache:DescribeServerlessCaches again \
                        after attempt 3: Throttling: rate exceeded";
        assert_eq!(lines.last().unwrap(), expected);
    }

    #[test]
    fn a_low_terminal_shows_the_steps_before_their_details() {
        let lines = frame(40, 6, 42_000).live(&board(&script::mixed()));
        let expected = "\
✗ 1  VPC             2/2       0.6 s  …
     ✗ creating NAT gateway `place-nat…
⠋ 2  Redis           0/1        41 s  …
✓ 6  Tables          1/1       1.2 s  …
  up: 3 of 4, 42 s, 1 retry";
        assert_eq!(lines.join("\n"), expected);
    }

    #[test]
    fn looking_takes_one_line() {
        let events = [
            script::started("up"),
            script::observed(script::NAT, "ready", None),
        ];
        let lines = frame(80, 24, 1_300).live(&board(&events));
        assert_eq!(lines, ["⠸ up: checked 1 of 4 resources, 1.3 s"]);
    }

    #[test]
    fn a_run_that_is_over() {
        let events = [script::mixed(), script::mixed_end()].concat();
        let lines = frame(80, 24, 95_100).last(&board(&events));
        let expected = "\
✗ 1  VPC             2/2       0.6 s  1 failed, 1 blocked
✓ 2  Redis           1/1  1 min 34 s  1 created
✓ 6  Tables          1/1       1.2 s  1 repaired";
        assert_eq!(lines.join("\n"), expected);
    }

    #[test]
    fn colours_only_repeat_what_marks_and_words_say() {
        let theme = Theme {
            color: true,
            unicode: true,
        };
        let dressed = Frame {
            theme,
            ..frame(80, 24, 42_000)
        }
        .live(&board(&script::mixed()));
        let plain = frame(80, 24, 42_000).live(&board(&script::mixed()));
        let stripped: Vec<_> = dressed
            .iter()
            .map(|line| console::strip_ansi_codes(line))
            .collect();
        assert!(dressed.iter().any(|line| line.contains("\u{1b}[")));
        assert_eq!(stripped, plain);
    }
}
