//! One file a command: what it does, in the order in which it does it.

mod canvas;
mod clients;
mod deploy;
mod doctor;
mod farewell;
mod health;
mod init;
mod lease;
mod local;
mod outcome;
mod page;
mod picture;
mod plan;
mod save;
mod status;
mod teardown;
mod up;

pub(crate) use doctor::PolicyPart;

use crate::cli::{CanvasCommand, Cli, ClientsCommand, Command, Output, PageCommand};
use crate::context::Context;
use crate::error::CommandError;
use crate::exit::Exit;
use crate::ui::{Answer, Format, Printer, PrinterOptions};

/// Runs the command and shows what went wrong, if something did.
pub(crate) async fn run(cli: Cli) -> Exit {
    let printer = Printer::new(PrinterOptions {
        format: match cli.global.output {
            Output::Text => Format::Text,
            Output::Json => Format::Json,
        },
        verbosity: i8::from(cli.global.verbose) - i8::from(cli.global.quiet),
    });
    match Box::pin(dispatch(cli, printer.clone())).await {
        // A program that reads half an answer must not take it for a whole one.
        Ok(Exit::Done) if printer.has_lost_data() => Exit::Failed,
        Ok(exit) => exit,
        Err(CommandError::Interrupted) => {
            printer.note("interrupted");
            Exit::Interrupted
        }
        Err(error) => {
            printer.failure(&error, error.hint().as_deref());
            error.exit()
        }
    }
}

async fn dispatch(cli: Cli, printer: Printer) -> Result<Exit, CommandError> {
    if let Command::Init(args) = cli.command {
        let json = cli.global.output == Output::Json;
        return init::run(&args, &printer, json);
    }
    let context = Context::resolve(cli.global, answer(&cli.command), printer)?;
    match cli.command {
        Command::Up(args) => up::run(context, &args).await,
        Command::Plan(args) => plan::run(context, &args).await,
        Command::Status(args) => status::run(context, &args).await,
        Command::Teardown(args) => Box::pin(teardown::run(context, &args)).await,
        Command::Doctor(args) => Box::pin(doctor::run(context, &args)).await,
        Command::Deploy(args) => deploy::run(context, &args).await,
        short => {
            let interrupt = context.interrupt.clone();
            Box::pin(interrupt.or_stop(at_once(context, short))).await
        }
    }
}

/// What the command answers a program with.
const fn answer(command: &Command) -> Answer {
    match command {
        Command::Up(_) | Command::Deploy(_) | Command::Teardown(_) => Answer::Events,
        _ => Answer::Document,
    }
}

/// What has nothing to finish when the operator wants to stop.
async fn at_once(context: Context, command: Command) -> Result<Exit, CommandError> {
    match command {
        Command::Save(args) => save::run(context, &args).await,
        Command::Clients(ClientsCommand::List) => clients::list(context).await,
        Command::Canvas(CanvasCommand::Export(args)) => canvas::export(context, &args).await,
        Command::Canvas(CanvasCommand::Snapshot(args)) => canvas::snapshot(context, &args).await,
        Command::Open(args) => page::open(context, &args).await,
        Command::Page(PageCommand::Build(args)) => page::build(context, &args).await,
        Command::Local(command) => local::run(context, command).await,
        _ => unreachable!("every other command finishes what it began"),
    }
}
