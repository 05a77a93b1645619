//! Convergence: whatever happens, in whatever order, every client that stays connected ends with
//! the server's canvas.
//!
//! The functions run as they do on AWS, fed by their queues; only the gateway, the queues and the
//! tables are fakes. The clients are model clients behind that gateway. Paints, newcomers,
//! departures and saves come at random moments, and what the queues deliver fares at random: it is
//! delivered twice, its function is killed at any moment, its time is up, it is lost. At last
//! nothing goes wrong any more, and what the minute's save does for shards that lag is all the help
//! that there is.

use std::collections::VecDeque;
use std::sync::Mutex;
use std::time::Duration;

use futures::stream::{FuturesUnordered, StreamExt};
use place_canvas::testing::TestRedis;
use place_canvas::{ConnectionId, StoreConfig};
use place_config::env::OriginList;
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use tokio::time::{Instant, sleep, timeout};

use crate::adapters::Cache;
use crate::broadcast::{self, Invocation, Tuning};
use crate::event::{SocketAnswer, SocketEvent};
use crate::fakes::{
    FakeCache, FakeGateway, FakeQueues, FakeTables, Faults, Mood, batch, geometry, id,
};
use crate::gateway::GatewayError;
use crate::initialize::{self, Gallery};
use crate::ports::{Clients, History, Look, Paint, Shards};
use crate::save::{self, SaveEvent, Saves};
use crate::send_message::{self, Limits};
use crate::{connect, disconnect};

const SHARDS: u16 = 2;

/// What the functions need of the cache.
trait Backend: Clients + Shards + History + Look + Paint + Saves {}
impl<T: Clients + Shards + History + Look + Paint + Saves> Backend for T {}

/// How a message of a queue fares.
#[derive(Clone, Copy, Debug)]
enum Fate {
    Done,
    /// It is delivered twice.
    Twice,
    /// Its function is killed after so many milliseconds.
    Killed(u64),
    /// Its function has hardly any time, and hands over.
    Short,
    /// It is lost, or comes again much too late.
    Lost,
}

/// What happens next.
#[derive(Clone, Debug)]
enum Step {
    /// Pixels of one message.
    Paint(Vec<(u16, u16)>),
    /// A client connects; its connection opens so many milliseconds later.
    Join(u64),
    /// A client leaves, and the gateway says so, or doesn't.
    Leave(usize, bool),
    /// The gateway answers a client so many times that it throttles, or fails.
    Trouble(usize, bool, u32),
    Save,
    Wait(u64),
}

#[derive(Clone, Debug)]
struct Script {
    steps: Vec<Step>,
    wakes: Vec<Fate>,
    welcomes: Vec<Fate>,
}

fn script() -> impl Strategy<Value = Script> {
    let place = (0_u16..20, 0_u16..10);
    let step = prop_oneof![
        8 => proptest::collection::vec(place, 1..5).prop_map(Step::Paint),
        3 => (0_u64..120).prop_map(Step::Join),
        1 => (0_usize..8, any::<bool>()).prop_map(|(n, tells)| Step::Leave(n, tells)),
        1 => (0_usize..8, any::<bool>(), 1_u32..4)
            .prop_map(|(n, throttles, times)| Step::Trouble(n, throttles, times)),
        1 => Just(Step::Save),
        6 => (0_u64..60).prop_map(Step::Wait),
    ];
    let fate = || {
        prop_oneof![
            2 => Just(Fate::Done),
            1 => Just(Fate::Twice),
            2 => (0_u64..80).prop_map(Fate::Killed),
            1 => Just(Fate::Short),
            1 => Just(Fate::Lost),
        ]
    };
    (
        proptest::collection::vec(step, 5..60),
        proptest::collection::vec(fate(), 0..12),
        proptest::collection::vec(fate(), 0..8),
    )
        .prop_map(|(steps, wakes, welcomes)| Script {
            steps,
            wakes,
            welcomes,
        })
}

struct World<C> {
    cache: C,
    queues: FakeQueues,
    gateway: FakeGateway,
    gallery: Gallery,
    tables: FakeTables,
    tuning: Tuning,
    connected: Mutex<Vec<ConnectionId>>,
    joined: Mutex<u32>,
    wakes: Mutex<VecDeque<Fate>>,
    welcomes: Mutex<VecDeque<Fate>>,
}

fn invocation(length: Duration) -> Invocation<'static> {
    Invocation {
        request_id: "r",
        deadline: Instant::now() + length,
    }
}

const MINUTE: Duration = Duration::from_mins(1);
/// Time for a loop that keeps three seconds free.
const SHORT: Duration = Duration::from_millis(3100);

