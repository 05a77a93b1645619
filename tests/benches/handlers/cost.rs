//! What a paint costs: processor time of the two functions and of Redis, and Redis's memory.
//!
//! The traffic is the design load of 2017, 333 messages of one pixel a second, before 200 clients.
//! If `PLACE_BASELINE` names a directory of other binaries (`target/lambda` of an earlier commit),
//! they get the same, on a Redis and on stubs of their own: both take turns, so that whatever else
//! the machine does meets both alike.

use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::time::Duration;

use place_config::Function as Kind;
use place_tests::lambda::play::{Painter, feed};
use place_tests::lambda::{Function, Memory, Rig};
use place_tests::placectl::artifacts;
use place_tests::process::processor_time;

use super::report::{Report, millis, number};

/// Names the binaries to compare with.
const BASELINE: &str = "PLACE_BASELINE";
const CLIENTS: usize = 200;
/// Between two paints.
const PAUSE: Duration = Duration::from_millis(3);
/// Paints of a turn.
const PAINTS: u32 = 666;
const TURNS: u32 = 5;
/// How much dearer than the baseline a function may be, in percent.
const DEARER: f64 = 105.0;

type Figure = (&'static str, fn(&Used) -> f64, bool);

/// Figures of a paint, and whether one may not be much dearer than the baseline's.
const FIGURES: [Figure; 6] = [
    (
        "sendMessage, ms of processor",
        |used| used.ms(used.painting),
        true,
    ),
    (
        "broadcast, ms of processor",
        |used| used.ms(used.posting),
        true,
    ),
    (
        "Redis, ms of processor",
        |used| used.ms(used.storing),
        false,
    ),
    ("Redis, bytes", |used| used.each(used.bytes), false),
    ("posts", |used| used.each(used.posts), false),
    ("broadcast, µs of processor a post", Used::post_us, false),
];

/// A table of what a paint costs. With a baseline, neither function may be much dearer.
pub(crate) async fn measure(report: &mut Report) -> String {
    let baseline = std::env::var_os(BASELINE).map(PathBuf::from);
    let mut ours = Side::start(&artifacts()).await;
    let mut theirs = match &baseline {
        Some(directory) => Some(Side::start(directory).await),
        None => None,
    };
    for _ in 0..TURNS {
        ours.turn().await;
        if let Some(theirs) = &mut theirs {
            theirs.turn().await;
        }
    }
    let theirs = theirs.map(|side| side.used);
    for (what, figure, held) in FIGURES {
        if let Some(theirs) = theirs.as_ref().filter(|_| held) {
            let percent = 100.0 * figure(&ours.used) / figure(theirs);
            let what = format!("a paint, {what}, of the baseline's");
            report.add(what, "%", percent, None).below(DEARER);
        }
    }
    table(&ours.used, theirs.as_ref())
}

/// The functions of one build at play.
struct Side {
    rig: Rig,
    painter: Painter,
    broadcast: [Function; 1],
    used: Used,
}

/// What paints took, all together.
#[derive(Clone, Copy, Debug, Default)]
struct Used {
    paints: u32,
    posts: u64,
    painting: Duration,
    posting: Duration,
    storing: Duration,
    bytes: u64,
}

impl Side {
    /// Starts them, and lets them open their connections unmeasured.
    async fn start(binaries: &Path) -> Self {
        let rig = Rig::with(Memory::Count, |env| (env.width, env.height) = (1000, 1000)).await;
        rig.join(CLIENTS).await;
        let started = |kind: Kind| Function::start(kind.binary(), rig.command_in(binaries, kind));
        let mut side = Self {
            painter: Painter::on(started(Kind::SendMessage)),
            broadcast: [started(Kind::Broadcast)],
            rig,
            used: Used::default(),
        };
        side.turn().await;
        side.used = Used::default();
        side
    }

    /// Paints, and waits until everybody has everything.
    async fn turn(&mut self) {
        let before = self.read().await;
        self.rig.aws.clear();
        let painting = async {
            let mut clock = tokio::time::interval(PAUSE);
            for paint in 0..PAINTS {
                clock.tick().await;
                self.painter.paint(paint).await;
            }
        };
        feed(&self.rig, &self.broadcast, painting).await;
        let after = self.read().await;
        let log = || self.painter.function().log();
        let seen = after.posts - before.posts >= CLIENTS as u64;
        assert!(seen, "nobody saw a paint:\n{}", log());
        self.used.add(after, before);
    }

    async fn read(&self) -> Used {
        let time = |function: &Function| processor_time(function.id()).unwrap_or_default();
        Used {
            paints: 0,
            posts: self.rig.gateway.posts(),
            painting: time(self.painter.function()),
            posting: time(&self.broadcast[0]),
            storing: self.rig.redis.processor_time().await,
            bytes: self.rig.redis.memory().await,
        }
    }
}

impl Used {
    fn add(&mut self, after: Self, before: Self) {
        self.paints += PAINTS;
        self.posts += after.posts - before.posts;
        self.painting += after.painting.saturating_sub(before.painting);
        self.posting += after.posting.saturating_sub(before.posting);
        self.storing += after.storing.saturating_sub(before.storing);
        self.bytes += after.bytes.saturating_sub(before.bytes);
    }

    fn ms(&self, time: Duration) -> f64 {
        millis(time) / f64::from(self.paints)
    }

    #[expect(clippy::cast_precision_loss, reason = "counts are far below 2^52")]
    fn each(&self, count: u64) -> f64 {
        count as f64 / f64::from(self.paints)
    }

    #[expect(clippy::cast_precision_loss, reason = "counts are far below 2^52")]
    fn post_us(&self) -> f64 {
        millis(self.posting) * 1000.0 / self.posts as f64
    }
}

fn table(ours: &Used, theirs: Option<&Used>) -> String {
    let paints = ours.paints;
    let mut table = format!(
        "What a paint costs: {paints} messages of one pixel, 333 a second, {CLIENTS} clients, \
         nothing saved meanwhile\n\n\
         | a paint | placectl | baseline | ratio |\n|---|---|---|---|\n"
    );
    for (what, figure, _) in FIGURES {
        let ours = figure(ours);
        let beside = theirs.map(figure);
        let ratio = beside.map_or("-".to_owned(), |theirs| number(ours / theirs));
        let beside = beside.map_or("-".to_owned(), number);
        writeln!(table, "| {what} | {} | {beside} | {ratio} |", number(ours))
            .expect("a string takes all text");
    }
    table
}
