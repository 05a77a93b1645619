use std::collections::BTreeMap;

use super::super::{Found, MarkSaved, Opening, PaintError, Polled, Source, Taken};
use super::*;
use crate::picture::Picture;

/// A server of its own whose canvas nobody has opened yet.
async fn closed() -> Bench {
    Bench::closed(TestRedis::start().unwrap(), |_| {}).await
}

fn opening(source: Source) -> Opening {
    Opening {
        background: Rgb::WHITE,
        salt: "salt".into(),
        after: Position::ZERO,
        source,
    }
}

/// A white canvas with dots in the first row.
fn dotted(geometry: Geometry, dots: &[u16]) -> Picture {
    let mut picture = Picture::new(geometry, Rgb::WHITE);
    for x in dots {
        picture.set(dot(*x));
    }
    picture
}

impl Bench {
    /// Takes the save's lease.
    async fn lease(&self, token: &Token) -> Found {
        match self.store.take_save(token, TTL).await.unwrap() {
            SaveLease::Taken { found, .. } => found,
            SaveLease::Held => panic!("another save runs"),
        }
    }

    /// Opens the canvas with a lease of its own.
    async fn open(&self, opening: &Opening, picture: Option<&Picture>) -> Position {
        let token = Token::random();
        self.lease(&token).await;
        let at = self.store.open_canvas(&token, opening, picture).await;
        self.drop_lease().await;
        at.unwrap().unwrap()
    }

    async fn drop_lease(&self) {
        self.command::<u64>(&["DEL", "{place:test}:saving"]).await;
    }

    /// Everything that the cache holds but for the save's lease.
    async fn everything(&self) -> BTreeMap<String, Vec<u8>> {
        let mut all = BTreeMap::new();
        for key in self.command::<Vec<String>>(&["KEYS", "*"]).await {
            let dump = self.command(&["DUMP", &key]).await;
            all.insert(key, dump);
        }
        all.remove("{place:test}:saving");
        all
    }

    async fn assert_closed(&self) {
        let before = self.everything().await;
        for by in [Painter::Client(&id("a")), Painter::Operator(&id("a"))] {
            let painted = self.store.paint(by, ADDRESS, &[dot(1)]).await;
            assert!(matches!(
                painted,
                Err(PaintError::Store(StoreError::Closed))
            ));
        }
        let pong = self.store.ping(&id("a"), Some(self.first)).await;
        assert!(matches!(pong, Err(StoreError::Closed)), "{pong:?}");
        let read = self.store.read_canvas().await;
        assert!(matches!(read, Err(StoreError::Closed)));
        assert_eq!(self.everything().await, before);
    }
}

#[tokio::test]
async fn a_canvas_that_nobody_opened_takes_nothing_in() {
    let bench = closed().await;
    bench.assert_closed().await;
    assert_eq!(bench.lease(&Token::random()).await, Found::default());
    assert!(bench.everything().await.is_empty());
}

#[tokio::test]
async fn a_cache_that_lost_anything_of_the_canvas_is_closed_again() {
    let geometry = Geometry::new(64, 32).unwrap();
    for lost in [
        &["FLUSHALL"][..],
        &["DEL", "{place:test}:canvas"],
        &["DEL", "{place:test}:history"],
        &["DEL", "{place:test}:meta"],
    ] {
        let bench = Bench::new().await;
        bench.paint("a", 1).await;
        bench.command::<redis::Value>(lost).await;
        bench.assert_closed().await;
        let found = bench.lease(&Token::random()).await;
        let kept = lost[lost.len() - 1]
            .ends_with("history")
            .then_some(geometry);
        assert_eq!((found.epoch, found.geometry), (None, kept), "{lost:?}");
        bench.drop_lease().await;
        let picture = dotted(geometry, &[2]);
        let first = bench.open(&opening(Source::Saved), Some(&picture)).await;
        let canvas = bench.store.read_canvas().await.unwrap();
        assert_eq!((canvas.at, canvas.picture), (first, picture), "{lost:?}");
    }
}

