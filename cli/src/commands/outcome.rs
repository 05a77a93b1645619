//! From an engine's report to what the operator sees last, and the exit code.

use crate::context::Context;
use crate::engine::{Report, Runner, Verdict};
use crate::exit::Exit;
use crate::steps::Stack;

/// Sends the last event of a run.
pub(crate) fn finish(runner: &Runner, report: &Report, stack: &Stack) -> Exit {
    runner.emit(report.finished(Some(stack.aws.calls.total())));
    match report.verdict {
        Verdict::Done => Exit::Done,
        Verdict::Failed => Exit::Failed,
        Verdict::Incomplete => Exit::Incomplete,
        Verdict::Interrupted => Exit::Interrupted,
    }
}

/// Which calls were made how often, for those who asked for more.
pub(crate) fn calls(context: &Context, stack: &Stack) {
    if context.is_verbose() {
        for (operation, count) in stack.aws.calls.by_operation() {
            context.printer.note(&format!("{count:>5}  {operation}"));
        }
    }
}
