//! A flood is held, and the others paint on.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;
use std::time::{Duration, Instant};

use futures::future::join;
use place_canvas::{Pixel, Position};
use place_tests::lambda::{Memory, Rig, client, event};

use crate::support::{Painter, colour};

const FLOODER: usize = 0;
const COOLDOWN: Duration = Duration::from_millis(200);

const FLOODERS_ADDRESS: &str = "198.51.100.66";
/// Those who paint meanwhile.
const OTHERS: RangeInclusive<usize> = 1..=50;

fn paint(number: u32) -> String {
    let x = u16::try_from(number % 64).unwrap();
    event::paint(&[Pixel::new(x, 1, colour(number))])
}

async fn accepted(rig: &Rig) -> BTreeMap<String, usize> {
    let entries = rig
        .store()
        .await
        .read_after(Position::ZERO, 10_000)
        .await
        .unwrap();
    let mut counts = BTreeMap::new();
    for entry in entries {
        *counts.entry(entry.by).or_default() += 1;
    }
    counts
}

/// How many messages a limit of one in `pause` lets through in a time.
fn allowed(time: Duration, pause: Duration) -> usize {
    usize::try_from(time.as_millis() / pause.as_millis()).unwrap() + 1
}

/// Sends message after message as the flooder while others paint, once each and from elsewhere.
/// How many it sent in what time.
async fn flood(rig: &Rig, message: impl Fn(u32) -> (usize, String)) -> (usize, Duration) {
    let (flooder, others) = (Painter::new(rig), Painter::new(rig));
    let started = Instant::now();
    let flood = async {
        let mut sent = 0;
        while started.elapsed() < Duration::from_secs(2) {
            let (from, body) = message(sent);
            flooder.send(from, FLOODERS_ADDRESS, &body).await;
            sent += 1;
        }
        (sent as usize, started.elapsed())
    };
    let paint = async {
        for number in OTHERS {
            let address = format!("192.0.2.{number}");
            others.send(number, &address, &paint(7)).await;
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    let ((sent, time), ()) = join(flood, paint).await;
    assert!(sent > 100, "{sent} messages are no flood");
    let accepted = accepted(rig).await;
    for number in OTHERS {
        let by = accepted.get(client(number).as_str());
        assert_eq!(by, Some(&1), "client {number}");
    }
    (sent, time)
}

/// How many messages of the flooders were painted.
async fn let_through(rig: &Rig) -> usize {
    let other = |id: &String| OTHERS.clone().any(|number| client(number).as_str() == id);
    let accepted = accepted(rig).await.into_iter();
    // Nobody painted the entry that opened the canvas.
    let painted = accepted.filter(|(id, _)| !id.is_empty() && !other(id));
    painted.map(|(_, n)| n).sum()
}

#[tokio::test]
async fn a_flood_from_one_connection_is_held_and_the_others_paint_on() {
    let rig = Rig::with(Memory::Posts, |env| {
        env.cooldown_ms = COOLDOWN.as_millis().try_into().unwrap();
    })
    .await;
    let (sent, time) = flood(&rig, |number| (FLOODER, paint(number))).await;
    let (painted, pauses) = (let_through(&rig).await, allowed(time, COOLDOWN));
    assert!(painted <= pauses, "{painted} of {sent} in {time:?}");
    let told = rig.gateway.posts_to(client(FLOODER).as_str()).len();
    assert!(
        (1..=pauses).contains(&told),
        "told {told} times in {pauses} pauses"
    );
}

#[tokio::test]
async fn a_flood_from_many_connections_of_one_address_is_held_and_the_others_paint_on() {
    let rig = Rig::with(Memory::Posts, |env| env.max_messages_per_second_per_ip = 5).await;
    let from = |number: u32| 1000 + number as usize;
    let (sent, time) = flood(&rig, |number| (from(number), paint(number))).await;
    let (painted, at_most) = (let_through(&rig).await, allowed(time, COOLDOWN) + 5);
    assert!(painted <= at_most, "{painted} of {sent}, at most {at_most}");
}

/// What is no paint meets no cool-down; it costs its sender's invocations and hardly a post.
#[tokio::test]
async fn a_flood_of_rubbish_is_told_thirty_times_and_then_once_a_second() {
    let rig = Rig::start(Memory::Posts).await;
    let (_, time) = flood(&rig, |_| (FLOODER, "{}".to_owned())).await;
    assert_eq!(let_through(&rig).await, 0);
    let told = rig.gateway.posts_to(client(FLOODER).as_str()).len();
    let at_most = 30 + allowed(time, Duration::from_secs(1));
    assert!((30..=at_most).contains(&told), "told {told} times");
}
