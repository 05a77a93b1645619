//! The cache and the tables behind the ports.

use std::collections::HashMap;
use std::ops::Range;
use std::time::Duration;

use place_canvas::store::{
    Admission, After, Asleep, Canvas, Doubt, MarkSaved, Opening, Painter, Polled, Pong, SaveLease,
    SaveSummary, Taken, Watched,
};
use place_canvas::tables::{Change, Current, HistoryRow, State, Stored, Tables};
use place_canvas::{
    ConnectionId, Entry, Geometry, PaintError, Painted, Picture, Pixel, Position, Rgb, Shard,
    Store, StoreConfig, StoreError, Token,
};
use tokio::sync::OnceCell;

use crate::error::Error;
use crate::page::{Past, Watch};
use crate::ports::{Clients, History, Look, Paint, Shards};
use crate::save::{Ghosts, Opens, Place, Rows, Saves};

/// Who paints what an operator or the functions themselves paint: no client can have this id, API
/// Gateway's own end in `=`.
pub(crate) const OPERATOR: &str = "placectl";

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

    async fn introduce(&self, client: &ConnectionId, player: &str) -> Result<(), Error> {
        Ok(self
            .store()
            .await?
            .introduce(client, player)
            .await
            .map(drop)?)
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

    async fn age(&self, client: &ConnectionId) -> Result<Option<Duration>, Error> {
        let joined = self.store().await?.joined(client).await?;
        Ok(joined.map(|joined| joined.age))
    }
}

impl Ghosts for Cache {
    async fn sample(&self, count: usize) -> Result<Vec<ConnectionId>, Error> {
        Ok(self.store().await?.sample_clients(count).await?)
    }

    async fn forget(
        &self,
        ids: &[ConnectionId],
        grace: Duration,
    ) -> Result<Vec<ConnectionId>, Error> {
        Ok(self.store().await?.remove_gone(ids, grace).await?)
    }

    async fn may_prune(&self, length: Duration) -> Result<bool, Error> {
        Ok(self.store().await?.may_prune(length).await?)
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
        name: Option<&str>,
    ) -> Result<Painted, PaintError> {
        let by = Painter::Client(by);
        let store = self.store().await?;
        store.paint_named(by, source, pixels, name).await
    }

    async fn ping(&self, client: &ConnectionId, holds: Option<Position>) -> Result<Pong, Error> {
        Ok(self.store().await?.ping(client, holds).await?)
    }

    async fn give_back(&self, shards: &[Shard], caller: &Token) -> Result<(), Error> {
        Ok(self.store().await?.give_back(shards, caller).await?)
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
    async fn read_canvas(&self) -> Result<Canvas, Error> {
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

impl Opens for Cache {
    fn configured(&self) -> (Geometry, Rgb) {
        (self.config.geometry, self.config.background)
    }

    async fn pixels(&self, geometry: Geometry) -> Result<Picture, Error> {
        Ok(self.store().await?.read_pixels(geometry).await?)
    }

    async fn close(&self, token: &Token, to: Geometry) -> Result<bool, Error> {
        Ok(self.store().await?.close_canvas(token, to).await?)
    }

    async fn open(
        &self,
        token: &Token,
        opening: &Opening,
        picture: Option<&Picture>,
    ) -> Result<Option<Position>, Error> {
        let store = self.store().await?;
        Ok(store.open_canvas(token, opening, picture).await?)
    }

    async fn last_before(&self, position: Position) -> Result<Position, Error> {
        Ok(self.store().await?.last_before(position).await?)
    }

    async fn paint_back(&self, pixels: &[Pixel]) -> Result<Painted, Error> {
        let by = ConnectionId::new(OPERATOR).expect("letters are an id");
        let store = self.store().await?;
        Ok(store
            .paint(Painter::Operator(&by), OPERATOR, pixels)
            .await?)
    }
}

impl Watch for Cache {
    async fn watch(&self, stretch: Range<u64>) -> Result<Watched, Error> {
        Ok(self.store().await?.watch(stretch).await?)
    }

    async fn entries_of(
        &self,
        place: Place,
        count: usize,
        within: usize,
    ) -> Result<Vec<Entry>, Error> {
        let store = self.store().await?;
        Ok(store.entries_of(place, count, within).await?)
    }
}

impl Past for Tables {
    async fn changes_of(&self, (x, y): Place, limit: usize) -> Result<Vec<HistoryRow>, Error> {
        Ok(Box::pin(self.history_of(x, y, Some(limit))).await?)
    }
}

/// Parts of the table of current colours that are read at once.
const SCANS: u32 = 8;

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

    async fn all(&self, on_page: impl FnMut(Vec<Current>)) -> Result<u64, Error> {
        Ok(Box::pin(self.scan_mru(SCANS, on_page)).await?)
    }

    async fn table_id(&self) -> Result<Option<String>, Error> {
        Ok(Box::pin(Self::table_id(self)).await?)
    }

    async fn state(&self) -> Result<Option<State>, Error> {
        Ok(Box::pin(Self::state(self)).await?)
    }

    async fn store_state(&self, state: &State) -> Result<Stored, Error> {
        Ok(Box::pin(Self::store_state(self, state)).await?)
    }
}
