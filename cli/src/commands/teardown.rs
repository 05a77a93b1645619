//! `placectl teardown`: a last save and picture, then everything goes.

use tokio::sync::watch;

use super::farewell::Farewell;
use super::lease::Wanted;
use super::{lease, outcome};
use crate::aws::{Lease, LeaseTable};
use crate::cli::TeardownArgs;
use crate::context::{Context, WhenStopped};
use crate::engine::{Begun, Failure, FailureKind, Report, Runner, Spared, Verdict};
use crate::error::CommandError;
use crate::exit::Exit;
use crate::steps::{self, Options, Stack};

/// Asks, saves, exports, removes, and looks again.
pub(crate) async fn run(mut context: Context, args: &TeardownArgs) -> Result<Exit, CommandError> {
    let stack = context
        .stack(WhenStopped::Refuse, Options::default())
        .await?;
    context.announce(&stack);
    let (runner, _interrupted) = context.runner(steps::plan(&stack))?;
    let work = Box::pin(perform(&context, &stack, &runner, args));
    let exit = outcome::announced(&runner, &stack, "teardown", work).await?;
    outcome::calls(&context, &stack);
    Ok(exit)
}

async fn perform(
    context: &Context,
    stack: &Stack,
    runner: &Runner,
    args: &TeardownArgs,
) -> Result<Exit, CommandError> {
    let table = lease::table(context, stack);
    let before = table.last_holder().await;
    let mut survey = runner.survey().await;
    if runner.is_interrupted() {
        return Err(stopped().into());
    }
    if !survey.is_empty() {
        confirm(context, args, context.interrupt.stop()).await?;
    }
    let wanted = Wanted {
        command: "teardown",
        create: false,
        wait: args.wait,
        before,
    };
    let lease = lease::acquire(context, runner, &table, wanted.clone()).await?;
    let succeeds = lease.as_ref().is_some_and(|lease| lease.succeeds);
    let work = Box::pin(async {
        if succeeds {
            // The last holder may have changed the stack since the survey.
            survey = runner.survey().await;
        }
        let begun = if survey.is_empty() || args.no_export {
            Begun::default()
        } else {
            let farewell = Farewell {
                context,
                stack,
                runner,
                table: &table,
                command: "teardown",
            };
            farewell.keep(&survey, args.export.as_deref()).await?
        };
        let spared = Spared {
            data: args.keep_data,
        };
        Ok::<_, CommandError>(runner.teardown(&survey, spared, begun).await)
    });
    let report = match lease {
        Some(lease) => under_lease(context, &table, lease, work).await?,
        None => without_lease(context, runner, &table, wanted, work).await?,
    };
    let exit = outcome::finish(runner, &report, stack);
    if exit != Exit::Done {
        left(context, &report);
    }
    Ok(exit)
}

/// Does `work` and removes the lease's table after it, if nothing else is left.
async fn under_lease(
    context: &Context,
    table: &LeaseTable<'_>,
    mut lease: Lease,
    work: impl Future<Output = Result<Report, CommandError>>,
) -> Result<Report, CommandError> {
    let report = lease::keep(&mut lease, work).await?;
    if matches!(&report, Ok(report) if report.verdict == Verdict::Done) {
        // The last call: the lease guards nothing any more and ends with its table. Until the table
        // is deleted, the unreleased row keeps other runs from taking the lease.
        lease.stop_renewing();
        table.remove().await?;
    } else {
        lease::give_back(context, lease).await;
    }
    report
}

/// Does `work` where the lease's table was missing, or took no row. An interrupted run may have
/// left a table that is still `CREATING`: the table is removed at the end, unless another run holds
/// the lease by then, or has created the stack again.
async fn without_lease(
    context: &Context,
    runner: &Runner,
    table: &LeaseTable<'_>,
    wanted: Wanted,
    work: impl Future<Output = Result<Report, CommandError>>,
) -> Result<Report, CommandError> {
    let report = work.await?;
    if report.verdict != Verdict::Done {
        return Ok(report);
    }
    let at_once = Wanted {
        wait: false,
        ..wanted
    };
    match lease::acquire(context, runner, table, at_once).await? {
        Some(lease) if lease.succeeds => lease::give_back(context, lease).await,
        Some(lease) => {
            lease.stop_renewing();
            table.remove().await?;
        }
        None => table.remove().await?,
    }
    Ok(report)
}

/// Has the operator type the stack's name.
async fn confirm(
    context: &Context,
    args: &TeardownArgs,
    mut interrupted: watch::Receiver<bool>,
) -> Result<(), CommandError> {
    if args.yes {
        return Ok(());
    }
    let stack = &context.config.stack;
    let refused = |message: String| CommandError::Usage {
        message,
        hint: "`--yes` removes the stack without confirmation".to_owned(),
    };
    let question =
        format!("This removes stack `{stack}`. Type the name of the stack to continue: ");
    let answer = tokio::select! {
        answer = context.printer.ask(&question) => answer,
        Ok(_) = interrupted.wait_for(|stop| *stop) => return Err(stopped().into()),
    };
    match answer {
        Ok(Some(answer)) if answer.trim() == stack => Ok(()),
        Ok(Some(_)) => Err(refused(format!(
            "the typed name is not `{stack}`; nothing was removed"
        ))),
        Ok(None) => Err(refused(
            "can't ask for confirmation: stdin is not a terminal".to_owned(),
        )),
        Err(source) => Err(CommandError::File {
            doing: "reading from",
            path: "the terminal".into(),
            source,
        }),
    }
}

fn stopped() -> Failure {
    Failure::new("interrupted before anything was removed").kind(FailureKind::Interrupted)
}

/// What is left, and whether it costs money.
fn left(context: &Context, report: &Report) {
    let costly = report.costly();
    if costly.is_empty() {
        context
            .printer
            .note("No remaining resource costs money. Run `placectl teardown` again.");
    } else {
        context.printer.note(&format!(
            "These resources still cost money: {}. Run `placectl teardown` again.",
            costly.join(", ")
        ));
    }
}
