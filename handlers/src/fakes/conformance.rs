//! The fake cache and the real scripts in a real Redis, call by call: what a test learns from the one
//! holds for the other.

use std::collections::BTreeSet;
use std::time::Duration;

use place_canvas::store::{Asleep, MarkSaved, Opening, Polled, SaveLease, Source, Taken};
use place_canvas::testing::TestRedis;
use place_canvas::{Entry, Painted, Picture, Position, Rgb, Shard, StoreConfig, Token};
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;

use super::{FakeCache, dot, geometry, id};
use crate::adapters::Cache;
use crate::ports::{Clients, History, Look, Paint, Shards};
use crate::save::{Opens, Saves};

const SHARDS: u16 = 2;
const CASES: usize = 60;
/// Longer than a case takes.
const TTL: Duration = Duration::from_mins(1);

/// A call. Numbers choose among what there is.
#[derive(Clone, Copy, Debug)]
enum Call {
    Add(u8),
    Remove(u8),
    Paint(u8, u16),
    Ping(u8, Option<usize>),
    GiveBack,
    Take(u16, u8),
    Poll(u16, u8, usize),
    Renew(u16, u8),
    FallAsleep(u16, u8),
    HandOver(u16, u8),
    Follow(usize),
    TakeSave(u8),
    Mark(u8, usize, usize),
    Lagging,
}

fn call() -> impl Strategy<Value = Call> {
    let (client, shard, token) = (0_u8..4, 0..SHARDS, 0_u8..2);
    let place = 0_usize..8;
    prop_oneof![
        4 => client.clone().prop_map(Call::Add),
        2 => client.clone().prop_map(Call::Remove),
        6 => (client.clone(), 0_u16..20).prop_map(|(by, x)| Call::Paint(by, x)),
        2 => (client, proptest::option::of(place.clone())).prop_map(|(by, at)| Call::Ping(by, at)),
        1 => Just(Call::GiveBack),
        4 => (shard.clone(), token.clone()).prop_map(|(s, t)| Call::Take(s, t)),
        4 => (shard.clone(), token.clone(), place.clone()).prop_map(|(s, t, p)| Call::Poll(s, t, p)),
        1 => (shard.clone(), token.clone()).prop_map(|(s, t)| Call::Renew(s, t)),
        3 => (shard.clone(), token.clone()).prop_map(|(s, t)| Call::FallAsleep(s, t)),
        1 => (shard, token.clone()).prop_map(|(s, t)| Call::HandOver(s, t)),
        1 => place.clone().prop_map(Call::Follow),
        1 => token.clone().prop_map(Call::TakeSave),
        2 => (token, place.clone(), place).prop_map(|(t, from, to)| Call::Mark(t, from, to)),
        1 => Just(Call::Lagging),
    ]
}

/// One of the two, and the positions that it has given, in their order.
struct Side<'a, C> {
    cache: &'a C,
    known: Vec<Position>,
    /// Pixels of each known entry.
    pixels: Vec<u64>,
    /// Two loops, or two saves.
    tokens: [Token; 2],
    /// Who painted or pinged last.
    caller: Token,
}

impl<'a, C: Clients + Shards + History + Paint + Saves + Opens> Side<'a, C> {
    fn of(cache: &'a C) -> Self {
        Self {
            cache,
            known: Vec::new(),
            pixels: Vec::new(),
            tokens: [Token::random(), Token::random()],
            caller: Token::random(),
        }
    }

    fn token(&self, number: u8) -> Token {
        self.tokens[usize::from(number)].clone()
    }

    /// How many of the known positions are not after this one: the same for both sides.
    fn rank(&self, position: Position) -> usize {
        self.known
            .iter()
            .filter(|known| **known <= position)
            .count()
    }

    fn ranks(&self, entries: &[Entry]) -> Vec<(usize, usize)> {
        let rank = |entry: &Entry| (self.rank(entry.at), entry.pixels.len());
        entries.iter().map(rank).collect()
    }

    fn position(&self, number: usize) -> Position {
        self.known[number % self.known.len()]
    }

    async fn open(&mut self) {
        let token = self.token(0);
        Saves::take(self.cache, &token, TTL).await.unwrap();
        let opening = Opening {
            background: Rgb::WHITE,
            salt: "salt".to_owned(),
            after: Position::ZERO,
            source: Source::Saved,
        };
        let picture = Picture::new(geometry(), Rgb::WHITE);
        let opened = self.cache.open(&token, &opening, Some(&picture)).await;
        self.known.push(opened.unwrap().unwrap());
        self.pixels.push(0);
    }

