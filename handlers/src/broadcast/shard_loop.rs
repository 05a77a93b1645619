//! The loop that serves one shard.

use std::time::Duration;

use place_canvas::store::{After, Asleep, Polled, Taken};
use place_canvas::wire::update_frames;
use place_canvas::{ConnectionId, Entry, Position, Shard, Token};
use tokio::time::{Instant, sleep_until};
use tracing::warn;

use super::delivery::{Delivery, Room};
use super::pace::Pace;
use super::patience::patiently;
use super::progress::{Counts, Forbearance};
use super::{Cache, Invocation, Tuning};
use crate::error::{Error, chain};
use crate::gateway::GatewayError;
use crate::ports::{Calls, Gateway};
use crate::queues::{Call, Reason};

/// How long a loop that died blocks its shard.
const LEASE: Duration = Duration::from_secs(3);
/// How often the lease is renewed while posts take longer than a tick.
const RENEWAL: Duration = Duration::from_millis(900);
/// How long a cache that fails is asked again. The lease may be lost meanwhile; then the cache says
/// so, and whoever has it serves the shard.
const PATIENCE: Duration = Duration::from_secs(20);
/// Kept free before the invocation's time-out, for handing over.
const RESERVE: Duration = Duration::from_secs(3);
/// Entries of history that are read at once.
const PAGE: usize = 2000;
/// Pixels after which no further page is read in one tick, to bound the memory.
const MAX_PIXELS: usize = 200_000;
/// How often the number of all clients is looked up, of which the pace depends.
const COUNT_INTERVAL: Duration = Duration::from_secs(1);

/// How a loop ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// There was nothing more to send.
    Asleep,
    /// The invocation's time was up; the next one goes on.
    HandedOver,
    /// Another loop had the shard from the beginning.
    Held,
    /// Another loop got the shard, because this one was held up for longer than its lease.
    Lost,
    /// The cache failed; the next loop was called, and goes on where this one ended.
    Broke,
}

/// What a loop did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Summary {
    /// Position at which it began.
    pub from: Position,
    /// Position up to which it sent.
    pub to: Position,
    /// Ticks that brought changes.
    pub ticks: u64,
    /// Frames, each of which went to all clients.
    pub frames: u64,
    /// Pixels in them.
    pub pixels: u64,
    /// Clients of the shard.
    pub clients: usize,
    /// How long it ran.
    pub elapsed: Duration,
    /// Posts and what became of them.
    pub counts: Counts,
    /// How it ended.
    pub ending: Ending,
}

/// The loop of one shard.
pub(super) struct ShardLoop<'a, C, Q, G> {
    shard: Shard,
    token: Token,
    invocation: Invocation<'a>,
    tuning: Tuning,
    /// When the loop has to end.
    until: Instant,
    cache: &'a C,
    calls: &'a Q,
    delivery: Delivery<'a, G, C>,
    audience: Vec<ConnectionId>,
    /// What the roster's counter said before the audience was read.
    roster: Option<u64>,
    counted: Option<Instant>,
    renew_at: Instant,
    summary: Summary,
}

