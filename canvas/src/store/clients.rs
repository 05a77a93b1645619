//! The connected clients.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;
use std::time::Duration;

use super::script::{Script, script, script_when_full};
use super::{Store, StoreError, millis};
use crate::connection::{ConnectionId, Shard};

static ADD: LazyLock<Script> = script!("adding a client", "add_client");
static INTRODUCE: LazyLock<Script> = script!("noting a client's player", "introduce");
static REMOVE: LazyLock<Script> = script_when_full!("removing clients", "remove_clients");
static AGE: LazyLock<Script> = script_when_full!("looking up a client", "client_age");

/// Members that one `SSCAN` is asked for.
const SCAN_COUNT: usize = 2000;

/// Whether a client was let in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Admission {
    /// It is in its shard's set.
    Admitted {
        /// Clients that are connected now, with it.
        clients: u64,
    },
    /// As many clients are connected as may be; nothing was changed.
    Full {
        /// Clients that are connected.
        clients: u64,
    },
}

/// One page of a shard's clients.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientPage {
    /// Some of the clients; a client may be on two pages.
    pub ids: Vec<ConnectionId>,
    /// Where the next page starts, if there is one.
    pub next: Option<u64>,
}

/// When a client connected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Joined {
    /// Milliseconds since 1970, by Redis's clock.
    pub at_ms: u64,
    /// How long ago that is, by the same clock.
    pub age: Duration,
}

impl Store {
    /// Adds a client to its shard's set, unless `max_clients` are there. Adding it again is the
    /// same as adding it once.
    ///
    /// Every change after this moment reaches it through its shard's loop.
    pub async fn add_client(&self, id: &ConnectionId) -> Result<Admission, StoreError> {
        let (keys, shard) = (&self.keys, self.shard_of(id));
        let call = ADD
            .call()
            .keys([keys.clients(shard), keys.joined(shard), keys.roster(shard)])
            .keys([
                keys.cursor(shard),
                keys.awake(shard),
                keys.history(),
                keys.sharding(),
            ])
            .keys(self.shards().map(|shard| keys.clients(shard)))
            .arg(id.as_str())
            .arg(self.config.max_clients)
            .arg(self.config.shards);
        let (admitted, clients): (bool, u64) = self.run(call).await?;
        Ok(if admitted {
            Admission::Admitted { clients }
        } else {
            Admission::Full { clients }
        })
    }

    /// Notes which player a client is, by a salted hash of the `player` that it gave; says whether the
    /// client is there.
    pub async fn introduce(&self, id: &ConnectionId, player: &str) -> Result<bool, StoreError> {
        let call = INTRODUCE
            .call()
            .keys([self.keys.joined(self.shard_of(id)), self.keys.meta()])
            .named("connection", id.as_str())
            .named("player", player);
        self.run(call).await
    }

    /// Removes a client; says whether it was there.
    pub async fn remove_client(&self, id: &ConnectionId) -> Result<bool, StoreError> {
        let removed = self
            .remove_from(self.shard_of(id), &[id], Duration::ZERO)
            .await?;
        Ok(!removed.is_empty())
    }

    /// Removes those of `ids` that connected longer than `grace` ago, and answers them.
    ///
    /// A connection that is still being set up answers 410 to a post, like one that is gone.
    pub async fn remove_gone(
        &self,
        ids: &[ConnectionId],
        grace: Duration,
    ) -> Result<Vec<ConnectionId>, StoreError> {
        let mut by_shard: BTreeMap<Shard, Vec<&ConnectionId>> = BTreeMap::new();
        for id in ids {
            by_shard.entry(self.shard_of(id)).or_default().push(id);
        }
        let mut removed = Vec::new();
        for (shard, ids) in by_shard {
            for some in ids.chunks(SCAN_COUNT) {
                removed.extend(self.remove_from(shard, some, grace).await?);
            }
        }
        Ok(removed)
    }

