use super::super::{Asleep, Polled, Taken};
use super::*;
use crate::connection::Shard;
use crate::entry::Entry;

const ONLY: Shard = Shard(0);

impl Bench {
    /// A bench with one client, whose shard is the only one.
    async fn with_client() -> Self {
        let bench = Self::new().await;
        bench.store.add_client(&id("viewer")).await.unwrap();
        bench
    }

    async fn take(&self, token: &Token) -> Taken {
        self.store.take_shard(ONLY, token, TTL).await.unwrap()
    }

    async fn poll(&self, token: &Token, cursor: Position) -> Option<(Vec<Entry>, u64)> {
        match self
            .store
            .poll_shard(ONLY, token, TTL, cursor, 100)
            .await
            .unwrap()
        {
            Polled::Alive { news, roster } => {
                assert!(!news.gap, "nothing is trimmed here");
                Some((news.entries, roster))
            }
            Polled::Lost => None,
        }
    }

    async fn sleep(&self, token: &Token) -> Asleep {
        self.store.fall_asleep(ONLY, token).await.unwrap()
    }

    async fn cursor(&self) -> Option<Position> {
        self.store.cursors().await.unwrap().get(&ONLY).copied()
    }

    /// Lets the shard's lease expire.
    async fn expire(&self) {
        self.command::<()>(&["DEL", "{place:test}:awake:0"]).await;
    }
}

#[tokio::test]
async fn one_loop_at_a_time() {
    let bench = Bench::with_client().await;
    let (first, second) = (Token::random(), Token::random());
    assert_eq!(
        bench.take(&first).await,
        Taken::Taken {
            cursor: bench.first
        }
    );
    assert_eq!(bench.take(&second).await, Taken::Held);
    assert_eq!(
        bench.take(&first).await,
        Taken::Taken {
            cursor: bench.first
        }
    );
    bench.expire().await;
    assert_eq!(
        bench.take(&second).await,
        Taken::Taken {
            cursor: bench.first
        }
    );
    assert_eq!(bench.poll(&first, bench.first).await, None);
    assert!(!bench.store.renew_shard(ONLY, &first, TTL).await.unwrap());
    assert!(bench.store.renew_shard(ONLY, &second, TTL).await.unwrap());
    assert_eq!(bench.sleep(&first).await, Asleep::Lost);
    assert!(!bench.store.hand_over(ONLY, &first).await.unwrap());
}

#[tokio::test]
async fn a_poll_moves_on_and_renews() {
    let bench = Bench::with_client().await;
    let token = Token::random();
    bench
        .store
        .take_shard(ONLY, &token, Duration::from_millis(200))
        .await
        .unwrap();
    let at = [bench.paint("a", 1).await, bench.paint("b", 2).await];
    let (entries, _) = bench.poll(&token, bench.first).await.unwrap();
    assert_eq!(entries.iter().map(|entry| entry.at).collect::<Vec<_>>(), at);
    let left = bench.lease_left("awake:0").await;
    assert!(left > 1000, "{left}");

    let (entries, _) = bench.poll(&token, at[1]).await.unwrap();
    assert_eq!(entries, []);
    assert_eq!(bench.cursor().await, Some(at[1]));
    // A cursor never moves back, whoever says so.
    bench.poll(&token, at[0]).await.unwrap();
    bench.store.advance_cursor(ONLY, at[0]).await.unwrap();
    assert_eq!(bench.cursor().await, Some(at[1]));
}

#[tokio::test]
async fn the_roster_tells_of_every_change_of_the_clients() {
    let bench = Bench::with_client().await;
    let token = Token::random();
    bench.take(&token).await;
    let roster = async || bench.poll(&token, bench.first).await.unwrap().1;
    let first = roster().await;
    assert_eq!(roster().await, first);
    bench.store.add_client(&id("b")).await.unwrap();
    let second = roster().await;
    assert_ne!(second, first);
    bench.store.remove_client(&id("b")).await.unwrap();
    assert!(roster().await != second && roster().await != first);
}

