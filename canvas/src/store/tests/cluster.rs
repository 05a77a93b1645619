//! The cluster protocol, as ElastiCache serverless speaks it.

use super::super::{Admission, MarkSaved, Polled, SaveLease, SaveSummary, Taken};
use super::*;

async fn cluster() -> (TestRedis, Store) {
    let redis = TestRedis::start_cluster().unwrap();
    let mut config = StoreConfig::new("test", Geometry::new(64, 32).unwrap());
    config.shards = 3;
    config.cluster = true;
    config.cooldown_ms = 1;
    config.max_messages_per_second_per_source = 100;
    let store = Store::connect(&redis.url(), config).await.unwrap();
    (redis, store)
}

#[tokio::test]
async fn everything_works_on_a_cluster() {
    let (_redis, store) = cluster().await;
    let client = id("viewer");
    let shard = store.shard_of(&client);
    let admitted = store.add_client(&client).await.unwrap();
    assert_eq!(admitted, Admission::Admitted { clients: 1 });
    let painted = store
        .paint(&client, ADDRESS, &[dot(1), dot(2)])
        .await
        .unwrap();
    assert_eq!(painted.wake, [shard]);
    assert_eq!(store.client_count().await.unwrap(), 1);
    assert_eq!(
        store.clients_of(shard).await.unwrap(),
        std::slice::from_ref(&client)
    );
    assert!(store.joined(&client).await.unwrap().is_some());

    let token = Token::random();
    let lease = store.take_shard(shard, &token, TTL).await.unwrap();
    assert_eq!(
        lease,
        Taken::Taken {
            cursor: Position::ZERO
        }
    );
    let polled = store
        .poll_shard(shard, &token, TTL, Position::ZERO, 10)
        .await
        .unwrap();
    assert!(matches!(polled, Polled::Alive { news, .. } if news.entries.len() == 1 && !news.gap));
    assert!(store.hand_over(shard, &token).await.unwrap());
    store.advance_cursor(shard, painted.at).await.unwrap();
    assert_eq!(store.cursors().await.unwrap()[&shard], painted.at);
    assert_eq!(store.lagging_shards().await.unwrap(), []);

    let (at, picture) = store.read_canvas().await.unwrap();
    assert_eq!((at, picture.get(2, 0)), (painted.at, Some(RED)));

    let from = Position::ZERO;
    let lease = store.take_save(&token, TTL).await.unwrap();
    assert_eq!(lease, SaveLease::Taken { saved: from });
    let marked = store
        .mark_saved_and_trim(&token, from, at, 2)
        .await
        .unwrap();
    assert_eq!(
        marked,
        MarkSaved::Moved {
            trimmed: 0,
            unsaved: 0
        }
    );
    let summary = SaveSummary {
        ended_ms: 0,
        changes: 2,
        pixels: 2,
        from,
        to: at,
        elapsed_ms: 1,
    };
    assert!(store.finish_save(&token, &summary).await.unwrap());
    let stats = store.stats().await.unwrap();
    assert_eq!((stats.newest, stats.saved, stats.clients), (at, at, 1));
    assert!(store.remove_client(&client).await.unwrap());
}

#[tokio::test]
async fn a_dead_cluster_is_an_error_within_seconds() {
    let (mut redis, store) = cluster().await;
    redis.kill().unwrap();
    let started = std::time::Instant::now();
    assert!(store.paint(&id("a"), ADDRESS, &[dot(1)]).await.is_err());
    let config = store.config().clone();
    assert!(Store::connect(&redis.url(), config).await.is_err());
    assert!(
        started.elapsed() < Duration::from_secs(20),
        "{:?}",
        started.elapsed()
    );
}
