//! The cache: what the real one's scripts do, on a map.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Mutex, MutexGuard};
use std::time::Duration;

use place_canvas::store::{
    Admission, After, Asleep, Doubt, MarkSaved, Polled, SaveLease, SaveSummary, Taken,
};
use place_canvas::{
    ConnectionId, Entry, PaintError, Painted, Picture, Pixel, Position, Rgb, Shard, Token, shard_of,
};
use tokio::time::Instant;

use super::{Faults, geometry};
use crate::error::Error;
use crate::ports::{Clients, History, Look, Paint, Shards};
use crate::save::{Place, Saves};

/// How long a call is good for.
const CALL: Duration = Duration::from_secs(2);
/// How long history is kept at least.
const RETAIN: Duration = Duration::from_mins(1);

pub(crate) struct State {
    pub(crate) picture: Picture,
    pub(crate) history: Vec<Entry>,
    pub(crate) saved: Position,
    pub(crate) unsaved: u64,
    pub(crate) clients: BTreeMap<ConnectionId, Instant>,
    pub(crate) cursors: HashMap<Shard, Position>,
    pub(crate) refusal: Option<PaintError>,
    pub(crate) max_clients: u64,
    pub(crate) canvas_reads: u32,
    pub(crate) audience_reads: u32,
    /// Rows in doubt, with the moment since when.
    pub(crate) doubts: HashMap<Token, (Instant, Vec<Place>)>,
    newest: Position,
    first: Option<Position>,
    roster: u64,
    awake: HashMap<Shard, (String, Instant)>,
    saving: Option<(String, Instant)>,
}

/// A mechanism that a cache may lack, to show what it is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Flaw {
    /// A loop falls asleep whatever was painted since it looked.
    SleepsUnchecked,
    /// A shard's cursor moves when history is read, not when it is sent.
    MovesEarly,
}

/// The cache.
pub(crate) struct FakeCache {
    pub(crate) faults: Faults,
    pub(crate) flaw: Option<Flaw>,
    shards: u16,
    start: Instant,
    state: Mutex<State>,
}

impl FakeCache {
    pub(crate) fn new(shards: u16) -> Self {
        let state = State {
            picture: Picture::new(geometry(), Rgb::WHITE),
            history: Vec::new(),
            saved: Position::ZERO,
            unsaved: 0,
            clients: BTreeMap::new(),
            cursors: HashMap::new(),
            refusal: None,
            max_clients: 1_000_000,
            canvas_reads: 0,
            audience_reads: 0,
            doubts: HashMap::new(),
            newest: Position::ZERO,
            first: None,
            roster: 0,
            awake: HashMap::new(),
            saving: None,
        };
        let (faults, start) = (Faults::default(), Instant::now());
        Self {
            faults,
            flaw: None,
            shards,
            start,
            state: Mutex::new(state),
        }
    }

    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    fn shard_of(&self, client: &ConnectionId) -> Shard {
        shard_of(client, self.shards)
    }

    /// Adds a client that connected `age` ago.
    pub(crate) fn join(&self, client: &ConnectionId, age: Duration) {
        let mut state = self.state();
        let joined = Instant::now().checked_sub(age).unwrap_or(self.start);
        let shard = self.shard_of(client);
        if !self.is_needed(&state, shard) || !state.cursors.contains_key(&shard) {
            let newest = state.newest;
            state.forward(shard, newest);
        }
        state.clients.insert(client.clone(), joined);
        state.roster += 1;
    }

    /// Paints; answers the position and the shards to wake.
    pub(crate) fn paint_now(&self, pixels: &[Pixel]) -> Painted {
        let ms = 1_000_000 + u64::try_from(self.start.elapsed().as_millis()).unwrap();
        let mut state = self.state();
        let at = state.newest.next().max(Position::new(ms, 0));
        state.newest = at;
        state.first.get_or_insert(at);
        state.picture.apply(pixels);
        let (by, source) = ("painter".to_owned(), String::new());
        state.history.push(Entry {
            at,
            pixels: pixels.to_vec(),
            by,
            source,
        });
        state.unsaved += pixels.len() as u64;
        let wake = (0..self.shards)
            .map(Shard)
            .filter(|shard| self.is_peopled(&state, *shard) && !state.is_awake(*shard));
        let wake: Vec<Shard> = wake.collect();
        for shard in &wake {
            state
                .awake
                .insert(*shard, ("called".to_owned(), Instant::now() + CALL));
        }
        Painted { at, wake }
    }

    /// Whether a loop holds the shard's lease, or somebody has called it.
    pub(crate) fn is_awake(&self, shard: Shard) -> bool {
        self.state().is_awake(shard)
    }

