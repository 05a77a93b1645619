//! A flood from one client is held by the cool-down, and the others don't notice.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use futures::future::join;
use place_canvas::{Pixel, Position};
use place_tests::lambda::{Memory, Rig, client, event};

use crate::support::{Painter, colour};

const FLOODER: usize = 0;
const COOLDOWN: Duration = Duration::from_millis(200);

fn message(number: u32) -> String {
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

#[tokio::test]
async fn a_flood_from_one_connection_is_held_and_the_others_paint_on() {
    let rig = Rig::with(Memory::Posts, |env| {
        env.cooldown_ms = COOLDOWN.as_millis().try_into().unwrap();
    })
    .await;
    let (flooder, others) = (Painter::new(&rig), Painter::new(&rig));
    let started = Instant::now();
    let flood = async {
        let mut sent = 0;
        while started.elapsed() < Duration::from_secs(2) {
            flooder.send(FLOODER, "192.0.2.66", &message(sent)).await;
            sent += 1;
        }
        (sent as usize, started.elapsed())
    };
    let paint = async {
        let mut slowest = Duration::ZERO;
        for number in 1..=50 {
            let begun = Instant::now();
            others.send(number, "192.0.2.1", &message(7)).await;
            slowest = slowest.max(begun.elapsed());
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        slowest
    };
    let ((sent, time), slowest) = join(flood, paint).await;
    let accepted = accepted(&rig).await;
    let let_through = accepted[client(FLOODER).as_str()];
    assert!(sent > 100, "{sent} messages are no flood");
    assert!(
        let_through <= allowed(time, COOLDOWN),
        "{let_through} of {sent} in {time:?}"
    );
    for number in 1..=50 {
        assert_eq!(
            accepted.get(client(number).as_str()),
            Some(&1),
            "client {number}"
        );
    }
    assert!(
        slowest < Duration::from_secs(1),
        "the others waited {slowest:?}"
    );
    let told = rig.gateway.posts_to(client(FLOODER).as_str()).len();
    let pauses = allowed(time, COOLDOWN);
    assert!(
        (1..=pauses).contains(&told),
        "told {told} times in {pauses} pauses"
    );
}

#[tokio::test]
async fn a_flood_from_many_connections_of_one_address_is_held() {
    let rig = Rig::with(Memory::Posts, |env| env.max_messages_per_second_per_ip = 5).await;
    let painter = Painter::new(&rig);
    let started = Instant::now();
    for number in 0..100 {
        painter.send(number, "192.0.2.66", &message(1)).await;
    }
    let allowed = allowed(started.elapsed(), Duration::from_millis(200)) + 5;
    painter.send(100, "192.0.2.1", &message(2)).await;
    let accepted = accepted(&rig).await;
    assert_eq!(
        accepted.get(client(100).as_str()),
        Some(&1),
        "another address is free"
    );
    let let_through = accepted.len() - 1;
    assert!(
        let_through <= allowed,
        "{let_through} of 100, at most {allowed}"
    );
}
