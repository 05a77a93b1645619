//! What keeps a client alive.

use std::sync::LazyLock;

use super::script::{Script, script};
use super::shards::CALL_MS;
use super::{Store, StoreError, Token};
use crate::connection::{ConnectionId, Shard};
use crate::position::Position;

static PING: LazyLock<Script> = script!("answering a ping", "ping");

/// What a client that pings is to know and to get.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pong {
    /// What tells this canvas from one that was opened before or after it.
    pub epoch: String,
    /// Position of the newest change.
    pub at: Position,
    /// Connected clients.
    pub online: u64,
    /// Whether the cache did not know the client, which is back in its shard and needs a picture.
    pub is_back: bool,
    /// Whether the cache does not know what the client holds: it has lost some changes, which the
    /// client shows and nobody else.
    pub is_lost: bool,
    /// The shards that lag and have no loop, and are now to be woken, by one message each.
    pub wake: Vec<Shard>,
    /// Who calls them: what [`Store::give_back`] takes back when they can't be woken.
    pub caller: Token,
}

impl Store {
    /// Puts a client back into its shard if the cache does not know it, and calls the loops of
    /// shards that lag. `holds` is the position that the client holds, if it said so.
    pub async fn ping(
        &self,
        client: &ConnectionId,
        holds: Option<Position>,
    ) -> Result<Pong, StoreError> {
        let (keys, own, caller) = (&self.keys, self.shard_of(client), Token::random());
        let shards = self.shards();
        let call = PING
            .call()
            .keys([keys.meta(), keys.canvas(), keys.history()])
            .keys([keys.joined(own), keys.roster(own)])
            .keys(shards.flat_map(|s| [keys.clients(s), keys.awake(s), keys.cursor(s)]))
            .named("connection", client.as_str())
            .named("shard", own.0)
            .named("holds", holds.map(|at| at.to_string()).unwrap_or_default())
            .named("name", caller.as_str())
            .named("call", CALL_MS);
        let answer: Vec<String> = self.run(call).await?;
        pong(&answer, caller)
    }
}

fn pong(answer: &[String], caller: Token) -> Result<Pong, StoreError> {
    let words: Vec<&str> = answer.iter().map(String::as_str).collect();
    let unusable = || StoreError::answer(PING.doing, format!("{answer:?}"));
    match words.as_slice() {
        ["pong", epoch, at, online, is_back, is_lost, wake @ ..] => {
            let wake = wake.iter().map(|shard| shard.parse());
            Ok(Pong {
                epoch: (*epoch).to_owned(),
                at: at.parse().map_err(StoreError::position(PING.doing))?,
                online: online.parse().map_err(|_| unusable())?,
                is_back: *is_back == "1",
                is_lost: *is_lost == "1",
                wake: wake.collect::<Result<_, _>>().map_err(|_| unusable())?,
                caller,
            })
        }
        ["closed"] => Err(StoreError::Closed),
        _ => Err(unusable()),
    }
}
