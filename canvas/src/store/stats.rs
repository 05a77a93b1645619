//! The store's figures, all of one moment.

use std::sync::LazyLock;

use serde::{Deserialize, Serialize};

use super::script::{Script, script};
use super::{SaveSummary, Store, StoreError};
use crate::connection::Shard;
use crate::position::Position;

static STATS: LazyLock<Script> = script!("reading the figures", "stats");

/// The store's figures, all of one moment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stats {
    /// Position of the newest change.
    pub newest: Position,
    /// Position up to which history is in DynamoDB.
    pub saved: Position,
    /// Changes (pixels) that are not.
    pub unsaved_changes: u64,
    /// Age of the oldest of them, in milliseconds.
    pub oldest_unsaved_ms: Option<u64>,
    /// Entries (messages) that the cache's history holds.
    pub history_entries: u64,
    /// Connected clients.
    pub clients: u64,
    /// Each shard, by number.
    pub shards: Vec<ShardStats>,
    /// What the last save did, if there was one.
    pub last_save: Option<SaveSummary>,
}

/// One shard's figures.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShardStats {
    /// The shard.
    pub shard: Shard,
    /// Its clients.
    pub clients: u64,
    /// Position up to which they have been sent updates, if there was a client yet.
    pub cursor: Option<Position>,
    /// Whether its loop runs.
    pub state: ShardState,
}

/// Whether a shard's loop runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ShardState {
    /// Nobody has called it.
    Asleep,
    /// A paint or a save has called it and it has not come yet.
    Called,
    /// It runs.
    Running,
}

/// The script's answer.
#[derive(Deserialize)]
struct Answer {
    newest: Position,
    saved: Position,
    unsaved_changes: u64,
    oldest_unsaved_ms: Option<u64>,
    history_entries: u64,
    /// A text, because `cjson` would not give every number back as it was.
    last_save: Option<String>,
}

impl Store {
    /// The store's figures, all of one moment.
    pub async fn stats(&self) -> Result<Stats, StoreError> {
        let keys = &self.keys;
        let call = STATS
            .call()
            .keys([
                keys.history(),
                keys.saved(),
                keys.unsaved(),
                keys.last_save(),
            ])
            .keys(
                self.shards()
                    .flat_map(|s| [keys.clients(s), keys.awake(s), keys.cursor(s)]),
            );
        let (figures, shards): (String, Vec<(u64, String, String)>) = self.run(call).await?;
        let unusable = |error| StoreError::answer(STATS.doing, error);
        let answer: Answer = serde_json::from_str(&figures).map_err(unusable)?;
        let last_save = answer
            .last_save
            .as_deref()
            .map(serde_json::from_str)
            .transpose();
        let shards = self
            .shards()
            .zip(shards)
            .map(|(shard, figures)| of_shard(shard, &figures));
        let shards = shards.collect::<Result<Vec<_>, _>>()?;
        Ok(Stats {
            newest: answer.newest,
            saved: answer.saved,
            unsaved_changes: answer.unsaved_changes,
            oldest_unsaved_ms: answer.oldest_unsaved_ms,
            history_entries: answer.history_entries,
            clients: shards.iter().map(|shard| shard.clients).sum(),
            shards,
            last_save: last_save.map_err(unusable)?,
        })
    }
}

fn of_shard(
    shard: Shard,
    (clients, awake, cursor): &(u64, String, String),
) -> Result<ShardStats, StoreError> {
    let state = match awake.as_str() {
        "" => ShardState::Asleep,
        call if call.starts_with("called") => ShardState::Called,
        _ => ShardState::Running,
    };
    let cursor = (!cursor.is_empty()).then(|| cursor.parse()).transpose();
    let cursor = cursor.map_err(StoreError::position(STATS.doing))?;
    Ok(ShardStats {
        shard,
        clients: *clients,
        cursor,
        state,
    })
}
