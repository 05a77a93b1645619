//! `placectl deploy`: uploads new handler binaries, and nothing else.

use crate::cli::DeployArgs;
use crate::commands::lease::Wanted;
use crate::commands::{lease, outcome};
use crate::context::{Context, WhenStopped};
use crate::engine::{Allowed, Runner};
use crate::error::CommandError;
use crate::exit::Exit;
use crate::steps::{self, Options, Stack};

/// Uploads the code of every function whose binary changed.
pub(crate) async fn run(mut context: Context, args: &DeployArgs) -> Result<Exit, CommandError> {
    let stack = context
        .stack(WhenStopped::Refuse, Options::default())
        .await?;
    context.announce(&stack);
    steps::functions::check_artifacts(&stack).await?;
    let (runner, _interrupted) = context.runner(steps::functions::deployment(&stack))?;
    let work = Box::pin(perform(&context, &stack, &runner, args));
    let exit = outcome::announced(&runner, &stack, "deploy", work).await?;
    outcome::calls(&context, &stack);
    Ok(exit)
}

async fn perform(
    context: &Context,
    stack: &Stack,
    runner: &Runner,
    args: &DeployArgs,
) -> Result<Exit, CommandError> {
    let table = lease::table(context, stack);
    let before = table.last_holder().await;
    let survey = runner.survey().await;
    let wanted = Wanted {
        command: "deploy",
        create: false,
        wait: args.wait,
        before,
    };
    let lease = if runner.is_interrupted() {
        None
    } else {
        lease::acquire(context, runner, &table, wanted).await?
    };
    let succeeds = lease.as_ref().is_some_and(|lease| lease.succeeds);
    let work = async {
        // Whoever held it before may have changed anything since.
        let survey = if succeeds {
            runner.survey().await
        } else {
            survey
        };
        runner.up(&survey, Allowed::default()).await
    };
    let report = match lease {
        Some(lease) => lease::hold(context, lease, work).await?,
        None => work.await,
    };
    Ok(outcome::finish(runner, &report, stack))
}
