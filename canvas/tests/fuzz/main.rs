//! Hostile input: everything that takes bytes from outside, under millions of broken inputs.
//!
//! `cargo test` runs a short version, always the same; `make fuzz` runs [`EXECUTIONS`] times as
//! many as are asked for, from another seed each time. `RUNS.md` records the long runs.
//!
//! The inputs are mutations of valid ones. An input whose outcome was never seen before joins the
//! pool that is mutated, so the runs work their way past the first check. A target not only must
//! not panic: it checks each answer against a second, independent reading of the same bytes.

mod driver;
mod frames;
mod message;
mod mutation;
mod picture;
mod png_file;
mod position;
mod records;

use driver::{Target, run};

/// Environment variable: executions over all targets.
const EXECUTIONS: &str = "PLACE_FUZZ_EXECUTIONS";
/// Environment variable: seed of the random numbers.
const SEED: &str = "PLACE_FUZZ_SEED";

#[test]
fn client_messages() {
    run(&Target {
        name: "client messages",
        percent: 30,
        seeds: message::seeds(),
        words: message::WORDS,
        mend: None,
        check: message::check,
    });
}

#[test]
fn positions() {
    run(&Target {
        name: "positions",
        percent: 20,
        seeds: position::seeds(),
        words: position::WORDS,
        mend: None,
        check: position::check,
    });
}

#[test]
fn records() {
    run(&Target {
        name: "records",
        percent: 20,
        seeds: records::seeds(),
        words: &[],
        mend: None,
        check: records::check,
    });
}

#[test]
fn server_frames() {
    run(&Target {
        name: "server frames",
        percent: 10,
        seeds: frames::seeds(),
        words: frames::WORDS,
        mend: None,
        check: frames::check,
    });
}

#[test]
fn png_files() {
    run(&Target {
        name: "PNG files",
        percent: 20,
        seeds: picture::seeds(),
        words: picture::WORDS,
        mend: Some(png_file::mend),
        check: picture::check,
    });
}
