use super::super::PaintError;
use super::*;
use crate::connection::Shard;

#[tokio::test]
async fn a_paint_is_in_the_canvas_and_in_history() {
    let bench = Bench::new().await;
    let pixels = [
        dot(1),
        Pixel::new(63, 31, Rgb::new(1, 2, 3)),
        Pixel::new(1, 0, Rgb::WHITE),
    ];
    let painted = bench
        .store
        .paint(Painter::Operator(&id("a")), ADDRESS, &pixels)
        .await
        .unwrap();
    assert_eq!(painted.wake, []);

    let entries = bench.painted().await;
    assert_eq!(entries.len(), 1);
    assert_eq!(
        (entries[0].at, &entries[0].pixels[..]),
        (painted.at, &pixels[..])
    );
    assert_eq!(entries[0].by, "a");

    let Canvas { at, picture, .. } = bench.store.read_canvas().await.unwrap();
    assert_eq!(at, painted.at);
    assert_eq!(picture.get(1, 0), Some(Rgb::WHITE));
    assert_eq!(picture.get(63, 31), Some(Rgb::new(1, 2, 3)));
}

#[tokio::test]
async fn a_large_canvas_is_its_background_but_for_what_is_painted() {
    let green = Rgb::new(0, 200, 7);
    let bench = Bench::with(|config| {
        config.geometry = Geometry::new(801, 903).unwrap();
        config.background = green;
    })
    .await;
    bench.paint("a", 800).await;
    let picture = bench.store.read_canvas().await.unwrap().picture;
    let painted: Vec<_> = picture
        .pixels()
        .filter(|pixel| pixel.rgb != green)
        .collect();
    assert_eq!(painted, [dot(800)]);
}

#[tokio::test]
async fn one_bad_pixel_paints_nothing() {
    let bench = Bench::new().await;
    let keys: u64 = bench.command(&["DBSIZE"]).await;
    let outside = [dot(1), Pixel::new(64, 0, RED)];
    let refused = bench
        .store
        .paint(Painter::Operator(&id("a")), ADDRESS, &outside)
        .await;
    assert!(matches!(
        refused,
        Err(PaintError::OutOfBounds { x: 64, y: 0 })
    ));
    let empty = bench
        .store
        .paint(Painter::Operator(&id("a")), ADDRESS, &[])
        .await;
    assert!(matches!(empty, Err(PaintError::Empty)));
    assert_eq!(bench.store.newest().await.unwrap(), bench.first);
    assert_eq!(bench.command::<u64>(&["DBSIZE"]).await, keys);
}

#[tokio::test]
async fn another_size_is_refused_by_everyone() {
    let bench = Bench::new().await;
    bench.paint("a", 1).await;
    let other = bench
        .another(|config| config.geometry = Geometry::new(32, 64).unwrap())
        .await;
    let refused = other
        .paint(Painter::Operator(&id("a")), ADDRESS, &[dot(1)])
        .await;
    assert!(matches!(
        refused,
        Err(PaintError::Store(StoreError::Mismatch { .. }))
    ));
    assert!(matches!(
        other.read_canvas().await,
        Err(StoreError::Mismatch { .. })
    ));
    assert_eq!(bench.painted().await.len(), 1);
}

#[tokio::test]
async fn a_full_history_refuses_until_it_is_saved() {
    let bench = Bench::with(|config| config.max_unsaved = 3).await;
    bench
        .store
        .paint(Painter::Operator(&id("a")), ADDRESS, &[dot(1), dot(2)])
        .await
        .unwrap();
    let before = bench.store.read_canvas().await.unwrap();
    let full = bench
        .store
        .paint(Painter::Operator(&id("a")), ADDRESS, &[dot(3), dot(4)])
        .await;
    assert!(matches!(full, Err(PaintError::Full)));
    assert_eq!(bench.store.read_canvas().await.unwrap(), before);

    bench.paint("a", 3).await;
    assert!(matches!(
        bench
            .store
            .paint(Painter::Operator(&id("a")), ADDRESS, &[dot(4)])
            .await,
        Err(PaintError::Full)
    ));
    bench.save(3).await;
    bench.paint("a", 4).await;
}

