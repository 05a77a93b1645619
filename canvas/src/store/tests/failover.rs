//! A cache that fails over while people paint.

use std::time::Instant;

use tokio::time::sleep;

use super::super::{SaveLease, Taken};
use super::crowd::{Crowd, lost, painted_again, refused, store};
use super::*;
use crate::testing::TestPair;

/// How long people paint before and after.
const WHILE: Duration = Duration::from_millis(500);
/// How long the name still stands for the old primary.
const DNS: Duration = Duration::from_secs(1);
/// How soon after the promotion people paint again.
const AGAIN: Duration = Duration::from_secs(2);

/// A pair with an open canvas.
async fn pair(cluster: bool) -> (TestPair, Store) {
    let pair = if cluster {
        TestPair::start_cluster().unwrap()
    } else {
        TestPair::start().unwrap()
    };
    let store = store(&pair.name.url(), cluster).await;
    store.open_blank().await.unwrap();
    pair.replicate().unwrap();
    (pair, store)
}

async fn prepared(cluster: bool) {
    let (mut pair, store) = pair(cluster).await;
    let crowd = Crowd::start(&store);
    sleep(WHILE).await;
    pair.fail_over().unwrap();
    // Old connections stay, and new ones reach the old primary too for as long.
    sleep(DNS).await;
    let moved = Instant::now();
    pair.move_name();
    sleep(AGAIN).await;
    let attempts = crowd.stop().await;
    assert!(refused(&attempts).is_empty(), "{:?}", refused(&attempts));
    assert_eq!(lost(&store, &attempts).await.len(), 0);
    assert!(painted_again(&attempts, moved) < AGAIN);
    let longest = attempts.iter().map(|one| one.answered - one.sent).max();
    assert!(longest.unwrap() < DNS + AGAIN, "{longest:?}");
}

#[tokio::test]
async fn a_failover_that_is_prepared_loses_no_paint_and_paints_none_twice() {
    prepared(false).await;
}

#[tokio::test]
async fn a_failover_of_a_cluster_that_is_prepared_loses_no_paint_and_paints_none_twice() {
    prepared(true).await;
}

/// Crashes with `crash`, and asserts that only what the replica lacked is lost.
async fn crashed(cluster: bool, crash: impl FnOnce(&mut TestPair)) {
    let (mut pair, store) = pair(cluster).await;
    let crowd = Crowd::start(&store);
    sleep(WHILE).await;
    let crashed = Instant::now();
    crash(&mut pair);
    sleep(WHILE).await;
    pair.promote().unwrap();
    let promoted = Instant::now();
    pair.move_name();
    sleep(AGAIN + WHILE).await;
    let attempts = crowd.stop().await;
    assert!(refused(&attempts).is_empty(), "{:?}", refused(&attempts));
    for one in lost(&store, &attempts).await {
        assert!(one.sent < crashed, "{:?} was lost", one.pixel);
    }
    let again = painted_again(&attempts, promoted);
    assert!(again < AGAIN, "{again:?}");
}

fn kill(pair: &mut TestPair) {
    pair.primary.kill().unwrap();
}

#[tokio::test]
async fn a_primary_that_crashes_loses_only_what_its_replica_lacked() {
    crashed(false, kill).await;
}

#[tokio::test]
async fn a_node_of_a_cluster_that_crashes_loses_only_what_its_replica_lacked() {
    crashed(true, kill).await;
}

#[tokio::test]
async fn a_primary_that_hangs_is_left() {
    crashed(false, |pair| pair.primary.freeze().unwrap()).await;
}

/// The old primary answers that it takes no writes, and for a while there is no other.
#[tokio::test]
async fn a_primary_that_was_demoted_before_the_other_was_promoted_is_left() {
    crashed(false, |pair| pair.primary.demote().unwrap()).await;
}

#[tokio::test]
async fn leases_go_on_through_a_failover() {
    let (mut pair, store) = pair(false).await;
    let (loops, save) = (Token::random(), Token::random());
    let shard = store.shards().next().unwrap();
    let first = store.newest().await.unwrap();
    let by = id("a");
    let painted = store
        .paint(Painter::Operator(&by), ADDRESS, &[dot(1)])
        .await;
    let at = painted.unwrap().at;
    let taken = store.take_shard(shard, &loops, TTL).await.unwrap();
    assert!(matches!(taken, Taken::Taken { .. }));
    let taken = store.take_save(&save, TTL).await.unwrap();
    assert!(matches!(taken, SaveLease::Taken { .. }));

    pair.fail_over().unwrap();
    let moving = async {
        sleep(WHILE).await;
        pair.move_name();
    };
    let polling = store.poll_shard(shard, &loops, TTL, at, 10);
    let renewing = store.renew_save(&save, TTL);
    let marking = store.mark_saved_and_trim(&save, first, at, 1);
    let ((), polled, renewed, marked) = tokio::join!(moving, polling, renewing, marking);
    assert!(matches!(
        polled.unwrap(),
        super::super::Polled::Alive { .. }
    ));
    assert!(renewed.unwrap());
    assert!(matches!(
        marked.unwrap(),
        super::super::MarkSaved::Moved { unsaved: 0, .. }
    ));
    assert_eq!(store.saved().await.unwrap(), at);
}

/// What the new primary lacks was perhaps accepted and sent, so the next save opens the canvas anew;
/// but in a cluster nodes change for other reasons.
#[tokio::test]
async fn a_failover_is_noticed_by_the_next_save() {
    for cluster in [false, true] {
        let (mut pair, store) = pair(cluster).await;
        let token = Token::random();
        let has_moved = async || match store.take_save(&token, TTL).await.unwrap() {
            SaveLease::Taken { found, .. } => found.has_moved,
            SaveLease::Held => panic!("the lease is this save's own"),
        };
        assert!(!has_moved().await);
        pair.fail_over().unwrap();
        pair.move_name();
        assert_eq!(has_moved().await, !cluster);
    }
}

#[tokio::test]
async fn a_cache_that_stays_demoted_is_an_error_within_seconds_and_then_at_once() {
    let (pair, store) = pair(false).await;
    pair.primary.demote().unwrap();
    let paint = async || {
        let started = Instant::now();
        let by = id("a");
        let outcome = store
            .paint(Painter::Operator(&by), ADDRESS, &[dot(1)])
            .await;
        (outcome.unwrap_err().to_string(), started.elapsed())
    };
    let (_, first) = paint().await;
    assert!(first > Duration::from_secs(5), "{first:?} is no patience");
    assert!(first < Duration::from_secs(9), "{first:?}");
    let (_, second) = paint().await;
    assert!(second < Duration::from_secs(2), "{second:?}");
}