#[tokio::test]
async fn a_canvas_opened_from_a_picture_shows_it_and_all_of_it_is_saved() {
    let bench = closed().await;
    let picture = dotted(bench.store.geometry(), &[3, 9]);
    let first = bench.open(&opening(Source::Saved), Some(&picture)).await;
    let canvas = bench.store.read_canvas().await.unwrap();
    assert_eq!((canvas.at, &canvas.picture), (first, &picture));
    assert_eq!(bench.store.saved().await.unwrap(), first);
    let stats = bench.store.stats().await.unwrap();
    assert_eq!((stats.newest, stats.unsaved_changes), (first, 0));
    assert_eq!((stats.history_entries, stats.oldest_unsaved_ms), (1, None));
    assert!(bench.painted().await.is_empty());

    let found = bench.lease(&Token::random()).await;
    let expected = Found {
        epoch: Some(canvas.epoch),
        geometry: Some(bench.store.geometry()),
        background: Some(Rgb::WHITE),
        salt: Some("salt".into()),
        to: None,
        has_moved: false,
    };
    assert_eq!(found, expected);
    assert!(bench.paint("a", 1).await > first);
}

/// A picture of some megabytes goes to the cache in parts.
#[tokio::test]
async fn a_large_picture_arrives_whole() {
    let geometry = Geometry::new(1100, 1000).unwrap();
    let redis = TestRedis::start().unwrap();
    let bench = Bench::closed(redis, |config| config.geometry = geometry).await;
    let mut picture = Picture::new(geometry, Rgb::WHITE);
    for y in 0..1000 {
        picture.set(Pixel::new(y, y, Rgb::new(1, 2, 3)));
    }
    bench.open(&opening(Source::Saved), Some(&picture)).await;
    assert!(bench.store.read_canvas().await.unwrap().picture == picture);
}

#[tokio::test]
async fn history_begins_after_everything_that_was_saved_even_if_the_clock_is_behind() {
    let bench = closed().await;
    let now = bench.now().await;
    let after = Position::new(now + 3_600_000, 5);
    let ahead = Opening {
        after,
        ..opening(Source::Saved)
    };
    let blank = dotted(bench.store.geometry(), &[]);
    let first = bench.open(&ahead, Some(&blank)).await;
    assert!(first > after, "{first}");
    let painted = bench.paint("a", 1).await;
    assert!(painted > first, "{painted}");
    // What is in the cache counts as what is saved does.
    let kept = bench.open(&opening(Source::Kept), None).await;
    assert!(kept > painted, "{kept}");
    let again = bench.open(&opening(Source::Saved), Some(&blank)).await;
    assert!(again > kept, "{again}");
    // With the clock ahead history begins at its time.
    let bench = closed().await;
    let recent = Opening {
        after: Position::new(now, u64::MAX),
        ..opening(Source::Saved)
    };
    let first = bench.open(&recent, Some(&blank)).await;
    assert!((now + 1..now + 60_000).contains(&first.ms), "{first}");
}

#[tokio::test]
async fn without_the_lease_nothing_is_opened_or_closed() {
    let bench = Bench::new().await;
    bench.paint("a", 1).await;
    let before = bench.everything().await;
    let (geometry, stranger) = (bench.store.geometry(), Token::random());
    let picture = dotted(geometry, &[5]);
    let refuses = async || {
        for (source, picture) in [
            (Source::Saved, Some(&picture)),
            (Source::Replaced, Some(&picture)),
            (Source::Replaced, None),
            (Source::Kept, None),
        ] {
            let opening = opening(source);
            let opened = bench.store.open_canvas(&stranger, &opening, picture);
            assert_eq!(opened.await.unwrap(), None, "{source:?}");
        }
        assert!(!bench.store.close_canvas(&stranger, geometry).await.unwrap());
        assert_eq!(bench.everything().await, before);
    };
    // Neither when nobody saves nor when somebody else does.
    refuses().await;
    bench.lease(&Token::random()).await;
    refuses().await;
}

