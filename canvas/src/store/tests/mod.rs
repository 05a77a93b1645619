//! The store against a real redis-server, one for each test.

mod canvas;
mod clients;
mod cluster;
mod crowd;
mod failover;
mod failover_reads;
mod full;
mod memory;
mod opening;
mod paint;
mod ping;
mod save;
mod shards;

use std::time::Duration;

use redis::{Cmd, FromRedisValue};

use super::{Canvas, Painter, SaveLease, Store, StoreConfig, StoreError, Token};
use crate::connection::ConnectionId;
use crate::entry::Entry;
use crate::geometry::Geometry;
use crate::pixel::{Pixel, Rgb};
use crate::position::Position;
use crate::testing::TestRedis;

const RED: Rgb = Rgb::new(255, 0, 0);
const ADDRESS: &str = "192.0.2.7";
const TTL: Duration = Duration::from_secs(5);

/// A store on a server of its own, and further ones on the same server.
struct Bench {
    redis: TestRedis,
    store: Store,
    /// Where history begins: the position of the canvas that nobody has painted on.
    first: Position,
}

impl Bench {
    async fn new() -> Self {
        Self::with(|_| {}).await
    }

    /// A bench whose canvas is open.
    async fn with(change: impl FnOnce(&mut StoreConfig)) -> Self {
        let mut bench = Self::closed(TestRedis::start().unwrap(), change).await;
        bench.first = bench.store.open_blank().await.unwrap();
        bench
    }

    /// A bench whose canvas nobody has opened yet.
    async fn closed(redis: TestRedis, change: impl FnOnce(&mut StoreConfig)) -> Self {
        let mut config = StoreConfig::new("test", Geometry::new(64, 32).unwrap());
        config.retain = Duration::ZERO;
        change(&mut config);
        let store = Store::connect(&redis.url(), config).await.unwrap();
        let first = Position::ZERO;
        Self {
            redis,
            store,
            first,
        }
    }

    async fn another(&self, change: impl FnOnce(&mut StoreConfig)) -> Store {
        let mut config = self.store.config().clone();
        change(&mut config);
        Store::connect(&self.redis.url(), config).await.unwrap()
    }

    /// Paints one red pixel as the operator `name`.
    async fn paint(&self, name: &str, x: u16) -> Position {
        self.store
            .paint(Painter::Operator(&id(name)), ADDRESS, &[dot(x)])
            .await
            .unwrap()
            .at
    }

    async fn command<T: FromRedisValue>(&self, words: &[&str]) -> T {
        let mut command = Cmd::new();
        command.arg(words);
        command
            .query_async(&mut self.store.link.clone())
            .await
            .unwrap()
    }

    /// How long a lease lasts yet, in milliseconds.
    async fn lease_left(&self, key: &str) -> u64 {
        let key = format!("{{place:test}}:{key}");
        let lease: String = self.command(&["GET", &key]).await;
        let (_, ends) = lease.split_once(' ').unwrap();
        let ends: u64 = ends.parse().unwrap();
        ends.saturating_sub(self.now().await)
    }

    /// The cache's clock, in milliseconds.
    async fn now(&self) -> u64 {
        let [seconds, micros]: [u64; 2] = self.command(&["TIME"]).await;
        seconds * 1000 + micros / 1000
    }

    /// The memory that the cache uses, in bytes.
    async fn memory(&self) -> u64 {
        let info: String = self.command(&["INFO", "memory"]).await;
        let mut lines = info.lines();
        let used = lines.find_map(|line| line.strip_prefix("used_memory:"));
        used.unwrap().parse().unwrap()
    }

    /// What was painted.
    async fn painted(&self) -> Vec<Entry> {
        let history = self.store.read_after(Position::ZERO, 100_000);
        let mut entries = history.await.unwrap();
        // The entry that opened the canvas has none.
        entries.retain(|entry| !entry.pixels.is_empty());
        entries
    }

    /// Takes the save's lease and marks everything as saved.
    async fn save(&self, changes: u64) {
        let token = Token::random();
        let SaveLease::Taken { saved, .. } = self.store.take_save(&token, TTL).await.unwrap()
        else {
            panic!("another save runs");
        };
        let to = self.store.newest().await.unwrap();
        self.store
            .mark_saved_and_trim(&token, saved, to, changes)
            .await
            .unwrap();
        self.command::<()>(&["DEL", "{place:test}:saving"]).await;
    }
}

fn id(name: &str) -> ConnectionId {
    ConnectionId::new(name).unwrap()
}

fn dot(x: u16) -> Pixel {
    Pixel::new(x, 0, RED)
}
