//! What a change of the number of shards leaves to do: clients in sets of shards that are not
//! theirs any more, where nobody would serve or remove them.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use super::script::{Script, script_when_full as script};
use super::{Store, StoreError};
use crate::connection::{ConnectionId, Shard};

static MOVE: LazyLock<Script> = script!("moving clients to their shard", "move_clients");
static NOTE: LazyLock<Script> = script!("noting the number of shards", "note_shards");

/// Clients that one script moves.
const MOVED_AT_ONCE: usize = 1000;

const DOING: &str = "looking up the number of shards";

impl Store {
    /// Moves every client to its shard if the sets may be laid out for another number of shards.
    ///
    /// That number is noted only when there was nothing to move, because functions of the version
    /// before may still run and add clients their way.
    pub(super) async fn settle_shards(&self) -> Result<(), StoreError> {
        let mut command = redis::cmd("GET");
        command.arg(self.keys.sharding());
        let noted: Option<u16> = self.read(DOING, &command).await?;
        if noted == Some(self.config.shards) {
            return Ok(());
        }
        let shards = noted.unwrap_or_default().max(self.config.shards);
        let mut moved = 0;
        for shard in (0..shards).map(Shard) {
            moved += self.empty_of_strangers(shard).await?;
        }
        if moved == 0 {
            let call = NOTE.call().key(self.keys.sharding());
            return self.run(call.arg(self.config.shards)).await;
        }
        Ok(())
    }

    /// Moves the clients of a shard's set that belong to others; answers how many.
    async fn empty_of_strangers(&self, shard: Shard) -> Result<u64, StoreError> {
        let mut strangers: BTreeMap<Shard, Vec<ConnectionId>> = BTreeMap::new();
        for id in self.clients_of(shard).await? {
            let own = self.shard_of(&id);
            if own != shard {
                strangers.entry(own).or_default().push(id);
            }
        }
        let mut moved = 0;
        for (own, ids) in strangers {
            for some in ids.chunks(MOVED_AT_ONCE) {
                moved += self.move_clients(shard, own, some).await?;
            }
        }
        Ok(moved)
    }

    async fn move_clients(
        &self,
        from: Shard,
        to: Shard,
        ids: &[ConnectionId],
    ) -> Result<u64, StoreError> {
        let keys = &self.keys;
        let sets = |s| {
            [
                keys.clients(s),
                keys.joined(s),
                keys.roster(s),
                keys.cursor(s),
            ]
        };
        let ids: Vec<&str> = ids.iter().map(ConnectionId::as_str).collect();
        let call = MOVE
            .call()
            .keys(sets(from))
            .keys(sets(to))
            .keys([keys.awake(to), keys.history()])
            .arg(ids);
        self.run(call).await
    }
}
