//! Measures each function alone: the real binaries on a stub of Lambda's Runtime API, with a real
//! Redis and stubs of SQS, DynamoDB and API Gateway. Beside it the same for the yardstick
//! (`tests/reference/python`), if `PLACE_YARDSTICK_PYTHON` names a Python that has its packages,
//! and for other binaries, if `PLACE_BASELINE` names their directory (see `cost`).
//!
//! `make bench-place` builds what it needs and runs it. Prints Markdown, and ends with 1
//! when a figure misses its goal.
#![expect(clippy::print_stdout, reason = "a program for the terminal")]

mod broadcast;
mod cadence;
mod canvas;
mod cost;
mod floor;
mod initialize;
mod pictures;
mod report;
mod save;
mod send_message;
mod start;
mod yardstick;

use std::process::ExitCode;

use report::Report;
use yardstick::Yardstick;

#[tokio::main]
async fn main() -> ExitCode {
    let yardstick = Yardstick::find();
    let only = std::env::args().skip(1).find(|word| !word.starts_with('-'));
    let wanted = |name: &str| only.as_deref().is_none_or(|only| only == name);
    let mut report = Report::default();
    if wanted("start") {
        println!("{}", start::measure(yardstick.as_ref(), &mut report).await);
    }
    if wanted("sendMessage") {
        send_message::measure(yardstick.as_ref(), &mut report).await;
    }
    if wanted("broadcast") {
        broadcast::measure(yardstick.as_ref(), &mut report).await;
    }
    if wanted("cadence") {
        cadence::measure(&mut report).await;
    }
    if wanted("cost") {
        println!("{}", cost::measure(&mut report).await);
    }
    if wanted("initialize") {
        initialize::measure(yardstick.as_ref(), &mut report).await;
    }
    if wanted("storm") {
        initialize::storm(&mut report).await;
    }
    if wanted("pictures") {
        println!("{}", pictures::measure().await);
    }
    if wanted("save") {
        save::measure(yardstick.as_ref(), &mut report).await;
    }
    println!("{report}");
    if report.is_reached() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}
