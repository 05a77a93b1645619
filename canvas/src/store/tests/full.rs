//! A cache whose memory is full.

use super::super::{Asleep, MarkSaved, Opening, PaintError, Polled, SaveSummary, Source, Taken};
use super::*;
use crate::connection::Shard;

/// What ElastiCache's nodes do unless told otherwise, and what the stack asks for.
const POLICIES: [&str; 2] = ["volatile-lru", "noeviction"];
/// What the cache may still take in.
const ROOM: u64 = 2_000_000;
/// Pixels of a message that fills it.
const PIXELS: u16 = 256;

impl Bench {
    /// A bench whose history has filled the cache; how many changes are not saved.
    async fn full(policy: &str) -> (Self, u64) {
        let bench = Self::with(|config| {
            config.cooldown_ms = 1;
            config.max_messages_per_second_per_source = 100_000;
        })
        .await;
        bench.store.add_client(&id("viewer")).await.unwrap();
        let most = (bench.memory().await + ROOM).to_string();
        let set = [
            "CONFIG",
            "SET",
            "maxmemory",
            &most,
            "maxmemory-policy",
            policy,
        ];
        bench.command::<()>(&set).await;
        let mut changes = 0;
        loop {
            let by = id(&format!("painter-{changes}"));
            let place = |n| Pixel::new(n % 64, n / 64, RED);
            let pixels: Vec<_> = (0..PIXELS).map(place).collect();
            let by = Painter::Operator(&by);
            match bench.store.paint(by, ADDRESS, &pixels).await {
                Ok(_) => changes += u64::from(PIXELS),
                Err(PaintError::Full) => return (bench, changes),
                Err(other) => panic!("{other}"),
            }
            assert!(changes < 1_000_000, "the cache does not fill");
        }
    }

    /// What the cache holds that does not expire.
    async fn lasting(&self) -> Vec<(String, Vec<u8>)> {
        let mut keys: Vec<String> = self.command(&["KEYS", "*"]).await;
        keys.sort();
        let mut lasting = Vec::new();
        for key in keys {
            if self.command::<i64>(&["PTTL", &key]).await == -1 {
                let dump = self.command(&["DUMP", &key]).await;
                lasting.push((key, dump));
            }
        }
        lasting
    }
}

#[tokio::test]
async fn a_full_cache_refuses_whole_and_leaves_no_trace() {
    for policy in POLICIES {
        let (bench, _) = Bench::full(policy).await;
        let (before, stranger) = (bench.lasting().await, id("stranger"));
        for by in [Painter::Client(&stranger), Painter::Operator(&stranger)] {
            let painted = bench.store.paint(by, ADDRESS, &[dot(1)]).await;
            assert!(
                matches!(painted, Err(PaintError::Full)),
                "{policy}: {painted:?}"
            );
        }
        assert!(bench.store.add_client(&stranger).await.is_err());
        assert!(bench.store.ping(&stranger, None).await.is_err());
        assert!(bench.store.ping(&id("viewer"), None).await.is_err());
        assert!(bench.lasting().await == before, "{policy}");
        // What is there can be seen, and who leaves can leave.
        let stats = bench.store.stats().await.unwrap();
        assert_eq!(bench.store.read_canvas().await.unwrap().at, stats.newest);
        assert!(bench.store.remove_client(&id("viewer")).await.unwrap());
    }
}

/// A save is what makes room, so it must get by without any: from its lease to its end.
#[tokio::test]
async fn a_save_of_a_full_cache_makes_room_for_paints() {
    for policy in POLICIES {
        let (bench, changes) = Bench::full(policy).await;
        let store = &bench.store;
        store.remove_client(&id("viewer")).await.unwrap();
        bench.redis.expire_leases("test", 1).unwrap();
        let (token, name) = (Token::random(), Token::random());
        let lease = store.take_save(&token, TTL).await.unwrap();
        let SaveLease::Taken { saved, found } = lease else {
            panic!("another save runs");
        };
        assert_eq!(saved, bench.first);
        assert!(found.epoch.is_some());
        let other = store.take_save(&Token::random(), TTL).await.unwrap();
        assert_eq!(other, SaveLease::Held, "{policy}: the lease is dropped");
        let to = store.newest().await.unwrap();
        let history = store.read_after(saved, 100_000).await.unwrap();
        assert_eq!(history.len() as u64 * u64::from(PIXELS), changes);
        assert!(store.renew_save(&token, TTL).await.unwrap(), "{policy}");
        assert_eq!(store.note_doubt(&name, &[(1, 0), (2, 0)]).await.unwrap(), 1);
        assert_eq!(store.doubts().await.unwrap()[0].places, [(1, 0), (2, 0)]);
        assert!(
            store.settle_doubt(&token, &name, &[]).await.unwrap(),
            "{policy}"
        );
        tokio::time::sleep(Duration::from_millis(5)).await;
        let marked = store.mark_saved_and_trim(&token, saved, to, changes);
        let marked = marked.await.unwrap();
        let trimmed = history.len() as u64;
        assert_eq!(
            marked,
            MarkSaved::Moved {
                trimmed,
                unsaved: 0
            },
            "{policy}"
        );
        let summary = SaveSummary {
            ended_ms: 0,
            changes,
            pixels: u64::from(PIXELS),
            from: saved,
            to,
            elapsed_ms: 1,
        };
        assert!(
            store.finish_save(&token, &summary).await.unwrap(),
            "{policy}"
        );
        assert_eq!(store.lagging_shards().await.unwrap(), []);
        bench.paint("a", 1).await;
        store.add_client(&id("late")).await.unwrap();
        store.ping(&id("late"), None).await.unwrap();
    }
}

