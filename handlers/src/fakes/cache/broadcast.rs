//! Painting, the clients and their shards.

use std::sync::MutexGuard;
use std::time::Duration;

use place_canvas::store::{Admission, After, Asleep, Canvas, Polled, Pong, Taken};
use place_canvas::{
    ConnectionId, Entry, PaintError, Painted, Pixel, Position, Shard, StoreError, Token,
};
use rand::seq::IndexedRandom;
use tokio::time::Instant;

use super::{CALL, FakeCache, Flaw, State, call_of};
use crate::error::Error;
use crate::ports::{Clients, History, Look, Paint, Shards};
use crate::save::Ghosts;

impl Clients for FakeCache {
    async fn add(&self, client: &ConnectionId) -> Result<Admission, Error> {
        self.faults.step().await?;
        let (clients, is_there) = {
            let state = self.state();
            (
                state.clients.len() as u64,
                state.clients.contains_key(client),
            )
        };
        if is_there {
            return Ok(Admission::Admitted { clients });
        }
        if clients >= self.state().max_clients {
            return Ok(Admission::Full { clients });
        }
        self.join(client, Duration::ZERO);
        self.faults.step().await?;
        Ok(Admission::Admitted {
            clients: clients + 1,
        })
    }

    async fn introduce(&self, client: &ConnectionId, player: &str) -> Result<(), Error> {
        self.faults.step().await?;
        let mut state = self.state();
        state.players.insert(client.clone(), player.to_owned());
        Ok(())
    }

    async fn remove(&self, client: &ConnectionId) -> Result<(), Error> {
        self.faults.step().await?;
        if self.state().clients.remove(client).is_some() {
            self.state().roster += 1;
        }
        self.faults.step().await
    }

    async fn remove_gone(&self, client: &ConnectionId, grace: Duration) -> Result<bool, Error> {
        self.faults.step().await?;
        let age = self.state().clients.get(client).map(Instant::elapsed);
        if age.is_none_or(|age| age < grace) {
            return Ok(false);
        }
        self.remove(client).await.map(|()| true)
    }

    async fn age(&self, client: &ConnectionId) -> Result<Option<Duration>, Error> {
        self.faults.step().await?;
        Ok(self.state().clients.get(client).map(Instant::elapsed))
    }
}

impl Ghosts for FakeCache {
    async fn sample(&self, count: usize) -> Result<Vec<ConnectionId>, Error> {
        let clients: Vec<_> = self.state().clients.keys().cloned().collect();
        let picked = clients.choose_multiple(&mut rand::rng(), count);
        Ok(picked.cloned().collect())
    }

    async fn forget(
        &self,
        ids: &[ConnectionId],
        grace: Duration,
    ) -> Result<Vec<ConnectionId>, Error> {
        let mut removed = Vec::new();
        for id in ids {
            if self.remove_gone(id, grace).await? {
                removed.push(id.clone());
            }
        }
        Ok(removed)
    }

    async fn may_prune(&self, length: Duration) -> Result<bool, Error> {
        let now = Instant::now();
        let mut state = self.state();
        let may = state.pruning.is_none_or(|until| until <= now);
        if may {
            state.pruning = Some(now + length);
        }
        Ok(may)
    }
}

impl FakeCache {
    fn holds(&self, state: &State, shard: Shard, token: &Token) -> bool {
        state.holds(shard, token) || self.flaw == Some(Flaw::SharesShards)
    }

    /// The state, if the shard is the caller's.
    fn held(&self, shard: Shard, token: &Token) -> Option<MutexGuard<'_, State>> {
        let state = self.state();
        self.holds(&state, shard, token).then_some(state)
    }
}

impl Shards for FakeCache {
    async fn take(&self, shard: Shard, token: &Token, ttl: Duration) -> Result<Taken, Error> {
        self.faults.step().await?;
        let mut state = self.state();
        let is_called = state.is_awake(shard) && state.awake[&shard].0.starts_with("called");
        if state.is_awake(shard) && !is_called && !self.holds(&state, shard, token) {
            return Ok(Taken::Held);
        }
        state.wake(shard, token.as_str(), ttl);
        if !self.is_peopled(&state, shard) {
            let newest = state.newest;
            state.forward(shard, newest);
        }
        let cursor = state.cursors.get(&shard).copied().unwrap_or_default();
        Ok(Taken::Taken { cursor })
    }