    fn is_peopled(&self, state: &State, shard: Shard) -> bool {
        state.clients.keys().any(|id| self.shard_of(id) == shard)
    }

    /// Whether a shard needs the history after its cursor.
    fn is_needed(&self, state: &State, shard: Shard) -> bool {
        self.is_peopled(state, shard) || state.is_awake(shard)
    }

    fn trim(&self, saved: Position) {
        let age = self.start.elapsed().saturating_sub(RETAIN).as_millis();
        let young = Position::new(1_000_000 + u64::try_from(age).unwrap(), 0);
        let mut state = self.state();
        let needed = (0..self.shards)
            .map(Shard)
            .filter(|shard| self.is_needed(&state, *shard));
        let slowest = needed.map(|shard| state.cursors.get(&shard).copied().unwrap_or_default());
        let floor = slowest.min().unwrap_or(saved).min(saved).min(young);
        let kept = state.history.iter().rev().find(|entry| entry.at <= floor);
        let floor = kept.map_or(floor, |entry| entry.at);
        state.history.retain(|entry| entry.at >= floor);
    }

    /// Forgets history before `position`, whoever needs it.
    pub(crate) fn forget_before(&self, position: Position) {
        self.state().history.retain(|entry| entry.at >= position);
    }

    /// Takes every lease away from its holder, as a cache that was restarted may.
    pub(crate) fn drop_leases(&self) {
        let mut state = self.state();
        state.awake.clear();
        state.saving = None;
    }
}

impl State {
    fn is_awake(&self, shard: Shard) -> bool {
        self.awake
            .get(&shard)
            .is_some_and(|(_, until)| *until > Instant::now())
    }

    fn holds(&self, shard: Shard, token: &Token) -> bool {
        self.is_awake(shard) && self.awake[&shard].0 == token.as_str()
    }

    fn saves(&self, token: &Token) -> bool {
        let held = |(holder, until): &(String, Instant)| {
            holder == token.as_str() && *until > Instant::now()
        };
        self.saving.as_ref().is_some_and(held)
    }

    fn after(&self, position: Position, entries: usize) -> Vec<Entry> {
        let after = self.history.iter().filter(|entry| entry.at > position);
        after.take(entries).cloned().collect()
    }

    /// What follows a position, and whether something in between is gone.
    fn follow(&self, position: Position, entries: usize) -> After {
        let gap = if position == Position::ZERO {
            self.first != self.history.first().map(|entry| entry.at)
        } else {
            self.history.iter().all(|entry| entry.at != position)
        };
        After {
            entries: self.after(position, entries),
            gap,
        }
    }

    fn forward(&mut self, shard: Shard, to: Position) {
        let cursor = self.cursors.entry(shard).or_default();
        *cursor = to.max(*cursor);
    }
}

impl Clients for FakeCache {
    async fn add(&self, client: &ConnectionId) -> Result<Admission, Error> {
        self.faults.step().await?;
        let clients = self.state().clients.len() as u64;
        if clients >= self.state().max_clients {
            return Ok(Admission::Full { clients });
        }
        self.join(client, Duration::ZERO);
        self.faults.step().await?;
        Ok(Admission::Admitted {
            clients: clients + 1,
        })
    }

    async fn remove(&self, client: &ConnectionId) -> Result<(), Error> {
        self.faults.step().await?;
        if self.state().clients.remove(client).is_some() {
            self.state().roster += 1;
        }
        self.faults.step().await
    }

    async fn remove_gone(&self, client: &ConnectionId, grace: Duration) -> Result<bool, Error> {
        let age = self.state().clients.get(client).map(Instant::elapsed);
        if age.is_none_or(|age| age < grace) {
            return Ok(false);
        }
        self.remove(client).await.map(|()| true)
    }
}

impl Shards for FakeCache {
    async fn take(&self, shard: Shard, token: &Token, ttl: Duration) -> Result<Taken, Error> {
        self.faults.step().await?;
        let mut state = self.state();
        if state.is_awake(shard) && state.awake[&shard].0 != "called" && !state.holds(shard, token)
        {
            return Ok(Taken::Held);
        }
        state
            .awake
            .insert(shard, (token.as_str().to_owned(), Instant::now() + ttl));
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
        let mut state = self.state();
        state.forward(shard, cursor);
        if !state.holds(shard, token) {
            return Ok(Polled::Lost);
        }
        state
            .awake
            .insert(shard, (token.as_str().to_owned(), Instant::now() + ttl));
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
        let mut state = self.state();
        if !state.holds(shard, token) {
            return Ok(false);
        }
        state
            .awake
            .insert(shard, (token.as_str().to_owned(), Instant::now() + ttl));
        Ok(true)
    }

