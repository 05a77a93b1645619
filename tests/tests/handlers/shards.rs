//! Shards: as many loops share the clients and the budget.

use std::time::Duration;

use place_canvas::{ConnectionId, Shard, shard_of};
use place_config::Function as Kind;
use place_tests::lambda::{Function, Memory, Post, Rig};

use crate::support::{Painter, assert_up_to_date, feed, most_in_a_second};

const CLIENTS: usize = 400;
const BUDGET: u32 = 400;

/// One paint to all clients; the posts, in the order of coming.
async fn one_paint(shards: u16) -> Vec<Post> {
    let rig = Rig::with(Memory::Frames, |env| {
        env.shards = shards;
        env.max_posts_per_second = BUDGET;
    })
    .await;
    let clients = rig.join(CLIENTS).await;
    let painter = Painter::new(&rig);
    let loops: Vec<Function> = (0..shards).map(|_| rig.function(Kind::Broadcast)).collect();
    let ((), messages) = feed(&rig, &loops, painter.paint(1)).await;
    assert_eq!(messages, usize::from(shards), "one message a shard");
    let newest = rig.store().await.newest().await.unwrap();
    let log = rig.gateway.log();
    assert_eq!(log.len(), CLIENTS);
    for client in &clients {
        assert_up_to_date(&rig.gateway.posts_to(client.as_str()), newest);
    }
    log
}

#[tokio::test]
async fn one_loop_serves_all_clients_within_the_budget() {
    let log = one_paint(1).await;
    assert!(most_in_a_second(&log) <= 420);
}

#[tokio::test]
async fn four_loops_serve_their_parts_at_once_within_the_same_budget() {
    let log = one_paint(4).await;
    assert!(most_in_a_second(&log) <= 420);
    let shard = |post: &Post| shard_of(&ConnectionId::new(post.client.clone()).unwrap(), 4);
    let whole = log[CLIENTS - 1].at - log[0].at;
    assert!(
        whole > Duration::from_millis(700),
        "{whole:?} at 400 posts a second"
    );
    for number in 0..4 {
        let own: Vec<_> = log
            .iter()
            .filter(|post| shard(post) == Shard(number))
            .collect();
        let (first, last) = (
            own[0].at - log[0].at,
            log[CLIENTS - 1].at - own[own.len() - 1].at,
        );
        assert!(
            first < whole / 2 && last < whole / 2,
            "shard {number} works beside the others"
        );
    }
}
