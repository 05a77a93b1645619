mod departures;
mod resume;
mod turns;

use place_canvas::wire::ServerFrame;
use proptest::prelude::*;
use tokio::time::sleep;

use super::*;
use crate::broadcast::{self, Tuning};
use crate::fakes::{FakeCache, FakeGateway, FakeQueues, Mood, batch, dot, id, invocation};
use crate::gateway::GatewayError;

/// Deliveries of a message.
const TRIES: u32 = 5;

struct World {
    cache: FakeCache,
    gateway: FakeGateway,
    gallery: Gallery,
    queues: FakeQueues,
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
            queues: FakeQueues::default(),
        }
    }

    /// The first delivery of these.
    async fn welcome(&self, clients: &[&str], seconds: u64) -> BatchAnswer {
        let clients: Vec<_> = clients.iter().map(|name| (*name, 1)).collect();
        self.deliver(&clients, seconds).await
    }

    /// A delivery of clients, each with its number.
    async fn deliver(&self, clients: &[(&str, u32)], seconds: u64) -> BatchAnswer {
        let body = |(name, _): &(&str, u32)| format!(r#"{{"connection":"{name}"}}"#);
        let bodies: Vec<_> = clients.iter().map(body).collect();
        let bodies: Vec<_> = bodies.iter().map(String::as_str).collect();
        let mut event = batch(&bodies);
        for (message, (_, receives)) in event.records.iter_mut().zip(clients) {
            message.attributes.as_mut().unwrap().receives = Some(receives.to_string());
        }
        self.handle(&event, seconds).await
    }

    async fn handle(&self, event: &QueueEvent, seconds: u64) -> BatchAnswer {
        let service = Service {
            gallery: &self.gallery,
            cache: &self.cache,
            gateway: &self.gateway,
            queue: &self.queues,
            tries: TRIES,
        };
        handle(event, soon(seconds), &service).await
    }

    /// Delivers a client as often as the queue would; answers how often that was.
    async fn deliver_all(&self, client: &str) -> u32 {
        for receives in 1..=TRIES {
            let answer = self.deliver(&[(client, receives)], 20).await;
            if answer.failures.is_empty() {
                return receives;
            }
            let unserved = self.queues.unserved.lock().unwrap().pop().unwrap();
            sleep(Duration::from_secs(unserved.pause_s.into())).await;
        }
        panic!("a dead letter: {client}");
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
    world.assert_up_to_date("c");
}

#[tokio::test(start_paused = true)]
async fn a_picture_serves_for_longer_while_little_is_painted() {
    let world = World::new();
    world.cache.paint_now(&[dot(3, 4, 5)]);
    for (number, (pause, paints, reads)) in [
        (0, 0, 1),
        (20, 1, 1),
        (5, 50, 1),
        (1, 1, 2),
        (29, 0, 2),
        (1, 0, 3),
    ]
    .into_iter()
    .enumerate()
    {
        sleep(Duration::from_secs(pause)).await;
        for grey in 0..paints {
            world.cache.paint_now(&[dot(5, 5, grey)]);
        }
        let client = format!("c{number}");
        world.welcome(&[&client], 60).await;
        assert_eq!(world.cache.state().canvas_reads, reads, "{client}");
        world.assert_up_to_date(&client);
    }
}

#[tokio::test(start_paused = true)]
async fn a_crowd_that_comes_for_seconds_is_served_from_one_picture() {
    let world = World::new();
    for number in 0..100 {
        let clients: Vec<_> = (0..10).map(|n| format!("c{number}-{n}")).collect();
        let clients: Vec<_> = clients.iter().map(String::as_str).collect();
        assert_eq!(world.welcome(&clients, 60).await, BatchAnswer::default());
        sleep(Duration::from_millis(150)).await;
        world.cache.paint_now(&[dot(1, 2, number % 7)]);
        if number == 40 {
            break;
        }
    }
    assert_eq!(world.cache.state().canvas_reads, 1);
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
async fn what_is_no_newcomer_is_dropped() {
    let world = World::new();
    let event = batch(&[
        "",
        "null",
        r#"{"connection":"a b"}"#,
        r#"{"connection":"a"}"#,
    ]);
    let answer = world.handle(&event, 60).await;
    assert_eq!(answer, BatchAnswer::default());
    world.assert_up_to_date("a");
}

/// A newcomer that joins at any moment of a canvas that is being painted and broadcast.
async fn newcomer_among_paints(join: u64, opens: u64, waits: u64, period: u64) -> World {
    let world = World::new();
    let queues = &world.queues;
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
            broadcast::handle(&event, invocation(60), tuning, cache, queues, gateway).await;
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
        world.deliver_all("new").await;
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