    async fn fall_asleep(&self, shard: Shard, token: &Token) -> Result<Asleep, Error> {
        self.faults.step().await?;
        let mut state = self.state();
        if !state.holds(shard, token) {
            return Ok(Asleep::Lost);
        }
        let behind = state.cursors.get(&shard).copied().unwrap_or_default() < state.newest;
        if behind && self.flaw != Some(Flaw::SleepsUnchecked) {
            return Ok(Asleep::MoreToDo);
        }
        state.awake.remove(&shard);
        Ok(Asleep::Asleep)
    }

    async fn hand_over(&self, shard: Shard, token: &Token) -> Result<bool, Error> {
        self.faults.step().await?;
        let mut state = self.state();
        if !state.holds(shard, token) {
            return Ok(false);
        }
        state
            .awake
            .insert(shard, ("called".to_owned(), Instant::now() + CALL));
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
        _by: &ConnectionId,
        _source: &str,
        pixels: &[Pixel],
    ) -> Result<Painted, PaintError> {
        let refusal = self.state().refusal.take();
        refusal.map_or_else(|| Ok(self.paint_now(pixels)), Err)
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
    async fn read_canvas(&self) -> Result<(Position, Picture), Error> {
        self.faults.step().await?;
        let mut state = self.state();
        state.canvas_reads += 1;
        Ok((state.newest, state.picture.clone()))
    }
}

impl Saves for FakeCache {
    async fn take(&self, token: &Token, ttl: Duration) -> Result<SaveLease, Error> {
        self.faults.step().await?;
        let mut state = self.state();
        if state
            .saving
            .as_ref()
            .is_some_and(|(_, until)| *until > Instant::now())
        {
            return Ok(SaveLease::Held);
        }
        state.saving = Some((token.as_str().to_owned(), Instant::now() + ttl));
        Ok(SaveLease::Taken { saved: state.saved })
    }

    async fn renew(&self, token: &Token, ttl: Duration) -> Result<bool, Error> {
        self.faults.step().await?;
        let mut state = self.state();
        if !state.saves(token) {
            return Ok(false);
        }
        state.saving = Some((token.as_str().to_owned(), Instant::now() + ttl));
        Ok(true)
    }

    async fn mark(
        &self,
        token: &Token,
        (from, to): (Position, Position),
        changes: u64,
    ) -> Result<MarkSaved, Error> {
        self.faults.step().await?;
        let unsaved = {
            let mut state = self.state();
            if !state.saves(token) || state.saved != from {
                return Ok(MarkSaved::Lost);
            }
            state.saved = to;
            state.unsaved = state
                .unsaved
                .checked_sub(changes)
                .expect("no change is counted twice");
            state.unsaved
        };
        self.trim(to);
        self.faults.step().await?;
        Ok(MarkSaved::Moved {
            trimmed: 0,
            unsaved,
        })
    }

    async fn finish(&self, token: &Token, _summary: &SaveSummary) -> Result<bool, Error> {
        self.faults.step().await?;
        let mut state = self.state();
        let held = state.saves(token);
        if held {
            state.saving = None;
        }
        Ok(held)
    }

    async fn lagging(&self) -> Result<Vec<Shard>, Error> {
        let lag = |state: &State, shard: Shard| {
            let behind = state.cursors.get(&shard).copied().unwrap_or_default() < state.newest;
            behind && self.is_peopled(state, shard) && !state.is_awake(shard)
        };
        let mut state = self.state();
        let lagging: Vec<_> = (0..self.shards)
            .map(Shard)
            .filter(|shard| lag(&state, *shard))
            .collect();
        for shard in &lagging {
            state
                .awake
                .insert(*shard, ("called".to_owned(), Instant::now() + CALL));
        }
        Ok(lagging)
    }

    async fn newest(&self) -> Result<Position, Error> {
        Ok(self.state().newest)
    }

    async fn note_doubt(&self, name: &Token, places: &[Place]) -> Result<(), Error> {
        self.faults.step().await?;
        let mut state = self.state();
        if places.is_empty() {
            state.doubts.remove(name);
        } else {
            let noted = (Instant::now(), places.to_vec());
            state.doubts.insert(name.clone(), noted);
        }
        Ok(())
    }

    async fn doubts(&self) -> Result<Vec<Doubt>, Error> {
        let doubt = |(name, (since, places)): (&Token, &(Instant, Vec<Place>))| Doubt {
            name: name.clone(),
            age: since.elapsed(),
            places: places.clone(),
        };
        Ok(self.state().doubts.iter().map(doubt).collect())
    }
}
