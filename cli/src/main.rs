//! placectl: stands up, runs and takes down an r/place canvas on AWS.
//!
//! Data flows one way: configuration, plan, engine, events, interface.

mod aws;
mod cli;
mod commands;
mod context;
mod endpoints;
mod engine;
mod error;
mod exit;
mod interrupt;
mod local;
mod steps;
mod ui;

use std::process::ExitCode;

use clap::Parser;

fn main() -> ExitCode {
    let cli = match cli::Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return ui::usage_error(&error).into(),
    };
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build();
    match runtime {
        Ok(runtime) => runtime.block_on(commands::run(cli)).into(),
        Err(error) => ui::startup_error(&error),
    }
}