#[tokio::test]
async fn killed_between_writing_and_opening_it_stays_closed() {
    let bench = closed().await;
    // What the dead one wrote is of another canvas, and longer.
    let large = bench
        .another(|config| config.geometry = Geometry::new(200, 100).unwrap())
        .await;
    let (killed, next) = (Token::random(), Token::random());
    bench.lease(&killed).await;
    let picture = dotted(large.geometry(), &[150]);
    assert!(large.prepare(&killed, &picture).await.unwrap());
    bench.assert_closed().await;
    bench.drop_lease().await;
    let opening = opening(Source::Saved);
    let late = large.open_canvas(&killed, &opening, None).await.unwrap();
    assert_eq!(late, None, "the lease is lost");
    let found = bench.lease(&next).await;
    assert_eq!((found.epoch, found.geometry), (None, None));
    let late = large.prepare(&killed, &picture).await.unwrap();
    assert!(!late, "the lease is somebody else's");
    bench.assert_closed().await;

    let picture = dotted(bench.store.geometry(), &[1]);
    let opened = bench
        .store
        .open_canvas(&next, &opening, Some(&picture))
        .await;
    let canvas = bench.store.read_canvas().await.unwrap();
    assert_eq!(Some(canvas.at), opened.unwrap());
    assert_eq!(canvas.picture, picture);
    assert!(!bench.everything().await.contains_key("{place:test}:next"));
}

/// What is left of a picture that was never put in place takes memory for nothing.
#[tokio::test]
async fn an_opening_that_keeps_the_canvas_clears_what_a_dead_one_wrote() {
    let bench = Bench::new().await;
    let token = Token::random();
    bench.lease(&token).await;
    let picture = dotted(bench.store.geometry(), &[1]);
    assert!(bench.store.prepare(&token, &picture).await.unwrap());
    let opening = opening(Source::Kept);
    let kept = bench.store.open_canvas(&token, &opening, None).await;
    kept.unwrap().unwrap();
    let canvas = bench.store.read_canvas().await.unwrap();
    assert_eq!(canvas.picture.get(1, 0), Some(Rgb::WHITE));
    assert!(!bench.everything().await.contains_key("{place:test}:next"));
}

#[tokio::test]
async fn a_picture_of_another_size_than_the_canvas_is_to_have_opens_nothing() {
    let bench = Bench::new().await;
    let before = bench.store.read_canvas().await.unwrap();
    let token = Token::random();
    bench.lease(&token).await;
    let small = dotted(Geometry::new(10, 10).unwrap(), &[1]);
    let opening = opening(Source::Replaced);
    let opened = bench.store.open_canvas(&token, &opening, Some(&small));
    assert!(matches!(opened.await, Err(StoreError::Answer { .. })));
    assert_eq!(bench.store.read_canvas().await.unwrap(), before);
}

/// What a broken connection makes of a script: it ran, and runs again.
#[tokio::test]
async fn an_opening_whose_answer_was_lost_is_answered_again() {
    for source in [Source::Saved, Source::Replaced, Source::Kept] {
        let bench = Bench::new().await;
        let token = Token::random();
        bench.lease(&token).await;
        let picture = dotted(bench.store.geometry(), &[4]);
        if source != Source::Kept {
            assert!(bench.store.prepare(&token, &picture).await.unwrap());
        }
        let call = bench.store.open_call(&token, "the epoch", &opening(source));
        let first: String = bench.store.run_once(&call).await.unwrap();
        let before = bench.everything().await;
        assert_eq!(bench.store.run_once::<String>(&call).await.unwrap(), first);
        assert_eq!(bench.everything().await, before, "{source:?}");
        let canvas = bench.store.read_canvas().await.unwrap();
        assert_eq!(
            (canvas.at.to_string(), canvas.epoch),
            (first, "the epoch".into())
        );
    }
}