#[tokio::test]
async fn a_loop_sleeps_only_when_all_is_sent() {
    let bench = Bench::with_client().await;
    let token = Token::random();
    bench.take(&token).await;
    let at = bench.paint("a", 1).await;
    assert_eq!(bench.sleep(&token).await, Asleep::MoreToDo);
    bench.store.advance_cursor(ONLY, at).await.unwrap();
    assert_eq!(bench.sleep(&token).await, Asleep::Asleep);
    let painted = bench
        .store
        .paint(Painter::Operator(&id("a")), ADDRESS, &[dot(2)])
        .await
        .unwrap();
    assert_eq!(painted.wake, [ONLY]);
}

#[tokio::test]
async fn a_running_loop_is_not_called() {
    let bench = Bench::with_client().await;
    bench.take(&Token::random()).await;
    let painted = bench
        .store
        .paint(Painter::Operator(&id("a")), ADDRESS, &[dot(2)])
        .await
        .unwrap();
    assert_eq!(painted.wake, []);
}

#[tokio::test]
async fn a_loop_that_died_is_called_again() {
    let bench = Bench::with_client().await;
    bench
        .store
        .take_shard(ONLY, &Token::random(), Duration::from_millis(50))
        .await
        .unwrap();
    bench.paint("a", 1).await;
    assert_eq!(bench.store.lagging_shards().await.unwrap(), []);
    tokio::time::sleep(Duration::from_millis(80)).await;
    // Once for whoever asks first, a paint or a save.
    assert_eq!(bench.store.lagging_shards().await.unwrap(), [ONLY]);
    assert_eq!(bench.store.lagging_shards().await.unwrap(), []);
    let painted = bench
        .store
        .paint(Painter::Operator(&id("a")), ADDRESS, &[dot(2)])
        .await
        .unwrap();
    assert_eq!(painted.wake, []);
    assert!(matches!(
        bench.take(&Token::random()).await,
        Taken::Taken { .. }
    ));
}

#[tokio::test]
async fn a_handed_over_shard_is_open_to_the_next_loop_alone() {
    let bench = Bench::with_client().await;
    let (first, second) = (Token::random(), Token::random());
    bench.take(&first).await;
    assert!(bench.store.hand_over(ONLY, &first).await.unwrap());
    let painted = bench
        .store
        .paint(Painter::Operator(&id("a")), ADDRESS, &[dot(1)])
        .await
        .unwrap();
    assert_eq!(painted.wake, []);
    assert_eq!(
        bench.take(&second).await,
        Taken::Taken {
            cursor: bench.first
        }
    );
    assert_eq!(bench.poll(&second, bench.first).await.unwrap().0.len(), 1);
}

#[tokio::test]
async fn a_shard_without_clients_is_neither_called_nor_behind() {
    let bench = Bench::new().await;
    let painted = bench
        .store
        .paint(Painter::Operator(&id("a")), ADDRESS, &[dot(1)])
        .await
        .unwrap();
    assert_eq!(painted.wake, []);
    assert_eq!(bench.store.lagging_shards().await.unwrap(), []);
    // The first client starts from what is there.
    bench.store.add_client(&id("viewer")).await.unwrap();
    assert_eq!(bench.cursor().await, Some(painted.at));
    assert_eq!(bench.store.lagging_shards().await.unwrap(), []);
    // When everybody has left, a loop has nothing to send.
    bench.store.remove_client(&id("viewer")).await.unwrap();
    let at = bench.paint("a", 2).await;
    assert_eq!(
        bench.take(&Token::random()).await,
        Taken::Taken { cursor: at }
    );
}

/// What a broken connection makes of a script: it ran, and runs again.
#[tokio::test]
async fn a_call_whose_answer_was_lost_is_answered_again() {
    let bench = Bench::with_client().await;
    let (first, second) = (Token::random(), Token::random());
    bench.take(&first).await;
    assert!(bench.store.hand_over(ONLY, &first).await.unwrap());
    assert!(bench.store.hand_over(ONLY, &first).await.unwrap());
    // Not of another loop, and not when the next one has come.
    assert!(!bench.store.hand_over(ONLY, &second).await.unwrap());
    bench.take(&second).await;
    assert!(!bench.store.hand_over(ONLY, &first).await.unwrap());

    bench.expire().await;
    assert_eq!(bench.cursor().await, Some(bench.first));
    let call = bench.store.lagging_call();
    for _ in 0..2 {
        let lagging: Vec<u16> = bench.store.run_once(&call).await.unwrap();
        assert_eq!(lagging, [] as [u16; 0]);
    }
    bench.paint("a", 1).await;
    bench.expire().await;
    for _ in 0..2 {
        let lagging: Vec<u16> = bench.store.run_once(&call).await.unwrap();
        assert_eq!(lagging, [0]);
    }
    assert_eq!(bench.store.lagging_shards().await.unwrap(), []);
}