    async fn poll(
        &self,
        (shard, token, ttl): (Shard, &Token, Duration),
        cursor: Position,
        entries: usize,
    ) -> Result<Polled, Error> {
        self.faults.step().await?;
        self.state().forward(shard, cursor);
        let Some(mut state) = self.held(shard, token) else {
            return Ok(Polled::Lost);
        };
        state.wake(shard, token.as_str(), ttl);
        let news = state.follow(cursor, entries);
        if let (Some(Flaw::MovesEarly), Some(last)) = (self.flaw, news.entries.last()) {
            state.forward(shard, last.at);
        }
        Ok(Polled::Alive {
            news,
            roster: state.roster,
        })
    }

    async fn renew(&self, shard: Shard, token: &Token, ttl: Duration) -> Result<bool, Error> {
        self.faults.step().await?;
        let Some(mut state) = self.held(shard, token) else {
            return Ok(false);
        };
        state.wake(shard, token.as_str(), ttl);
        Ok(true)
    }

    async fn fall_asleep(&self, shard: Shard, token: &Token) -> Result<Asleep, Error> {
        self.faults.step().await?;
        let Some(mut state) = self.held(shard, token) else {
            return Ok(Asleep::Lost);
        };
        let behind = state.cursors.get(&shard).copied().unwrap_or_default() < state.newest;
        if behind && self.flaw != Some(Flaw::SleepsUnchecked) {
            return Ok(Asleep::MoreToDo);
        }
        state.awake.remove(&shard);
        Ok(Asleep::Asleep)
    }

    async fn hand_over(&self, shard: Shard, token: &Token) -> Result<bool, Error> {
        self.faults.step().await?;
        let call = call_of(token);
        let mut state = self.state();
        let is_handed_over = state.is_awake(shard) && state.awake[&shard].0 == call;
        if !is_handed_over && !self.holds(&state, shard, token) {
            return Ok(false);
        }
        state.wake(shard, &call, CALL);
        Ok(true)
    }

    async fn audience(&self, shard: Shard) -> Result<Vec<ConnectionId>, Error> {
        self.faults.step().await?;
        let mut state = self.state();
        state.audience_reads += 1;
        let clients = state.clients.keys().filter(|id| self.shard_of(id) == shard);
        Ok(clients.cloned().collect())
    }

    async fn all_clients(&self) -> Result<u64, Error> {
        Ok(self.state().clients.len() as u64)
    }
}

impl Paint for FakeCache {
    async fn paint(
        &self,
        by: &ConnectionId,
        _source: &str,
        pixels: &[Pixel],
        _name: Option<&str>,
    ) -> Result<Painted, PaintError> {
        let refusal = self.state().refusal.take();
        if let Some(refusal) = refusal {
            return Err(refusal);
        }
        if self.state().epoch.is_none() {
            return Err(StoreError::Closed.into());
        }
        // A painter that was not there gets a picture that shows at least this.
        let at = self.record(pixels);
        let is_back = self.put_back(by);
        Ok(self.painted(at, is_back))
    }

    async fn ping(&self, client: &ConnectionId, holds: Option<Position>) -> Result<Pong, Error> {
        let Some(epoch) = self.state().epoch.clone() else {
            return Err(StoreError::Closed.into());
        };
        let caller = Token::random();
        let is_back = self.put_back(client);
        let wake = self.call_lagging(&call_of(&caller));
        let state = self.state();
        let first = state.history.first().map(|entry| entry.at);
        let knows = |at: Position| state.history.iter().any(|entry| entry.at == at);
        Ok(Pong {
            epoch,
            at: state.newest,
            online: state.clients.len() as u64,
            is_back,
            is_lost: holds.is_some_and(|at| first.is_some_and(|first| first < at) && !knows(at)),
            wake,
            caller,
        })
    }

    async fn give_back(&self, shards: &[Shard], caller: &Token) -> Result<(), Error> {
        let mut state = self.state();
        for shard in shards {
            let call = call_of(caller);
            if state.awake.get(shard).is_some_and(|(by, _)| *by == call) {
                state.awake.remove(shard);
            }
        }
        Ok(())
    }
}

impl History for FakeCache {
    async fn read_after(&self, position: Position, entries: usize) -> Result<Vec<Entry>, Error> {
        self.faults.step().await?;
        Ok(self.state().after(position, entries))
    }

    async fn follow(&self, position: Position, entries: usize) -> Result<After, Error> {
        self.faults.step().await?;
        Ok(self.state().follow(position, entries))
    }
}

impl Look for FakeCache {
    async fn read_canvas(&self) -> Result<Canvas, Error> {
        self.faults.step().await?;
        let mut state = self.state();
        state.canvas_reads += 1;
        Ok(Canvas {
            epoch: state.epoch.clone().ok_or(StoreError::Closed)?,
            at: state.newest,
            picture: state.picture.clone(),
        })
    }
}