#[tokio::test]
async fn a_resized_canvas_keeps_its_history_and_what_is_to_be_saved() {
    let bench = Bench::new().await;
    bench.paint("a", 1).await;
    bench.save(1).await;
    bench.paint("a", 2).await;
    bench.paint("a", 3).await;
    let before = bench.store.stats().await.unwrap();
    let (old, epoch) = (
        bench.painted().await,
        bench.store.read_canvas().await.unwrap().epoch,
    );
    let small = bench.store.geometry();
    let large = bench
        .another(|config| config.geometry = Geometry::new(100, 50).unwrap())
        .await;

    let token = Token::random();
    bench.lease(&token).await;
    assert!(
        bench
            .store
            .close_canvas(&token, large.geometry())
            .await
            .unwrap()
    );
    bench.assert_closed().await;
    let found = bench.lease(&token).await;
    assert_eq!((found.epoch, found.geometry), (None, Some(small)));
    assert_eq!(found.to, Some(large.geometry().to_string()));
    let pixels = bench.store.read_pixels(small).await.unwrap();
    assert_eq!(pixels, dotted(small, &[1, 2, 3]));

    let picture = dotted(large.geometry(), &[1, 2, 3, 99]);
    let opened = large
        .open_canvas(&token, &opening(Source::Replaced), Some(&picture))
        .await;
    let opened = opened.unwrap().unwrap();
    let canvas = large.read_canvas().await.unwrap();
    assert_eq!((canvas.at, canvas.picture), (opened, picture));
    assert_ne!(canvas.epoch, epoch);
    assert_eq!(bench.painted().await, old);
    let after = large.stats().await.unwrap();
    assert_eq!((after.saved, after.unsaved_changes), (before.saved, 2));
    let found = bench.lease(&token).await;
    assert_eq!((found.geometry, found.to), (Some(large.geometry()), None));

    // Functions of the version before find out, and the next save goes on where the last ended.
    let client = id("a");
    let painted = bench
        .store
        .paint(Painter::Client(&client), ADDRESS, &[dot(1)])
        .await;
    assert!(matches!(
        painted,
        Err(PaintError::Store(StoreError::Mismatch { .. }))
    ));
    let marked = large.mark_saved_and_trim(&token, before.saved, opened, 2);
    let marked = marked.await.unwrap();
    assert!(
        matches!(marked, MarkSaved::Moved { unsaved: 0, .. }),
        "{marked:?}"
    );
}

#[tokio::test]
async fn a_kept_canvas_stays_as_it_is_under_a_new_epoch() {
    let bench = Bench::new().await;
    bench.paint("a", 1).await;
    bench.save(1).await;
    bench.paint("a", 2).await;
    let before = bench.store.read_canvas().await.unwrap();
    let (old, saved) = (bench.painted().await, bench.store.saved().await.unwrap());
    let opened = bench.open(&opening(Source::Kept), None).await;
    let canvas = bench.store.read_canvas().await.unwrap();
    assert_eq!((canvas.at, canvas.picture), (opened, before.picture));
    assert_ne!(canvas.epoch, before.epoch);
    assert_eq!(bench.painted().await, old);
    let stats = bench.store.stats().await.unwrap();
    assert_eq!((stats.saved, stats.unsaved_changes), (saved, 1));
    bench.save(1).await;
    assert_eq!(bench.store.saved().await.unwrap(), opened);
}

