use std::collections::HashSet;

use super::super::{Admission, PaintError};
use super::*;

#[tokio::test]
async fn a_client_is_in_its_shards_set_once() {
    let bench = Bench::with(|config| config.shards = 4).await;
    let client = id("L0SM9cOFvHcCIhw=");
    let mut expected: HashSet<String> = bench.command(&["KEYS", "*"]).await;
    for _ in 0..2 {
        let admitted = bench.store.add_client(&client).await.unwrap();
        assert_eq!(admitted, Admission::Admitted { clients: 1 });
    }
    let shard = bench.store.shard_of(&client);
    let key = format!("{{place:test}}:clients:{shard}");
    assert_eq!(
        bench.command::<Vec<String>>(&["SMEMBERS", &key]).await,
        [client.as_str()]
    );
    assert_eq!(
        bench.store.clients_of(shard).await.unwrap(),
        std::slice::from_ref(&client)
    );

    assert!(bench.store.remove_client(&client).await.unwrap());
    assert!(!bench.store.remove_client(&client).await.unwrap());
    assert_eq!(bench.store.client_count().await.unwrap(), 0);
    assert_eq!(bench.store.joined(&client).await.unwrap(), None);
    // Nothing of the client stays; the shard's counter and cursor do.
    let left: HashSet<String> = bench.command(&["KEYS", "*"]).await;
    expected.insert("{place:test}:sharding".to_owned());
    expected.extend(["roster", "cursor"].map(|key| format!("{{place:test}}:{key}:{shard}")));
    assert_eq!(left, expected);
}

#[tokio::test]
async fn no_more_clients_than_may_be() {
    let bench = Bench::with(|config| {
        config.shards = 3;
        config.max_clients = 2;
    })
    .await;
    bench.store.add_client(&id("a")).await.unwrap();
    bench.store.add_client(&id("b")).await.unwrap();
    let refused = bench.store.add_client(&id("c")).await.unwrap();
    assert_eq!(refused, Admission::Full { clients: 2 });
    // Somebody who is in stays in.
    let again = bench.store.add_client(&id("a")).await.unwrap();
    assert_eq!(again, Admission::Admitted { clients: 2 });
    assert_eq!(bench.store.client_count().await.unwrap(), 2);
}

#[tokio::test]
async fn some_clients_are_picked_and_of_few_all() {
    let bench = Bench::with(|config| config.shards = 3).await;
    assert!(bench.store.sample_clients(10).await.unwrap().is_empty());
    let ids: HashSet<_> = (0..60).map(|n| id(&format!("client-{n}"))).collect();
    for id in &ids {
        bench.store.add_client(id).await.unwrap();
    }
    let some = bench.store.sample_clients(9).await.unwrap();
    let picked: HashSet<_> = some.iter().cloned().collect();
    assert_eq!((some.len(), picked.len()), (9, 9));
    assert!(picked.is_subset(&ids));
    let all = bench.store.sample_clients(1000).await.unwrap();
    assert_eq!(all.into_iter().collect::<HashSet<_>>(), ids);
}

#[tokio::test]
async fn one_at_a_time_may_prune() {
    let bench = Bench::new().await;
    let turn = Duration::from_millis(200);
    assert!(bench.store.may_prune(turn).await.unwrap());
    assert!(!bench.store.may_prune(turn).await.unwrap());
    tokio::time::sleep(turn).await;
    assert!(bench.store.may_prune(turn).await.unwrap());
}

#[tokio::test]
async fn thousands_of_clients_are_listed_in_pages() {
    let bench = Bench::with(|config| config.shards = 2).await;
    let ids: Vec<_> = (0..6000).map(|n| id(&format!("client-{n}"))).collect();
    futures::future::try_join_all(ids.iter().map(|id| bench.store.add_client(id)))
        .await
        .unwrap();
    let mut listed = HashSet::new();
    for shard in bench.store.shards() {
        assert!(
            bench
                .store
                .client_page(shard, 0)
                .await
                .unwrap()
                .next
                .is_some()
        );
        let of_shard = bench.store.clients_of(shard).await.unwrap();
        assert!(of_shard.iter().all(|id| bench.store.shard_of(id) == shard));
        listed.extend(of_shard);
    }
    assert_eq!(listed, ids.into_iter().collect());
    assert_eq!(bench.store.client_count().await.unwrap(), 6000);
}

