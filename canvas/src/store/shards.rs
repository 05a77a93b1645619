//! The leases of the broadcast loops, one a shard, and the shards' cursors.
//!
//! A paint that finds a shard with clients and no lease marks it as called and asks for a wake-up.
//! A loop takes a shard that is called or free, polls it every tick, and lets go in a script that
//! checks that history holds nothing past the cursor: so whatever is painted is either seen by the
//! running loop or calls the next one.

use std::collections::HashMap;
use std::sync::LazyLock;
use std::time::Duration;

use super::history::{After, RawEntry};
use super::script::{Call, Script, script_when_full as script};
use super::{Store, StoreError, Token, millis};
use crate::connection::Shard;
use crate::position::Position;

/// How long a call is good for: a loop that doesn't come by then is called again.
pub(super) const CALL_MS: u64 = 2000;

static TAKE: LazyLock<Script> = script!("taking a shard", "take_shard");
static POLL: LazyLock<Script> = script!("polling a shard", "poll_shard");
static RENEW: LazyLock<Script> = script!("renewing a lease", "renew");
static ADVANCE: LazyLock<Script> = script!("moving a cursor", "advance");
static SLEEP: LazyLock<Script> = script!("letting a shard sleep", "fall_asleep");
static HAND_OVER: LazyLock<Script> = script!("handing a shard over", "hand_over");
static LAGGING: LazyLock<Script> = script!("looking for lagging shards", "lagging");
static GIVE_BACK: LazyLock<Script> = script!("giving calls back", "give_back");

/// What came of taking a shard.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Taken {
    /// The shard is the caller's.
    Taken {
        /// Position up to which its clients have been sent updates.
        cursor: Position,
    },
    /// Another loop runs.
    Held,
}

/// What a loop found at a tick.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Polled {
    /// The lease is the loop's and was renewed.
    Alive {
        /// History after the cursor.
        news: After,
        /// Changes whenever a client joins or leaves the shard: while it stays the same, so does
        /// the shard's set of clients.
        roster: u64,
    },
    /// The lease expired and is another's, or nobody's.
    Lost,
}

/// What came of letting go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asleep {
    /// The lease is given back and nothing was left to send.
    Asleep,
    /// History holds more: the lease was kept.
    MoreToDo,
    /// The lease was not the caller's any more.
    Lost,
}

impl Store {
    /// Takes a shard's lease for `ttl`, unless another loop has it.
    pub async fn take_shard(
        &self,
        shard: Shard,
        token: &Token,
        ttl: Duration,
    ) -> Result<Taken, StoreError> {
        let keys = &self.keys;
        let call = TAKE
            .call()
            .keys([
                keys.awake(shard),
                keys.cursor(shard),
                keys.clients(shard),
                keys.history(),
            ])
            .arg(token.as_str())
            .arg(millis(ttl));
        let cursor: Option<String> = self.run(call).await?;
        let cursor = cursor.map(|cursor| cursor.parse()).transpose();
        let cursor = cursor.map_err(StoreError::position(TAKE.doing))?;
        Ok(cursor.map_or(Taken::Held, |cursor| Taken::Taken { cursor }))
    }

    /// One tick in one round trip: moves the shard's cursor to `cursor` (never back), renews the
    /// lease, and reads up to `max_entries` of the history after it.
    pub async fn poll_shard(
        &self,
        shard: Shard,
        token: &Token,
        ttl: Duration,
        cursor: Position,
        max_entries: usize,
    ) -> Result<Polled, StoreError> {
        let keys = &self.keys;
        let call = POLL
            .call()
            .keys([
                keys.awake(shard),
                keys.cursor(shard),
                keys.roster(shard),
                keys.history(),
                keys.meta(),
            ])
            .arg(token.as_str())
            .arg(millis(ttl))
            .arg(cursor.to_string())
            .arg(max_entries.max(1));
        let (alive, roster, entries, first): (bool, u64, Vec<RawEntry>, String) =
            self.run(call).await?;
        if !alive {
            return Ok(Polled::Lost);
        }
        let news = After::of(cursor, entries, &first)?;
        Ok(Polled::Alive { news, roster })
    }