#[tokio::test]
async fn a_connection_cools_down() {
    let bench = Bench::with(|config| config.cooldown_ms = 300).await;
    bench.paint("a", 1).await;
    let refused = bench
        .store
        .paint(Painter::Operator(&id("a")), ADDRESS, &[dot(2)])
        .await;
    let Err(PaintError::CoolingDown { retry_ms, .. }) = refused else {
        panic!("{refused:?}");
    };
    assert!((1..=300).contains(&retry_ms), "{retry_ms}");
    bench.paint("b", 3).await;
    tokio::time::sleep(Duration::from_millis(retry_ms + 5)).await;
    bench.paint("a", 4).await;
    assert_eq!(bench.painted().await.len(), 3);
}

#[tokio::test]
async fn an_address_has_its_rate_whatever_its_connections() {
    let bench = Bench::with(|config| config.max_messages_per_second_per_source = 5).await;
    let mut accepted = 0;
    for n in 0..20 {
        let painted = bench
            .store
            .paint(Painter::Operator(&id(&format!("c{n}"))), ADDRESS, &[dot(n)])
            .await;
        match painted {
            Ok(_) => accepted += 1,
            Err(PaintError::CoolingDown { retry_ms, .. }) => assert!(retry_ms <= 1000),
            Err(error) => panic!("{error}"),
        }
    }
    assert!((5..=6).contains(&accepted), "{accepted}");
    bench
        .store
        .paint(Painter::Operator(&id("other")), "192.0.2.8", &[dot(1)])
        .await
        .unwrap();
}

#[tokio::test]
async fn a_network_of_addresses_is_one_source() {
    let bench = Bench::with(|config| config.max_messages_per_second_per_source = 1).await;
    let paint = async |address: &str| {
        bench
            .store
            .paint(Painter::Operator(&id("a")), address, &[dot(1)])
            .await
    };
    paint("2001:db8:1:2::1").await.unwrap();
    assert!(matches!(
        paint("2001:db8:1:2:ffff::9").await,
        Err(PaintError::CoolingDown { .. })
    ));
    paint("2001:db8:1:3::1").await.unwrap();
    paint("::ffff:192.0.2.7").await.unwrap();
    assert!(matches!(
        paint("192.0.2.7").await,
        Err(PaintError::CoolingDown { .. })
    ));
}

#[tokio::test]
async fn the_cooldown_forgets_who_waits_no_more() {
    let bench = Bench::with(|config| config.cooldown_ms = 20).await;
    for n in 0..50 {
        bench.paint(&format!("c{n}"), n).await;
    }
    tokio::time::sleep(Duration::from_millis(30)).await;
    bench.paint("last", 1).await;
    assert_eq!(
        bench
            .command::<u64>(&["ZCARD", "{place:test}:cooldown"])
            .await,
        1
    );
}

#[tokio::test]
async fn no_key_holds_an_address() {
    let bench = Bench::with(|config| {
        config.cooldown_ms = 10_000;
        config.max_messages_per_second_per_source = 5;
    })
    .await;
    bench.paint("a", 1).await;
    let source = &bench.painted().await[0].source;
    assert_eq!(source.len(), 16);
    for key in bench.command::<Vec<String>>(&["KEYS", "*"]).await {
        assert!(key.starts_with("{place:test}:"), "{key}");
        let dump: Vec<u8> = bench.command(&["DUMP", &key]).await;
        let found = dump
            .windows(ADDRESS.len())
            .any(|part| part == ADDRESS.as_bytes());
        assert!(!found, "{key}");
    }
}