impl<'a, C: Cache, Q: Calls, G: Gateway> ShardLoop<'a, C, Q, G> {
    /// Serves `shard`, one of `loops` of this invocation, until there is nothing more to send or
    /// the time is up.
    ///
    /// A loop that breaks calls the next one, because its own message would come again only after
    /// its visibility time-out. Not if the gateway denied it everything: the next one would fare
    /// no better.
    pub(super) async fn run(
        (shard, loops): (Shard, usize),
        invocation: Invocation<'a>,
        tuning: Tuning,
        (cache, calls, gateway): (&'a C, &'a Q, &'a G),
    ) -> Result<Summary, Error> {
        let start = Instant::now();
        let deadline = invocation.deadline;
        let until = deadline.checked_sub(RESERVE).unwrap_or(deadline);
        let token = Token::random();
        let lease = patiently(until.min(start + PATIENCE), || {
            cache.take(shard, &token, LEASE)
        });
        let lease = lease.await;
        let cursor = match lease {
            Ok(Taken::Taken { cursor }) => cursor,
            _ => Position::ZERO,
        };
        let pace = Pace::new(f64::from(tuning.max_posts_per_second));
        let forbearance = Forbearance::within(until.saturating_duration_since(start));
        let mut serving = Self {
            shard,
            token,
            invocation,
            tuning,
            until,
            cache,
            calls,
            delivery: Delivery::new(
                gateway,
                cache,
                Room::shared(tuning.concurrency, loops),
                (pace, forbearance),
                cursor,
            ),
            audience: Vec::new(),
            roster: None,
            counted: None,
            renew_at: start + RENEWAL,
            summary: Summary::new(cursor),
        };
        let served = match lease {
            Ok(Taken::Taken { .. }) => serving.serve().await,
            Ok(Taken::Held) => Ok(Ending::Held),
            Err(error) => Err(error),
        };
        match served {
            Ok(ending) => Ok(serving.ended(start, ending)),
            Err(error) => {
                warn!(%shard, error = chain(&error), "the loop broke");
                serving.give_up(error).await?;
                Ok(serving.ended(start, Ending::Broke))
            }
        }
    }

    /// Leaves the shard to the next loop after `error`, or fails with it.
    async fn give_up(&mut self, error: Error) -> Result<(), Error> {
        // So that the next loop, or paint, need not wait for the lease to expire.
        if let Err(error) = self.cache.hand_over(self.shard, &self.token).await {
            warn!(shard = %self.shard, error = chain(&error), "could not give the lease back");
        }
        if matches!(error, Error::Gateway(GatewayError::Denied(_))) {
            return Err(error);
        }
        let reason = Reason::Broke(self.invocation.request_id.to_owned());
        self.call(reason).await.map_err(|call| {
            warn!(shard = %self.shard, error = chain(&call), "could not call the next loop");
            error
        })
    }

    async fn call(&mut self, reason: Reason) -> Result<(), Error> {
        let (shard, at) = (self.shard, self.delivery.settled());
        self.calls.call(&Call { shard, at, reason }).await
    }

    /// When a cache that fails now is no longer asked.
    fn patience(&self) -> Instant {
        self.until.min(Instant::now() + PATIENCE)
    }

    fn ended(mut self, start: Instant, ending: Ending) -> Summary {
        self.summary.to = self.delivery.end();
        self.summary.clients = self.audience.len();
        self.summary.counts = self.delivery.counts();
        self.summary.elapsed = start.elapsed();
        self.summary.ending = ending;
        self.summary
    }

    async fn serve(&mut self) -> Result<Ending, Error> {
        loop {
            let tick = Instant::now() + self.tuning.tick;
            let Some(news) = self.read().await? else {
                return Ok(Ending::Lost);
            };
            if !news.entries.is_empty() {
                self.send(&news).await?;
            } else if self.delivery.is_done() {
                let asleep = || self.cache.fall_asleep(self.shard, &self.token);
                match patiently(self.patience(), asleep).await? {
                    Asleep::Asleep => return Ok(Ending::Asleep),
                    Asleep::Lost => return Ok(Ending::Lost),
                    Asleep::MoreToDo => continue,
                }
            }
            if let Some(ending) = self.deliver(tick).await? {
                return Ok(ending);
            }
        }
    }

    /// What was painted after the last frame; `None` when the lease is lost.
    ///
    /// The roster is never read before history: a client that joins between the two would be left
    /// out of a frame that its picture need not hold.
    async fn read(&mut self) -> Result<Option<News>, Error> {
        let (settled, sent) = (self.delivery.settled(), self.delivery.end());
        let lagging = settled < sent;
        let beyond = if lagging {
            let follow = || self.cache.follow(sent, PAGE);
            Some(patiently(self.patience(), follow).await?)
        } else {
            None
        };
        let page = if lagging { 1 } else { PAGE };
        let poll = || {
            let lease = (self.shard, &self.token, LEASE);
            self.cache.poll(lease, settled, page)
        };
        let polled = patiently(self.patience(), poll).await?;
        self.renew_at = Instant::now() + RENEWAL;
        let Polled::Alive { news, roster } = polled else {
            return Ok(None);
        };
        let After { entries, gap } = beyond.unwrap_or(news);
        self.read_on(News {
            entries,
            gap,
            roster: Some(roster),
        })
        .await
        .map(Some)
    }

    /// Reads the pages after a full one.
    async fn read_on(&self, mut news: News) -> Result<News, Error> {
        let pixels = |page: &[Entry]| page.iter().map(|entry| entry.pixels.len()).sum::<usize>();
        let mut read = pixels(&news.entries);
        let mut last_page = news.entries.len();
        while last_page == PAGE && read < MAX_PIXELS {
            let Some(last) = news.entries.last() else {
                break;
            };
            let last = last.at;
            let page = patiently(self.patience(), || self.cache.read_after(last, PAGE)).await?;
            news.roster = None;
            last_page = page.len();
            read += pixels(&page);
            news.entries.extend(page);
        }
        Ok(news)
    }

    async fn send(&mut self, news: &News) -> Result<(), Error> {
        if news.roster.is_none() || news.roster != self.roster {
            let audience = || self.cache.audience(self.shard);
            self.audience = patiently(self.patience(), audience).await?;
            self.roster = news.roster;
        }
        self.set_pace().await?;
        let from = news.from(self.delivery.end());
        let frames = update_frames(from, &news.entries, self.tuning.frame_bytes);
        self.summary.ticks += 1;
        self.summary.frames += frames.len() as u64;
        self.summary.pixels += frames.iter().map(|frame| frame.pixels as u64).sum::<u64>();
        self.delivery.send(frames, &self.audience);
        Ok(())
    }

    /// Takes of the budget what the shard's part of all clients is.
    async fn set_pace(&mut self) -> Result<(), Error> {
        if self
            .counted
            .is_some_and(|counted| counted.elapsed() < COUNT_INTERVAL)
        {
            return Ok(());
        }
        let all = patiently(self.patience(), || self.cache.all_clients()).await?;
        self.counted = Some(Instant::now());
        self.delivery.set_pace(share(
            self.tuning.max_posts_per_second,
            self.audience.len(),
            all,
        ));
        Ok(())
    }

    /// Posts until the tick is over, or the loop is.
    async fn deliver(&mut self, tick: Instant) -> Result<Option<Ending>, Error> {
        let lease = (self.shard, &self.token, LEASE);
        tokio::select! {
            biased;
            () = sleep_until(self.until) => {}
            () = hold(self.cache, lease, &mut self.renew_at) => return Ok(Some(Ending::Lost)),
            done = self.delivery.run_until(tick) => return done.map(|()| None),
        }
        self.hand_over().await.map(Some)
    }

    /// Leaves the shard to the next invocation. What is still on its way to clients that lag is
    /// posted again by that one, because the cursor stays before it.
    async fn hand_over(&mut self) -> Result<Ending, Error> {
        let settled = self.delivery.settled();
        let lease = (self.shard, &self.token, LEASE);
        if self.cache.poll(lease, settled, 1).await? == Polled::Lost
            || !self.cache.hand_over(self.shard, &self.token).await?
        {
            return Ok(Ending::Lost);
        }
        let reason = Reason::HandOver(self.invocation.request_id.to_owned());
        self.call(reason).await?;
        Ok(Ending::HandedOver)
    }
}

/// Renews a lease until it is lost. A renewal that fails is tried again, while the lease lasts and
/// after it: whether it is lost is for the cache to say.
async fn hold(cache: &impl Cache, lease: (Shard, &Token, Duration), renew_at: &mut Instant) {
    let (shard, token, ttl) = lease;
    loop {
        sleep_until(*renew_at).await;
        match cache.renew(shard, token, ttl).await {
            Ok(true) => *renew_at = Instant::now() + RENEWAL,
            Ok(false) => return,
            Err(error) => {
                warn!(%shard, error = chain(&error), "could not renew a lease");
                *renew_at = Instant::now() + RENEWAL / 4;
            }
        }
    }
}

/// What a tick found.
struct News {
    entries: Vec<Entry>,
    /// Whether some that came before them are gone.
    gap: bool,
    /// The roster's counter; `None` when it was read before the last of the entries.
    roster: Option<u64>,
}

impl News {
    /// Where the frames start that carry them to clients who hold `held`: where the clients are, or
    /// past that if something is gone, so that they see the gap and connect anew.
    fn from(&self, held: Position) -> Position {
        match self.entries.first() {
            Some(first) if self.gap => first.at.previous().max(held),
            _ => held,
        }
    }
}

/// Posts a second for a shard with `own` of `all` clients.
#[expect(
    clippy::cast_precision_loss,
    reason = "numbers of clients are far below 2^52"
)]
fn share(budget: u32, own: usize, all: u64) -> f64 {
    f64::from(budget) * (own as f64 / all.max(own as u64).max(1) as f64)
}

impl Summary {
    fn new(from: Position) -> Self {
        Self {
            from,
            to: from,
            ticks: 0,
            frames: 0,
            pixels: 0,
            clients: 0,
            elapsed: Duration::ZERO,
            counts: Counts::default(),
            ending: Ending::Held,
        }
    }
}
