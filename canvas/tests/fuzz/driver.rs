//! Runs a target over mutated inputs, and says which input breaks it.

use std::collections::HashSet;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant};

use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use rand::{Rng, SeedableRng};

use crate::mutation::mutate;
use crate::{EXECUTIONS, SEED};

/// Executions over all targets without [`EXECUTIONS`].
const SHORT: u64 = 60_000;
/// Inputs that are kept for mutation, beside the seeds.
const POOL: usize = 4096;
/// Longest input; a seed may be longer.
const LONGEST: usize = 8192;
/// One execution that takes longer is a fault of its own.
const TOO_SLOW: Duration = Duration::from_secs(5);

/// What one input came to.
#[derive(Clone, Copy)]
pub(crate) struct Outcome {
    pub(crate) accepted: bool,
    class: u64,
}

impl Outcome {
    /// An input that was taken, told from others by `class`.
    pub(crate) fn accepted(class: impl Hash) -> Self {
        Self::of(true, class)
    }

    /// An input that was refused, told from others by `class`.
    pub(crate) fn refused(class: impl Hash) -> Self {
        Self::of(false, class)
    }

    fn of(accepted: bool, class: impl Hash) -> Self {
        let mut hasher = DefaultHasher::new();
        (accepted, class).hash(&mut hasher);
        let class = hasher.finish();
        Self { accepted, class }
    }
}

/// Something that takes bytes from outside.
pub(crate) struct Target {
    pub(crate) name: &'static str,
    /// Its part of all executions.
    pub(crate) percent: u64,
    pub(crate) seeds: Vec<Vec<u8>>,
    /// Pieces of the format, to be put anywhere.
    pub(crate) words: &'static [&'static str],
    /// Puts checksums right, so that a mutation gets past them.
    pub(crate) mend: Option<fn(&mut [u8])>,
    /// Panics when the answer to these bytes is wrong.
    pub(crate) check: fn(&[u8]) -> Outcome,
}

/// Runs `target` its part of the executions; panics with the input that breaks it.
pub(crate) fn run(target: &Target) {
    let (executions, seed) = (setting(EXECUTIONS, SHORT), setting(SEED, 0));
    let executions = executions * target.percent / 100;
    let mut random = StdRng::seed_from_u64(seed);
    let mut pool = target.seeds.clone();
    let mut classes = HashSet::new();
    let (mut accepted, mut slowest, began) = (0_u64, Duration::ZERO, Instant::now());
    for turn in 0..executions {
        let input = match pool.get(usize::try_from(turn).unwrap_or(usize::MAX)) {
            Some(seed) if turn < target.seeds.len() as u64 => seed.clone(),
            _ => next(target, &pool, &mut random),
        };
        let (outcome, elapsed) = one(target, &input, seed);
        accepted += u64::from(outcome.accepted);
        slowest = slowest.max(elapsed);
        let room = pool.len() < target.seeds.len() + POOL;
        if classes.insert(outcome.class) && room {
            pool.push(input);
        }
    }
    #[expect(clippy::print_stdout, reason = "the record of a run")]
    {
        println!(
            "{}: {executions} executions, {accepted} accepted, {} outcomes, seed {seed}, \
         slowest {:.1} ms, {:.1} s",
            target.name,
            classes.len(),
            slowest.as_secs_f64() * 1000.0,
            began.elapsed().as_secs_f64(),
        );
    }
    assert!(
        accepted > 0 && accepted < executions,
        "the inputs all fare alike"
    );
}

fn next(target: &Target, pool: &[Vec<u8>], random: &mut StdRng) -> Vec<u8> {
    // Half of them straight from a seed: what was found on the way is mostly more broken.
    let from = if random.random() { pool } else { &target.seeds };
    let mut input = from.choose(random).cloned().unwrap_or_default();
    let other = pool.choose(random).map_or(&[][..], Vec::as_slice);
    for _ in 0..random.random_range(1..=4) {
        mutate(&mut input, other, target.words, random);
    }
    input.truncate(LONGEST);
    if let Some(mend) = target.mend
        && random.random_ratio(4, 5)
    {
        mend(&mut input);
    }
    input
}

fn one(target: &Target, input: &[u8], seed: u64) -> (Outcome, Duration) {
    let start = Instant::now();
    let outcome = catch_unwind(AssertUnwindSafe(|| (target.check)(input)));
    let elapsed = start.elapsed();
    let Ok(outcome) = outcome else {
        panic!(
            "{} (seed {seed}) break at b\"{}\"",
            target.name,
            input.escape_ascii()
        );
    };
    assert!(
        elapsed < TOO_SLOW,
        "{} (seed {seed}) take {elapsed:?} for b\"{}\"",
        target.name,
        input.escape_ascii()
    );
    (outcome, elapsed)
}

fn setting(name: &str, default: u64) -> u64 {
    let text = std::env::var(name).ok();
    text.map_or(default, |text| {
        text.parse().expect("a setting of the fuzzer is a number")
    })
}
