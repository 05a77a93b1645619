//! A part of the matrix that differs from day to day; `make chaos` runs all of it.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use place_tests::chaos::{self, Failure, Summary};

/// How long cases are drawn, beyond those that are tried each time.
const TIME: Duration = Duration::from_mins(1);

/// `PLACE_CHAOS_SEED`, or the day.
fn seed() -> u64 {
    let given = std::env::var("PLACE_CHAOS_SEED").ok();
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    let today = since.as_secs() / (24 * 60 * 60);
    given.map_or(today, |text| text.parse().unwrap())
}

#[tokio::test]
async fn a_command_cut_off_anywhere_recovers_when_it_is_run_again() {
    let started = Instant::now();
    let seed = seed();
    let rigs = chaos::rigs(1).await;
    let (cases, first) = chaos::sample(&rigs[0], seed);
    let quiet = |_: &Summary, _: Option<&Failure>| ();
    let summary = chaos::run(&rigs, cases, Some((started + TIME, first)), quiet).await;
    let failures: Vec<_> = summary.failures.iter().map(Failure::to_string).collect();
    assert!(
        failures.is_empty(),
        "PLACE_CHAOS_SEED={seed}: {summary}\n{}",
        failures.join("\n\n")
    );
    assert!(summary.recovered + summary.unstruck >= first, "{summary}");
    assert!(summary.unstruck < first / 2, "{summary}");
}
