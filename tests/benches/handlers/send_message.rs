//! sendMessage: one process, one message after the other.

use std::time::{Duration, Instant};

use place_canvas::{Pixel, Rgb};
use place_config::Function as Kind;
use place_tests::lambda::{Function, Memory, Rig, client, event};

use super::floor;
use super::report::{Added, Report, mib, percentile, rate};
use super::yardstick::Yardstick;

/// Messages that are measured.
const MESSAGES: u16 = 3000;
/// Those before, that open connections and load scripts.
const WARM_UP: u16 = 50;
/// Time that an invocation has.
const TIME: Duration = Duration::from_mins(1);
/// Clients that look on.
const AUDIENCE: usize = 100;

struct Figures {
    per_second: f64,
    p50_ms: f64,
    p99_ms: f64,
    round_trips: f64,
    peak_kib: u64,
}

/// Rate, latencies and round trips.
///
/// Every message takes three round trips through the kernel, two to the Runtime API and one to the
/// cache, which no function can do without: what a function adds to them is what is compared.
pub(crate) async fn measure(yardstick: Option<&Yardstick>, report: &mut Report) {
    let rig = rig().await;
    let mut floor = tokio::task::block_in_place(|| floor::measure(&rig, MESSAGES));
    let floor_ms = percentile(&mut floor, 50);
    let ours = run(&rig, &rig.function(Kind::SendMessage)).await;
    let theirs = match yardstick {
        Some(yardstick) => Some(run(&rig, &yardstick.function(&rig, "send_message")).await),
        None => None,
    };
    let both = Both { ours, theirs };
    both.add(report, "one process", "invocations/s", |f| f.per_second);
    both.add(report, "p50", "ms", |f| f.p50_ms);
    both.add(report, "p99", "ms", |f| f.p99_ms);
    let beyond = format!("p50 beyond {floor_ms:.3} ms of round trips");
    both.add(report, &beyond, "ms", |f| f.p50_ms - floor_ms)
        .a_part_of_the_yardstick(10.0);
    both.add(report, "Redis", "round trips a paint", |f| f.round_trips)
        .below(1.01);
    both.add(report, "peak memory", "MiB", |f| mib(f.peak_kib))
        .below(64.0);
}

struct Both {
    ours: Figures,
    theirs: Option<Figures>,
}

impl Both {
    fn add<'a>(
        &self,
        report: &'a mut Report,
        what: &str,
        unit: &'static str,
        figure: impl Fn(&Figures) -> f64,
    ) -> Added<'a> {
        let theirs = self.theirs.as_ref().map(&figure);
        report.add(
            format!("sendMessage, {what}"),
            unit,
            figure(&self.ours),
            theirs,
        )
    }
}

async fn rig() -> Rig {
    let rig = Rig::with(Memory::Count, |env| (env.width, env.height) = (1000, 1000)).await;
    rig.join(AUDIENCE).await;
    rig
}

async fn run(rig: &Rig, function: &Function) -> Figures {
    let paint = |number: u16| {
        let pixel = Pixel::new(number % 1000, number / 1000, Rgb::new(1, 2, 3));
        event::message(&client(number.into()), "192.0.2.1", &event::paint(&[pixel]))
    };
    for number in 0..WARM_UP {
        function
            .invoke(paint(number))
            .await
            .expect("a message is taken");
    }
    let before = rig.redis.reads().await;
    let (mut times, elapsed) = tokio::task::block_in_place(|| {
        let times: Vec<Duration> = (0..MESSAGES).map(|n| one(function, paint(n))).collect();
        (times, all(function, (0..MESSAGES).map(paint)))
    });
    let reads = rig.redis.reads().await - before;
    Figures {
        per_second: rate(MESSAGES.into(), elapsed),
        p50_ms: percentile(&mut times, 50),
        p99_ms: percentile(&mut times, 99),
        // Asking takes some reads itself, for a connection of its own.
        round_trips: rate(reads, Duration::from_secs(2 * u64::from(MESSAGES))),
        peak_kib: function.memory().peak,
    }
}

/// From handing one event over until its answer is there.
fn one(function: &Function, event: String) -> Duration {
    let begun = Instant::now();
    function
        .begin(event, TIME)
        .wait()
        .expect("a message is taken");
    begun.elapsed()
}

/// From handing events over until all are answered: the next one always waits already.
fn all(function: &Function, events: impl Iterator<Item = String>) -> Duration {
    let events: Vec<String> = events.collect();
    let begun = Instant::now();
    let pending: Vec<_> = events
        .into_iter()
        .map(|event| function.begin(event, TIME))
        .collect();
    for answer in pending {
        answer.wait().expect("a message is taken");
    }
    begun.elapsed()
}
