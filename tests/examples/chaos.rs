//! Runs the matrix of `place_tests::chaos`, prints what came of it, and fails when a case did.
//!
//! `--sparse`, which is the default, cuts off only every fourth call that merely looks; `--all` cuts
//! off all of them. `--only TEXT` tries the cases whose description holds the text (`up`, `call 17`).
#![expect(clippy::print_stdout, reason = "a program for the terminal")]

use std::process::ExitCode;
use std::time::Instant;

use place_tests::chaos::{self, Failure, Summary};

/// One more than the cores of the machine that everything is measured on: a case waits a third of its
/// time for the emulator to settle.
const WORKERS: usize = 3;

#[tokio::main]
async fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let everything = arguments.iter().any(|argument| argument == "--all");
    let only = arguments.iter().position(|argument| argument == "--only");
    let only = only.and_then(|at| arguments.get(at + 1)).cloned();
    let started = Instant::now();
    let rigs = chaos::rigs(WORKERS).await;
    let mut cases = chaos::all(&rigs[0], if everything { 1 } else { 4 });
    if let Some(only) = only.map(|text| text.to_lowercase()) {
        cases.retain(|case| case.to_string().to_lowercase().contains(&only));
    }
    let count = cases.len();
    println!("{count} cases");
    let progress = |summary: &Summary, failure: Option<&Failure>| {
        let tried = summary.total() + summary.unstruck;
        if let Some(failure) = failure {
            println!("\n{failure}\n");
        }
        if tried.is_multiple_of(50) {
            println!(
                "{tried} of {count} tried in {} s",
                started.elapsed().as_secs()
            );
        }
    };
    let summary = chaos::run(&rigs, cases, None, progress).await;
    println!("{summary}, in {} s", started.elapsed().as_secs());
    ExitCode::from(u8::from(!summary.failures.is_empty()))
}
