use super::super::{MarkSaved, SaveSummary, ShardState};
use super::*;
use crate::connection::Shard;

impl Bench {
    /// The positions of what was painted.
    async fn history(&self) -> Vec<Position> {
        let entries = self.painted().await;
        entries.into_iter().map(|entry| entry.at).collect()
    }

    async fn unsaved(&self) -> u64 {
        self.store.stats().await.unwrap().unsaved_changes
    }
}

#[tokio::test]
async fn one_save_at_a_time() {
    let bench = Bench::new().await;
    let (first, second) = (Token::random(), Token::random());
    let taken = bench.store.take_save(&first, TTL).await.unwrap();
    assert!(matches!(taken, SaveLease::Taken { saved, .. } if saved == bench.first));
    assert_eq!(
        bench.store.take_save(&second, TTL).await.unwrap(),
        SaveLease::Held
    );
    assert!(bench.store.renew_save(&first, TTL).await.unwrap());
    assert!(!bench.store.renew_save(&second, TTL).await.unwrap());
    let at = bench.paint("a", 1).await;
    let lost = bench
        .store
        .mark_saved_and_trim(&second, bench.first, at, 1)
        .await
        .unwrap();
    assert_eq!(lost, MarkSaved::Lost);
    assert_eq!(bench.unsaved().await, 1);
}

#[tokio::test]
async fn a_save_that_died_leaves_its_lease_to_the_next() {
    let bench = Bench::new().await;
    let at = bench.paint("a", 1).await;
    let (dead, next) = (Token::random(), Token::random());
    let short = Duration::from_millis(100);
    bench.store.take_save(&dead, short).await.unwrap();
    assert_eq!(
        bench.store.take_save(&next, TTL).await.unwrap(),
        SaveLease::Held
    );
    // Renewed in time it lasts longer.
    assert!(bench.store.renew_save(&dead, short * 2).await.unwrap());
    assert!(bench.lease_left("saving").await > 100);
    tokio::time::sleep(short * 3).await;
    assert!(!bench.store.renew_save(&dead, TTL).await.unwrap());
    let marked = bench
        .store
        .mark_saved_and_trim(&dead, bench.first, at, 1)
        .await;
    assert_eq!(marked.unwrap(), MarkSaved::Lost);
    let taken = bench.store.take_save(&next, TTL).await.unwrap();
    assert!(matches!(taken, SaveLease::Taken { saved, .. } if saved == bench.first));
}