/// A client that holds anything of before the opening must connect anew, also when its shard's loop
/// runs on, or reads on from a cursor of before.
#[tokio::test]
async fn whoever_was_connected_finds_a_gap() {
    for source in [Source::Saved, Source::Replaced, Source::Kept] {
        let bench = Bench::new().await;
        bench.store.add_client(&id("viewer")).await.unwrap();
        let shard = bench.store.shard_of(&id("viewer"));
        let painted = bench.paint("a", 1).await;
        let running = Token::random();
        bench.store.take_shard(shard, &running, TTL).await.unwrap();
        let picture = dotted(bench.store.geometry(), &[7]);
        let picture = (source != Source::Kept).then_some(&picture);
        let first = bench.open(&opening(source), picture).await;

        let cursor = bench.store.cursors().await.unwrap()[&shard];
        assert!(cursor < first && painted < cursor, "{source:?}");
        let later = bench.paint("a", 2).await;
        let gap = async |position| {
            let after = bench.store.follow(position, 10).await.unwrap();
            let poll = bench.store.poll_shard(shard, &running, TTL, position, 10);
            let Polled::Alive { news, .. } = poll.await.unwrap() else {
                panic!("the lease is lost");
            };
            assert_eq!(news, after);
            news.gap
        };
        for position in [Position::ZERO, bench.first, painted, cursor] {
            assert!(gap(position).await, "{source:?} from {position}");
        }
        for position in [first, later] {
            assert!(!gap(position).await, "{source:?} from {position}");
        }
    }
}

#[tokio::test]
async fn the_next_loop_begins_before_the_opening() {
    let bench = Bench::new().await;
    bench.store.add_client(&id("viewer")).await.unwrap();
    let shard = bench.store.shard_of(&id("viewer"));
    bench.paint("a", 1).await;
    let first = bench.open(&opening(Source::Kept), None).await;
    // Nobody has painted since, and still there is something to send.
    bench.redis.expire_leases("test", 1).unwrap();
    assert_eq!(bench.store.lagging_shards().await.unwrap(), [shard]);
    let runs = Token::random();
    let taken = bench.store.take_shard(shard, &runs, TTL).await.unwrap();
    assert_eq!(
        taken,
        Taken::Taken {
            cursor: first.previous()
        }
    );
    let poll = bench
        .store
        .poll_shard(shard, &runs, TTL, first.previous(), 10);
    let Polled::Alive { news, .. } = poll.await.unwrap() else {
        panic!("the lease is lost");
    };
    assert!(news.gap);
    assert_eq!(news.entries.len(), 1);
    assert_eq!(
        (news.entries[0].at, news.entries[0].pixels.len()),
        (first, 0)
    );
}

#[tokio::test]
async fn another_primary_is_noticed_until_the_canvas_is_opened_on_it() {
    let mut bench = Bench::closed(TestRedis::start_durable().unwrap(), |_| {}).await;
    bench.first = bench.store.open_blank().await.unwrap();
    let at = bench.paint("a", 1).await;
    let token = Token::random();
    assert!(!bench.lease(&token).await.has_moved);
    assert!(!bench.lease(&token).await.has_moved, "it is the same");
    bench.redis.restart().unwrap();
    let found = bench.lease(&token).await;
    assert!(found.has_moved && found.epoch.is_some(), "{found:?}");
    assert_eq!(bench.store.read_canvas().await.unwrap().at, at);
    let opening = opening(Source::Kept);
    let kept = bench.store.open_canvas(&token, &opening, None).await;
    assert!(kept.unwrap().unwrap() > at);
    assert!(!bench.lease(&token).await.has_moved);
}

/// In a cluster a key moves to another node whenever the cache is scaled.
#[tokio::test]
async fn another_node_of_a_cluster_is_none_of_the_canvass_business() {
    for (is_cluster, redis) in [
        (false, TestRedis::start().unwrap()),
        (true, TestRedis::start_cluster().unwrap()),
    ] {
        let bench = Bench::closed(redis, |config| config.cluster = is_cluster).await;
        bench.store.open_blank().await.unwrap();
        let token = Token::random();
        assert!(!bench.lease(&token).await.has_moved);
        let known: String = bench
            .command(&["HGET", "{place:test}:meta", "replid"])
            .await;
        assert_eq!(known.len(), 40, "{known}");
        let other = ["HSET", "{place:test}:meta", "replid", "0123456789"];
        bench.command::<u64>(&other).await;
        assert_eq!(bench.lease(&token).await.has_moved, !is_cluster);
    }
}
