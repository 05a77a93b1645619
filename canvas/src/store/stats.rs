//! The store's figures, all of one moment.

use std::sync::LazyLock;

use serde::{Deserialize, Serialize};

use super::script::{Script, is_full, script, script_when_full};
use super::{SaveSummary, Store, StoreError};
use crate::connection::Shard;
use crate::position::Position;

static PROBE: LazyLock<Script> = script!("writing to the cache", "probe");
static STATS: LazyLock<Script> = script_when_full!("reading the figures", "stats");

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
    /// The canvas, if it is open.
    #[serde(default)]
    pub canvas: Option<CanvasStats>,
    /// The cache's memory, if it tells.
    #[serde(default)]
    pub memory: Option<Memory>,
    /// Whether the cache is full: it takes no paint.
    #[serde(default)]
    pub is_full: bool,
    /// The cache's clock, in milliseconds since 1970.
    #[serde(default)]
    pub now_ms: u64,
}

/// The canvas that is open.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CanvasStats {
    /// What tells it from one that was opened before or after it.
    pub epoch: String,
    /// Pixels in a row.
    pub width: u16,
    /// Rows.
    pub height: u16,
    /// Colour of its untouched pixels, `#rrggbb`.
    pub background: String,
    /// When it was opened, in milliseconds since 1970 by the cache's clock.
    pub opened_ms: u64,
}

/// The cache's memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Memory {
    /// Bytes in use.
    pub used_bytes: u64,
    /// Bytes past which the cache refuses writes; 0 for no limit.
    pub limit_bytes: u64,
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
    canvas: Option<CanvasStats>,
    memory: Option<Memory>,
    now_ms: u64,
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
                keys.meta(),
                keys.canvas(),
            ])
            .keys(
                self.shards()
                    .flat_map(|s| [keys.clients(s), keys.awake(s), keys.cursor(s)]),
            );
        let is_full = match self.run::<()>(PROBE.call().key(keys.probe())).await {
            Ok(()) => false,
            Err(error) if is_full(&error) => true,
            Err(error) => return Err(error),
        };
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
            canvas: answer.canvas,
            memory: answer.memory,
            is_full,
            now_ms: answer.now_ms,
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