#[tokio::test]
async fn a_sleeping_shard_is_called_once() {
    let bench = Bench::with(|config| config.shards = 4).await;
    let client = id("a");
    let shard = bench.store.shard_of(&client);
    bench.store.add_client(&client).await.unwrap();
    let paint = async || {
        bench
            .store
            .paint(Painter::Operator(&client), ADDRESS, &[dot(1)])
            .await
            .unwrap()
            .wake
    };
    assert_eq!(paint().await, [shard]);
    assert_eq!(paint().await, [] as [Shard; 0]);
    let left = bench.lease_left(&format!("awake:{shard}")).await;
    assert!((1000..=2000).contains(&left), "{left}");
}

#[tokio::test]
async fn a_paint_is_one_round_trip() {
    let bench = Bench::with(|config| config.shards = 3).await;
    bench.paint("a", 1).await;
    bench.command::<()>(&["CONFIG", "RESETSTAT"]).await;
    for n in 0..10 {
        bench.paint("a", n).await;
    }
    let stats: String = bench.command(&["INFO", "commandstats"]).await;
    assert!(stats.contains("cmdstat_evalsha:calls=10,"), "{stats}");
    assert!(!stats.contains("cmdstat_eval:"), "{stats}");
    assert!(!stats.contains("cmdstat_script"), "{stats}");
}

#[tokio::test]
async fn a_broken_connection_is_mended_and_nothing_painted_twice() {
    let bench = Bench::new().await;
    bench.paint("a", 1).await;
    let killer = bench.another(|_| {}).await;
    for n in 2..12 {
        let mut command = redis::cmd("CLIENT");
        command.arg(&["KILL", "TYPE", "normal", "SKIPME", "yes"]);
        let _: u64 = command.query_async(&mut killer.link.clone()).await.unwrap();
        bench.paint("a", n).await;
    }
    assert_eq!(bench.painted().await.len(), 11);
}

/// What a cluster's client does by itself, and the store when its connection breaks: the same bytes
/// come twice, and the second answer is the one that is heard.
#[tokio::test]
async fn a_message_that_comes_twice_is_painted_once_and_calls_again() {
    let bench = Bench::with(|config| {
        config.cooldown_ms = 60_000;
        config.max_unsaved = 1;
    })
    .await;
    bench.store.add_client(&id("viewer")).await.unwrap();
    let records = crate::pixel::encode(&[dot(1)]);
    let send = async |name: &str, message: &Token| -> Vec<String> {
        let call = bench.store.paint_call(
            Painter::Operator(&id(name)),
            ADDRESS,
            &records,
            (message, ""),
        );
        bench.store.run_once(&call).await.unwrap()
    };
    let message = Token::random();
    let first = send("a", &message).await;
    assert_eq!(
        (first[0].as_str(), &first[2..]),
        ("painted", &["0".into(), "0".into()][..])
    );
    assert_eq!(send("a", &message).await, first);
    // The call was not taken, so whoever did not hear of it calls again.
    bench.command::<()>(&["DEL", "{place:test}:awake:0"]).await;
    assert_eq!(send("a", &message).await, first);
    // A loop that has come needs no further call.
    bench
        .store
        .take_shard(Shard(0), &Token::random(), TTL)
        .await
        .unwrap();
    assert_eq!(send("a", &message).await, first[..3]);
    // Another message with the same pixels is another paint.
    assert_eq!(send("a", &Token::random()).await, ["full"]);
    assert_eq!(bench.painted().await.len(), 1);
}

