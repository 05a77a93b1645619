//! What a paint takes of the cache's memory.

use super::super::PaintError;
use super::*;
use crate::pixel::RECORD_BYTES;

/// Paints that are measured.
const PAINTS: u16 = 10_000;

/// What an entry takes beside its records, as the script has it.
fn entry_bytes() -> u64 {
    let script = include_str!("../../scripts/paint.lua");
    let line = script
        .lines()
        .find_map(|line| line.strip_prefix("local ENTRY = "));
    line.unwrap().parse().unwrap()
}

impl Bench {
    async fn memory(&self) -> u64 {
        let info: String = self.command(&["INFO", "memory"]).await;
        let line = info
            .lines()
            .find_map(|line| line.strip_prefix("used_memory:"));
        line.unwrap().parse().unwrap()
    }

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

#[expect(clippy::print_stdout, reason = "the measurement")]
fn report(what: &str, bytes: u64, messages: u16) {
    println!("{what}: {:.1} bytes", bytes as f64 / f64::from(messages));
}

/// What `most_bytes` compares with, beside what the entries really take: never less, so that the
/// limit holds, and never twice as much, so that it does not refuse early.
#[tokio::test]
async fn the_estimate_of_history_is_never_below_what_it_takes_nor_twice_that() {
    for (messages, pixels) in [(PAINTS, 1), (2000, 10), (1000, 64), (500, 256)] {
        let bench = Bench::new().await;
        bench.paint_many(messages, pixels).await;
        let history = "{place:test}:history";
        let told: u64 = bench
            .command(&["MEMORY", "USAGE", history, "SAMPLES", "0"])
            .await;
        let taken = bench.taken_by(&["history"]).await;
        let records = u64::from(pixels) * RECORD_BYTES as u64;
        let estimate = u64::from(messages) * (entry_bytes() + records);
        report(
            &format!("an entry of {pixels} pixels, as told"),
            told,
            messages,
        );
        report(
            &format!("an entry of {pixels} pixels, as measured"),
            taken,
            messages,
        );
        report(
            &format!("an entry of {pixels} pixels, estimated"),
            estimate,
            messages,
        );
        for real in [told, taken] {
            assert!((real..=2 * real).contains(&estimate), "{pixels} pixels");
        }
    }
}

/// A key for each message took 136 bytes of the cache by the name alone.
#[tokio::test]
async fn to_remember_a_message_takes_little() {
    let bench = Bench::new().await;
    bench.paint_many(PAINTS, 1).await;
    let taken = bench.taken_by(&["done:0", "done:1"]).await;
    report("a message that is remembered", taken, PAINTS);
    assert!(taken > 0 && taken / u64::from(PAINTS) < 110, "{taken}");
}

#[tokio::test]
async fn history_is_full_by_its_bytes_until_it_is_saved() {
    let message = entry_bytes() + RECORD_BYTES as u64;
    // The entry that opened the canvas counts too.
    let bench = Bench::with(|config| config.max_history_bytes = entry_bytes() + 10 * message).await;
    for x in 0..10 {
        bench.paint("a", x).await;
    }
    let before = bench.store.read_canvas().await.unwrap();
    let paint = async || {
        bench
            .store
            .paint(Painter::Operator(&id("a")), ADDRESS, &[dot(40)])
            .await
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