impl<C: Backend> World<C> {
    fn new(cache: C, script: &Script) -> Self {
        Self {
            cache,
            queues: FakeQueues::default(),
            gateway: FakeGateway::new(Duration::from_millis(2)),
            gallery: Gallery::new(Duration::from_millis(40), 1024),
            tables: FakeTables::new(Faults::default()),
            tuning: Tuning {
                tick: Duration::from_millis(15),
                concurrency: 4,
                max_posts_per_second: 5000,
                frame_bytes: 1024,
            },
            connected: Mutex::default(),
            joined: Mutex::new(0),
            wakes: Mutex::new(script.wakes.clone().into()),
            welcomes: Mutex::new(script.welcomes.clone().into()),
        }
    }

    /// The queues, for ever.
    async fn deliver(&self) {
        let (mut loops, mut services) = (FuturesUnordered::new(), FuturesUnordered::new());
        loop {
            for call in self.queues.calls.lock().unwrap().drain(..) {
                let fate = self.wakes.lock().unwrap().pop_front();
                loops.push(self.wake(call.shard.0, fate.unwrap_or(Fate::Done)));
            }
            for client in self.queues.newcomers.lock().unwrap().drain(..) {
                let fate = self.welcomes.lock().unwrap().pop_front();
                services.push(self.welcome(client, fate.unwrap_or(Fate::Done)));
            }
            tokio::select! {
                Some(()) = loops.next(), if !loops.is_empty() => {}
                Some(()) = services.next(), if !services.is_empty() => {}
                () = sleep(Duration::from_millis(5)) => {}
            }
        }
    }