#[tokio::test]
async fn what_is_saved_is_trimmed_and_counted_once() {
    let bench = Bench::new().await;
    let mut at = Vec::new();
    for n in 0..5 {
        at.push(bench.paint("a", n).await);
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    bench
        .store
        .paint(Painter::Operator(&id("a")), ADDRESS, &[dot(1), dot(2)])
        .await
        .unwrap();
    assert_eq!(bench.unsaved().await, 7);

    let token = Token::random();
    bench.store.take_save(&token, TTL).await.unwrap();
    for _ in 0..2 {
        // The second time is what a broken connection makes of the first.
        let marked = bench
            .store
            .mark_saved_and_trim(&token, bench.first, at[2], 3)
            .await;
        assert!(matches!(
            marked.unwrap(),
            MarkSaved::Moved { unsaved: 4, .. }
        ));
    }
    assert_eq!(bench.store.saved().await.unwrap(), at[2]);
    assert_eq!(bench.history().await.first(), Some(&at[2]));
    assert_eq!(bench.history().await.len(), 4);

    // From another place than where `saved` is, nothing moves.
    let stale = bench
        .store
        .mark_saved_and_trim(&token, at[0], at[4], 4)
        .await
        .unwrap();
    assert_eq!(stale, MarkSaved::Lost);
    let back = bench
        .store
        .mark_saved_and_trim(&token, at[2], at[1], 1)
        .await
        .unwrap();
    assert_eq!(back, MarkSaved::Lost);
    assert_eq!(bench.unsaved().await, 4);
}

#[tokio::test]
async fn a_position_past_history_is_never_saved() {
    let bench = Bench::new().await;
    let at = bench.paint("a", 1).await;
    let token = Token::random();
    bench.store.take_save(&token, TTL).await.unwrap();
    let past = bench
        .store
        .mark_saved_and_trim(&token, bench.first, at.next(), 1)
        .await;
    assert!(past.is_err());
    assert_eq!(bench.store.saved().await.unwrap(), bench.first);
}

#[tokio::test]
async fn a_shard_that_lags_keeps_its_history() {
    let bench = Bench::with(|config| config.shards = 2).await;
    let first = bench.paint("a", 0).await;
    bench.store.add_client(&id("viewer")).await.unwrap();
    let shard = bench.store.shard_of(&id("viewer"));
    let mut at = vec![first];
    for n in 1..4 {
        tokio::time::sleep(Duration::from_millis(2)).await;
        at.push(bench.paint("a", n).await);
    }
    bench.save(4).await;
    assert_eq!(bench.history().await, at);

    bench.store.advance_cursor(shard, at[2]).await.unwrap();
    tokio::time::sleep(Duration::from_millis(2)).await;
    let last = bench.paint("a", 5).await;
    bench.save(1).await;
    assert_eq!(bench.history().await, [at[2], at[3], last]);

    // Without clients or a loop nobody needs it.
    bench.store.remove_client(&id("viewer")).await.unwrap();
    bench
        .command::<()>(&["DEL", &format!("{{place:test}}:awake:{shard}")])
        .await;
    tokio::time::sleep(Duration::from_millis(2)).await;
    let newest = bench.paint("a", 6).await;
    bench.save(1).await;
    assert_eq!(bench.history().await, [newest]);
    assert_eq!(bench.store.newest().await.unwrap(), newest);
}

#[tokio::test]
async fn a_shard_that_lags_for_long_keeps_no_history() {
    let bench = Bench::with(|config| config.patience = Duration::from_millis(200)).await;
    bench.store.add_client(&id("viewer")).await.unwrap();
    let first = [bench.paint("a", 1).await, bench.paint("a", 2).await];
    bench.save(2).await;
    assert_eq!(bench.history().await, first, "nobody has sent it yet");
    tokio::time::sleep(Duration::from_millis(300)).await;
    let newest = bench.paint("a", 3).await;
    bench.save(1).await;
    assert_eq!(bench.history().await, [first[1], newest]);
}

#[tokio::test]
async fn young_history_stays_for_newcomers() {
    let bench = Bench::with(|config| config.retain = Duration::from_mins(1)).await;
    let at = [bench.paint("a", 1).await, bench.paint("a", 2).await];
    bench.save(2).await;
    assert_eq!(bench.history().await, at);
    assert_eq!(bench.unsaved().await, 0);
    let long = bench.another(|config| config.retain = Duration::MAX).await;
    let token = Token::random();
    long.take_save(&token, TTL).await.unwrap();
    let marked = long
        .mark_saved_and_trim(&token, at[1], at[1], 0)
        .await
        .unwrap();
    assert_eq!(
        marked,
        MarkSaved::Moved {
            trimmed: 0,
            unsaved: 0
        }
    );
}

#[tokio::test]
async fn the_figures_are_those_of_the_moment() {
    let bench = Bench::with(|config| config.shards = 2).await;
    let empty = bench.store.stats().await.unwrap();
    assert_eq!((empty.newest, empty.oldest_unsaved_ms), (bench.first, None));
    assert_eq!((empty.clients, empty.history_entries), (0, 1));
    assert_eq!(empty.last_save, None);

    bench.store.add_client(&id("viewer")).await.unwrap();
    let shard = bench.store.shard_of(&id("viewer"));
    bench
        .store
        .paint(Painter::Operator(&id("viewer")), ADDRESS, &[dot(1), dot(2)])
        .await
        .unwrap();
    tokio::time::sleep(Duration::from_millis(30)).await;
    let at = bench.paint("viewer", 3).await;
    let stats = bench.store.stats().await.unwrap();
    assert_eq!(
        (stats.newest, stats.saved, stats.unsaved_changes),
        (at, bench.first, 3)
    );
    assert!(
        stats
            .oldest_unsaved_ms
            .is_some_and(|age| (25..5000).contains(&age))
    );
    assert_eq!((stats.clients, stats.history_entries), (1, 3));
    let called = &stats.shards[usize::from(shard.0)];
    assert_eq!((called.clients, called.state), (1, ShardState::Called));
    assert_eq!(called.cursor, Some(bench.first));
    let other = &stats.shards[1 - usize::from(shard.0)];
    assert_eq!(
        (other.shard, other.state),
        (Shard(1 - shard.0), ShardState::Asleep)
    );
    assert_eq!(other.cursor, Some(bench.first.previous()));

    bench
        .store
        .take_shard(shard, &Token::random(), TTL)
        .await
        .unwrap();
    let stats = bench.store.stats().await.unwrap();
    assert_eq!(
        stats.shards[usize::from(shard.0)].state,
        ShardState::Running
    );
}

#[tokio::test]
async fn the_last_save_is_remembered() {
    let bench = Bench::new().await;
    let to = bench.paint("a", 1).await;
    let token = Token::random();
    bench.store.take_save(&token, TTL).await.unwrap();
    let from = bench.first;
    bench
        .store
        .mark_saved_and_trim(&token, from, to, 1)
        .await
        .unwrap();
    let summary = SaveSummary {
        ended_ms: 0,
        changes: 1,
        pixels: 1,
        from,
        to,
        elapsed_ms: 12,
    };
    assert!(bench.store.finish_save(&token, &summary).await.unwrap());
    assert!(!bench.store.finish_save(&token, &summary).await.unwrap());
    let last = bench.store.stats().await.unwrap().last_save.unwrap();
    assert!(last.ended_ms >= to.ms);
    assert_eq!(
        SaveSummary {
            ended_ms: 0,
            ..last
        },
        summary
    );
    let lease = bench.store.take_save(&Token::random(), TTL).await.unwrap();
    assert!(matches!(lease, SaveLease::Taken { saved, .. } if saved == to));
}

#[tokio::test]
async fn doubts_are_kept_until_whoever_saves_settles_them() {
    let bench = Bench::new().await;
    let (first, second) = (Token::random(), Token::random());
    assert_eq!(bench.store.doubts().await.unwrap(), []);
    // Bytes of every kind: a line's end and a colon too.
    let places = [(0, 0), (2570, 14906), (u16::MAX, 1)];
    bench.store.note_doubt(&first, &places).await.unwrap();
    bench.store.note_doubt(&second, &[(1, 2)]).await.unwrap();
    tokio::time::sleep(Duration::from_millis(20)).await;
    let doubts = bench.store.doubts().await.unwrap();
    assert_eq!(doubts.len(), 2);
    let noted = doubts.iter().find(|doubt| doubt.name == first).unwrap();
    assert_eq!(noted.places, places);
    assert!((15..5000).contains(&noted.age.as_millis()), "{noted:?}");
    let settle = async |token: &Token, name: &Token, left: &[(u16, u16)]| {
        let settled = bench.store.settle_doubt(token, name, left).await;
        settled.unwrap()
    };
    let (saver, other) = (Token::random(), Token::random());
    assert!(!settle(&saver, &first, &[]).await, "nobody has the lease");
    bench.store.take_save(&saver, TTL).await.unwrap();
    assert!(
        !settle(&other, &first, &[]).await,
        "somebody else has the lease"
    );
    assert_eq!(bench.store.doubts().await.unwrap().len(), 2);
    assert!(settle(&saver, &second, &places[1..]).await);
    assert!(settle(&saver, &first, &[]).await);
    let doubts = bench.store.doubts().await.unwrap();
    assert_eq!(doubts.len(), 1);
    assert_eq!(doubts[0].places, places[1..]);
}
