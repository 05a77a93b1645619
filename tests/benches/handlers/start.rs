//! Cold starts: from the process's start until it asks for its first event.

use std::fmt::Write;
use std::process::Command;
use std::time::Duration;

use place_config::Function as Kind;
use place_tests::lambda::{Rig, Start};

use super::report::{Report, mib, millis, number, percentile};
use super::yardstick::Yardstick;

/// Starts of each function.
const STARTS: usize = 11;

/// The slowest and largest of all functions, and each by itself in a table.
pub(crate) async fn measure(yardstick: Option<&Yardstick>, report: &mut Report) -> String {
    let rig = Rig::start(place_tests::lambda::Memory::Count).await;
    let all: Vec<_> = Kind::ALL
        .into_iter()
        .map(|kind| (kind.binary(), starts(kind.binary(), || rig.command(kind))))
        .collect();
    let theirs = yardstick
        .map(|yardstick| starts("send_message", || yardstick.command(&rig, "send_message")));
    let worst =
        |figure: fn(&Figures) -> f64| all.iter().map(|(_, f)| figure(f)).fold(0.0, f64::max);
    report
        .add(
            "cold start, the slowest function's median",
            "ms",
            worst(|f| f.median_ms),
            theirs.as_ref().map(|f| f.median_ms),
        )
        .below(15.0);
    report
        .add(
            "memory at rest, the largest function's",
            "MiB",
            worst(|f| f.mib),
            theirs.as_ref().map(|f| f.mib),
        )
        .below(16.0);
    table(&all)
}

struct Figures {
    median_ms: f64,
    slowest_ms: f64,
    mib: f64,
}

fn starts(name: &str, command: impl Fn() -> Command) -> Figures {
    // The first one reads the file from the disk.
    Start::measure(name, command());
    let starts: Vec<Start> = (0..STARTS)
        .map(|_| Start::measure(name, command()))
        .collect();
    let mut times: Vec<Duration> = starts.iter().map(|start| start.time).collect();
    Figures {
        median_ms: percentile(&mut times, 50),
        slowest_ms: times.last().copied().map_or(f64::NAN, millis),
        mib: starts
            .iter()
            .map(|start| mib(start.memory.peak))
            .fold(0.0, f64::max),
    }
}

fn table(all: &[(&str, Figures)]) -> String {
    let mut table = String::from(
        "| function | cold start, median of 11, ms | slowest, ms | memory at rest, MiB |\n\
         |---|---|---|---|\n",
    );
    for (name, f) in all {
        let (median, slowest) = (number(f.median_ms), number(f.slowest_ms));
        writeln!(
            table,
            "| {name} | {median} | {slowest} | {} |",
            number(f.mib)
        )
        .expect("a string takes all text");
    }
    table
}
