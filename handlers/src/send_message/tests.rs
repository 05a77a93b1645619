use std::time::Duration;

use place_canvas::Shard;
use place_canvas::wire::ServerFrame;
use proptest::prelude::*;

use super::*;
use crate::fakes::{FakeCache, FakeGateway, FakeQueues, geometry, id};

mod odd_input;

struct World {
    cache: FakeCache,
    queues: FakeQueues,
    gateway: FakeGateway,
}

impl World {
    fn new(shards: u16) -> Self {
        let cache = FakeCache::new(shards);
        for client in 0..20 {
            cache.join(&id(&format!("client{client}")), Duration::ZERO);
        }
        cache.join(&id("me="), Duration::ZERO);
        Self {
            cache,
            queues: FakeQueues::default(),
            gateway: FakeGateway::new(Duration::ZERO),
        }
    }

    async fn send(&self, body: &str) -> Option<ErrorCode> {
        let text = r#"{"requestContext":{"connectionId":"me=","identity":{"sourceIp":"1.2.3.4"}}}"#;
        let mut event: SocketEvent = serde_json::from_str(text).unwrap();
        event.body = Some(body.to_owned());
        let limits = Limits {
            geometry: geometry(),
            max_pixels: 4,
        };
        let ports = (&self.cache, &self.queues, &self.gateway);
        let answer = handle(&event, limits, &Told::default(), ports).await;
        assert_eq!(answer, SocketAnswer::OK);
        let frames = self.gateway.texts(&id("me="));
        self.gateway.calls().arrived.clear();
        let error = |text: &String| match ServerFrame::parse(text).unwrap() {
            ServerFrame::Error { code, .. } => code,
            other => panic!("{other:?}"),
        };
        assert!(frames.len() <= 1);
        frames.first().map(error)
    }
}