#[tokio::test]
async fn only_clients_past_the_grace_are_gone() {
    let bench = Bench::with(|config| config.shards = 2).await;
    let (old, young) = (id("old"), id("young"));
    bench.store.add_client(&old).await.unwrap();
    tokio::time::sleep(Duration::from_millis(120)).await;
    bench.store.add_client(&young).await.unwrap();
    let both = [old.clone(), young.clone(), id("stranger")];
    let removed = bench
        .store
        .remove_gone(&both, Duration::from_millis(100))
        .await
        .unwrap();
    assert_eq!(removed, [old]);
    let joined = bench.store.joined(&young).await.unwrap().unwrap();
    assert!(joined.age < Duration::from_secs(5));
    let removed = bench
        .store
        .remove_gone(&both, Duration::ZERO)
        .await
        .unwrap();
    assert_eq!(removed, [young]);
}

#[tokio::test]
async fn two_stacks_share_nothing() {
    let bench = Bench::new().await;
    let other = bench.another(|config| config.stack = "test2".into()).await;
    bench.store.add_client(&id("a")).await.unwrap();
    bench.paint("a", 1).await;
    assert_eq!(other.client_count().await.unwrap(), 0);
    assert_eq!(other.newest().await.unwrap(), Position::ZERO);
    assert!(matches!(other.read_canvas().await, Err(StoreError::Closed)));
}

#[tokio::test]
async fn another_number_of_shards_loses_no_client_and_no_update() {
    for (before, after) in [(5, 2), (1, 4)] {
        let bench = Bench::with(|config| config.shards = before).await;
        let ids: Vec<_> = (0..40).map(|n| id(&format!("client-{n}"))).collect();
        for id in &ids {
            bench.store.add_client(id).await.unwrap();
        }
        let sent = bench.paint("a", 1).await;
        for shard in bench.store.shards() {
            bench.store.advance_cursor(shard, sent).await.unwrap();
            bench
                .command::<()>(&["DEL", &format!("{{place:test}}:awake:{shard}")])
                .await;
        }
        let lacking = bench.paint("a", 2).await;
        for shard in bench.store.shards() {
            bench
                .command::<()>(&["DEL", &format!("{{place:test}}:awake:{shard}")])
                .await;
        }

        let store = bench.another(|config| config.shards = after).await;
        let joined = bench.store.joined(&ids[0]).await.unwrap().unwrap();
        let mut lagging = store.lagging_shards().await.unwrap();
        lagging.sort_unstable();
        assert_eq!(lagging, store.shards().collect::<Vec<_>>());
        assert_eq!(store.newest().await.unwrap(), lacking);
        for shard in store.shards() {
            assert_eq!(store.cursors().await.unwrap()[&shard], sent);
            let clients = store.clients_of(shard).await.unwrap();
            assert!(clients.iter().all(|id| store.shard_of(id) == shard));
        }
        assert_eq!(store.client_count().await.unwrap(), 40);
        assert_eq!(
            store.joined(&ids[0]).await.unwrap().unwrap().at_ms,
            joined.at_ms
        );

        // A function of the version before adds one more; only then all is settled.
        bench.store.add_client(&id("late")).await.unwrap();
        store.lagging_shards().await.unwrap();
        store.lagging_shards().await.unwrap();
        let noted: u16 = bench.command(&["GET", "{place:test}:sharding"]).await;
        assert_eq!(noted, after);
        assert_eq!(
            store.remove_gone(&ids, Duration::ZERO).await.unwrap().len(),
            40
        );
        assert!(store.remove_client(&id("late")).await.unwrap());
    }
}

