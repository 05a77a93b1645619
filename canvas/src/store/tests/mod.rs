//! The store against a real redis-server, one for each test.

mod canvas;
mod clients;
mod cluster;
mod crowd;
mod failover;
mod failover_reads;
mod paint;
mod save;
mod shards;

use std::time::Duration;

use redis::{Cmd, FromRedisValue};

use super::{Store, StoreConfig, Token};
use crate::connection::ConnectionId;
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
}

impl Bench {
    async fn new() -> Self {
        Self::with(|_| {}).await
    }

    async fn with(change: impl FnOnce(&mut StoreConfig)) -> Self {
        let mut config = StoreConfig::new("test", Geometry::new(64, 32).unwrap());
        config.retain = Duration::ZERO;
        change(&mut config);
        let redis = TestRedis::start().unwrap();
        let store = Store::connect(&redis.url(), config).await.unwrap();
        Self { redis, store }
    }

    async fn another(&self, change: impl FnOnce(&mut StoreConfig)) -> Store {
        let mut config = self.store.config().clone();
        change(&mut config);
        Store::connect(&self.redis.url(), config).await.unwrap()
    }

    /// Paints one red pixel as client `name`.
    async fn paint(&self, name: &str, x: u16) -> Position {
        self.store
            .paint(&id(name), ADDRESS, &[dot(x)])
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

    /// Takes the save's lease and marks everything as saved.
    async fn save(&self, changes: u64) {
        let token = Token::random();
        let super::SaveLease::Taken { saved } = self.store.take_save(&token, TTL).await.unwrap()
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
