//! `placectl save`: saves unsaved changes now.

use std::time::{Duration, Instant};

use place_canvas::Position;
use place_config::Function;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::cli::SaveArgs;
use crate::context::{Context, WhenStopped};
use crate::engine::Reminder;
use crate::error::CommandError;
use crate::exit::Exit;
use crate::steps::functions::{invoke, timeout};
use crate::steps::{Options, Stack};
use crate::ui::words;

/// Pause between two calls of the save function while another save runs.
const PAUSE: Duration = Duration::from_secs(2);

/// What the save function answers, as far as an operator needs it.
#[derive(Debug, Deserialize, Serialize)]
pub(crate) struct Saved {
    changes: u64,
    pixels: u64,
    from: Position,
    to: Position,
    elapsed_ms: u64,
    /// The save opened the canvas: the cache held none, another size, or had failed over.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    opened: bool,
    /// Saved pixels that the cache had lost, and that were painted again.
    #[serde(default, skip_serializing_if = "is_none")]
    recovered: u64,
    #[serde(default = "yes", skip_serializing)]
    complete: bool,
    #[serde(default, skip_serializing)]
    held: bool,
    /// Where a save of the whole canvas goes on.
    #[serde(default, skip_serializing)]
    next: Option<u64>,
}

const fn yes() -> bool {
    true
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde gives a reference")]
const fn is_none(count: &u64) -> bool {
    *count == 0
}

impl Saved {
    /// Whether nothing is left to save.
    pub(crate) const fn is_complete(&self) -> bool {
        self.complete && !self.held
    }

    /// Position up to which was saved.
    pub(crate) const fn to(&self) -> Position {
        self.to
    }

    /// What was saved, in a sentence.
    pub(crate) fn sentence(&self) -> String {
        format!(
            "saved {} and {} in {}",
            words::count(self.changes, "change"),
            words::count(self.pixels, "pixel"),
            words::duration(Duration::from_millis(self.elapsed_ms)),
        )
    }

    /// What the cache had lost, if the save noticed.
    fn losses(&self) -> Option<String> {
        let recovered = words::count(self.recovered, "saved pixel");
        match (self.opened, self.recovered) {
            (false, _) => None,
            (true, 0) => Some(
                "The save opened the canvas: unsaved changes that the cache has lost are gone."
                    .to_owned(),
            ),
            (true, _) => Some(format!(
                "The save opened the canvas and painted {recovered} that the cache had lost. Unsaved \
                 changes that the cache has lost are gone."
            )),
        }
    }

    /// The sum of this save and of a later call.
    fn and(&self, later: &Self) -> Self {
        // A call that found another save running has no positions.
        let (from, to) = match (self.held, later.held) {
            (true, _) => (later.from, later.to),
            (false, true) => (self.from, self.to),
            (false, false) => (self.from, later.to),
        };
        Self {
            changes: self.changes + later.changes,
            pixels: self.pixels + later.pixels,
            from,
            to,
            elapsed_ms: self.elapsed_ms + later.elapsed_ms,
            opened: self.opened || later.opened,
            recovered: self.recovered + later.recovered,
            ..*later
        }
    }
}

/// Calls the save function and prints the result.
pub(crate) async fn run(mut context: Context, args: &SaveArgs) -> Result<Exit, CommandError> {
    let stack = context
        .stack(WhenStopped::Refuse, Options::default())
        .await?;
    context.announce(&stack);
    let printer = context.printer.clone();
    if args.full {
        let canvas = &stack.config.canvas;
        let pixels = u64::from(canvas.width) * u64::from(canvas.height);
        let pixels = words::count(pixels, "pixel");
        printer.note(&format!("saving all {pixels}, which may take minutes"));
    }
    let saved = save_all(&stack, args.full, |line| printer.note(line)).await?;
    if context.is_json() {
        context.printer.json(&saved);
    } else {
        context.printer.line(&saved.sentence());
    }
    if let Some(losses) = saved.losses() {
        context.printer.note(&losses);
    }
    if saved.is_complete() {
        return Ok(Exit::Done);
    }
    context.printer.note(if saved.held {
        "Another save still runs. Run `placectl save` again to save the rest."
    } else {
        "Some changes are not saved yet. Run `placectl save` again."
    });
    Ok(Exit::Incomplete)
}

/// Saves until nothing is left to save, in as many calls of the save function as that takes. Gives
/// up, incomplete, when no call gets anywhere for longer than a save may run.
pub(crate) async fn save_all(
    stack: &Stack,
    full: bool,
    tell: impl Fn(&str),
) -> Result<Saved, CommandError> {
    let patience = Duration::from_secs(timeout(stack, Function::Save).into()) + PAUSE;
    let began = Instant::now();
    let mut moved = tokio::time::Instant::now();
    let mut next = full.then_some(0);
    let mut sum: Option<Saved> = None;
    let mut reminder = Reminder::default();
    loop {
        let saved = save(stack, next).await?;
        let (held, got_on) = (saved.held, saved.changes + saved.pixels > 0);
        if !held {
            next = saved.next;
        }
        let mut all = match sum {
            Some(earlier) => earlier.and(&saved),
            None => saved,
        };
        all.elapsed_ms = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX);
        if got_on {
            moved = tokio::time::Instant::now();
        }
        if all.is_complete() || moved.elapsed() >= patience {
            return Ok(all);
        }
        if held {
            if reminder.is_due("another save") {
                tell(&waiting(moved.elapsed(), patience));
            }
            tokio::time::sleep(PAUSE).await;
        } else {
            tell(&format!("{} so far; saving the rest", all.sentence()));
        }
        sum = Some(all);
    }
}