    /// What the cache answers, in words that do not depend on the moment.
    async fn answer(&mut self, call: Call) -> String {
        let cache = self.cache;
        match call {
            Call::Add(client) => format!("{:?}", cache.add(&name(client)).await),
            Call::Remove(client) => {
                cache.remove(&name(client)).await.unwrap();
                format!("{:?}", cache.all_clients().await)
            }
            Call::Paint(by, x) => {
                let painted = cache
                    .paint(&name(by), "", &[dot(x, 0, by)], None)
                    .await
                    .unwrap();
                let Painted {
                    at, wake, caller, ..
                } = painted;
                self.known.push(at);
                self.pixels.push(1);
                self.caller = caller;
                format!("{:?} {}", set(&wake), painted.is_back)
            }
            Call::Ping(by, holds) => {
                let holds = holds.map(|number| self.position(number));
                let pong = cache.ping(&name(by), holds).await.unwrap();
                self.caller = pong.caller;
                let (at, wake) = (self.rank(pong.at), set(&pong.wake));
                format!(
                    "{at} {} {} {} {wake:?}",
                    pong.online, pong.is_back, pong.is_lost
                )
            }
            Call::GiveBack => {
                let shards: Vec<_> = (0..SHARDS).map(Shard).collect();
                format!("{:?}", cache.give_back(&shards, &self.caller).await)
            }
            Call::Take(shard, by) => {
                match Shards::take(cache, Shard(shard), &self.token(by), TTL).await {
                    Ok(Taken::Taken { cursor }) => format!("from {}", self.rank(cursor)),
                    other => format!("{other:?}"),
                }
            }
            Call::Poll(shard, by, number) => {
                let (token, cursor) = (self.token(by), self.position(number));
                match cache.poll((Shard(shard), &token, TTL), cursor, 3).await {
                    Ok(Polled::Alive { news, .. }) => {
                        format!("{:?} {}", self.ranks(&news.entries), news.gap)
                    }
                    other => format!("{other:?}"),
                }
            }
            Call::Renew(shard, by) => {
                let renewed = Shards::renew(cache, Shard(shard), &self.token(by), TTL).await;
                format!("{renewed:?}")
            }
            Call::FallAsleep(shard, by) => {
                let asleep: Result<Asleep, _> =
                    cache.fall_asleep(Shard(shard), &self.token(by)).await;
                format!("{asleep:?}")
            }
            Call::HandOver(shard, by) => {
                format!("{:?}", cache.hand_over(Shard(shard), &self.token(by)).await)
            }
            Call::Follow(number) => {
                let after = cache.follow(self.position(number), 4).await.unwrap();
                format!("{:?} {}", self.ranks(&after.entries), after.gap)
            }
            Call::TakeSave(by) => match Saves::take(cache, &self.token(by), TTL).await {
                Ok(SaveLease::Taken { saved, .. }) => format!("saved {}", self.rank(saved)),
                other => format!("{other:?}"),
            },
            Call::Mark(by, from, to) => self.mark(&self.token(by), from, to).await,
            Call::Lagging => format!("{:?}", set(&cache.lagging().await.unwrap())),
        }
    }

    async fn mark(&self, token: &Token, from: usize, to: usize) -> String {
        let (from, to) = (from % self.known.len(), to % self.known.len());
        if from >= to {
            return "not forward".to_owned();
        }
        let changes = self.pixels[from + 1..=to].iter().sum();
        let range = (self.known[from], self.known[to]);
        match self.cache.mark(token, range, changes).await {
            Ok(MarkSaved::Moved { unsaved, .. }) => format!("unsaved {unsaved}"),
            other => format!("{other:?}"),
        }
    }
}

fn name(client: u8) -> place_canvas::ConnectionId {
    id(&format!("client-{client}"))
}

fn set(shards: &[Shard]) -> BTreeSet<u16> {
    shards.iter().map(|shard| shard.0).collect()
}

async fn same(redis: &TestRedis, calls: &[Call]) {
    redis.flush().unwrap();
    let config = StoreConfig {
        shards: SHARDS,
        ..StoreConfig::new("test", geometry())
    };
    let (real, fake) = (Cache::new(redis.url(), config), FakeCache::new(SHARDS));
    let (mut real, mut fake) = (Side::of(&real), Side::of(&fake));
    real.open().await;
    fake.open().await;
    for (number, call) in calls.iter().enumerate() {
        let (expected, answer) = (real.answer(*call).await, fake.answer(*call).await);
        assert_eq!(answer, expected, "{:?}", &calls[..=number]);
    }
    let shown = (
        real.cache.read_canvas().await.unwrap(),
        fake.cache.read_canvas().await.unwrap(),
    );
    assert!(shown.0.picture == shown.1.picture);
}

#[tokio::test]
async fn the_fake_cache_answers_as_the_real_scripts_do() {
    let redis = TestRedis::start().unwrap();
    let mut runner = TestRunner::default();
    let calls = proptest::collection::vec(call(), 1..40);
    for _ in 0..CASES {
        let calls = calls.new_tree(&mut runner).unwrap().current();
        same(&redis, &calls).await;
    }
}
