//! The cache: what the real one's scripts do, on a map.

mod broadcast;
mod opening;
mod save;

use std::collections::{BTreeMap, HashMap};
use std::sync::{Mutex, MutexGuard};
use std::time::Duration;

use place_canvas::store::After;
use place_canvas::{
    ConnectionId, Entry, PaintError, Painted, Picture, Pixel, Position, Rgb, Shard, Token, shard_of,
};
use tokio::time::Instant;

use super::{Faults, geometry};
use crate::save::Place;

/// How long a call is good for.
const CALL: Duration = Duration::from_secs(2);

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
    pub(crate) newest: Position,
    first: Option<Position>,
    /// The epoch, while the canvas is open.
    pub(crate) epoch: Option<String>,
    /// How often it was opened.
    pub(crate) openings: u32,
    /// The replication id changed since.
    pub(crate) has_moved: bool,
    salt: Option<String>,
    /// The size that the picture in the cache has, if it is not the configured one.
    pub(crate) other_size: Option<Picture>,
    to: Option<String>,
    /// What clients gave.
    pub(crate) players: HashMap<ConnectionId, String>,
    /// The pixels are there, and no epoch.
    is_closed: bool,
    roster: u64,
    awake: HashMap<Shard, (String, Instant)>,
    saving: Option<(String, Instant)>,
    pruning: Option<Instant>,
}

/// A mechanism that a cache may lack, to show what it is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Flaw {
    /// A shard has as many loops as come.
    SharesShards,
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

/// What the lease of a shard holds that somebody has called.
fn call_of(caller: &Token) -> String {
    format!("called:{}", caller.as_str())
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
            epoch: Some("e0".to_owned()),
            openings: 0,
            has_moved: false,
            salt: Some("salt".to_owned()),
            other_size: None,
            to: None,
            players: HashMap::new(),
            is_closed: false,
            roster: 0,
            awake: HashMap::new(),
            saving: None,
            pruning: None,
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
        let at = self.record(pixels);
        self.painted(at, false)
    }

    /// Adds an entry to history.
    fn record(&self, pixels: &[Pixel]) -> Position {
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
            player: String::new(),
        });
        state.unsaved += pixels.len() as u64;
        at
    }

    /// Calls the shards that have clients and no loop.
    fn painted(&self, at: Position, is_back: bool) -> Painted {
        let mut state = self.state();
        let wake = (0..self.shards)
            .map(Shard)
            .filter(|shard| self.is_peopled(&state, *shard) && !state.is_awake(*shard));
        let (wake, caller): (Vec<Shard>, _) = (wake.collect(), Token::random());
        for shard in &wake {
            state.wake(*shard, &call_of(&caller), CALL);
        }
        Painted {
            at,
            wake,
            caller,
            is_back,
        }
    }

    /// Loses everything, as a cache that comes back empty.
    pub(crate) fn lose_everything(&self) {
        let mut state = self.state();
        state.history.clear();
        (state.newest, state.saved, state.first) = <_>::default();
        state.unsaved = 0;
        state.picture = Picture::new(geometry(), Rgb::new(0, 0, 0));
        state.clients.clear();
        state.cursors.clear();
        state.doubts.clear();
        state.awake.clear();
        (state.saving, state.epoch, state.salt) = (None, None, None);
    }

    /// Loses the pixels, and holds the rest.
    pub(crate) fn lose_pixels(&self) {
        let mut state = self.state();
        state.picture = Picture::new(geometry(), Rgb::new(0, 0, 0));
        state.epoch = None;
    }

    /// Loses the history, and holds the rest.
    pub(crate) fn lose_history(&self) {
        let mut state = self.state();
        state.history.clear();
        (state.newest, state.first) = <_>::default();
        (state.epoch, state.is_closed) = (None, true);
    }

    /// Puts a client back that the cache does not know; says whether it did.
    fn put_back(&self, client: &ConnectionId) -> bool {
        let is_back = !self.state().clients.contains_key(client);
        if is_back {
            self.join(client, Duration::ZERO);
        }
        is_back
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

    /// The shard is this holder's from now on, for so long.
    fn wake(&mut self, shard: Shard, holder: &str, ttl: Duration) {
        let until = Instant::now() + ttl;
        self.awake.insert(shard, (holder.to_owned(), until));
    }

    fn holds(&self, shard: Shard, token: &Token) -> bool {
        self.is_awake(shard) && self.awake[&shard].0 == token.as_str()
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
            let is_there = self.history.iter().any(|entry| entry.at == position);
            !is_there || self.first.is_some_and(|first| position < first)
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
