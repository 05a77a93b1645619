//! Row 4.4 over real HTTP: who is removed when a post fails, and who is not.

use std::time::{Duration, Instant};

use place_canvas::{ConnectionId, Shard};
use place_config::{Function as Kind, FunctionEnv};
use place_tests::lambda::{Function, Memory, Mood, Rig, client};

use crate::support::{Painter, assert_up_to_date, feed};

struct Crowd {
    rig: Rig,
    painter: Painter,
    broadcast: Function,
    clients: Vec<ConnectionId>,
}

impl Crowd {
    async fn of(count: usize) -> Self {
        Self::with(count, |_| {}).await
    }

    /// The same with what the functions are told changed by `edit`.
    async fn with(count: usize, edit: impl FnOnce(&mut FunctionEnv)) -> Self {
        let rig = Rig::with(Memory::Frames, edit).await;
        Self {
            painter: Painter::new(&rig),
            broadcast: rig.function(Kind::Broadcast),
            clients: rig.join(count).await,
            rig,
        }
    }

    /// Paints, and waits until the loop sleeps.
    async fn paint(&self, number: u32) {
        feed(
            &self.rig,
            std::slice::from_ref(&self.broadcast),
            self.painter.paint(number),
        )
        .await;
    }

    /// Paints, and lets the loop run while `work` goes on.
    async fn paint_and(&self, number: u32, work: impl Future<Output = ()>) {
        let both = async {
            self.painter.paint(number).await;
            work.await;
        };
        feed(&self.rig, std::slice::from_ref(&self.broadcast), both).await;
    }

    async fn members(&self) -> Vec<ConnectionId> {
        self.rig.store().await.clients_of(Shard(0)).await.unwrap()
    }

    async fn is_member(&self, number: usize) -> bool {
        self.members().await.contains(&client(number))
    }

    fn posts_to(&self, number: usize) -> Vec<place_tests::lambda::Post> {
        self.rig.gateway.posts_to(client(number).as_str())
    }

    /// Waits until everybody but the first `others` has got `frames` frames; how long it took.
    async fn until_served(&self, others: usize, frames: usize) -> Duration {
        let started = Instant::now();
        let count = |number| self.posts_to(number).len();
        while (others..self.clients.len()).any(|number| count(number) < frames) {
            assert!(
                started.elapsed() < Duration::from_secs(10),
                "the others wait"
            );
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        started.elapsed()
    }
}

#[tokio::test]
async fn row_4_4_a_connection_that_is_gone_is_removed_once_its_grace_is_over() {
    let crowd = Crowd::of(10).await;
    crowd.rig.gateway.set(client(3).as_str(), Mood::Gone);
    crowd.paint(1).await;
    assert!(crowd.is_member(3).await, "it may still be opening");
    tokio::time::sleep(Duration::from_secs(10)).await;
    crowd.paint(2).await;
    assert!(!crowd.is_member(3).await);
    assert_eq!(crowd.members().await.len(), 9);
    assert_eq!(crowd.rig.gateway.closed(), Vec::<String>::new());
    let posts = crowd.posts_to(3).len();
    crowd.paint(3).await;
    assert_eq!(
        crowd.posts_to(3).len(),
        posts,
        "nothing is posted to it any more"
    );
}

#[tokio::test]
async fn row_4_4_a_client_that_is_only_throttled_stays() {
    let crowd = Crowd::of(10).await;
    let throttled = client(3);
    crowd.rig.gateway.set(throttled.as_str(), Mood::Throttled);
    crowd
        .paint_and(1, async {
            crowd.until_served(4, 1).await;
            tokio::time::sleep(Duration::from_secs(2)).await;
            assert!(crowd.posts_to(3).len() > 2, "it is tried again and again");
            crowd.rig.gateway.set(throttled.as_str(), Mood::Fine);
        })
        .await;
    assert_eq!(crowd.members().await.len(), 10);
    assert_eq!(crowd.rig.gateway.closed(), Vec::<String>::new());
    let newest = crowd.rig.store().await.newest().await.unwrap();
    assert_up_to_date(&crowd.posts_to(3), newest);
}

#[tokio::test]
async fn row_4_4_a_client_that_keeps_failing_is_retried_then_removed_and_disconnected() {
    let crowd = Crowd::of(10).await;
    for (number, status) in [(0, 500), (1, 503)] {
        crowd
            .rig
            .gateway
            .set(client(number).as_str(), Mood::Broken(status));
    }
    crowd.paint(1).await;
    let mut closed = crowd.rig.gateway.closed();
    closed.sort_unstable();
    assert_eq!(closed, [client(0).to_string(), client(1).to_string()]);
    assert_eq!(crowd.members().await, crowd.clients[2..]);
    for number in [0, 1] {
        assert!(
            crowd.posts_to(number).len() > 1,
            "one failure is not the end"
        );
    }
    for number in 2..10 {
        assert_eq!(crowd.posts_to(number).len(), 1);
    }
}

#[tokio::test]
async fn row_4_4_clients_that_hang_delay_nobody_and_are_removed() {
    // More clients hang than posts may be under way at once.
    let crowd = Crowd::with(300, |env| env.concurrency = 2).await;
    for number in 0..3 {
        crowd
            .rig
            .gateway
            .set(client(number).as_str(), Mood::Hanging);
    }
    crowd
        .rig
        .gateway
        .set(client(3).as_str(), Mood::Slow(Duration::from_millis(1500)));
    crowd
        .paint_and(1, async {
            // The slow one has got it as well once it answers, only later.
            assert!(crowd.until_served(4, 1).await < Duration::from_secs(2));
            crowd.painter.paint(2).await;
            assert!(crowd.until_served(4, 2).await < Duration::from_secs(2));
        })
        .await;
    let newest = crowd.rig.store().await.newest().await.unwrap();
    assert_up_to_date(&crowd.posts_to(3), newest);
    assert_eq!(crowd.members().await, crowd.clients[3..]);
}
