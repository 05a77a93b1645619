//! Failures in words: what was being done, why it failed, what is left, what to do next.

use super::style::Theme;
use crate::engine::{Left, Problem};

/// `error: …` with its causes, one a line. A cause that only repeats the message is left out.
pub(super) fn error(theme: Theme, message: &str, causes: &[String]) -> String {
    let mut text = format!("{} {message}", theme.bad("error:"));
    let mut said = message;
    for cause in causes {
        if !said.ends_with(cause.as_str()) {
            text += "\n  caused by: ";
            text += &indented(cause);
        }
        said = cause;
    }
    text
}

/// Further lines of a cause stand below its first.
fn indented(cause: &str) -> String {
    cause.trim_end().replace('\n', "\n    ")
}

/// The same for a resource's failure, with what it left behind.
pub(super) fn problem(theme: Theme, problem: &Problem) -> String {
    let left = match problem.left {
        Left::Nothing => "nothing",
        Left::Ours => "existing and unfinished resources; the next run resumes",
        Left::Unknown => "unknown; the next run checks first",
    };
    let error = error(theme, &problem.message, &problem.causes);
    format!("{error}\n  left behind: {left}")
}

/// `hint: …`
pub(super) fn hint(theme: Theme, hint: &str) -> String {
    format!("{} {hint}", theme.lively("hint:"))
}

/// Each advice once, in the order in which it came up.
pub(super) fn hints<'a>(theme: Theme, problems: impl Iterator<Item = &'a Problem>) -> Vec<String> {
    let mut hints: Vec<String> = Vec::new();
    for advice in problems.filter_map(|problem| problem.hint.as_deref()) {
        let line = hint(theme, advice);
        if !hints.contains(&line) {
            hints.push(line);
        }
    }
    hints
}
