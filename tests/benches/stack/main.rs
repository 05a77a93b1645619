//! Measures `placectl` on the local cloud: `up` from nothing, `up` with nothing to do, `status`,
//! `teardown`; wall time (median of the rounds), calls made, peak memory, sizes. Where Terraform is
//! installed it then does the same with `tests/reference/terraform`, in the same run.
//!
//! `make bench` builds what it needs and runs it. Prints tables, and with `--json` JSON; ends with
//! 1 when a figure is beyond its limit.

mod memory;
mod report;
mod sizes;
mod terraform;

use std::process::ExitCode;

use place_tests::{LocalCloud, Operator, Proxy};

use memory::Watched;
use report::{Figure, Report};

const ROUNDS: usize = 3;

/// The commands, in the order in which a round runs them.
const COMMANDS: [(&str, &[&str]); 4] = [
    ("up, from nothing", &["up"]),
    ("up, nothing to do", &["up"]),
    ("status", &["status"]),
    ("teardown", &["teardown", "--yes", "--no-export"]),
];

#[tokio::main]
async fn main() -> ExitCode {
    let as_json = std::env::args().any(|argument| argument == "--json");
    let cloud = LocalCloud::start().await;
    let mut rounds = Vec::new();
    for _ in 0..ROUNDS {
        cloud.reset().await;
        rounds.push(round(&Operator::new(&cloud)).await);
    }
    let (calls, functions) = counted(&cloud).await;
    let figures = COMMANDS.iter().enumerate().map(|(index, (name, _))| {
        let runs = rounds.iter().map(|round| round[index]).collect();
        Figure::new(name, runs, calls[index])
    });
    let figures = figures.collect();
    cloud.reset().await;
    let report = Report {
        figures,
        terraform: terraform::measure(&cloud),
        placectl_bytes: sizes::placectl(),
        functions,
    };
    show(&report, as_json);
    if report.beyond().is_empty() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

#[expect(clippy::print_stdout, reason = "a program for the terminal")]
fn show(report: &Report, as_json: bool) {
    if as_json {
        println!(
            "{}",
            serde_json::to_string(report).expect("figures are JSON")
        );
    } else {
        println!("{report}");
    }
}

async fn round(operator: &Operator) -> Vec<Watched> {
    let mut runs = Vec::new();
    for (_, words) in COMMANDS {
        runs.push(memory::watch(operator.placectl().args(words)).await);
    }
    runs
}

/// How many calls each command makes, counted in a round of its own because the proxy costs time;
/// and what it uploaded.
async fn counted(cloud: &LocalCloud) -> (Vec<usize>, Vec<sizes::Function>) {
    cloud.reset().await;
    let proxy = Proxy::start(&cloud.endpoint());
    let operator = Operator::with(cloud, |config| {
        config.endpoints.aws = Some(proxy.endpoint());
    });
    let mut counts = Vec::new();
    let mut functions = Vec::new();
    for (_, words) in COMMANDS {
        proxy.clear();
        let _ = operator.placectl().args(words).succeed().await;
        counts.push(proxy.calls().len());
        if functions.is_empty() {
            functions = sizes::functions(&operator.sdk()).await;
        }
    }
    (counts, functions)
}