/// A failover may bring a Redis whose clock is behind.
#[tokio::test]
async fn a_clock_that_steps_back_keeps_nobody() {
    let bench = Bench::with(|config| {
        config.cooldown_ms = 50;
        config.max_messages_per_second_per_source = 1000;
    })
    .await;
    bench.store.add_client(&id("a")).await.unwrap();
    bench.paint("a", 1).await;
    let later = 1000.0 * 60.0 * 60.0;
    let cooldown = "{place:test}:cooldown";
    let members: Vec<String> = bench.command(&["ZRANGE", cooldown, "0", "-1"]).await;
    assert!(!members.is_empty());
    for member in members {
        let step = later.to_string();
        bench
            .command::<f64>(&["ZINCRBY", cooldown, &step, &member])
            .await;
    }
    tokio::time::sleep(Duration::from_millis(120)).await;
    // It may wait as anybody does who was too early, and no longer.
    let again = bench
        .store
        .paint(Painter::Operator(&id("a")), ADDRESS, &[dot(2)])
        .await;
    let wait = match again {
        Ok(_) => 0,
        Err(PaintError::CoolingDown { retry_ms, .. }) => retry_ms,
        Err(other) => panic!("{other}"),
    };
    assert!(wait <= 50, "{wait} ms");
    let joined = "{place:test}:joined:0";
    bench
        .command::<i64>(&["HSET", joined, "a", "9999999999999"])
        .await;
    bench.store.remove_client(&id("a")).await.unwrap();
    assert_eq!(bench.store.stats().await.unwrap().clients, 0);
}

#[tokio::test]
async fn what_a_client_paints_bears_its_players_short_name_wherever_the_client_is_moved() {
    let bench = Bench::with(|config| config.shards = 2).await;
    let (player, other) = (id("player="), id("other="));
    let token = "0123456789abcdef0123456789abcdef";
    assert!(!bench.store.introduce(&player, token).await.unwrap());
    for client in [&player, &other] {
        bench.store.add_client(client).await.unwrap();
    }
    assert!(bench.store.introduce(&player, token).await.unwrap());
    let joined = bench.store.joined(&player).await.unwrap().unwrap();
    assert!(joined.at_ms > 0 && joined.age < Duration::from_secs(5));
    for client in [&player, &other] {
        let painter = Painter::Client(client);
        bench
            .store
            .paint(painter, ADDRESS, &[dot(1)])
            .await
            .unwrap();
    }
    let wide = bench.another(|config| config.shards = 5).await;
    wide.settle_shards().await.unwrap();
    let painter = Painter::Client(&player);
    wide.paint(painter, ADDRESS, &[dot(2)]).await.unwrap();
    let entries = bench.store.read_after(Position::ZERO, 10).await.unwrap();
    let messages: Vec<_> = entries.iter().filter(|e| !e.pixels.is_empty()).collect();
    let name = messages[0].player.as_str();
    assert!(name.len() == 16 && !token.contains(name), "{name}");
    assert_eq!(messages[1].player, messages[1].source, "who gave none");
    assert_ne!(name, messages[1].player);
    assert_eq!(messages[2].player, name);
    assert!(wide.remove_client(&player).await.unwrap());
    assert_eq!(wide.joined(&player).await.unwrap(), None);
}

#[tokio::test]
async fn a_message_that_a_player_sends_again_under_its_name_is_painted_once_by_whatever_connection()
{
    let bench = Bench::new().await;
    let (before, after, other) = (id("before="), id("after="), id("other="));
    let token = "0123456789abcdef0123456789abcdef";
    for client in [&before, &after, &other] {
        bench.store.add_client(client).await.unwrap();
    }
    for client in [&before, &after] {
        assert!(bench.store.introduce(client, token).await.unwrap());
    }
    let paint = async |client, name| {
        let painter = Painter::Client(client);
        let (store, pixels) = (&bench.store, [dot(1)]);
        let answer = store.paint_named(painter, ADDRESS, &pixels, name).await;
        answer.unwrap().at
    };
    let first = paint(&before, Some("m1")).await;
    assert_eq!(paint(&after, Some("m1")).await, first);
    let second = paint(&after, Some("m2")).await;
    assert_ne!(second, first);
    let others = paint(&other, Some("m1")).await;
    assert!(others > second, "somebody else's message of that name");
    assert_ne!(paint(&before, None).await, first);
    let entries = bench.store.read_after(Position::ZERO, 10).await.unwrap();
    assert_eq!(entries.iter().filter(|e| !e.pixels.is_empty()).count(), 4);
}
