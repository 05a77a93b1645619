//! `placectl save`: saves unsaved changes now.

use place_config::Function;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::cli::SaveArgs;
use crate::context::{Context, WhenStopped};
use crate::error::CommandError;
use crate::exit::Exit;
use crate::steps::functions::invoke;
use crate::steps::{Options, Stack};
use crate::ui::words;

/// What the save function answers, as far as an operator needs it.
#[derive(Debug, Deserialize, Serialize)]
pub(crate) struct Saved {
    changes: u64,
    pixels: u64,
    from: String,
    to: String,
    elapsed_ms: u64,
    #[serde(default = "yes", skip_serializing)]
    complete: bool,
    #[serde(default, skip_serializing)]
    held: bool,
}

const fn yes() -> bool {
    true
}

impl Saved {
    /// Whether nothing is left to save.
    pub(crate) const fn is_complete(&self) -> bool {
        self.complete && !self.held
    }

    /// What was saved, in a sentence.
    pub(crate) fn sentence(&self) -> String {
        format!(
            "saved {} of {} in {}",
            words::count(self.changes, "change"),
            words::count(self.pixels, "pixel"),
            words::duration(std::time::Duration::from_millis(self.elapsed_ms)),
        )
    }
}

/// Has the stack save, and says what it saved.
pub(crate) async fn run(mut context: Context, args: &SaveArgs) -> Result<Exit, CommandError> {
    let stack = context
        .stack(WhenStopped::Refuse, Options::default())
        .await?;
    let saved = save(&stack, args.full).await?;
    if context.is_json() {
        context.printer.json(&saved);
    } else {
        context.printer.line(&saved.sentence());
    }
    if saved.is_complete() {
        return Ok(Exit::Done);
    }
    context.printer.note(if saved.held {
        "another save is running; run `placectl save` again to wait for the rest"
    } else {
        "time was up before everything was saved; run `placectl save` again"
    });
    Ok(Exit::Incomplete)
}

/// Invokes the save function.
pub(crate) async fn save(stack: &Stack, full: bool) -> Result<Saved, CommandError> {
    let answer = invoke(stack, Function::Save, &json!({ "full": full })).await?;
    serde_json::from_value(answer).map_err(|error| CommandError::Answer {
        doing: "reading what the save function answered".to_owned(),
        source: error.into(),
    })
}
