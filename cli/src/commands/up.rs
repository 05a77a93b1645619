//! `placectl up`: performs the seven steps.

use crate::aws::{FarewellMark, LeaseTable};
use crate::cli::UpArgs;
use crate::commands::farewell::Farewell;
use crate::commands::lease::Wanted;
use crate::commands::{lease, outcome};
use crate::context::{Context, WhenStopped};
use crate::engine::{Allowed, EventKind, Runner, Verdict};
use crate::error::CommandError;
use crate::exit::Exit;
use crate::steps::memory::Room;
use crate::steps::{self, Options, Stack};

/// Looks at everything, then creates and repairs what is not as configured.
pub(crate) async fn run(mut context: Context, args: &UpArgs) -> Result<Exit, CommandError> {
    let options = Options {
        adopt: args.adopt,
        allow_shared_vpc: args.allow_shared_vpc,
        replace: args.replace,
        resize: args.resize,
    };
    let stack = context.stack(WhenStopped::Start, options).await?;
    context.announce(&stack);
    steps::functions::check_artifacts(&stack).await?;
    let (runner, _interrupted) = context.runner(steps::plan(&stack))?;
    let work = Box::pin(perform(&context, &stack, &runner, args));
    let exit = outcome::announced(&runner, &stack, "up", work).await?;
    outcome::calls(&context, &stack);
    if exit == Exit::Done && !context.is_json() {
        next(&context, &stack);
    }
    Ok(exit)
}

async fn perform(
    context: &Context,
    stack: &Stack,
    runner: &Runner,
    args: &UpArgs,
) -> Result<Exit, CommandError> {
    let table = lease::table(context, stack);
    let before = table.last_holder().await;
    let survey = runner.survey().await;
    let allowed = Allowed {
        adopt: args.adopt,
        replace: args.replace,
    };
    if let Room::Short { detail, hint } = steps::memory::room(&stack.config) {
        let message = format!("{detail}; {hint}");
        runner.emit(EventKind::Note { message });
    }
    let refused = runner.refuses(&survey, allowed);
    if refused && let Some(objection) = table.objection().await {
        // It is no resource of the plan, and is to be mended with all others, not after them.
        runner.emit(EventKind::Note {
            message: lease::in_words(objection),
        });
    }
    // Nothing is to be guarded where nothing will be changed. What AWS finished by itself, after a run
    // that was cut off, is still to be called whole.
    let changes = !refused && (!survey.is_ready() || !is_called_whole(&table).await);
    let report = if changes && !runner.is_interrupted() {
        let wanted = Wanted {
            command: "up",
            create: true,
            wait: args.wait,
            before,
        };
        let Some(lease) = lease::acquire(context, runner, &table, wanted).await? else {
            unreachable!("its table is made where there is none");
        };
        let succeeds = lease.succeeds;
        let work = async {
            // Whoever held it before may have changed anything since.
            let survey = if succeeds {
                runner.survey().await
            } else {
                survey
            };
            let farewell = Farewell {
                context,
                stack,
                runner,
                table: &table,
                command: "up --replace",
            };
            if !args.no_export {
                farewell.before_replacement(&survey, allowed).await?;
            }
            farewell.reopens().await?;
            let report = runner.up(&survey, allowed).await;
            if report.verdict == Verdict::Done {
                farewell.stands().await?;
            }
            Ok::<_, CommandError>(report)
        };
        Box::pin(lease::hold(context, lease, work)).await??
    } else {
        runner.up(&survey, allowed).await
    };
    Ok(outcome::finish(runner, &report, stack))
}

/// Whether an earlier `up` came to its end and said so, so that later teardowns know that people may
/// paint; where that can't be told there is nothing to say either.
async fn is_called_whole(table: &LeaseTable<'_>) -> bool {
    let mark = table.farewell().await;
    mark.map_or(true, |mark| mark == Some(FarewellMark::Whole))
}

/// Where clients connect, and what an operator usually does next.
fn next(context: &Context, stack: &Stack) {
    let Some(url) = steps::api::websocket_url(stack) else {
        return;
    };
    context.printer.line(&url);
    let flags = context.common_flags();
    let mut open = String::new();
    if let Some(page) = steps::functions::page_url(stack) {
        context.printer.line(&page);
        open = format!(
            "  placectl open{flags}                     open the page: anyone who has the address \
             paints\n"
        );
    }
    context.printer.note(&format!(
        "\nWhat to do next:\n{open}\
         \x20 placectl status{flags}                   show the resources and the canvas\n\
         \x20 placectl canvas export place.png{flags}  export the picture\n\
         \x20 placectl teardown{flags}                 remove the whole stack"
    ));
}
