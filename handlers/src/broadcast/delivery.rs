//! Frames on their way to a shard's clients.
//!
//! Every client gets the frames in their order, one after the other; which frame it has got to is
//! its own affair, so a client that is slow, throttled or broken delays nobody. A post that takes
//! longer than [`PROMPT`] gives its place among the posts in flight to the next one; a failed one
//! is repeated after a jittered pause that holds no place either. Clients that lag behind are
//! carried over from tick to tick, and the shard's cursor stays at what they have got, so that
//! nothing is lost with a loop that dies.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use futures::future::BoxFuture;
use futures::stream::{FuturesUnordered, StreamExt};
use place_canvas::wire::UpdateFrame;
use place_canvas::{ConnectionId, Position};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, sleep_until};

use super::attempt::{LastTry, Outcome, attempt};
use super::pace::Pace;
use super::progress::{Counts, Forbearance, LONGEST_PAUSE, Progress};
use crate::error::Error;
use crate::gateway::{Frame, GatewayError};
use crate::ports::{Clients, Gateway};

/// A post that takes longer no longer counts against the posts in flight.
const PROMPT: Duration = Duration::from_millis(250);
/// Posts that count, and posts that take their time beside them, in one function at once: each has
/// a connection, and a Lambda function has 1,024 file descriptors.
const MOST_POSTS: (usize, usize) = (640, 256);
/// Frames that a client may lag behind before it is given up.
const MAX_LAG: u64 = 512;

/// How long a tick is put off at most while there is nobody to post to: of those who wait, none may
/// ever get through, and others who can have joined.
const POSTPONED: Duration = Duration::from_secs(1);

/// A frame and the position before it.
struct Sheet {
    from: Position,
    frame: Frame,
}

/// How many posts a loop may have in flight.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Room {
    prompt: usize,
    slow: usize,
}

impl Room {
    /// A loop's part of what one function may have, when `loops` run in it, of which all together
    /// shall have at most `concurrency` prompt posts.
    pub(super) fn shared(concurrency: usize, loops: usize) -> Self {
        let loops = loops.max(1);
        Self {
            prompt: (concurrency.min(MOST_POSTS.0) / loops).max(1),
            slow: (MOST_POSTS.1 / loops).max(1),
        }
    }
}

type Posted = (ConnectionId, Outcome);

/// Frames on their way to the clients of one shard.
pub(super) struct Delivery<'a, G, C> {
    gateway: &'a G,
    clients: &'a C,
    pace: Pace,
    forbearance: Forbearance,
    places: Arc<Semaphore>,
    in_flight: FuturesUnordered<BoxFuture<'a, Posted>>,
    max_in_flight: usize,
    /// Clients whose next frame can be posted.
    ready: VecDeque<ConnectionId>,
    /// Clients whose next frame is repeated later.
    waiting: BinaryHeap<Reverse<(Instant, ConnectionId)>>,
    /// Clients that have not got all frames.
    behind: HashMap<ConnectionId, Progress>,
    /// Frames that somebody has not got, the first of them with the number `first`.
    sheets: VecDeque<Sheet>,
    first: u64,
    /// Where the last frame ends.
    end: Position,
    audience: usize,
    /// Of the clients behind: those whose last posts failed, whom the gateway answered without
    /// taking the frame, and of these those that it denied.
    failing: usize,
    refused: usize,
    denied: usize,
    /// When a post got through at last, and when most clients failed at last.
    last_at: Instant,
    outage_at: Instant,
    counts: Counts,
}

