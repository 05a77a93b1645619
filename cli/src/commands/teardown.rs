//! `placectl teardown`: a last save and picture, then everything goes.

use std::path::PathBuf;
use std::time::{SystemTime, UNIX_EPOCH};

use place_canvas::Position;
use place_config::Function;
use tokio::sync::watch;

use super::status::can_ask;
use super::{canvas, lease, outcome, picture, save};
use crate::cli::TeardownArgs;
use crate::context::{Context, WhenStopped};
use crate::engine::{Failure, FailureKind, Report, Spared, Survey, Verdict};
use crate::error::CommandError;
use crate::exit::Exit;
use crate::steps::{self, Options, Stack};

/// Asks, saves, exports, removes, and looks again.
pub(crate) async fn run(mut context: Context, args: &TeardownArgs) -> Result<Exit, CommandError> {
    let stack = context
        .stack(WhenStopped::Refuse, Options::default())
        .await?;
    let (runner, interrupted) = context.runner(steps::plan(&stack))?;
    runner.announce("teardown");
    let survey = runner.survey().await;
    if !survey.is_empty() {
        confirm(&context, args, interrupted).await?;
    }
    let table = lease::table(&stack);
    let spared = Spared {
        data: args.keep_data,
    };
    let work = async {
        if !survey.is_empty() {
            keep_picture(&context, args, &stack, &survey).await?;
        }
        let report = runner.teardown(&survey, spared).await;
        if report.verdict == Verdict::Done {
            // The very last call: from here on there is nothing that a lease could guard.
            table.remove().await?;
        }
        Ok::<_, CommandError>(report)
    };
    let report = match table.acquire_if_there("teardown").await? {
        Some(lease) => lease::hold(&context, lease, work).await??,
        None => work.await?,
    };
    let exit = outcome::finish(&runner, &report, &stack);
    outcome::calls(&context, &stack);
    if exit != Exit::Done {
        left(&context, &report);
    }
    Ok(exit)
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
        hint: "`--yes` removes it without asking".to_owned(),
    };
    let question = format!("this removes stack `{stack}`; type its name to go on: ");
    let answer = tokio::select! {
        answer = context.printer.ask(&question) => answer,
        Ok(_) = interrupted.wait_for(|stop| *stop) => return Err(stopped().into()),
    };
    match answer {
        Ok(Some(answer)) if answer.trim() == stack => Ok(()),
        Ok(Some(_)) => Err(refused(format!(
            "that is not `{stack}`; nothing was removed"
        ))),
        Ok(None) => Err(refused("nobody is there to be asked".to_owned())),
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

/// Before data goes: a last save, and the picture as a file. A stack whose functions are not
/// there any more, or never were, has nothing to ask.
async fn keep_picture(
    context: &Context,
    args: &TeardownArgs,
    stack: &Stack,
    survey: &Survey,
) -> Result<(), CommandError> {
    if args.no_export || !can_ask(survey, Function::Save) || !can_ask(survey, Function::Admin) {
        return Ok(());
    }
    let kept = async {
        let saved = save::save(stack, false).await?;
        context.printer.note(&saved.sentence());
        picture::live(stack).await
    };
    let export = kept.await.map_err(|error| CommandError::Answer {
        doing: "keeping what was painted; nothing is removed yet (`--no-export` goes on without)"
            .to_owned(),
        source: error.into(),
    })?;
    if export.at == Position::ZERO {
        return Ok(());
    }
    let file = args
        .export
        .clone()
        .unwrap_or_else(|| default_file(&context.config.stack));
    canvas::write_quietly(&file, &export)?;
    context
        .printer
        .note(&format!("the last picture is in {}", file.display()));
    Ok(())
}

fn default_file(stack: &str) -> PathBuf {
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    PathBuf::from(format!("{stack}-{}.png", now.as_secs()))
}

/// What is left, and whether it costs money.
fn left(context: &Context, report: &Report) {
    let costly = report.costly();
    if costly.is_empty() {
        context
            .printer
            .note("nothing that costs money is left; run `placectl teardown` again");
    } else {
        context.printer.note(&format!(
            "still there and costing money: {}; run `placectl teardown` again",
            costly.join(", ")
        ));
    }
}