fn body(pixels: &[(i64, i64)]) -> String {
    let pixel = |(x, y): &(i64, i64)| format!(r#"{{"x":{x},"y":{y},"r":1,"g":2,"b":3}}"#);
    let pixels: Vec<_> = pixels.iter().map(pixel).collect();
    format!(
        r#"{{"action":"sendMessage","data":[{}]}}"#,
        pixels.join(",")
    )
}

#[tokio::test(start_paused = true)]
async fn a_paint_wakes_each_sleeping_shard_once() {
    let world = World::new(3);
    assert_eq!(world.send(&body(&[(1, 2), (3, 4)])).await, None);
    assert_eq!(world.send(&body(&[(5, 6)])).await, None);
    let calls = world.queues.calls.lock().unwrap();
    let shards: Vec<Shard> = calls.iter().map(|call| call.shard).collect();
    assert_eq!(shards, [Shard(0), Shard(1), Shard(2)]);
    let state = world.cache.state();
    assert!(calls.iter().all(|call| call.at == state.history[0].at));
    assert_eq!(state.history.len(), 2);
}

#[tokio::test(start_paused = true)]
async fn each_fault_has_its_code_and_paints_nothing() {
    let world = World::new(1);
    let cases = [
        ("", ErrorCode::BadMessage),
        ("null", ErrorCode::BadMessage),
        (r#"{"action":"sendMessage"}"#, ErrorCode::BadMessage),
        (r#"{"data":[]}"#, ErrorCode::BadMessage),
        (
            r#"{"data":[{"x":1.5,"y":2,"r":1,"g":2,"b":3}]}"#,
            ErrorCode::BadMessage,
        ),
        (
            r#"{"data":[{"x":1,"y":2,"r":256,"g":2,"b":3}]}"#,
            ErrorCode::BadColor,
        ),
    ];
    for (text, code) in cases {
        assert_eq!(world.send(text).await, Some(code), "{text}");
    }
    assert_eq!(
        world.send(&body(&[(20, 0)])).await,
        Some(ErrorCode::OutOfBounds)
    );
    assert_eq!(
        world.send(&body(&[(0, 0), (0, -1)])).await,
        Some(ErrorCode::OutOfBounds)
    );
    assert_eq!(
        world.send(&body(&[(0, 0); 5])).await,
        Some(ErrorCode::TooManyPixels)
    );
    assert!(world.cache.state().history.is_empty());
}

#[tokio::test(start_paused = true)]
async fn what_the_cache_refuses_is_told() {
    let world = World::new(1);
    let full = place_canvas::StoreError::Answer {
        doing: "x",
        detail: String::new(),
    };
    let cases = [
        (
            PaintError::CoolingDown {
                retry_ms: 70,
                told: false,
            },
            ErrorCode::CoolingDown,
        ),
        (PaintError::Full, ErrorCode::Unavailable),
        (PaintError::Store(full), ErrorCode::Unavailable),
    ];
    for (refusal, code) in cases {
        world.cache.state().refusal = Some(refusal);
        assert_eq!(world.send(&body(&[(1, 1)])).await, Some(code));
    }
}

#[tokio::test(start_paused = true)]
async fn one_that_floods_is_told_once() {
    let world = World::new(1);
    for told in [false, true, true] {
        let retry_ms = 70;
        world.cache.state().refusal = Some(PaintError::CoolingDown { retry_ms, told });
        let heard = world.send(&body(&[(1, 1)])).await;
        assert_eq!(heard.is_none(), told);
    }
    assert_eq!(world.gateway.calls().posts.len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_wake_up_is_tried_again() {
    let world = World::new(1);
    world.queues.faults.fail_at(1);
    assert_eq!(world.send(&body(&[(1, 1)])).await, None);
    assert_eq!(world.queues.calls.lock().unwrap().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn without_the_queue_the_pixel_is_painted_and_the_next_paint_calls_again() {
    let world = World::new(1);
    let limits = Limits {
        geometry: geometry(),
        max_pixels: 4,
    };
    let text = r#"{"requestContext":{"connectionId":"me="},"body":"{\"data\":{\"x\":1,\"y\":1,\"r\":1,\"g\":1,\"b\":1}}"}"#;
    let event: SocketEvent = serde_json::from_str(text).unwrap();
    let told = Told::default();
    handle(
        &event,
        limits,
        &told,
        (&world.cache, &Broken, &world.gateway),
    )
    .await;
    let told = world.gateway.texts(&id("me="));
    assert!(told[0].contains("UNAVAILABLE"), "{told:?}");
    assert_eq!(world.cache.state().history.len(), 1);
    tokio::time::sleep(Duration::from_secs(3)).await;
    world.gateway.calls().arrived.clear();
    assert_eq!(world.send(&body(&[(1, 1)])).await, None);
    assert_eq!(world.queues.calls.lock().unwrap().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_queue_that_never_answers_is_told_in_time() {
    let world = World::new(2);
    *world.queues.latency.lock().unwrap() = Duration::from_hours(1);
    let start = tokio::time::Instant::now();
    let heard = world.send(&body(&[(1, 1)])).await;
    assert_eq!(heard, Some(ErrorCode::Unavailable));
    assert!(start.elapsed() < Duration::from_secs(5));
    assert_eq!(world.cache.state().history.len(), 1);
}

/// A queue that never answers well.
struct Broken;

impl Calls for Broken {
    async fn call(&self, _: &Call) -> Result<(), Error> {
        Err(Error::Queue {
            queue: "requestQueue.fifo".into(),
            code: "down".into(),
        })
    }
}

impl Newcomers for Broken {
    async fn announce(&self, _: &crate::event::Newcomer) -> Result<(), Error> {
        Err(Error::TimeUp("queueing"))
    }

    async fn announce_again(&self, _: &ConnectionId, _: Position) -> Result<(), Error> {
        Err(Error::TimeUp("queueing"))
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    #[test]
    fn no_message_is_painted_in_part(
        pixels in proptest::collection::vec((-2_i64..22, -2_i64..12), 0..6),
        rubbish: String,
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        let (error, painted, rejected) = runtime.block_on(async {
            let world = World::new(1);
            let error = world.send(&body(&pixels)).await;
            let painted = world.cache.state().unsaved;
            (error, painted, world.send(&rubbish).await)
        });
        let inside = |(x, y): &(i64, i64)| (0..20).contains(x) && (0..10).contains(y);
        let good = (1..=4).contains(&pixels.len()) && pixels.iter().all(inside);
        prop_assert_eq!(error.is_none(), good);
        prop_assert_eq!(painted, if good { pixels.len() as u64 } else { 0 });
        prop_assert_eq!(rejected, Some(ErrorCode::BadMessage));
    }
}

#[tokio::test(start_paused = true)]
async fn an_error_names_the_message_and_the_first_pixel_that_it_is_about() {
    let world = World::new(1);
    let text = r#"{"requestContext":{"connectionId":"me="}}"#;
    let mut event: SocketEvent = serde_json::from_str(text).unwrap();
    let pixels = r#"[{"x":1,"y":1,"r":1,"g":1,"b":1},{"x":21,"y":3,"r":1,"g":1,"b":1}]"#;
    let body = format!(r#"{{"action":"sendMessage","data":{pixels},"name":"mine"}}"#);
    event.body = Some(body);
    let limits = Limits {
        geometry: geometry(),
        max_pixels: 4,
    };
    let ports = (&world.cache, &world.queues, &world.gateway);
    handle(&event, limits, &Told::default(), ports).await;
    let frames = world.gateway.texts(&id("me="));
    let told: serde_json::Value = serde_json::from_str(&frames[0]).unwrap();
    assert_eq!(
        (&told["code"], &told["name"]),
        (&"OUT_OF_BOUNDS".into(), &"mine".into())
    );
    assert_eq!((&told["x"], &told["y"]), (&21.into(), &3.into()));
}