impl<'a, G: Gateway, C: Clients> Delivery<'a, G, C> {
    /// Nothing on its way yet; the clients have been sent everything up to `position`.
    pub(super) fn new(
        gateway: &'a G,
        clients: &'a C,
        room: Room,
        (pace, forbearance): (Pace, Forbearance),
        position: Position,
    ) -> Self {
        Self {
            gateway,
            clients,
            pace,
            forbearance,
            places: Arc::new(Semaphore::new(room.prompt)),
            in_flight: FuturesUnordered::new(),
            max_in_flight: room.prompt + room.slow,
            ready: VecDeque::new(),
            waiting: BinaryHeap::new(),
            behind: HashMap::new(),
            sheets: VecDeque::new(),
            first: 0,
            end: position,
            audience: 0,
            failing: 0,
            refused: 0,
            denied: 0,
            last_at: Instant::now(),
            outage_at: Instant::now(),
            counts: Counts::default(),
        }
    }

    /// Puts `frames`, which start where the last ones ended, on their way to `audience`.
    pub(super) fn send(&mut self, frames: Vec<UpdateFrame>, audience: &[ConnectionId]) {
        let next = self.first + self.sheets.len() as u64;
        for UpdateFrame { from, at, text, .. } in frames {
            self.sheets.push_back(Sheet {
                from,
                frame: Frame::new(text),
            });
            self.end = at;
        }
        self.audience = audience.len();
        for client in audience {
            if !self.behind.contains_key(client) {
                self.behind.insert(client.clone(), Progress::at(next));
                self.ready.push_back(client.clone());
            }
        }
    }

    /// From now on at most `posts_per_second`.
    pub(super) fn set_pace(&mut self, posts_per_second: f64) {
        self.pace.set(posts_per_second);
    }

    /// Where the last frame ends.
    pub(super) const fn end(&self) -> Position {
        self.end
    }

    /// What has been posted so far.
    pub(super) const fn counts(&self) -> Counts {
        self.counts
    }

    /// Whether every client has got everything.
    pub(super) fn is_done(&self) -> bool {
        self.behind.is_empty()
    }

    /// Up to where every client has got everything; frames before it are forgotten.
    pub(super) fn settled(&mut self) -> Position {
        let all = self.first + self.sheets.len() as u64;
        let next = self.behind.values().map(|p| p.next).min().unwrap_or(all);
        while self.first < next {
            self.sheets.pop_front();
            self.first += 1;
        }
        self.sheets.front().map_or(self.end, |sheet| sheet.from)
    }

    /// Posts until `tick`, and on until every client that is in order has got everything.
    ///
    /// While the gateway refuses most of the clients (it throttles, or is out of order), or all of
    /// them lag, the next tick would only add to what they wait for: it is put off, for
    /// [`POSTPONED`] at most unless there are posts to make, and what is painted meanwhile goes out
    /// as one frame. Clients that just don't answer put off nothing, be they ever so many: the
    /// others would wait with them.
    ///
    /// Fails when the gateway denies every client: that is the function's role, and no client may
    /// be removed for it.
    pub(super) async fn run_until(&mut self, tick: Instant) -> Result<(), Error> {
        loop {
            self.post_those_due();
            let has_work = self.has_work();
            let lagging = !self.ready.is_empty()
                || self.refused * 2 > self.audience
                || self.behind.len() >= self.audience;
            let repetition = self.waiting.peek().map_or(tick, |Reverse((due, _))| *due);
            let (places, start) = (Arc::clone(&self.places), self.pace.next());
            let place = async move {
                sleep_until(start).await;
                places
                    .acquire_owned()
                    .await
                    .expect("the semaphore is never closed")
            };
            tokio::select! {
                biased;
                Some((client, outcome)) = self.in_flight.next(), if !self.in_flight.is_empty() => {
                    self.settle(client, outcome);
                    if let Outcome::Denied(status) = outcome
                        && self.denied >= self.audience
                    {
                        return Err(GatewayError::Denied(status).into());
                    }
                }
                () = sleep_until(repetition), if !self.waiting.is_empty() => {
                    if let Some(Reverse((_, client))) = self.waiting.pop() {
                        self.ready.push_back(client);
                    }
                }
                place = place, if has_work => self.post_next(place),
                () = sleep_until(tick), if !lagging || self.behind.is_empty() => return Ok(()),
                () = sleep_until(tick + POSTPONED), if self.ready.is_empty() => return Ok(()),
            }
        }
    }

