//! A cache whose memory is full.

use super::super::{MarkSaved, PaintError, SaveSummary};
use super::*;

/// What ElastiCache's nodes do unless told otherwise, and what the stack asks for.
const POLICIES: [&str; 2] = ["volatile-lru", "noeviction"];
/// What the cache may still take in.
const ROOM: u64 = 400_000;

impl Bench {
    async fn used_memory(&self) -> u64 {
        let info: String = self.command(&["INFO", "memory"]).await;
        let line = info
            .lines()
            .find_map(|line| line.strip_prefix("used_memory:"));
        line.unwrap().parse().unwrap()
    }

    /// A bench whose history has filled the cache; how many changes are not saved.
    async fn full(policy: &str) -> (Self, u64) {
        let bench = Self::with(|config| {
            config.cooldown_ms = 1;
            config.max_messages_per_second_per_source = 100_000;
        })
        .await;
        bench.store.add_client(&id("viewer")).await.unwrap();
        let most = (bench.used_memory().await + ROOM).to_string();
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
            let painter = id(&format!("painter-{changes}"));
            let pixels: Vec<_> = (0..64).map(dot).collect();
            let painted = bench
                .store
                .paint(Painter::Operator(&painter), ADDRESS, &pixels)
                .await;
            match painted {
                Ok(_) => changes += 64,
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
        assert_eq!(history.len() as u64 * 64, changes);
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
            pixels: 64,
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

/// A canvas in a full cache may be opened again: after a failover, or in another size.
#[tokio::test]
async fn a_full_cache_can_be_closed_and_opened() {
    use super::super::{Opening, Source};
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
        (Source::Resized, Some(&before.picture)),
    ] {
        opening.source = source;
        let opened = bench.store.open_canvas(&token, &opening, picture).await;
        assert!(opened.unwrap().is_some(), "{source:?}");
        let canvas = bench.store.read_canvas().await.unwrap();
        assert_eq!(canvas.picture, before.picture);
        assert_ne!(canvas.epoch, before.epoch);
    }
}