/// What is to be sent is not trimmed, so a loop that cannot keep its shard would keep the cache full.
#[tokio::test]
async fn a_loop_keeps_its_shard_of_a_full_cache_and_gives_it_back() {
    for policy in POLICIES {
        let (bench, changes) = Bench::full(policy).await;
        let (store, shard) = (&bench.store, Shard(0));
        bench.redis.expire_leases("test", 1).unwrap();
        assert_eq!(store.lagging_shards().await.unwrap(), [shard]);
        let runs = Token::random();
        let taken = store.take_shard(shard, &runs, TTL).await.unwrap();
        assert_eq!(
            taken,
            Taken::Taken {
                cursor: bench.first
            }
        );
        let mut cursor = bench.first;
        for _ in 0..3 {
            let polled = store.poll_shard(shard, &runs, TTL, cursor, 1000).await;
            let Polled::Alive { news, .. } = polled.unwrap() else {
                panic!("{policy}: the lease is lost");
            };
            cursor = news.entries.last().map_or(cursor, |entry| entry.at);
        }
        assert_eq!(cursor, store.newest().await.unwrap());
        let asleep = store.fall_asleep(shard, &runs).await.unwrap();
        assert_eq!(asleep, Asleep::Asleep, "{policy}");
        tokio::time::sleep(Duration::from_millis(5)).await;
        bench.save(changes).await;
        bench.paint("a", 1).await;
    }
}

/// A cache that is full drops what expires, whatever it is.
#[tokio::test]
async fn nothing_expires_that_must_not_be_lost() {
    let bench = Bench::with(|config| {
        config.cooldown_ms = 1;
        config.max_messages_per_second_per_source = 100;
    })
    .await;
    let store = &bench.store;
    store.add_client(&id("viewer")).await.unwrap();
    let painted = store
        .paint(Painter::Client(&id("viewer")), ADDRESS, &[dot(1)])
        .await;
    assert_eq!(painted.unwrap().wake, [Shard(0)]);
    store.ping(&id("viewer"), None).await.unwrap();
    let token = Token::random();
    store.take_save(&token, TTL).await.unwrap();
    store.note_doubt(&token, &[(1, 1)]).await.unwrap();
    let mut expiring = Vec::new();
    for key in bench.command::<Vec<String>>(&["KEYS", "*"]).await {
        if bench.command::<i64>(&["PTTL", &key]).await >= 0 {
            expiring.push(key.trim_end_matches(['0', '1']).to_owned());
        }
    }
    assert_eq!(expiring, ["{place:test}:done:"]);
}

/// A canvas in a full cache may be opened again: after a failover, or in another size.
#[tokio::test]
async fn a_full_cache_can_be_closed_and_opened() {
    let (bench, _) = Bench::full("noeviction").await;
    let token = Token::random();
    bench.store.take_save(&token, TTL).await.unwrap();
    let before = bench.store.read_canvas().await.unwrap();
    let geometry = bench.store.geometry();
    assert!(bench.store.close_canvas(&token, geometry).await.unwrap());
    let mut opening = Opening {
        background: Rgb::WHITE,
        salt: "salt".into(),
        after: Position::ZERO,
        source: Source::Kept,
    };
    for (source, picture) in [
        (Source::Kept, None),
        (Source::Replaced, Some(&before.picture)),
    ] {
        opening.source = source;
        let opened = bench.store.open_canvas(&token, &opening, picture).await;
        assert!(opened.unwrap().is_some(), "{source:?}");
        let canvas = bench.store.read_canvas().await.unwrap();
        assert_eq!(canvas.picture, before.picture);
        assert_ne!(canvas.epoch, before.epoch);
    }
}
