use super::super::{Pong, ShardState};
use super::*;
use crate::connection::Shard;

impl Bench {
    async fn ping(&self, client: &str, holds: Option<Position>) -> Pong {
        self.store.ping(&id(client), holds).await.unwrap()
    }

    /// Lets the calls and the leases of all shards expire.
    fn expire_all(&self) {
        let shards = self.store.config().shards;
        self.redis.expire_leases("test", shards).unwrap();
    }

    /// Clients of different shards, one of each.
    fn one_of_each(&self) -> Vec<ConnectionId> {
        let of = |shard| {
            let ids = (0..).map(|n| id(&format!("client-{n}")));
            ids.clone().find(|id| self.store.shard_of(id) == shard)
        };
        self.store.shards().filter_map(of).collect()
    }
}

#[tokio::test]
async fn a_pong_tells_of_the_canvas_as_it_is() {
    let bench = Bench::with(|config| config.shards = 3).await;
    for n in 0..5 {
        bench
            .store
            .add_client(&id(&format!("client-{n}")))
            .await
            .unwrap();
    }
    let at = bench.paint("a", 1).await;
    let pong = bench.ping("client-0", None).await;
    let canvas = bench.store.read_canvas().await.unwrap();
    assert_eq!((pong.epoch, pong.at), (canvas.epoch, at));
    assert_eq!((pong.online, pong.is_back, pong.is_lost), (5, false, false));
}

#[tokio::test]
async fn a_ping_puts_a_client_back_that_the_cache_does_not_know() {
    let bench = Bench::with(|config| config.shards = 3).await;
    let at = bench.paint("a", 1).await;
    let client = id("viewer");
    let shard = bench.store.shard_of(&client);
    let token = Token::random();
    bench.store.take_shard(shard, &token, TTL).await.unwrap();
    let roster = "{place:test}:roster:".to_owned() + &shard.to_string();
    for (is_back, counted) in [(true, "1"), (false, "1")] {
        let pong = bench.ping("viewer", None).await;
        assert_eq!((pong.is_back, pong.online), (is_back, 1));
        let clients = bench.store.clients_of(shard).await.unwrap();
        assert_eq!(clients, std::slice::from_ref(&client));
        // So the loop that runs reads its clients anew.
        assert_eq!(bench.command::<String>(&["GET", &roster]).await, counted);
    }
    assert!(bench.store.joined(&client).await.unwrap().is_some());
    assert_eq!(bench.store.cursors().await.unwrap()[&shard], at);
}

#[tokio::test]
async fn a_paint_puts_a_client_back_that_the_cache_does_not_know() {
    let bench = Bench::with(|config| config.shards = 3).await;
    let client = id("viewer");
    let shard = bench.store.shard_of(&client);
    for is_back in [true, false] {
        let by = Painter::Client(&client);
        let painted = bench.store.paint(by, ADDRESS, &[dot(1)]).await.unwrap();
        assert_eq!(painted.is_back, is_back);
        assert_eq!(painted.wake, if is_back { vec![shard] } else { vec![] });
        let clients = bench.store.clients_of(shard).await.unwrap();
        assert_eq!(clients, std::slice::from_ref(&client));
    }
    // Known by its connecting, a client is not back.
    let other = id("other");
    bench.store.add_client(&other).await.unwrap();
    let painted = bench
        .store
        .paint(Painter::Client(&other), ADDRESS, &[dot(1)])
        .await;
    assert!(!painted.unwrap().is_back);
    assert_eq!(bench.store.client_count().await.unwrap(), 2);
}

#[tokio::test]
async fn an_operator_is_no_client() {
    let bench = Bench::new().await;
    let admin = id("admin");
    let painted = bench
        .store
        .paint(Painter::Operator(&admin), ADDRESS, &[dot(1)])
        .await;
    assert!(!painted.unwrap().is_back);
    assert_eq!(bench.store.client_count().await.unwrap(), 0);
    assert_eq!(bench.store.joined(&admin).await.unwrap(), None);
}

/// Whoever heard of the client that is back may be gone, so who asks again hears it again.
#[tokio::test]
async fn a_paint_whose_answer_was_lost_still_tells_that_the_client_is_back() {
    let bench = Bench::new().await;
    let (client, message) = (id("viewer"), Token::random());
    let records = crate::pixel::encode(&[dot(1)]);
    let by = Painter::Client(&client);
    let call = bench
        .store
        .paint_call(by, ADDRESS, &records, (&message, ""));
    for _ in 0..2 {
        let answer: Vec<String> = bench.store.run_once(&call).await.unwrap();
        assert_eq!((answer[0].as_str(), answer[2].as_str()), ("painted", "1"));
    }
    let call = bench
        .store
        .paint_call(by, ADDRESS, &records, (&Token::random(), ""));
    let answer: Vec<String> = bench.store.run_once(&call).await.unwrap();
    assert_eq!(answer[2], "0");
}

