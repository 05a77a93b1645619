//! From an engine's report to what the operator sees last, and the exit code.

use crate::context::Context;
use crate::engine::{Addresses, Breakdown, Report, Runner, Verdict, causes};
use crate::error::CommandError;
use crate::exit::Exit;
use crate::steps::{Stack, api, functions};

/// Announces a run and does the work. A run that ends without a report ends with an event, too.
pub(crate) async fn announced(
    runner: &Runner,
    stack: &Stack,
    command: &'static str,
    work: impl Future<Output = Result<Exit, CommandError>>,
) -> Result<Exit, CommandError> {
    runner.announce(command);
    let ended = work.await;
    if let Err(error) = &ended {
        let outcome = match error.exit() {
            Exit::Interrupted => Verdict::Interrupted,
            Exit::Incomplete => Verdict::Incomplete,
            _ => Verdict::Failed,
        };
        let breakdown = Breakdown {
            message: error.to_string(),
            causes: causes(error),
            hint: error.hint(),
        };
        runner.break_off(outcome.label(), stack.aws.calls.total(), breakdown);
    }
    ended
}

/// Sends the last event of a run.
pub(crate) fn finish(runner: &Runner, report: &Report, stack: &Stack) -> Exit {
    let calls = stack.aws.calls.total();
    let addresses = Addresses {
        websocket: api::websocket_url(stack),
        page: functions::page_url(stack),
    };
    runner.emit(report.finished(Some(calls), addresses));
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