/// The line about a wait for another save: the usual range, and the time so far.
fn waiting(waited: Duration, patience: Duration) -> String {
    let so_far = if waited > PAUSE {
        format!(", {} so far", words::duration(waited))
    } else {
        String::new()
    };
    let usual = words::range(0, patience.as_secs());
    format!("waiting for another save to finish (usually {usual}{so_far})")
}

/// Invokes the save function; with `offset`, for every pixel from there on.
async fn save(stack: &Stack, offset: Option<u64>) -> Result<Saved, CommandError> {
    let event = match offset {
        Some(offset) => json!({ "full": true, "offset": offset }),
        None => json!({ "full": false }),
    };
    let answer = invoke(stack, Function::Save, &event).await?;
    serde_json::from_value(answer).map_err(|error| CommandError::Answer {
        doing: "reading the answer of the save function".to_owned(),
        source: error.into(),
    })
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;

    use place_config::StackConfig;
    use serde_json::Value;

    use super::*;
    use crate::aws::fake::Fake;
    use crate::steps::scripted::Script;

    const INVOKE: &str = "POST /2015-03-31/functions/save/invocations";

    fn answer(changes: u64, pixels: u64, rest: &str) -> String {
        format!(
            r#"{{"changes":{changes},"pixels":{pixels},"from":"1-0","to":"{changes}-9","elapsed_ms":5{rest}}}"#
        )
    }

    const HELD: &str = r#"{"changes":0,"pixels":0,"from":"0-0","to":"0-0","elapsed_ms":1,"complete":false,"held":true}"#;

    #[tokio::test]
    async fn a_canvas_too_large_for_one_call_is_saved_in_several() {
        let first = answer(3, 600, r#","complete":false,"held":false,"next":600"#);
        let second = answer(0, 400, r#","complete":true,"held":false"#);
        let script = [(200, first.as_str()), (200, second.as_str())];
        let (fake, aws) = Fake::connected(&script).await;
        let stack = Stack::new(StackConfig::default(), aws, Options::default());
        let saved = save_all(&stack, true, |_| ()).await.unwrap();
        assert!(saved.is_complete());
        assert_eq!((saved.changes, saved.pixels), (3, 1000));
        let requests = fake.requests();
        let asked = requests[1..].iter().map(|request| {
            let body = request.split_once("\r\n\r\n").unwrap().1;
            serde_json::from_str::<Value>(body).unwrap()
        });
        let expected = [
            json!({ "full": true, "offset": 0 }),
            json!({ "full": true, "offset": 600 }),
        ];
        assert_eq!(asked.collect::<Vec<_>>(), expected);
    }

    #[tokio::test(start_paused = true)]
    async fn a_save_that_runs_already_is_waited_for() {
        let done = answer(7, 5, r#","complete":true,"held":false"#);
        let script = Script::default().answer(INVOKE, 200, HELD);
        let script = script.answer(INVOKE, 200, HELD).answer(INVOKE, 200, &done);
        let told = RefCell::new(Vec::new());
        let tell = |line: &str| told.borrow_mut().push(line.to_owned());
        let saved = save_all(&script.stack(), false, tell).await.unwrap();
        assert!(saved.is_complete());
        assert_eq!(saved.from.to_string(), "1-0", "not what a held one says");
        assert_eq!(told.borrow().len(), 1, "{told:?}");
        assert!(told.borrow()[0].starts_with("waiting for another save to finish (usually"));
    }

    #[test]
    fn a_save_that_found_a_cache_that_lost_something_says_so() {
        let told = |rest: &str| {
            let saved: Saved = serde_json::from_str(&answer(0, 0, rest)).unwrap();
            saved.losses()
        };
        assert_eq!(told(""), None);
        let opened = told(r#","opened":true"#).unwrap();
        assert!(opened.contains("nsaved changes"), "{opened}");
        let recovered = told(r#","opened":true,"recovered":7"#).unwrap();
        assert!(recovered.contains("7 saved pixels"), "{recovered}");
    }

    #[tokio::test(start_paused = true)]
    async fn a_save_that_never_gets_anywhere_ends_incomplete() {
        let mut script = Script::default();
        for _ in 0..1000 {
            script = script.answer(INVOKE, 200, HELD);
        }
        let told = RefCell::new(Vec::new());
        let tell = |line: &str| told.borrow_mut().push(line.to_owned());
        let saved = save_all(&script.stack(), false, tell).await.unwrap();
        assert!(!saved.is_complete());
        assert!(script.left() > 0, "it gave up by itself");
        let told = told.borrow();
        assert!(told.len() > 1 && told[1].contains("so far"), "{told:?}");
    }
}
