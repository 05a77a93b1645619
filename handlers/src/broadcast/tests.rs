mod faults;
mod lease;

use std::time::Duration;

use place_canvas::{ConnectionId, Position};
use tokio::time::{Instant, sleep};

use super::*;
use crate::fakes::{FakeCache, FakeGateway, FakeQueues, Flaw, Mood, batch, dot, id, invocation};
use crate::gateway::GatewayError;
use crate::queues::Reason;

const TICK: Duration = Duration::from_millis(100);
const OLD: Duration = Duration::from_mins(1);

struct World {
    cache: FakeCache,
    queues: FakeQueues,
    gateway: FakeGateway,
    tuning: Tuning,
}

impl World {
    /// A canvas with so many clients that connected long ago and hold the empty picture.
    fn new(clients: usize) -> Self {
        let world = Self {
            cache: FakeCache::new(1),
            queues: FakeQueues::default(),
            gateway: FakeGateway::new(Duration::from_millis(5)),
            tuning: Tuning {
                tick: TICK,
                concurrency: 8,
                max_posts_per_second: 5000,
                frame_bytes: 32_768,
            },
        };
        for number in 0..clients {
            world.cache.join(&client(number), OLD);
        }
        world
    }

    async fn serve_for(&self, seconds: u64) -> Result<Summary, Error> {
        let ports = (&self.cache, &self.queues, &self.gateway);
        ShardLoop::run((Shard(0), 1), invocation(seconds), self.tuning, ports).await
    }

    async fn serve(&self) -> Summary {
        self.serve_for(3600).await.unwrap()
    }

    /// How many updates a client got, after checking that they follow one another from `from`.
    fn updates(&self, client: &ConnectionId, from: Position) -> usize {
        let mut held = from;
        let texts = self.gateway.texts(client);
        for text in &texts {
            match place_canvas::wire::ServerFrame::parse(text).unwrap() {
                place_canvas::wire::ServerFrame::Update { from, at, .. } => {
                    assert!(from <= held, "a gap");
                    held = held.max(at);
                }
                other => panic!("{other:?}"),
            }
        }
        assert_eq!(held, self.cache.state().history.last().unwrap().at);
        texts.len()
    }
}

fn client(number: usize) -> ConnectionId {
    id(&format!("c{number:05}"))
}

#[tokio::test(start_paused = true)]
async fn everyone_gets_every_change_and_the_loop_falls_asleep() {
    let world = World::new(30);
    world.cache.paint_now(&[dot(1, 1, 1)]);
    let painter = async {
        for grey in 0..50 {
            sleep(Duration::from_millis(37)).await;
            world.cache.paint_now(&[dot(2, 2, grey)]);
        }
    };
    let (summary, ()) = tokio::join!(world.serve(), painter);
    assert_eq!(summary.ending, Ending::Asleep);
    assert!(!world.cache.is_awake(Shard(0)));
    for number in 0..30 {
        assert!(world.updates(&client(number), Position::ZERO) <= 25);
    }
    assert_eq!(world.cache.state().cursors[&Shard(0)], summary.to);
    // The set of clients did not change, so it was read once.
    assert_eq!(world.cache.state().audience_reads, 1);
}

#[tokio::test(start_paused = true)]
async fn a_tick_carries_each_pixel_once() {
    let world = World::new(1);
    for grey in 0..200 {
        world.cache.paint_now(&[dot(3, 3, grey), dot(4, 4, grey)]);
    }
    let summary = world.serve().await;
    assert_eq!(
        (summary.frames, summary.pixels, summary.counts.posts),
        (1, 2, 1)
    );
}

#[tokio::test(start_paused = true)]
async fn more_history_than_a_page_is_sent_in_one_tick() {
    let world = World::new(2);
    for number in 0..5000_u16 {
        world.cache.paint_now(&[dot(number % 20, number % 10, 1)]);
    }
    let summary = world.serve().await;
    assert_eq!(summary.ticks, 1);
    world.updates(&client(0), Position::ZERO);
}

#[tokio::test(start_paused = true)]
async fn the_posts_stay_within_the_budget() {
    for (clients, budget) in [(10, 5000), (1000, 2000), (3000, 5000)] {
        let mut world = World::new(clients);
        world.tuning.max_posts_per_second = budget;
        world.tuning.concurrency = 64;
        world.cache.paint_now(&[dot(0, 0, 0)]);
        let start = Instant::now();
        let painter = async {
            for grey in 0..100 {
                sleep(Duration::from_millis(50)).await;
                world.cache.paint_now(&[dot(2, 2, grey)]);
            }
        };
        let (summary, ()) = tokio::join!(world.serve(), painter);
        let calls = world.gateway.calls();
        let burst = budget as usize * 11 / 10;
        for second in calls.posts.windows(burst + 1) {
            assert!(
                second[burst] - second[0] >= Duration::from_secs(1),
                "{clients} clients"
            );
        }
        // Few clients get a frame each tick, many get as many as the budget allows.
        let seconds = start.elapsed().as_secs();
        let allowed = (u64::from(budget) * seconds / clients as u64).min(10 * seconds);
        assert!(
            summary.ticks * 10 > allowed * 7,
            "{clients} clients: {} ticks",
            summary.ticks
        );
    }
}

#[tokio::test(start_paused = true)]
async fn no_more_posts_are_in_flight_than_allowed() {
    let world = World::new(200);
    world.cache.paint_now(&[dot(0, 0, 0)]);
    world.serve().await;
    assert_eq!(world.gateway.calls().most_in_flight, 8);
}