    async fn wake(&self, shard: u16, fate: Fate) {
        let event = batch(&[&format!(r#"{{"shard":{shard}}}"#)]);
        let serve = async |length| {
            let (cache, queues, gateway) = (&self.cache, &self.queues, &self.gateway);
            let invocation = invocation(length);
            broadcast::handle(&event, invocation, self.tuning, cache, queues, gateway).await
        };
        match fate {
            Fate::Done => drop(serve(MINUTE).await),
            Fate::Twice => drop(tokio::join!(serve(MINUTE), serve(MINUTE))),
            Fate::Killed(ms) => drop(timeout(Duration::from_millis(ms), serve(MINUTE)).await),
            Fate::Short => drop(serve(SHORT).await),
            Fate::Lost => {}
        }
    }

    /// The queue keeps a newcomer until it is served.
    async fn welcome(&self, client: ConnectionId, fate: Fate) {
        let event = batch(&[&format!(r#"{{"connection":"{client}"}}"#)]);
        let serve = async || {
            let deadline = Instant::now() + MINUTE;
            let (cache, gateway) = (&self.cache, &self.gateway);
            let answer = initialize::handle(&event, deadline, &self.gallery, cache, gateway).await;
            answer.failures.is_empty()
        };
        let done = match fate {
            Fate::Twice => {
                let (first, second) = tokio::join!(serve(), serve());
                first && second
            }
            Fate::Killed(ms) => timeout(Duration::from_millis(ms), serve()).await == Ok(true),
            Fate::Lost => false,
            Fate::Done | Fate::Short => serve().await,
        };
        if !done {
            sleep(Duration::from_millis(50)).await;
            self.queues.newcomers.lock().unwrap().push(client);
        }
    }

    fn event(client: &str, body: Option<String>) -> SocketEvent {
        let text = format!(r#"{{"requestContext":{{"connectionId":"{client}"}}}}"#);
        let event: SocketEvent = serde_json::from_str(&text).unwrap();
        SocketEvent { body, ..event }
    }

    async fn join(&self, opens: u64) {
        let name = {
            let mut joined = self.joined.lock().unwrap();
            *joined += 1;
            format!("c{joined}")
        };
        let opens = Instant::now() + Duration::from_millis(opens);
        self.gateway.set(&id(&name), Mood::OpensAt(opens));
        let event = Self::event(&name, None);
        let origins = OriginList::default();
        let answer = connect::handle(&event, &origins, &self.cache, &self.queues).await;
        assert_eq!(answer, SocketAnswer::OK);
        self.connected.lock().unwrap().push(id(&name));
    }

    async fn leave(&self, number: usize, tells: bool) {
        let client = {
            let mut connected = self.connected.lock().unwrap();
            if connected.is_empty() {
                return;
            }
            let number = number % connected.len();
            connected.remove(number)
        };
        self.gateway.set(&client, Mood::Fails(GatewayError::Gone));
        if tells {
            disconnect::handle(&Self::event(client.as_str(), None), &self.cache).await;
        }
    }

    async fn paint(&self, places: &[(u16, u16)], grey: u8) {
        let pixel =
            |(x, y): &(u16, u16)| format!(r#"{{"x":{x},"y":{y},"r":{grey},"g":7,"b":{grey}}}"#);
        let pixels: Vec<_> = places.iter().map(pixel).collect();
        let body = format!(r#"{{"data":[{}]}}"#, pixels.join(","));
        let limits = Limits {
            geometry: geometry(),
            max_pixels: 4,
        };
        let event = Self::event("painter", Some(body));
        send_message::handle(&event, limits, &self.cache, &self.queues, &self.gateway).await;
    }

    async fn play(&self, steps: &[Step]) {
        for (number, step) in steps.iter().enumerate() {
            match step {
                Step::Paint(places) => self.paint(places, number.to_le_bytes()[0]).await,
                Step::Join(opens) => self.join(*opens).await,
                Step::Leave(number, tells) => self.leave(*number, *tells).await,
                Step::Trouble(number, throttles, times) => {
                    let error = if *throttles {
                        GatewayError::Throttled
                    } else {
                        GatewayError::Status(500)
                    };
                    let client = id(&format!("c{number}"));
                    if self.connected.lock().unwrap().contains(&client) {
                        self.gateway.set(&client, Mood::FailsTimes(error, *times));
                    }
                }
                Step::Save => {
                    let event = SaveEvent::default();
                    let (cache, queues) = (&self.cache, &self.queues);
                    let saving =
                        save::handle(event, invocation(MINUTE), cache, &self.tables, queues);
                    saving.await.unwrap();
                }
                Step::Wait(ms) => sleep(Duration::from_millis(*ms)).await,
            }
        }
    }

    /// The clients that do not show the canvas. Those that know that they can't are replaced.
    async fn astray(&self) -> Vec<ConnectionId> {
        let (_, canvas) = self.cache.read_canvas().await.unwrap();
        let connected = self.connected.lock().unwrap().clone();
        let mut astray = Vec::new();
        for client in connected {
            let model = self.gateway.model(&client);
            let closed = self.gateway.calls().closed.contains(&client);
            if model.has_gap() || closed {
                let place = {
                    let connected = self.connected.lock().unwrap();
                    connected.iter().position(|other| *other == client)
                };
                self.leave(place.unwrap(), true).await;
                self.join(0).await;
                astray.push(client);
            } else if model.picture() != Some(&canvas) {
                astray.push(client);
            }
        }
        astray
    }

    /// Plays the script, lets things calm down, and wants every client to show the canvas.
    async fn converges(&self, steps: &[Step], pause: Duration, expire: impl Fn()) {
        let play = async {
            self.play(steps).await;
            self.wakes.lock().unwrap().clear();
            self.welcomes.lock().unwrap().clear();
            let mut astray = Vec::new();
            for _ in 0..30 {
                sleep(pause).await;
                astray = self.astray().await;
                if astray.is_empty() {
                    return;
                }
                expire();
                let (cache, queues) = (&self.cache, &self.queues);
                save::try_wake(invocation(MINUTE), cache, queues)
                    .await
                    .unwrap();
            }
            panic!("{astray:?} do not show the canvas after {steps:?}");
        };
        tokio::select! {
            () = self.deliver() => unreachable!("the queues are there for ever"),
            () = play => {}
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 250, ..ProptestConfig::default() })]

    #[test]
    fn every_client_ends_with_the_canvas(script in script()) {
        let mut builder = tokio::runtime::Builder::new_current_thread();
        let runtime = builder.enable_time().start_paused(true).build().unwrap();
        runtime.block_on(async {
            let world = World::new(FakeCache::new(SHARDS), &script);
            // Leases of loops that died expire by themselves: five seconds at most.
            world.converges(&script.steps, Duration::from_secs(3), || {}).await;
        });
    }
}

/// The same on a real cache that keeps no history longer than it must.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_client_ends_with_the_canvas_of_a_real_cache() {
    let mut runner = TestRunner::default();
    let case = |script: Script| async move {
        let redis = TestRedis::start().unwrap();
        let config = StoreConfig {
            shards: SHARDS,
            retain: Duration::ZERO,
            ..StoreConfig::new("test", geometry())
        };
        let world = World::new(Cache::new(redis.url(), config), &script);
        let expire = || redis.expire_leases("test", SHARDS).unwrap();
        world
            .converges(&script.steps, Duration::from_millis(150), expire)
            .await;
    };
    let scripts = (0..12).map(|_| script().new_tree(&mut runner).unwrap().current());
    futures::future::join_all(scripts.map(case)).await;
}
