//! The broadcast's budget: the tick grows with the crowd, so that posts stay below
//! `broadcast.max_posts_per_second`; a paint reaches everyone once; idle costs nothing.

use std::time::{Duration, Instant};

use place_config::Function as Kind;
use place_tests::lambda::{Memory, Rig};

use crate::support::{Painter, assert_up_to_date, feed, most_in_a_second};

/// Part of the budget that may come together beside it: posts that were late on their way.
const LATE: usize = 20;

/// Paints for three seconds; frames that each client got, messages, and posts in a second.
async fn paint_for_a_while(clients: usize, budget: u32) -> (usize, usize, usize) {
    let rig = Rig::with(Memory::Frames, |env| env.max_posts_per_second = budget).await;
    let joined = rig.join(clients).await;
    let (painter, broadcast) = (Painter::new(&rig), rig.function(Kind::Broadcast));
    let paints = async {
        let started = Instant::now();
        let mut number = 0;
        while started.elapsed() < Duration::from_secs(3) {
            number += 1;
            painter.paint(number).await;
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    let ((), messages) = feed(&rig, std::slice::from_ref(&broadcast), paints).await;
    let newest = rig.store().await.newest().await.unwrap();
    let log = rig.gateway.log();
    let mut by_client = std::collections::HashMap::<_, Vec<_>>::new();
    for post in &log {
        by_client
            .entry(post.client.as_str())
            .or_default()
            .push(post.clone());
    }
    let frames = log.len() / clients;
    for client in &joined {
        let posts = &by_client[client.as_str()];
        assert_eq!(posts.len(), frames, "everyone gets each frame once");
        assert_up_to_date(posts, newest);
    }
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!(rig.gateway.log().len(), log.len(), "idle costs no post");
    assert_eq!(
        rig.aws.messages("requestQueue.fifo").len(),
        messages,
        "and no message"
    );
    assert_an_idle_save_calls_nobody(&rig).await;
    (frames, messages, most_in_a_second(&log))
}

/// What is left when nobody paints: the minute's save, which calls the cache and nobody else.
async fn assert_an_idle_save_calls_nobody(rig: &Rig) {
    let save = rig.function(Kind::Save);
    let calls = || {
        let tables = (rig.aws.writes(), rig.aws.reads());
        let messages = rig.aws.messages("requestQueue.fifo").len();
        (tables, messages, rig.gateway.log().len())
    };
    // What was painted before.
    let before = calls();
    save.invoke("{}").await.unwrap();
    assert!(calls() > before);
    let before = calls();
    for _ in 0..2 {
        save.invoke("{}").await.unwrap();
    }
    assert_eq!(calls(), before);
}

#[tokio::test]
async fn ten_clients_get_a_frame_each_tick() {
    let (frames, messages, _) = paint_for_a_while(10, 5000).await;
    assert!(
        (10..=32).contains(&frames),
        "{frames} frames in three seconds of ticks of 100 ms"
    );
    assert!(messages <= 3, "{messages} messages for some hundred paints");
}

#[tokio::test]
async fn a_thousand_clients_cost_no_more_than_the_budget() {
    let (budget, frames_at_most) = (2000, 9);
    let (frames, _, most) = paint_for_a_while(1000, 2000).await;
    assert!(most <= budget + budget / LATE, "{most} posts in a second");
    assert!(
        (3..=frames_at_most).contains(&frames),
        "{frames} frames in three seconds of two each"
    );
}

#[tokio::test]
async fn ten_thousand_clients_cost_no_more_than_the_budget() {
    let budget = 5000;
    let (frames, _, most) = paint_for_a_while(10_000, 5000).await;
    assert!(most <= budget + budget / LATE, "{most} posts in a second");
    assert!(
        (2..=4).contains(&frames),
        "{frames} frames of two seconds each"
    );
}

#[tokio::test]
async fn a_paint_costs_one_round_trip_to_redis() {
    let rig = Rig::start(Memory::Count).await;
    rig.join(10).await;
    let painter = Painter::new(&rig);
    // Connects, and brings the script.
    painter.paint(0).await;
    let before = rig.redis.reads().await;
    for number in 1..=100 {
        painter.paint(number).await;
    }
    let trips = rig.redis.reads().await - before;
    // Asking takes a connection of its own, and some trips for it.
    assert!(
        (100..=104).contains(&trips),
        "{trips} round trips for 100 paints"
    );
}

/// The design load of 2017: 333 paints a second.
#[tokio::test]
async fn a_busy_canvas_costs_few_messages_and_hardly_more_round_trips_than_paints() {
    let rig = Rig::start(Memory::Count).await;
    rig.join(10).await;
    let (painter, broadcast) = (Painter::new(&rig), rig.function(Kind::Broadcast));
    painter.paint(0).await;
    let before = rig.redis.reads().await;
    let mut paints = 0;
    let painting = async {
        let mut clock = tokio::time::interval(Duration::from_millis(3));
        for number in 1..=1000 {
            clock.tick().await;
            painter.paint(number).await;
            paints += 1;
        }
    };
    let ((), messages) = feed(&rig, std::slice::from_ref(&broadcast), painting).await;
    let trips = rig.redis.reads().await - before;
    assert!(messages * 10 <= paints, "{messages} for {paints} paints");
    // Each paint one, and the loop's few a tick.
    assert!(
        trips <= paints as u64 * 6 / 5,
        "{trips} round trips for {paints} paints"
    );
}