    fn has_work(&self) -> bool {
        !self.ready.is_empty() && self.in_flight.len() < self.max_in_flight
    }

    /// Posts what need not wait, for the pace or for a place.
    fn post_those_due(&mut self) {
        while self.has_work() && self.pace.next() <= Instant::now() {
            let Ok(place) = Arc::clone(&self.places).try_acquire_owned() else {
                return;
            };
            self.post_next(place);
        }
    }

    fn post_next(&mut self, place: OwnedSemaphorePermit) {
        while let Some(client) = self.ready.pop_front() {
            let Some(progress) = self.behind.get(&client) else {
                continue;
            };
            let index = usize::try_from(progress.next - self.first).ok();
            let Some(sheet) = index.and_then(|index| self.sheets.get(index)) else {
                continue;
            };
            let (frame, lag, progress) = (sheet.frame.clone(), self.lag(progress), *progress);
            let last_try = self.last_try(progress, lag);
            self.pace.count();
            self.counts.posts += 1;
            let (gateway, clients) = (self.gateway, self.clients);
            self.in_flight.push(Box::pin(async move {
                let post = attempt(gateway, clients, &client, &frame, last_try);
                let outcome = prompt(post, place).await;
                (client, outcome)
            }));
            return;
        }
    }

    /// Which failures of its next post end a client.
    fn last_try(&mut self, progress: Progress, lag: u64) -> LastTry {
        // When most fail, it is the gateway that does, and not they: nor when it recovers, and some
        // get through before others.
        if self.failing * 2 > self.audience {
            self.outage_at = Instant::now();
        }
        // Or have got everything, and nothing is painted.
        let most_have_all = self.behind.len() * 2 < self.audience;
        let others_get_through = self.last_at.elapsed() < LONGEST_PAUSE || most_have_all;
        let (limit, lags) = (self.forbearance, lag > MAX_LAG);
        LastTry {
            failed: progress.has_failed_enough(limit, self.outage_at) || lags,
            throttled: others_get_through && (progress.is_throttled_for_long(limit) || lags),
        }
    }

    /// Frames that a client has not got.
    fn lag(&self, progress: &Progress) -> u64 {
        self.first + self.sheets.len() as u64 - progress.next
    }

    fn settle(&mut self, client: ConnectionId, outcome: Outcome) {
        let Some(mut progress) = self.behind.remove(&client) else {
            return;
        };
        self.count_out(&progress);
        self.counts.add(outcome);
        progress.note(outcome);
        match outcome {
            Outcome::Delivered | Outcome::NotOpen => {
                if outcome == Outcome::Delivered {
                    self.last_at = Instant::now();
                }
                if self.lag(&progress) == 0 {
                    return;
                }
                self.ready.push_back(client.clone());
            }
            Outcome::Throttled | Outcome::Failed | Outcome::Denied(_) | Outcome::Unanswered => {
                let due = Instant::now() + progress.pause();
                self.waiting.push(Reverse((due, client.clone())));
            }
            Outcome::Gone | Outcome::GivenUp => return,
        }
        self.count_in(&progress);
        self.behind.insert(client, progress);
    }

    fn count_in(&mut self, progress: &Progress) {
        self.failing += usize::from(progress.is_failing());
        self.refused += usize::from(progress.is_refused());
        self.denied += usize::from(progress.is_denied());
    }

    fn count_out(&mut self, progress: &Progress) {
        self.failing -= usize::from(progress.is_failing());
        self.refused -= usize::from(progress.is_refused());
        self.denied -= usize::from(progress.is_denied());
    }
}

/// Runs `post`, and gives its place back early if it takes long.
async fn prompt<T>(post: impl Future<Output = T>, place: OwnedSemaphorePermit) -> T {
    tokio::pin!(post);
    if let Ok(done) = tokio::time::timeout(PROMPT, &mut post).await {
        return done;
    }
    drop(place);
    post.await
}