    /// Renews a shard's lease for `ttl`; `false` when it is not the caller's any more.
    pub async fn renew_shard(
        &self,
        shard: Shard,
        token: &Token,
        ttl: Duration,
    ) -> Result<bool, StoreError> {
        self.renew(self.keys.awake(shard), token, ttl).await
    }

    pub(super) async fn renew(
        &self,
        lease: String,
        token: &Token,
        ttl: Duration,
    ) -> Result<bool, StoreError> {
        let call = RENEW.call().key(lease).arg(token.as_str()).arg(millis(ttl));
        self.run(call).await
    }

    /// Moves a shard's cursor to `position`, but never back.
    ///
    /// It needs no lease: whoever has posted everything up to `position` may say so.
    pub async fn advance_cursor(&self, shard: Shard, to: Position) -> Result<(), StoreError> {
        let call = ADVANCE
            .call()
            .key(self.keys.cursor(shard))
            .arg(to.to_string());
        self.run(call).await
    }

    /// Gives a shard's lease back if history holds nothing past its cursor.
    pub async fn fall_asleep(&self, shard: Shard, token: &Token) -> Result<Asleep, StoreError> {
        let keys = &self.keys;
        let call = SLEEP
            .call()
            .keys([keys.awake(shard), keys.cursor(shard), keys.history()])
            .arg(token.as_str());
        match self.run::<String>(call).await?.as_str() {
            "asleep" => Ok(Asleep::Asleep),
            "more" => Ok(Asleep::MoreToDo),
            _ => Ok(Asleep::Lost),
        }
    }

    /// Turns a shard's lease into a call; `false` when it was not the caller's any more.
    ///
    /// The caller queues the wake-up *after* this, or the successor could find the lease held and
    /// leave. If that fails, the call expires and the next paint or save calls again.
    pub async fn hand_over(&self, shard: Shard, token: &Token) -> Result<bool, StoreError> {
        let call = HAND_OVER
            .call()
            .key(self.keys.awake(shard))
            .arg(token.as_str())
            .arg(CALL_MS);
        self.run(call).await
    }

    /// Takes back `caller`'s calls of these shards, because it could not wake them: the next paint or
    /// ping calls at once.
    pub async fn give_back(&self, shards: &[Shard], caller: &Token) -> Result<(), StoreError> {
        let keys = shards.iter().map(|shard| self.keys.awake(*shard));
        self.run(GIVE_BACK.call().keys(keys).arg(caller.as_str()))
            .await
    }

    /// The shards with clients that have not been sent everything and that no loop serves; they
    /// are marked as called, as a paint does, so the caller must wake them.
    ///
    /// After a change of the number of shards it moves the clients to their new shards first.
    pub async fn lagging_shards(&self) -> Result<Vec<Shard>, StoreError> {
        self.settle_shards().await?;
        let lagging: Vec<u16> = self.run(self.lagging_call()).await?;
        Ok(lagging.into_iter().map(Shard).collect())
    }

    pub(super) fn lagging_call(&self) -> Call<'static> {
        let keys = &self.keys;
        let shards = self.shards();
        LAGGING
            .call()
            .key(keys.history())
            .keys(shards.flat_map(|s| [keys.clients(s), keys.awake(s), keys.cursor(s)]))
            .arg(Token::random().as_str())
            .arg(CALL_MS)
    }

    /// The cursors of all shards that have one.
    pub async fn cursors(&self) -> Result<HashMap<Shard, Position>, StoreError> {
        const DOING: &str = "reading the shards' cursors";
        let mut command = redis::cmd("MGET");
        for shard in self.shards() {
            command.arg(self.keys.cursor(shard));
        }
        let cursors: Vec<Option<String>> = self.read(DOING, &command).await?;
        let held = self
            .shards()
            .zip(cursors)
            .filter_map(|(shard, text)| Some((shard, text?)));
        let parse = |(shard, text): (_, String)| Ok((shard, text.parse()?));
        held.map(parse)
            .collect::<Result<_, _>>()
            .map_err(StoreError::position(DOING))
    }
}
