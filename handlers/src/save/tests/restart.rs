//! A real cache that crashes and starts again while people paint and a save runs.

use std::collections::HashMap;
use std::sync::Arc;

use place_canvas::testing::TestRedis;
use place_canvas::{Pixel, Store, StoreConfig};
use tokio::sync::Mutex;
use tokio::time::sleep;

use super::*;
use crate::adapters;
use crate::fakes::Faults;
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

async fn paint(store: &Store, paints: u32) -> Sent {
    let mut sent = Sent::default();
    for number in 1..=paints {
        let rgb = colour(number);
        let [_, _, y, x] = number.to_be_bytes();
        let pixel = Pixel::new((x % 20).into(), ((x ^ y) % 10).into(), rgb);
        match store.paint(&id("painter"), "", &[pixel]).await {
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
    let (tables, queues) = (FakeTables::new(Faults::default()), FakeQueues::default());
    tables.take(3);
    let redis = Arc::new(Mutex::new(redis));
    let save = async || {
        let saved = handle(ORDINARY, invocation(60), &cache, &tables, &queues).await;
        // What a save that failed waits for, without the wait.
        redis.lock().await.expire_leases("test", 1).unwrap();
        saved
    };
    let (mut failed, mut done) = (0, 0);
    let saving = async {
        loop {
            match save().await {
                Ok(_) => done += 1,
                Err(_) => failed += 1,
            }
            sleep(Duration::from_millis(5)).await;
        }
    };
    let crashing = async {
        for pause in [150, 210, 270, 330, 390] {
            sleep(Duration::from_millis(pause)).await;
            let redis = Arc::clone(&redis);
            let restart = move || redis.blocking_lock().restart().unwrap();
            tokio::task::spawn_blocking(restart).await.unwrap();
        }
    };
    let painted = async { tokio::join!(paint(&store, 900), crashing).0 };
    let sent = tokio::select! {
        sent = painted => sent,
        () = saving => unreachable!("it saves for ever"),
    };
    assert!(
        done > 3 && failed + done > 6,
        "{done} saves, {failed} failed"
    );
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
    assert_eq!(tables.picture(), cache.read_canvas().await.unwrap().1);
}
