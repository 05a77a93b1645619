use place_canvas::wire::ServerFrame;
use proptest::prelude::*;

use super::*;
use crate::broadcast::{self, Tuning};
use crate::fakes::{FakeCache, FakeGateway, FakeQueues, Mood, batch, dot, id, invocation};

struct World {
    cache: FakeCache,
    gateway: FakeGateway,
    gallery: Gallery,
}

fn soon(seconds: u64) -> Instant {
    Instant::now() + Duration::from_secs(seconds)
}

impl World {
    fn new() -> Self {
        Self {
            cache: FakeCache::new(1),
            gateway: FakeGateway::new(Duration::from_millis(5)),
            gallery: Gallery::new(Duration::from_secs(1), 1024),
        }
    }

    async fn welcome(&self, clients: &[&str], seconds: u64) -> BatchAnswer {
        let bodies: Vec<_> = clients
            .iter()
            .map(|name| format!(r#"{{"connection":"{name}"}}"#))
            .collect();
        let bodies: Vec<_> = bodies.iter().map(String::as_str).collect();
        let event = batch(&bodies);
        handle(
            &event,
            soon(seconds),
            &self.gallery,
            &self.cache,
            &self.gateway,
        )
        .await
    }

    fn assert_up_to_date(&self, client: &str) {
        let model = self.gateway.model(&id(client));
        assert_eq!(
            model.picture(),
            Some(&self.cache.state().picture),
            "{client}"
        );
        assert!(!model.has_gap());
    }
}

#[tokio::test(start_paused = true)]
async fn a_newcomer_gets_the_picture() {
    let world = World::new();
    world.cache.paint_now(&[dot(3, 4, 5)]);
    assert_eq!(world.welcome(&["a"], 60).await, BatchAnswer::default());
    world.assert_up_to_date("a");
    assert!(
        world
            .gateway
            .texts(&id("a"))
            .iter()
            .all(|text| text.len() <= 1024)
    );
}

#[tokio::test(start_paused = true)]
async fn an_untouched_canvas_has_a_picture_too() {
    let world = World::new();
    world.welcome(&["a"], 60).await;
    world.assert_up_to_date("a");
    assert!(world.gateway.texts(&id("a")).len() >= 2);
}

#[tokio::test(start_paused = true)]
async fn a_picture_is_reused_with_the_changes_since() {
    let world = World::new();
    world.cache.paint_now(&[dot(3, 4, 5)]);
    world.welcome(&["a", "b"], 60).await;
    world.cache.paint_now(&[dot(5, 5, 6)]);
    world.welcome(&["c"], 60).await;
    assert_eq!(world.cache.state().canvas_reads, 1);
    sleep(Duration::from_secs(1)).await;
    world.welcome(&["d"], 60).await;
    assert_eq!(world.cache.state().canvas_reads, 2);
    world.assert_up_to_date("c");
    world.assert_up_to_date("d");
}

#[tokio::test(start_paused = true)]
async fn the_changes_come_before_the_last_part() {
    let world = World::new();
    world.welcome(&["a"], 60).await;
    world.cache.paint_now(&[dot(5, 5, 6)]);
    world.welcome(&["b"], 60).await;
    let texts = world.gateway.texts(&id("b"));
    let [first, .., update, last] = &texts[..] else {
        panic!("{texts:?}")
    };
    let is_part = |text: &str| matches!(ServerFrame::parse(text), Ok(ServerFrame::Init { .. }));
    assert!(is_part(first) && !is_part(update) && is_part(last));
}

#[tokio::test(start_paused = true)]
async fn a_connection_that_opens_late_misses_nothing() {
    let world = World::new();
    world.gateway.set(&id("a"), Mood::OpensAt(soon(3)));
    let painter = async {
        for grey in 0..40 {
            sleep(Duration::from_millis(100)).await;
            world.cache.paint_now(&[dot(u16::from(grey % 20), 1, grey)]);
            if Instant::now() > soon(0) + Duration::from_secs(3) {
                break;
            }
        }
    };
    let (answer, ()) = tokio::join!(world.welcome(&["a"], 60), painter);
    assert_eq!(answer, BatchAnswer::default());
    let shown = world.gateway.model(&id("a")).position().unwrap();
    assert!(
        shown.ms >= 1_002_900,
        "{shown}: the changes up to the opening"
    );
}

#[tokio::test(start_paused = true)]
async fn a_picture_whose_history_is_gone_is_no_start() {
    let world = World::new();
    world.cache.paint_now(&[dot(3, 4, 5)]);
    world.welcome(&["a"], 60).await;
    world.cache.paint_now(&[dot(5, 5, 6)]);
    let at = world.cache.paint_now(&[dot(6, 6, 7)]).at;
    world.cache.forget_before(at);
    // The picture at hand is young enough to be used again.
    assert_eq!(world.welcome(&["b"], 60).await, BatchAnswer::default());
    world.assert_up_to_date("b");
    assert_eq!(world.cache.state().canvas_reads, 2);
}

#[tokio::test(start_paused = true)]
async fn a_client_that_left_is_removed_and_the_message_done() {
    let world = World::new();
    world.cache.join(&id("a"), Duration::from_secs(1));
    world.gateway.set(&id("a"), Mood::Fails(GatewayError::Gone));
    assert_eq!(world.welcome(&["a"], 60).await, BatchAnswer::default());
    assert!(world.cache.state().clients.is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_throttled_newcomer_is_served_in_the_end() {
    let world = World::new();
    world
        .gateway
        .set(&id("a"), Mood::FailsTimes(GatewayError::Throttled, 9));
    assert_eq!(world.welcome(&["a"], 60).await, BatchAnswer::default());
    world.assert_up_to_date("a");
}

#[tokio::test(start_paused = true)]
async fn who_cannot_be_served_in_time_is_reported_alone() {
    let world = World::new();
    world
        .gateway
        .set(&id("b"), Mood::Fails(GatewayError::Status(500)));
    let start = Instant::now();
    let answer = world.welcome(&["a", "b", "c"], 20).await;
    assert!(start.elapsed() < Duration::from_secs(20));
    let failed: Vec<_> = answer
        .failures
        .iter()
        .map(|f| f.message_id.as_str())
        .collect();
    assert_eq!(failed, ["m1"]);
    world.assert_up_to_date("a");
    world.assert_up_to_date("c");
}

#[tokio::test(start_paused = true)]
async fn a_hanging_newcomer_delays_nobody_and_is_reported_in_time() {
    for seconds in 20..30 {
        let world = World::new();
        world.gateway.set(&id("a"), Mood::Hangs);
        let start = Instant::now();
        let slow = world.welcome(&["a", "b"], seconds);
        let watch = async {
            sleep(Duration::from_millis(500)).await;
            world.assert_up_to_date("b");
        };
        let (answer, ()) = tokio::join!(slow, watch);
        assert!(start.elapsed() < Duration::from_secs(seconds));
        let failed: Vec<_> = answer.failures.iter().map(|f| &f.message_id).collect();
        assert_eq!(failed, ["m0"]);
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_no_newcomer_is_dropped() {
    let world = World::new();
    let event = batch(&[
        "",
        "null",
        r#"{"connection":"a b"}"#,
        r#"{"connection":"a"}"#,
    ]);
    let answer = handle(
        &event,
        soon(60),
        &world.gallery,
        &world.cache,
        &world.gateway,
    )
    .await;
    assert_eq!(answer, BatchAnswer::default());
    world.assert_up_to_date("a");
}

/// A newcomer that joins at any moment of a canvas that is being painted and broadcast.
async fn newcomer_among_paints(join: u64, opens: u64, waits: u64, period: u64) -> World {
    let world = World::new();
    let queues = FakeQueues::default();
    world.cache.join(&id("old"), Duration::from_mins(1));
    world.welcome(&["old"], 60).await;
    let tuning = Tuning {
        tick: Duration::from_millis(40),
        concurrency: 4,
        max_posts_per_second: 5000,
        frame_bytes: 1024,
    };
    let painter = async {
        for number in 0..12_u8 {
            sleep(Duration::from_millis(period)).await;
            let painted = world
                .cache
                .paint_now(&[dot(u16::from(number), 1, number), dot(0, 0, number)]);
            queues
                .calls
                .lock()
                .unwrap()
                .extend(painted.wake.iter().map(|shard| {
                    let reason = crate::queues::Reason::Paint(painted.caller.clone());
                    crate::queues::Call {
                        shard: *shard,
                        at: painted.at,
                        reason,
                    }
                }));
        }
        sleep(Duration::from_secs(3)).await;
    };
    let broadcast = async {
        loop {
            sleep(Duration::from_millis(7)).await;
            let call = queues.calls.lock().unwrap().pop();
            let Some(call) = call else { continue };
            let event = batch(&[&format!(r#"{{"shard":{}}}"#, call.shard)]);
            let (cache, gateway) = (&world.cache, &world.gateway);
            broadcast::handle(&event, invocation(60), tuning, cache, &queues, gateway).await;
        }
    };
    let newcomer = async {
        sleep(Duration::from_millis(join)).await;
        world.gateway.set(
            &id("new"),
            Mood::OpensAt(Instant::now() + Duration::from_millis(opens)),
        );
        world.cache.join(&id("new"), Duration::ZERO);
        sleep(Duration::from_millis(waits)).await;
        world.welcome(&["new"], 60).await;
    };
    tokio::select! {
        _ = futures::future::join(painter, newcomer) => {}
        () = broadcast => {}
    }
    world
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    #[test]
    fn no_newcomer_starts_with_a_gap(
        join in 0_u64..400, opens in 0_u64..300, queued in 0_u64..200, period in 1_u64..80,
    ) {
        let mut builder = tokio::runtime::Builder::new_current_thread();
        let runtime = builder.enable_time().start_paused(true).build().unwrap();
        let world = runtime.block_on(newcomer_among_paints(join, opens, queued, period));
        world.assert_up_to_date("old");
        world.assert_up_to_date("new");
    }
}