    async fn remove_from(
        &self,
        shard: Shard,
        ids: &[&ConnectionId],
        grace: Duration,
    ) -> Result<Vec<ConnectionId>, StoreError> {
        let keys = &self.keys;
        let ids: Vec<&str> = ids.iter().map(|id| id.as_str()).collect();
        let call = REMOVE
            .call()
            .keys([keys.clients(shard), keys.joined(shard), keys.roster(shard)])
            .arg(millis(grace))
            .arg(ids);
        Ok(known(self.run(call).await?))
    }

    /// When a client connected, if it is connected.
    pub async fn joined(&self, id: &ConnectionId) -> Result<Option<Joined>, StoreError> {
        let shard = self.shard_of(id);
        let call = AGE
            .call()
            .keys([self.keys.clients(shard), self.keys.joined(shard)])
            .arg(id.as_str());
        let found: Option<(u64, u64)> = self.run(call).await?;
        Ok(found.map(|(at_ms, age)| Joined {
            at_ms,
            age: Duration::from_millis(age),
        }))
    }

    /// Number of connected clients.
    pub async fn client_count(&self) -> Result<u64, StoreError> {
        let mut pipe = self.reading();
        for shard in self.shards() {
            pipe.cmd("SCARD").arg(self.keys.clients(shard));
        }
        let counts: Vec<u64> = self.read_all("counting clients", &pipe).await?;
        Ok(counts.into_iter().sum())
    }

    /// One page of a shard's clients; `from` is 0, then what the page before says.
    pub async fn client_page(&self, shard: Shard, from: u64) -> Result<ClientPage, StoreError> {
        let mut command = redis::cmd("SSCAN");
        command
            .arg(self.keys.clients(shard))
            .arg(from)
            .arg("COUNT")
            .arg(SCAN_COUNT);
        let (next, ids): (u64, Vec<String>) = self.read("listing clients", &command).await?;
        Ok(ClientPage {
            ids: known(ids),
            next: (next != 0).then_some(next),
        })
    }

    /// Some clients of all shards, picked at random, each once: about `count`, or all where there
    /// are fewer.
    pub async fn sample_clients(&self, count: usize) -> Result<Vec<ConnectionId>, StoreError> {
        let doing = "picking clients";
        let each = count.div_ceil(self.shards().len());
        let mut pipe = redis::pipe();
        for shard in self.shards() {
            pipe.cmd("SRANDMEMBER")
                .arg(self.keys.clients(shard))
                .arg(each);
        }
        let picked = pipe
            .query_async::<Vec<Vec<String>>>(&mut self.link.clone())
            .await;
        let picked = picked.map_err(|source| StoreError::Redis { doing, source })?;
        Ok(known(picked.into_iter().flatten().collect()))
    }

    /// Whether the caller may look for clients that are gone; then no other caller may for
    /// `length`.
    pub async fn may_prune(&self, length: Duration) -> Result<bool, StoreError> {
        let mut command = redis::cmd("SET");
        let command = command.arg(self.keys.pruning()).arg(1).arg("NX").arg("PX");
        let set: Option<String> = self
            .read("taking a turn at pruning", command.arg(millis(length)))
            .await?;
        Ok(set.is_some())
    }

    /// All clients of a shard, each once, in the order of their ids.
    pub async fn clients_of(&self, shard: Shard) -> Result<Vec<ConnectionId>, StoreError> {
        let mut all = BTreeSet::new();
        let mut next = Some(0);
        while let Some(from) = next {
            let page = self.client_page(shard, from).await?;
            all.extend(page.ids);
            next = page.next;
        }
        Ok(all.into_iter().collect())
    }
}

/// The texts that are connection ids: whatever else got into a set is nobody to post to.
fn known(texts: Vec<String>) -> Vec<ConnectionId> {
    texts
        .into_iter()
        .filter_map(|text| ConnectionId::new(text).ok())
        .collect()
}