#[tokio::test(start_paused = true)]
async fn a_cache_that_stumbles_ends_no_loop() {
    let steps = {
        let world = World::new(3);
        world.cache.paint_now(&[dot(0, 0, 0)]);
        world.serve().await;
        world.cache.faults.steps()
    };
    for step in 1..=steps {
        let world = World::new(3);
        world.cache.paint_now(&[dot(0, 0, 0)]);
        world.cache.faults.fail_at(step);
        let summary = world.serve().await;
        assert_eq!(summary.ending, Ending::Asleep, "step {step}");
        assert!(world.queues.calls.lock().unwrap().is_empty());
        for number in 0..3 {
            world.updates(&client(number), Position::ZERO);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_gap_in_history_is_one_that_the_clients_see() {
    let world = World::new(2);
    world.cache.paint_now(&[dot(0, 0, 0)]);
    world.cache.paint_now(&[dot(1, 1, 1)]);
    let at = world.cache.paint_now(&[dot(2, 2, 2)]).at;
    world.cache.forget_before(at);
    world.serve().await;
    let texts = world.gateway.texts(&client(0));
    let frame = place_canvas::wire::ServerFrame::parse(&texts[0]).unwrap();
    let place_canvas::wire::ServerFrame::Update { from, at: end, .. } = frame else {
        panic!("{frame:?}");
    };
    assert!(
        Position::ZERO < from && from < at && end == at,
        "{from} {end}"
    );
}

#[tokio::test(start_paused = true)]
async fn loops_of_one_invocation_share_its_posts() {
    let world = World {
        cache: FakeCache::new(4),
        ..World::new(0)
    };
    for number in 0..400 {
        world.cache.join(&client(number), OLD);
    }
    world.cache.paint_now(&[dot(0, 0, 0)]);
    let bodies: Vec<_> = (0..4)
        .map(|shard| format!(r#"{{"shard":{shard}}}"#))
        .collect();
    let bodies: Vec<_> = bodies.iter().map(String::as_str).collect();
    let (event, ports) = (
        batch(&bodies),
        (&world.cache, &world.queues, &world.gateway),
    );
    handle(
        &event,
        invocation(60),
        world.tuning,
        ports.0,
        ports.1,
        ports.2,
    )
    .await;
    assert_eq!(world.gateway.calls().most_in_flight, 8);
    for number in 0..400 {
        world.updates(&client(number), Position::ZERO);
    }
}

#[tokio::test(start_paused = true)]
async fn who_joins_between_two_ticks_is_in_the_next() {
    let world = World::new(1);
    world.cache.paint_now(&[dot(0, 0, 0)]);
    let joiner = async {
        sleep(Duration::from_millis(150)).await;
        let before = world.cache.state().history.last().unwrap().at;
        world.cache.join(&id("late"), Duration::ZERO);
        world.cache.paint_now(&[dot(2, 2, 2)]);
        before
    };
    let painter = async {
        sleep(Duration::from_millis(50)).await;
        world.cache.paint_now(&[dot(1, 1, 1)]);
    };
    let (_, held, ()) = tokio::join!(world.serve(), joiner, painter);
    assert_eq!(world.updates(&id("late"), held), 1);
}

#[tokio::test(start_paused = true)]
async fn a_batch_reports_the_loop_that_failed() {
    let world = World::new(3);
    world.cache.paint_now(&[dot(0, 0, 0)]);
    let event = batch(&[r#"{"shard":0}"#, "rubbish", r#"{"shard":0}"#]);
    let ports = (&world.cache, &world.queues, &world.gateway);
    world.cache.faults.fail_from(1);
    world.queues.faults.fail_at(1);
    let failed = handle(
        &event,
        invocation(60),
        world.tuning,
        ports.0,
        ports.1,
        ports.2,
    )
    .await
    .failures;
    assert_eq!(failed.len(), 2);
    world.cache.faults.heal();
    let done = handle(
        &event,
        invocation(60),
        world.tuning,
        ports.0,
        ports.1,
        ports.2,
    )
    .await;
    assert_eq!(done, BatchAnswer::default());
    world.updates(&client(0), Position::ZERO);
}

/// Half a minute at the load of 2017. That a paint itself is one round trip to the cache is shown
/// where the cache is real.
#[tokio::test(start_paused = true)]
async fn a_busy_canvas_costs_few_messages_and_few_calls_of_the_cache() {
    const PAINTS: usize = 333 * 30;
    let world = World::new(20);
    let (queue, mut queued) = tokio::sync::mpsc::unbounded_channel();
    let cache = &world.cache;
    let painter = async move {
        for number in 0..PAINTS {
            sleep(Duration::from_secs(1) / 333).await;
            let x = u16::try_from(number % 20).unwrap();
            for shard in cache.paint_now(&[dot(x, 2, 3)]).wake {
                queue.send(shard).unwrap();
            }
        }
    };
    let functions = async {
        let mut messages = 0;
        while queued.recv().await.is_some() {
            messages += 1;
            world.serve_for(60).await.unwrap();
        }
        messages
    };
    let (messages, ()) = tokio::join!(functions, painter);
    let messages = messages + world.queues.calls.lock().unwrap().len();
    assert!(messages * 10 <= PAINTS, "{messages} messages");
    let calls = world.cache.faults.steps();
    assert!(calls * 10 <= PAINTS, "{calls} calls of the cache");
    world.updates(&client(7), Position::ZERO);
}
