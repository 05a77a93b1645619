//! The lease of the save, and moving `saved`.

use std::sync::LazyLock;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::opening::Found;
use super::script::{Script, script_when_full as script};
use super::{Store, StoreError, Token, millis};
use crate::position::Position;

static TAKE: LazyLock<Script> = script!("taking the save's lease", "take_save");
static MARK: LazyLock<Script> = script!("marking history as saved", "mark_saved");
static FINISH: LazyLock<Script> = script!("ending a save", "finish_save");

/// What came of taking the save's lease.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SaveLease {
    /// The save is the caller's.
    Taken {
        /// Position up to which everything is saved.
        saved: Position,
        /// What the cache holds of the canvas.
        found: Found,
    },
    /// Another save runs.
    Held,
}

/// What came of marking history as saved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MarkSaved {
    /// `saved` moved.
    Moved {
        /// Entries that were trimmed.
        trimmed: u64,
        /// Changes that are still to be saved.
        unsaved: u64,
    },
    /// The lease was not the caller's any more; nothing changed.
    Lost,
}

/// What a save did; kept in the cache for `status`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SaveSummary {
    /// When it ended, in milliseconds since 1970 by Redis's clock (filled in by the store).
    #[serde(default)]
    pub ended_ms: u64,
    /// Changes that it wrote to the history table.
    pub changes: u64,
    /// Pixels that it wrote to the table of current colours.
    pub pixels: u64,
    /// Position up to which was saved before.
    pub from: Position,
    /// Position up to which is saved now.
    pub to: Position,
    /// How long it took, in milliseconds.
    pub elapsed_ms: u64,
}

impl Store {
    /// Takes the save's lease for `ttl`, unless another save has it.
    pub async fn take_save(&self, token: &Token, ttl: Duration) -> Result<SaveLease, StoreError> {
        let keys = &self.keys;
        let call = TAKE
            .call()
            .keys([keys.saving(), keys.saved(), keys.meta(), keys.canvas()])
            .key(keys.history())
            .arg(token.as_str())
            .arg(millis(ttl));
        let Some(answer) = self.run::<Option<Vec<String>>>(call).await? else {
            return Ok(SaveLease::Held);
        };
        let Some((saved, rest)) = answer.split_first() else {
            return Err(StoreError::answer(TAKE.doing, "the answer is empty"));
        };
        let mut found = Found::read(rest)?;
        // In a cluster a key moves to another node whenever the cache is scaled, and nothing is lost.
        found.has_moved &= !self.config.cluster;
        Ok(SaveLease::Taken {
            saved: saved.parse().map_err(StoreError::position(TAKE.doing))?,
            found,
        })
    }

    /// Renews the save's lease for `ttl`; `false` when it is not the caller's any more.
    pub async fn renew_save(&self, token: &Token, ttl: Duration) -> Result<bool, StoreError> {
        self.renew(self.keys.saving(), token, ttl).await
    }

    /// Position up to which history is in DynamoDB.
    pub async fn saved(&self) -> Result<Position, StoreError> {
        const DOING: &str = "reading what is saved";
        let mut command = redis::cmd("GET");
        command.arg(self.keys.saved());
        let saved: Option<String> = self.read(DOING, &command).await?;
        let saved = saved.map(|saved| saved.parse()).transpose();
        saved
            .map(Option::unwrap_or_default)
            .map_err(StoreError::position(DOING))
    }

    /// Says that the `changes` changes after `from` up to `to` are in DynamoDB, and trims what
    /// nobody needs any more.
    ///
    /// It is done only while the lease is the caller's and `saved` is still at `from`, so `saved`
    /// moves only forward and every change is counted once.
    pub async fn mark_saved_and_trim(
        &self,
        token: &Token,
        from: Position,
        to: Position,
        changes: u64,
    ) -> Result<MarkSaved, StoreError> {
        let keys = &self.keys;
        let call = MARK
            .call()
            .keys([keys.saving(), keys.saved(), keys.unsaved(), keys.history()])
            .keys(
                self.shards()
                    .flat_map(|s| [keys.clients(s), keys.awake(s), keys.cursor(s)]),
            )
            .arg(token.as_str())
            .arg(from.to_string())
            .arg(to.to_string())
            .arg(changes)
            .arg(millis(self.config.retain))
            .arg(millis(self.config.patience));
        let (moved, trimmed, unsaved): (bool, u64, u64) = self.run(call).await?;
        Ok(if moved {
            MarkSaved::Moved { trimmed, unsaved }
        } else {
            MarkSaved::Lost
        })
    }

    /// Records what the save did and gives its lease back; `false` when it was lost before, and
    /// then nothing is recorded.
    #[expect(
        clippy::missing_panics_doc,
        reason = "numbers and positions are always JSON"
    )]
    pub async fn finish_save(
        &self,
        token: &Token,
        summary: &SaveSummary,
    ) -> Result<bool, StoreError> {
        let text = serde_json::to_string(&SaveSummary {
            ended_ms: 0,
            ..summary.clone()
        })
        .expect("numbers and positions are always JSON");
        let call = FINISH
            .call()
            .keys([self.keys.saving(), self.keys.last_save()])
            .arg(token.as_str())
            .arg(text);
        self.run(call).await
    }
}
