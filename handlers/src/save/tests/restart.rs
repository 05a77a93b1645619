//! A real cache that crashes and starts again while people paint and a save runs.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use place_canvas::store::Painter;
use place_canvas::testing::TestRedis;
use place_canvas::{Pixel, Store, StoreConfig};
use tokio::sync::Mutex;
use tokio::time::sleep;

use super::*;
use crate::adapters;
use crate::ports::Look;

/// A colour for each paint, by which its row is known again.
fn colour(number: u32) -> Rgb {
    let [_, r, g, b] = number.to_be_bytes();
    Rgb::new(r, g, b)
}

/// What was sent: accepted, or without an answer that says so.
#[derive(Default)]
struct Sent {
    accepted: Vec<Rgb>,
    unclear: Vec<Rgb>,
}

/// Stands for no save.
const NONE: usize = usize::MAX;

/// Milliseconds that a save may take to come to a call.
const PATIENCE: u32 = 3000;

/// Paints so many times, and then until `ended`.
async fn paint(store: &Store, paints: u32, ended: &AtomicBool) -> Sent {
    let mut sent = Sent::default();
    for number in 1.. {
        if number > paints && ended.load(Ordering::Relaxed) {
            break;
        }
        let rgb = colour(number);
        let [_, _, y, x] = number.to_be_bytes();
        let pixel = Pixel::new((x % 20).into(), ((x ^ y) % 10).into(), rgb);
        match store
            .paint(Painter::Operator(&id("painter")), "", &[pixel])
            .await
        {
            Ok(_) => sent.accepted.push(rgb),
            Err(_) => sent.unclear.push(rgb),
        }
        sleep(Duration::from_millis(1)).await;
    }
    sent
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cache_that_crashes_in_the_middle_loses_nothing_and_doubles_nothing() {
    let redis = TestRedis::start_durable().unwrap();
    let config = StoreConfig {
        retain: Duration::ZERO,
        ..StoreConfig::new("test", geometry())
    };
    let cache = adapters::Cache::new(redis.url(), config.clone());
    let store = Store::connect(&redis.url(), config).await.unwrap();
    store.open_blank().await.unwrap();
    let (tables, queues) = (FakeTables::new(Faults::default()), FakeQueues::default());
    let gateway = FakeGateway::new(Duration::ZERO);
    // So that a save is longer than the pauses between them.
    tables.take(15);
    let redis = Arc::new(Mutex::new(redis));
    // How many steps about the tables had been made when the save began that runs.
    let running = Arc::new(AtomicUsize::new(NONE));
    let save = async || {
        running.store(tables.faults.steps(), Ordering::Relaxed);
        let (event, invocation) = (ORDINARY, invocation(60));
        let saved = handle(event, invocation, &cache, &tables, &queues, &gateway).await;
        running.store(NONE, Ordering::Relaxed);
        // What a save that failed waits for, without the wait.
        redis.lock().await.expire_leases("test", 1).unwrap();
        saved
    };
    let mut done = 0;
    let saving = async {
        loop {
            done += u32::from(save().await.is_ok());
            sleep(Duration::from_millis(5)).await;
        }
    };
    // Whether a save is at its first call about the rows, at its second, and so on: before them it
    // reads the state, and stores it.
    let is_at = |call: usize| {
        let begun = running.load(Ordering::Relaxed);
        begun != NONE && tables.faults.steps() - begun > 2 * call + 1
    };
    let (mut within, ended) = (0, AtomicBool::new(false));
    let crashing = async {
        for (pause, call) in [(150, 1), (210, 2), (270, 1), (330, 2), (390, 2)] {
            sleep(Duration::from_millis(pause)).await;
            for _ in 0..PATIENCE {
                if is_at(call) {
                    break;
                }
                sleep(Duration::from_millis(1)).await;
            }
            let (redis, running) = (Arc::clone(&redis), Arc::clone(&running));
            let restart = move || {
                let mut redis = redis.blocking_lock();
                let is_within = running.load(Ordering::Relaxed) != NONE;
                redis.restart().unwrap();
                is_within
            };
            within += u32::from(tokio::task::spawn_blocking(restart).await.unwrap());
        }
        ended.store(true, Ordering::Relaxed);
    };
    let painted = async { tokio::join!(paint(&store, 900, &ended), crashing).0 };
    let sent = tokio::select! {
        sent = painted => sent,
        () = saving => unreachable!("it saves for ever"),
    };
    assert!(within >= 4, "{within} of 5 crashes were within a save");
    assert!(done > 3, "{done} saves");
    redis.lock().await.expire_leases("test", 1).unwrap();
    assert!(save().await.unwrap().complete);

    let mut stored: HashMap<Rgb, u32> = HashMap::new();
    for rgb in tables.history.lock().unwrap().values() {
        *stored.entry(*rgb).or_default() += 1;
    }
    assert!(sent.accepted.len() > 800, "{}", sent.accepted.len());
    for rgb in &sent.accepted {
        assert_eq!(stored.remove(rgb), Some(1), "an accepted paint");
    }
    for rgb in &sent.unclear {
        assert!(stored.remove(rgb).is_none_or(|times| times == 1));
    }
    assert!(stored.is_empty(), "{stored:?} was never sent");
    assert_eq!(tables.picture(), cache.read_canvas().await.unwrap().picture);
}
