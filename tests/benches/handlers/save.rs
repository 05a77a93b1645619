//! save: a hundred thousand changes.

use std::time::Instant;

use place_canvas::store::Painter;
use place_canvas::{Pixel, Rgb};
use place_config::Function as Kind;
use place_tests::lambda::{Memory, Rig, client};
use rand::rngs::SmallRng;
use rand::{Rng, SeedableRng};
use redis::pipe;
use serde_json::Value;

use super::report::{Report, mib, rate};
use super::yardstick::Yardstick;

/// Changes that are saved, in messages of [`MESSAGE`] pixels.
const CHANGES: usize = 100_000;
const MESSAGE: usize = 250;
/// The yardstick's, which takes a call for each.
const THEIR_CHANGES: usize = 2000;

struct Figures {
    rows_per_second: f64,
    calls_per_row: f64,
    seconds: f64,
    peak_kib: u64,
}

/// Rows a second and calls.
pub(crate) async fn measure(yardstick: Option<&Yardstick>, report: &mut Report) {
    let ours = ours().await;
    let theirs = match yardstick {
        Some(yardstick) => Some(theirs(yardstick).await),
        None => None,
    };
    let beside = |figure: fn(&Figures) -> f64| theirs.as_ref().map(figure);
    let what = format!("save of {CHANGES} changes");
    report.add(what.clone(), "s", ours.seconds, None);
    let rows = beside(|f| f.rows_per_second);
    report.add(what.clone(), "rows/s", ours.rows_per_second, rows);
    report.add(
        what.clone(),
        "calls a row",
        ours.calls_per_row,
        beside(|f| f.calls_per_row),
    );
    let peak = beside(|f| mib(f.peak_kib));
    report
        .add(
            format!("{what}, peak memory"),
            "MiB",
            mib(ours.peak_kib),
            peak,
        )
        .below(64.0);
}

fn pixels(count: usize) -> Vec<Pixel> {
    let mut random = SmallRng::seed_from_u64(42);
    let mut colour = || random.random::<u8>();
    let colours: Vec<_> = (0..count)
        .map(|_| Rgb::new(colour(), colour(), colour()))
        .collect();
    let mut place = || random.random_range(0..1000);
    colours
        .into_iter()
        .map(|rgb| Pixel::new(place(), place(), rgb))
        .collect()
}

async fn ours() -> Figures {
    let rig = Rig::with(Memory::Count, |env| (env.width, env.height) = (1000, 1000)).await;
    let store = rig.store().await;
    for message in pixels(CHANGES).chunks(MESSAGE) {
        store
            .paint(Painter::Operator(&client(0)), "192.0.2.1", message)
            .await
            .expect("a paint");
    }
    let function = rig.function(Kind::Save);
    let begun = Instant::now();
    let answer = function.invoke("{}").await.expect("a save");
    let elapsed = begun.elapsed();
    let answer: Value = serde_json::from_slice(&answer).expect("an answer");
    let saved = |field: &str| answer[field].as_u64().unwrap_or_default();
    assert_eq!(
        saved("changes"),
        CHANGES as u64,
        "everything is saved: {answer}"
    );
    let rows = saved("changes") + saved("pixels");
    Figures {
        rows_per_second: rate(rows, elapsed),
        calls_per_row: share(rig.aws.writes(), rows),
        seconds: elapsed.as_secs_f64(),
        peak_kib: function.memory().peak,
    }
}

async fn theirs(yardstick: &Yardstick) -> Figures {
    let rig = Rig::start(Memory::Count).await;
    let client = redis::Client::open(rig.redis.url()).expect("an address of a Redis");
    let mut connection = client
        .get_multiplexed_async_connection()
        .await
        .expect("Redis answers");
    for pixel in pixels(THEIR_CHANGES) {
        let Pixel { x, y, rgb } = pixel;
        let text = format!(
            r#"{{"x": {x}, "y": {y}, "r": {}, "g": {}, "b": {}}}"#,
            rgb.r, rgb.g, rgb.b
        );
        let mut both = pipe();
        both.rpush("history", &text)
            .hset("canvas", format!("{x} {y}"), &text);
        let _: () = both
            .query_async(&mut connection)
            .await
            .expect("Redis takes a change");
    }
    let function = yardstick.function(&rig, "save");
    let begun = Instant::now();
    function.invoke("{}").await.expect("a save");
    let elapsed = begun.elapsed();
    let rows = rig.aws.writes();
    Figures {
        rows_per_second: rate(rows, elapsed),
        calls_per_row: share(rig.aws.writes(), rows),
        seconds: elapsed.as_secs_f64(),
        peak_kib: function.memory().peak,
    }
}

#[expect(clippy::cast_precision_loss, reason = "counts are far below 2^52")]
fn share(part: u64, whole: u64) -> f64 {
    part as f64 / whole as f64
}
