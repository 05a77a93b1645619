//! `placectl deploy`: uploads new handler binaries, and nothing else.

use crate::commands::{lease, outcome};
use crate::context::{Context, WhenStopped};
use crate::engine::Allowed;
use crate::error::CommandError;
use crate::exit::Exit;
use crate::steps::{self, Options};

/// Uploads the code of every function whose binary changed.
pub(crate) async fn run(mut context: Context) -> Result<Exit, CommandError> {
    let stack = context
        .stack(WhenStopped::Refuse, Options::default())
        .await?;
    steps::functions::check_artifacts(&stack).await?;
    let (runner, _interrupted) = context.runner(steps::functions::deployment(&stack))?;
    runner.announce("deploy");
    let survey = runner.survey().await;
    let work = runner.up(&survey, Allowed::default());
    let lease = lease::table(&stack).acquire_if_there("deploy").await?;
    let report = match lease {
        Some(lease) => lease::hold(&context, lease, work).await?,
        None => work.await,
    };
    let exit = outcome::finish(&runner, &report, &stack);
    outcome::calls(&context, &stack);
    Ok(exit)
}
