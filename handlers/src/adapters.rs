//! The cache and the tables behind the ports.

use std::collections::HashMap;
use std::time::Duration;

use place_canvas::store::{
    Admission, After, Asleep, Doubt, MarkSaved, Polled, SaveLease, SaveSummary, Taken,
};
use place_canvas::tables::{Change, Current, Tables};
use place_canvas::{
    ConnectionId, Entry, PaintError, Painted, Picture, Pixel, Position, Shard, Store, StoreConfig,
    StoreError, Token,
};
use tokio::sync::OnceCell;

use crate::error::Error;
use crate::ports::{Clients, History, Look, Paint, Shards};
use crate::save::{Place, Rows, Saves};

/// The cache: connected at the first call, and then kept between invocations.
pub struct Cache {
    url: String,
    config: StoreConfig,
    store: OnceCell<Store>,
}

impl Cache {
    /// The cache at `url`.
    pub fn new(url: String, config: StoreConfig) -> Self {
        Self {
            url,
            config,
            store: OnceCell::new(),
        }
    }

    /// The store, which connects by itself whenever it must.
    pub async fn store(&self) -> Result<&Store, StoreError> {
        self.store
            .get_or_try_init(async || Store::open(&self.url, self.config.clone()))
            .await
    }
}

impl Clients for Cache {
    async fn add(&self, client: &ConnectionId) -> Result<Admission, Error> {
        Ok(self.store().await?.add_client(client).await?)
    }

    async fn remove(&self, client: &ConnectionId) -> Result<(), Error> {
        Ok(self.store().await?.remove_client(client).await.map(drop)?)
    }

    async fn remove_gone(&self, client: &ConnectionId, grace: Duration) -> Result<bool, Error> {
        let ids = std::slice::from_ref(client);
        Ok(!self
            .store()
            .await?
            .remove_gone(ids, grace)
            .await?
            .is_empty())
    }
}

impl Shards for Cache {
    async fn take(&self, shard: Shard, token: &Token, ttl: Duration) -> Result<Taken, Error> {
        Ok(self.store().await?.take_shard(shard, token, ttl).await?)
    }

    async fn poll(
        &self,
        (shard, token, ttl): (Shard, &Token, Duration),
        cursor: Position,
        entries: usize,
    ) -> Result<Polled, Error> {
        Ok(self
            .store()
            .await?
            .poll_shard(shard, token, ttl, cursor, entries)
            .await?)
    }

    async fn renew(&self, shard: Shard, token: &Token, ttl: Duration) -> Result<bool, Error> {
        Ok(self.store().await?.renew_shard(shard, token, ttl).await?)
    }

    async fn fall_asleep(&self, shard: Shard, token: &Token) -> Result<Asleep, Error> {
        Ok(self.store().await?.fall_asleep(shard, token).await?)
    }

    async fn hand_over(&self, shard: Shard, token: &Token) -> Result<bool, Error> {
        Ok(self.store().await?.hand_over(shard, token).await?)
    }

    async fn audience(&self, shard: Shard) -> Result<Vec<ConnectionId>, Error> {
        Ok(self.store().await?.clients_of(shard).await?)
    }

    async fn all_clients(&self) -> Result<u64, Error> {
        Ok(self.store().await?.client_count().await?)
    }
}

impl Paint for Cache {
    async fn paint(
        &self,
        by: &ConnectionId,
        source: &str,
        pixels: &[Pixel],
    ) -> Result<Painted, PaintError> {
        self.store().await?.paint(by, source, pixels).await
    }
}

impl History for Cache {
    async fn read_after(&self, position: Position, entries: usize) -> Result<Vec<Entry>, Error> {
        Ok(self.store().await?.read_after(position, entries).await?)
    }

    async fn follow(&self, position: Position, entries: usize) -> Result<After, Error> {
        Ok(self.store().await?.follow(position, entries).await?)
    }
}

impl Look for Cache {
    async fn read_canvas(&self) -> Result<(Position, Picture), Error> {
        Ok(self.store().await?.read_canvas().await?)
    }
}

impl Saves for Cache {
    async fn take(&self, token: &Token, ttl: Duration) -> Result<SaveLease, Error> {
        Ok(self.store().await?.take_save(token, ttl).await?)
    }

    async fn renew(&self, token: &Token, ttl: Duration) -> Result<bool, Error> {
        Ok(self.store().await?.renew_save(token, ttl).await?)
    }

    async fn mark(
        &self,
        token: &Token,
        (from, to): (Position, Position),
        changes: u64,
    ) -> Result<MarkSaved, Error> {
        Ok(self
            .store()
            .await?
            .mark_saved_and_trim(token, from, to, changes)
            .await?)
    }

    async fn finish(&self, token: &Token, summary: &SaveSummary) -> Result<bool, Error> {
        Ok(self.store().await?.finish_save(token, summary).await?)
    }

    async fn lagging(&self) -> Result<Vec<Shard>, Error> {
        Ok(self.store().await?.lagging_shards().await?)
    }

    async fn newest(&self) -> Result<Position, Error> {
        Ok(self.store().await?.newest().await?)
    }

    async fn note_doubt(&self, name: &Token, places: &[Place]) -> Result<u64, Error> {
        Ok(self.store().await?.note_doubt(name, places).await?)
    }

    async fn settle_doubt(
        &self,
        token: &Token,
        name: &Token,
        left: &[Place],
    ) -> Result<bool, Error> {
        Ok(self.store().await?.settle_doubt(token, name, left).await?)
    }

    async fn doubts(&self) -> Result<Vec<Doubt>, Error> {
        Ok(self.store().await?.doubts().await?)
    }
}

// Boxed, because what the SDK's calls nest is deeper than the compiler's limit for one future.
impl Rows for Tables {
    async fn post_changes(&self, changes: &[Change]) -> Result<(), Error> {
        Ok(Box::pin(self.post_changes(changes)).await.map(drop)?)
    }

    async fn post_pixels(&self, pixels: &[Current]) -> Result<Vec<Place>, Error> {
        Ok(Box::pin(self.post_pixels(pixels)).await?.doubtful)
    }

    async fn current(&self, places: &[Place]) -> Result<HashMap<Place, Current>, Error> {
        Ok(Box::pin(self.get(places)).await?)
    }
}