#[tokio::test]
async fn a_ping_calls_the_shards_that_lag_and_that_nobody_serves() {
    let bench = Bench::with(|config| config.shards = 5).await;
    let clients = bench.one_of_each();
    for client in &clients[..4] {
        bench.store.add_client(client).await.unwrap();
    }
    assert_eq!(bench.ping("x", None).await.wake, [] as [Shard; 0]);
    bench.store.remove_client(&id("x")).await.unwrap();

    let at = bench.paint("a", 1).await;
    assert_eq!(
        bench.ping(clients[0].as_str(), None).await.wake,
        [],
        "they are called"
    );
    bench.expire_all();
    // One has been sent everything, one has a loop, one has no clients.
    bench.store.advance_cursor(Shard(1), at).await.unwrap();
    bench
        .store
        .take_shard(Shard(2), &Token::random(), TTL)
        .await
        .unwrap();
    let pong = bench.ping(clients[0].as_str(), None).await;
    assert_eq!(pong.wake, [Shard(0), Shard(3)]);
    assert_eq!(bench.ping(clients[0].as_str(), None).await.wake, []);
    let stats = bench.store.stats().await.unwrap();
    let found: Vec<_> = stats.shards.iter().map(|shard| shard.state).collect();
    let (called, asleep) = (ShardState::Called, ShardState::Asleep);
    assert_eq!(found, [called, asleep, ShardState::Running, called, asleep]);
}

#[tokio::test]
async fn a_client_that_holds_what_history_has_lost_is_told() {
    let bench = Bench::new().await;
    let mut at = Vec::new();
    for x in 0..5 {
        at.push(bench.paint("a", x).await);
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    let is_lost = async |holds| bench.ping("viewer", holds).await.is_lost;
    for holds in [
        None,
        Some(Position::ZERO),
        Some(bench.first),
        Some(at[2]),
        Some(at[4]),
    ] {
        assert!(!is_lost(holds).await, "{holds:?}");
    }
    // A failover may lose what is in the middle of what the tables give back, or the end.
    let gone = [at[2].to_string(), at[4].to_string()];
    let lost: u64 = bench
        .command(&["XDEL", "{place:test}:history", &gone[0], &gone[1]])
        .await;
    assert_eq!(lost, 2);
    let largest = Position::new(u64::MAX, u64::MAX);
    for holds in [at[2], at[4], at[4].next(), largest] {
        assert!(is_lost(Some(holds)).await, "{holds}");
    }
    // What was trimmed was there: the client may only be late.
    bench.store.remove_client(&id("viewer")).await.unwrap();
    bench.save(3).await;
    let stats = bench.store.stats().await.unwrap();
    assert_eq!(stats.history_entries, 1);
    for (holds, expected) in [
        (at[0], false),
        (at[1], false),
        (at[3], false),
        (at[4], true),
    ] {
        assert_eq!(is_lost(Some(holds)).await, expected, "{holds}");
    }
}

#[tokio::test]
async fn a_caller_takes_back_its_own_calls_alone() {
    let bench = Bench::with(|config| config.shards = 2).await;
    let clients = bench.one_of_each();
    for client in &clients {
        bench.store.add_client(client).await.unwrap();
    }
    let paint = async || {
        let by = Painter::Client(&clients[0]);
        bench.store.paint(by, ADDRESS, &[dot(1)]).await.unwrap()
    };
    let give_back = async |shards: &[Shard], caller: &Token| {
        bench.store.give_back(shards, caller).await.unwrap();
    };
    let called = paint().await;
    assert_eq!(called.wake, [Shard(0), Shard(1)]);
    give_back(&called.wake, &Token::random()).await;
    assert_eq!(paint().await.wake, [], "somebody else's call stays");
    give_back(&[Shard(1)], &called.caller).await;
    let ping = bench.ping("client-0", None).await;
    assert_eq!(ping.wake, [Shard(1)], "the next ping calls at once");
    give_back(&called.wake, &called.caller).await;
    let again = paint().await;
    assert_eq!(again.wake, [Shard(0)], "the ping's call stays");
    // Nor does a loop that has come lose its lease, and none is no harm.
    let token = Token::random();
    bench.store.take_shard(Shard(0), &token, TTL).await.unwrap();
    give_back(&again.wake, &again.caller).await;
    assert!(
        bench
            .store
            .renew_shard(Shard(0), &token, TTL)
            .await
            .unwrap()
    );
    give_back(&[], &again.caller).await;
}
