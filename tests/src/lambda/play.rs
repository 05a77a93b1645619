//! The functions at play: painting, and an event source that feeds the loops.

use std::future::Future;
use std::sync::Mutex;
use std::time::Duration;

use futures::future::join_all;

use super::{Function, Mood, Pending, Post, Rig, client, event};
use place_canvas::wire::ServerFrame;
use place_canvas::{ConnectionId, Pixel, Position, Rgb, Shard};
use place_config::Function as Kind;
use serde::Deserialize;

/// An address that all simulated painters share.
pub const ADDRESS: &str = "192.0.2.1";

const QUEUE: &str = "requestQueue.fifo";

/// A colour for each number.
#[expect(
    clippy::cast_possible_truncation,
    reason = "the bytes are what is wanted"
)]
pub fn colour(number: u32) -> Rgb {
    Rgb::new(number as u8, (number >> 8) as u8, 7)
}

/// A painter at sendMessage.
#[derive(Debug)]
pub struct Painter {
    function: Function,
}

impl Painter {
    /// A painter on a function process of its own.
    pub fn new(rig: &Rig) -> Self {
        Self::on(rig.function(Kind::SendMessage))
    }

    /// A painter on this function process.
    pub const fn on(function: Function) -> Self {
        Self { function }
    }

    /// Its function process.
    pub const fn function(&self) -> &Function {
        &self.function
    }

    /// Paints one pixel of the first row.
    ///
    /// # Panics
    /// When the function fails.
    pub async fn paint(&self, number: u32) {
        let x = u16::try_from(number % 64).expect("less than 64");
        self.send(
            0,
            ADDRESS,
            &event::paint(&[Pixel::new(x, 0, colour(number))]),
        )
        .await;
    }

    /// Sends a message of `from`.
    ///
    /// # Panics
    /// When the function fails.
    pub async fn send(&self, from: usize, address: &str, body: &str) {
        let answer = self
            .function
            .invoke(event::message(&client(from), address, body))
            .await;
        let answer = answer.expect("sendMessage answers");
        assert_eq!(answer, br#"{"statusCode":200}"#);
    }
}

#[derive(Deserialize)]
struct WakeUp {
    shard: Shard,
}

/// Hands the request queue's messages to the loops, a process for each shard, while `work` goes
/// on; then waits until all of them sleep. Answers the number of messages, too.
///
/// # Panics
/// When a loop fails.
pub async fn feed<T>(rig: &Rig, loops: &[Function], work: impl Future<Output = T>) -> (T, usize) {
    let mut handed_over = 0;
    let mut asked: Vec<Pending> = Vec::new();
    let mut feed = || {
        let messages = rig.aws.messages(QUEUE);
        for message in &messages[handed_over..] {
            let WakeUp { shard } =
                serde_json::from_str(&message.body).expect("a wake-up names a shard");
            let serving = &loops[usize::from(shard.0) % loops.len()];
            asked.push(serving.begin(event::wake(shard), Duration::from_mins(5)));
        }
        handed_over = messages.len();
        std::mem::take(&mut asked)
    };
    tokio::pin!(work);
    let mut pending = Vec::new();
    let done = loop {
        pending.extend(feed());
        tokio::select! {
            done = &mut work => break done,
            () = tokio::time::sleep(Duration::from_millis(5)) => {}
        }
    };
    pending.extend(feed());
    while let Some(next) = pending.pop() {
        let answer = next.answer().await.expect("the loop answers");
        assert_eq!(answer, br#"{"batchItemFailures":[]}"#);
        pending.extend(feed());
    }
    (done, handed_over)
}

/// Newcomers that one call is given.
const BATCH: usize = 10;

/// Hands newcomers to initializeConnection, which has a process for each call that runs at once,
/// until all are served.
///
/// # Panics
/// When one is not.
pub async fn welcome(slots: &[Function], clients: &[ConnectionId]) {
    let batches = Mutex::new(clients.chunks(BATCH));
    let next = || {
        batches
            .lock()
            .expect("nobody panics while holding it")
            .next()
    };
    let served = slots.iter().map(async |slot| {
        while let Some(batch) = next() {
            let answer = slot.invoke(event::newcomers(batch)).await;
            let answer = answer.expect("initializeConnection answers");
            assert_eq!(answer, br#"{"batchItemFailures":[]}"#);
        }
    });
    join_all(served).await;
}

/// Where an update starts and ends.
///
/// # Panics
/// When it is none.
pub fn span(post: &Post) -> (Position, Position) {
    let frame = post.frame.as_deref().expect("a gateway that keeps frames");
    match ServerFrame::parse(frame).expect("a frame of the protocol") {
        ServerFrame::Update { from, at, .. } => (from, at),
        other => panic!("not an update: {other:?}"),
    }
}

/// Asserts that the posts that a client took in are updates that follow one another without a gap
/// and end at `at`.
///
/// # Panics
/// When they don't.
pub fn assert_up_to_date(posts: &[Post], at: Position) {
    let taken = posts
        .iter()
        .filter(|post| matches!(post.mood, Mood::Fine | Mood::Slow(_)));
    let mut held = None;
    for (from, to) in taken.map(span) {
        assert!(
            held.is_none_or(|held| held == from),
            "a gap from {held:?} to {from}"
        );
        held = Some(to);
    }
    assert_eq!(held, Some(at));
}

/// Most posts that started in any second.
pub fn most_in_a_second(posts: &[Post]) -> usize {
    let mut times: Vec<_> = posts.iter().map(|post| post.at).collect();
    times.sort_unstable();
    let mut first = 0;
    let mut most = 0;
    for (last, at) in times.iter().enumerate() {
        while *at - times[first] >= Duration::from_secs(1) {
            first += 1;
        }
        most = most.max(last + 1 - first);
    }
    most
}
