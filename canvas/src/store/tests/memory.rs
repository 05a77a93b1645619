//! What a paint takes of the cache's memory.
#![expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "some megabytes are far from any limit"
)]

use super::super::PaintError;
use super::*;
use crate::pixel::RECORD_BYTES;

/// Paints that are measured.
const PAINTS: u16 = 10_000;

/// A constant of the script.
fn constant(name: &str) -> f64 {
    let script = include_str!("../../scripts/paint.lua");
    let start = format!("local {name} = ");
    let text = script.lines().find_map(|line| line.strip_prefix(&start));
    text.unwrap().parse().unwrap()
}

/// What the script takes history for that holds so many messages of so many pixels.
fn estimate(messages: u16, pixels: u16) -> f64 {
    let records = f64::from(pixels) * RECORD_BYTES as f64 * constant("WASTE");
    f64::from(messages) * (records + constant("ENTRY"))
}

impl Bench {
    /// Paints messages of so many pixels, by connections with ids as API Gateway's.
    async fn paint_many(&self, messages: u16, pixels: u16) {
        let store = &self.store;
        let paint = async |number: u16| {
            let painter = id(&format!("L0SM9cOFvH{number:05}="));
            let pixels: Vec<_> = (0..pixels)
                .map(|x| Pixel::new(x % 64, number % 32, RED))
                .collect();
            let source = format!("192.0.{}.{}", number / 250, number % 250);
            store
                .paint(Painter::Operator(&painter), &source, &pixels)
                .await
                .map(drop)
        };
        for some in (0..messages).collect::<Vec<_>>().chunks(100) {
            let painted = some.iter().map(|number| paint(*number));
            futures::future::try_join_all(painted).await.unwrap();
        }
    }

    /// What these keys take: what is free without them.
    async fn taken_by(&self, keys: &[&str]) -> u64 {
        let before = self.memory().await;
        let keys: Vec<String> = keys
            .iter()
            .map(|key| format!("{{place:test}}:{key}"))
            .collect();
        let command: Vec<&str> = ["DEL"]
            .into_iter()
            .chain(keys.iter().map(String::as_str))
            .collect();
        self.command::<u64>(&command).await;
        before - self.memory().await
    }
}

fn report(what: &str, bytes: f64, messages: u16) {
    println!("{what}: {:.1} bytes", bytes / f64::from(messages));
}

/// What `most_bytes` is compared with, beside what the entries really take: never less, so that the
/// limit holds, and never twice as much, so that it does not refuse early.
#[tokio::test]
async fn the_estimate_of_history_is_never_below_what_it_takes_nor_twice_that() {
    for (messages, pixels) in [(PAINTS, 1), (2000, 10), (1000, 64), (500, 256)] {
        let bench = Bench::new().await;
        bench.paint_many(messages, pixels).await;
        let history = "{place:test}:history";
        let usage = ["MEMORY", "USAGE", history, "SAMPLES", "0"];
        let told: u64 = bench.command(&usage).await;
        let taken = bench.taken_by(&["history"]).await;
        let estimate = estimate(messages, pixels);
        report(
            &format!("an entry of {pixels} pixels, as told"),
            told as f64,
            messages,
        );
        report(
            &format!("an entry of {pixels} pixels, as measured"),
            taken as f64,
            messages,
        );
        report(
            &format!("an entry of {pixels} pixels, estimated"),
            estimate,
            messages,
        );
        for real in [told as f64, taken as f64] {
            assert!((real..=2.0 * real).contains(&estimate), "{pixels} pixels");
        }
    }
}

/// A key for each message took 205 bytes of the same server.
#[tokio::test]
async fn to_remember_a_message_takes_little() {
    let bench = Bench::new().await;
    bench.paint_many(PAINTS, 1).await;
    let taken = bench.taken_by(&["done:0", "done:1"]).await;
    report("a message that is remembered", taken as f64, PAINTS);
    assert!(taken > 0 && taken / u64::from(PAINTS) < 105, "{taken}");
}

/// Beside history and what is remembered, painters leave nothing.
#[tokio::test]
async fn a_paint_takes_no_more_than_its_entry_and_what_is_remembered() {
    let bench = Bench::new().await;
    // Whatever a connection and the server's tables take once.
    bench.paint_many(200, 1).await;
    let before = bench.memory().await;
    bench.paint_many(PAINTS, 1).await;
    let paints = bench.memory().await - before;
    report("a paint, all in all", paints as f64, PAINTS);
    assert!(paints / u64::from(PAINTS) < 200, "{paints}");
}

#[test]
fn operators_are_told_what_the_script_reckons() {
    for (messages, pixels) in [(1, 1), (10, 1), (1000, 256)] {
        let changes = u64::from(messages) * u64::from(pixels);
        let told = crate::store::history_bytes(changes, messages.into()) as f64;
        assert!((told - estimate(messages, pixels)).abs() < 1.0);
    }
}

#[tokio::test]
async fn history_is_full_by_its_bytes_until_it_is_saved() {
    // The entry that opened the canvas counts too.
    let most = estimate(10, 1) + constant("ENTRY");
    let bench = Bench::with(|config| config.max_history_bytes = most.ceil() as u64).await;
    for x in 0..10 {
        bench.paint("a", x).await;
    }
    let before = bench.store.read_canvas().await.unwrap();
    let operator = id("a");
    let paint = async || {
        let by = Painter::Operator(&operator);
        bench.store.paint(by, ADDRESS, &[dot(40)]).await
    };
    for _ in 0..2 {
        assert!(matches!(paint().await, Err(PaintError::Full)));
    }
    assert_eq!(bench.store.read_canvas().await.unwrap(), before);
    // Saved history is not kept for ever.
    tokio::time::sleep(Duration::from_millis(2)).await;
    bench.save(10).await;
    paint().await.unwrap();
}
