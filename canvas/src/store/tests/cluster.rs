//! The cluster protocol, as ElastiCache serverless speaks it.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::io::{AsyncReadExt, AsyncWriteExt, copy};
use tokio::net::{TcpListener, TcpStream};

use super::super::{Admission, MarkSaved, Polled, SaveSummary, Taken};
use super::*;

/// A cluster with an open canvas, whose history begins at the position.
async fn cluster() -> (TestRedis, Store, Position) {
    let redis = TestRedis::start_cluster().unwrap();
    let store = connect(&redis.url()).await;
    let first = store.open_blank().await.unwrap();
    (redis, store, first)
}

async fn connect(url: &str) -> Store {
    let mut config = StoreConfig::new("test", Geometry::new(64, 32).unwrap());
    config.shards = 3;
    config.cluster = true;
    config.cooldown_ms = 1;
    config.max_messages_per_second_per_source = 100;
    Store::connect(url, config).await.unwrap()
}

/// Passes one client on to the server, until it swallows the answer to a script and hangs up.
async fn pass_on(client: TcpStream, port: u16, swallow: Arc<AtomicUsize>) -> std::io::Result<()> {
    let server = TcpStream::connect(("127.0.0.1", port)).await?;
    let (mut from_client, mut to_client) = client.into_split();
    let (mut from_server, mut to_server) = server.into_split();
    let answers = tokio::spawn(async move { copy(&mut from_server, &mut to_client).await });
    let mut buffer = [0; 16 * 1024];
    loop {
        let length = from_client.read(&mut buffer).await?;
        if length == 0 {
            return Ok(());
        }
        let is_script = buffer[..length].windows(7).any(|word| word == b"EVALSHA");
        let take_one = |left: usize| left.checked_sub(1);
        if is_script
            && swallow
                .fetch_update(Ordering::SeqCst, Ordering::SeqCst, take_one)
                .is_ok()
        {
            answers.abort();
            let _ = answers.await;
            to_server.write_all(&buffer[..length]).await?;
            // Long enough for the server to act, because a script that reads a dead socket is none.
            tokio::time::sleep(Duration::from_millis(50)).await;
            return Ok(());
        }
        to_server.write_all(&buffer[..length]).await?;
    }
}

#[tokio::test]
async fn everything_works_on_a_cluster() {
    let (_redis, store, first) = cluster().await;
    let client = id("viewer");
    let shard = store.shard_of(&client);
    let admitted = store.add_client(&client).await.unwrap();
    assert_eq!(admitted, Admission::Admitted { clients: 1 });
    let painted = store
        .paint(Painter::Operator(&client), ADDRESS, &[dot(1), dot(2)])
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
    assert_eq!(lease, Taken::Taken { cursor: first });
    let polled = store
        .poll_shard(shard, &token, TTL, first, 10)
        .await
        .unwrap();
    assert!(matches!(polled, Polled::Alive { news, .. } if news.entries.len() == 1 && !news.gap));
    assert!(store.hand_over(shard, &token).await.unwrap());
    store.advance_cursor(shard, painted.at).await.unwrap();
    assert_eq!(store.cursors().await.unwrap()[&shard], painted.at);
    assert_eq!(store.lagging_shards().await.unwrap(), []);

    let Canvas { at, picture, .. } = store.read_canvas().await.unwrap();
    assert_eq!((at, picture.get(2, 0)), (painted.at, Some(RED)));

    let from = first;
    let lease = store.take_save(&token, TTL).await.unwrap();
    assert!(matches!(lease, SaveLease::Taken { saved, .. } if saved == from));
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
    let (mut redis, store, _) = cluster().await;
    redis.kill().unwrap();
    let started = std::time::Instant::now();
    assert!(
        store
            .paint(Painter::Operator(&id("a")), ADDRESS, &[dot(1)])
            .await
            .is_err()
    );
    let config = store.config().clone();
    assert!(Store::connect(&redis.url(), config).await.is_err());
    assert!(
        started.elapsed() < Duration::from_secs(20),
        "{:?}",
        started.elapsed()
    );
}

/// The cluster's client sends a command again by itself when the connection broke before the answer.
#[tokio::test]
async fn a_cluster_that_hangs_up_after_a_paint_has_painted_it_once() {
    let door = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = door.local_addr().unwrap().port();
    let redis = TestRedis::start_cluster_behind(Some(port)).unwrap();
    let swallow = Arc::new(AtomicUsize::new(0));
    let (server, left) = (redis.port(), Arc::clone(&swallow));
    tokio::spawn(async move {
        while let Ok((client, _)) = door.accept().await {
            tokio::spawn(pass_on(client, server, Arc::clone(&left)));
        }
    });
    let store = connect(&format!("redis://127.0.0.1:{port}")).await;
    let paint = async |number: u16| {
        let client = id(&format!("painter-{number}"));
        store
            .paint(Painter::Operator(&client), ADDRESS, &[dot(number)])
            .await
            .unwrap()
    };
    store.open_blank().await.unwrap();
    paint(0).await;
    for number in 1..=5 {
        swallow.store(1, Ordering::SeqCst);
        paint(number).await;
        assert_eq!(
            swallow.load(Ordering::SeqCst),
            0,
            "the answer to paint {number} was lost"
        );
    }
    let history = store.read_after(Position::ZERO, 100).await.unwrap();
    assert_eq!(history.len(), 1 + 6);
}