#[tokio::test]
async fn a_reader_whose_place_is_trimmed_is_told() {
    let bench = Bench::new().await;
    let gaps = async |position| {
        let token = Token::random();
        let polled = bench
            .store
            .poll_shard(ONLY, &token, TTL, position, 100)
            .await
            .unwrap();
        assert_eq!(polled, Polled::Lost, "no lease");
        bench.store.take_shard(ONLY, &token, TTL).await.unwrap();
        let polled = bench.store.poll_shard(ONLY, &token, TTL, position, 100);
        let Polled::Alive { news, .. } = polled.await.unwrap() else {
            panic!("the lease is lost");
        };
        bench.expire().await;
        assert_eq!(bench.store.follow(position, 100).await.unwrap(), news);
        news.gap
    };
    assert!(!gaps(bench.first).await);
    let mut at = Vec::new();
    for x in 0..4 {
        at.push(bench.paint("a", x).await);
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    bench.command::<()>(&["DEL", "{place:test}:cursor:0"]).await;
    for position in [bench.first, at[0], at[3]] {
        assert!(!gaps(position).await, "{position}");
    }
    bench.save(4).await;
    let last = bench.paint("a", 5).await;
    bench.command::<()>(&["DEL", "{place:test}:cursor:0"]).await;
    // The last of what could go is there, so who was there has missed nothing.
    for (position, gap) in [
        (Position::ZERO, true),
        (bench.first, true),
        (at[2], true),
        (at[3], false),
        (last, false),
    ] {
        assert_eq!(gaps(position).await, gap, "{position}");
    }
}

/// Loops that die, paints that come at any time: everything painted is seen by a loop at the
/// latest when the next paint, or the minute's save, calls.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_wake_up_is_lost() {
    let bench = Bench::with_client().await;
    let (calls, mut called) = tokio::sync::mpsc::unbounded_channel::<Shard>();
    let store = bench.store.clone();
    let loops = tokio::spawn(async move {
        let mut sent = Vec::new();
        let mut dying = 0_u32;
        while called.recv().await.is_some() {
            let token = Token::random();
            let ttl = Duration::from_millis(40);
            let Taken::Taken { mut cursor } = store.take_shard(ONLY, &token, ttl).await.unwrap()
            else {
                continue;
            };
            loop {
                dying += 1;
                let polled = store
                    .poll_shard(ONLY, &token, ttl, cursor, 7)
                    .await
                    .unwrap();
                let Polled::Alive { news, .. } = polled else {
                    break;
                };
                let entries = news.entries;
                sent.extend(entries.iter().map(|entry| entry.at));
                if dying.is_multiple_of(5) {
                    break;
                }
                match entries.last() {
                    Some(entry) => cursor = entry.at,
                    None if store.fall_asleep(ONLY, &token).await.unwrap() == Asleep::Asleep => {
                        break;
                    }
                    None => {}
                }
            }
        }
        sent
    });
    let mut painted = Vec::new();
    for n in 0..300 {
        let done = bench
            .store
            .paint(Painter::Operator(&id("a")), ADDRESS, &[dot(n % 64)])
            .await
            .unwrap();
        painted.push(done.at);
        for shard in done.wake {
            calls.send(shard).unwrap();
        }
        tokio::time::sleep(Duration::from_millis(u64::from(n % 4))).await;
    }
    while bench.cursor().await != painted.last().copied() {
        let lagging = bench.store.lagging_shards().await.unwrap();
        for shard in lagging {
            calls.send(shard).unwrap();
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    drop(calls);
    let mut sent = loops.await.unwrap();
    sent.sort_unstable();
    sent.dedup();
    assert_eq!(sent, painted);
}