/// A message is remembered in one of two hashes that take turns, for as long as anybody may send it
/// again.
#[tokio::test]
async fn a_message_is_remembered_for_two_turns() {
    const TURN: u64 = 30_000;
    let bench = Bench::new().await;
    let by = id("a");
    let records = crate::pixel::encode(&[dot(1)]);
    let send = async |message: &Token| -> String {
        let by = Painter::Operator(&by);
        let call = bench.store.paint_call(by, ADDRESS, &records, (message, ""));
        let answer: Vec<String> = bench.store.run_once(&call).await.unwrap();
        answer[1].clone()
    };
    // The turn must not end while the test makes believe that others have.
    let left = TURN - bench.now().await % TURN;
    if left < 3000 {
        tokio::time::sleep(Duration::from_millis(left)).await;
    }
    let turn = bench.now().await / TURN;
    let [current, last] = [0, 1].map(|more| format!("{{place:test}}:done:{}", (turn + more) % 2));
    let message = Token::random();
    let first = send(&message).await;
    let expiry: u64 = bench.command(&["PTTL", &current]).await;
    assert!((2 * TURN..=3 * TURN).contains(&expiry), "{expiry}");

    bench.command::<()>(&["RENAME", &current, &last]).await;
    let set_turn = async |key: &str, turn: u64| {
        let turn = turn.to_string();
        bench.command::<u64>(&["HSET", key, "w", &turn]).await;
    };
    set_turn(&last, turn - 1).await;
    let other = Token::random();
    let second = send(&other).await;
    assert_eq!(send(&message).await, first, "of the turn before");
    assert_eq!(send(&other).await, second, "of this turn");
    // What an earlier turn left in a hash does not count, and goes when the hash has its turn.
    set_turn(&last, turn - 3).await;
    let third = send(&message).await;
    assert_ne!(third, first);
    set_turn(&current, turn - 2).await;
    assert_ne!(send(&other).await, second);
    let fields: u64 = bench.command(&["HLEN", &current]).await;
    assert_eq!(fields, 2, "the turn and one message");
    assert_eq!(bench.painted().await.len(), 4);
}

#[tokio::test]
async fn a_connection_is_told_once_that_it_must_wait() {
    let bench = Bench::with(|config| config.cooldown_ms = 100).await;
    bench.paint("a", 1).await;
    let mut heard = Vec::new();
    for _ in 0..5 {
        match bench
            .store
            .paint(Painter::Operator(&id("a")), ADDRESS, &[dot(2)])
            .await
        {
            Err(PaintError::CoolingDown { told, .. }) => heard.push(told),
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(heard, [false, true, true, true, true]);
    tokio::time::sleep(Duration::from_millis(110)).await;
    bench.paint("a", 2).await;
    let refused = bench
        .store
        .paint(Painter::Operator(&id("a")), ADDRESS, &[dot(2)])
        .await;
    assert!(matches!(
        refused,
        Err(PaintError::CoolingDown { told: false, .. })
    ));
}

#[tokio::test]
async fn a_cache_that_lost_its_scripts_gets_them_again() {
    let bench = Bench::new().await;
    bench.paint("a", 1).await;
    bench.command::<()>(&["SCRIPT", "FLUSH"]).await;
    bench.paint("a", 2).await;
    assert_eq!(bench.painted().await.len(), 2);
}

#[tokio::test]
async fn a_dead_cache_is_an_error_within_seconds() {
    let mut bench = Bench::new().await;
    bench.redis.kill().unwrap();
    let started = std::time::Instant::now();
    assert!(
        bench
            .store
            .paint(Painter::Operator(&id("a")), ADDRESS, &[dot(1)])
            .await
            .is_err()
    );
    let config = bench.store.config().clone();
    assert!(Store::connect(&bench.redis.url(), config).await.is_err());
    assert!(
        started.elapsed() < Duration::from_secs(20),
        "{:?}",
        started.elapsed()
    );
    bench.redis.restart().unwrap();
    bench.store.open_blank().await.unwrap();
    bench.paint("a", 1).await;
}

#[tokio::test]
async fn a_canvas_that_redis_cannot_hold_is_refused() {
    let geometry = Geometry::new(60_000, 60_000).unwrap();
    let refused = Store::connect("redis://127.0.0.1:1", StoreConfig::new("a", geometry)).await;
    assert!(matches!(refused, Err(StoreError::TooLarge(_))));
}
