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
    FakeCache, FakeGateway, FakeQueues, FakeTables, Faults, Flaw, Mood, batch, geometry, id,
};
use crate::gateway::GatewayError;
use crate::initialize::{self, Gallery};
use crate::ports::{Clients, History, Look, Paint, Shards};
use crate::queues::Reason;
use crate::save::{self, SaveEvent, Saves};
use crate::send_message::{self, Limits, Told};
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
    /// The gateway takes so many updates for a client, and they never arrive.
    Swallow(usize, u32),
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
        1 => (0_usize..8, 1_u32..3).prop_map(|(n, times)| Step::Swallow(n, times)),
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
    /// Whether loops that hand over call the next one.
    hands_over: bool,
    /// Whether clients that know of a gap, or were closed, connect anew.
    reconnects: bool,
    told: Told,
}

/// How things calm down at last.
#[derive(Clone, Copy)]
struct Calm<'a> {
    /// Between two looks at the clients.
    pause: Duration,
    /// Lets leases expire that nobody holds any more.
    expire: &'a dyn Fn(),
    /// Whether the minute's save helps shards that lag.
    saves: bool,
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
            hands_over: true,
            reconnects: true,
            told: Told::default(),
        }
    }

    /// The queues, for ever.
    async fn deliver(&self) {
        let (mut loops, mut services) = (FuturesUnordered::new(), FuturesUnordered::new());
        loop {
            for call in self.queues.calls.lock().unwrap().drain(..) {
                if matches!(call.reason, Reason::HandOver(_)) && !self.hands_over {
                    continue;
                }
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
        let (cache, queues, gateway) = (&self.cache, &self.queues, &self.gateway);
        send_message::handle(&event, limits, &self.told, cache, queues, gateway).await;
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
                    self.trouble(*number, Mood::FailsTimes(error, *times));
                }
                Step::Swallow(number, times) => self.trouble(*number, Mood::Swallows(*times)),
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

    fn trouble(&self, number: usize, mood: Mood) {
        let client = id(&format!("c{number}"));
        if self.connected.lock().unwrap().contains(&client) {
            self.gateway.set(&client, mood);
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
            if self.reconnects && (model.has_gap() || closed) {
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

    /// Plays the script and lets things calm down. Fails with the clients that don't show the
    /// canvas then.
    async fn converges(&self, steps: &[Step], calm: Calm<'_>) -> Result<(), Vec<ConnectionId>> {
        let play = async {
            self.play(steps).await;
            // Whoever missed the last update learns of it from the next one.
            self.gateway.swallows_no_more();
            self.paint(&[(0, 0)], 0xff).await;
            self.wakes.lock().unwrap().clear();
            self.welcomes.lock().unwrap().clear();
            let mut astray = Vec::new();
            for _ in 0..30 {
                sleep(calm.pause).await;
                astray = self.astray().await;
                if astray.is_empty() {
                    return Ok(());
                }
                (calm.expire)();
                if calm.saves {
                    let (cache, queues) = (&self.cache, &self.queues);
                    let woken = save::try_wake(invocation(MINUTE), cache, queues);
                    woken.await.unwrap();
                }
            }
            Err(astray)
        };
        tokio::select! {
            () = self.deliver() => unreachable!("the queues are there for ever"),
            ended = play => ended,
        }
    }
}

/// Runs a script on a fake cache. Leases of loops that died expire by themselves: in five seconds
/// at most.
fn run(
    script: &Script,
    prepare: impl FnOnce(&mut World<FakeCache>),
    saves: bool,
) -> Result<(), Vec<ConnectionId>> {
    let mut builder = tokio::runtime::Builder::new_current_thread();
    let runtime = builder.enable_time().start_paused(true).build().unwrap();
    runtime.block_on(async {
        let mut world = World::new(FakeCache::new(SHARDS), script);
        // So that anything may come between two calls of the cache.
        world.cache.faults.slow_down(Duration::from_millis(1));
        prepare(&mut world);
        let calm = Calm {
            pause: Duration::from_secs(3),
            expire: &|| {},
            saves,
        };
        world.converges(&script.steps, calm).await
    })
}

/// The script as it is when no function dies, no message is lost, and no save helps.
fn without_faults(script: Script) -> Script {
    let kind = |fate| match fate {
        Fate::Killed(_) | Fate::Lost => Fate::Short,
        other => other,
    };
    let saves = |step: &Step| matches!(step, Step::Save);
    Script {
        steps: script
            .steps
            .into_iter()
            .filter(|step| !saves(step))
            .collect(),
        wakes: script.wakes.into_iter().map(kind).collect(),
        welcomes: script.welcomes.into_iter().map(kind).collect(),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 250, ..ProptestConfig::default() })]

    #[test]
    fn every_client_ends_with_the_canvas(script in script()) {
        prop_assert_eq!(run(&script, |_| {}, true), Ok(()));
    }

    #[test]
    fn without_faults_every_client_ends_with_the_canvas_before_any_save(script in script()) {
        prop_assert_eq!(run(&without_faults(script), |_| {}, false), Ok(()));
    }
}

/// Whether some of many scripts don't converge.
fn some_go_astray(fails: impl Fn(Script) -> bool) -> bool {
    let mut runner = TestRunner::deterministic();
    (0..5000).any(|_| fails(script().new_tree(&mut runner).unwrap().current()))
}

#[test]
fn a_loop_must_look_once_more_before_it_sleeps() {
    let unchecked = |world: &mut World<FakeCache>| world.cache.flaw = Some(Flaw::SleepsUnchecked);
    assert!(some_go_astray(|script| {
        run(&without_faults(script), unchecked, false).is_err()
    }));
}

#[test]
fn the_cursor_must_not_move_before_the_posts_arrived() {
    let early = |world: &mut World<FakeCache>| world.cache.flaw = Some(Flaw::MovesEarly);
    assert!(some_go_astray(|script| run(&script, early, true).is_err()));
}

#[test]
fn a_loop_whose_time_is_up_must_call_the_next_one() {
    let silent = |world: &mut World<FakeCache>| world.hands_over = false;
    assert!(some_go_astray(|script| {
        run(&without_faults(script), silent, false).is_err()
    }));
}

#[test]
fn a_client_that_missed_an_update_must_connect_anew() {
    let stubborn = |world: &mut World<FakeCache>| world.reconnects = false;
    assert!(some_go_astray(
        |script| run(&script, stubborn, true).is_err()
    ));
}

#[test]
fn what_died_must_be_called_by_somebody() {
    assert!(some_go_astray(|script| {
        let steps = script.steps.into_iter();
        let steps = steps.filter(|step| !matches!(step, Step::Save)).collect();
        run(&Script { steps, ..script }, |_| {}, false).is_err()
    }));
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
        let calm = Calm {
            pause: Duration::from_millis(150),
            expire: &|| redis.expire_leases("test", SHARDS).unwrap(),
            saves: true,
        };
        let ended = world.converges(&script.steps, calm).await;
        assert_eq!(ended, Ok(()), "{script:?}");
    };
    let scripts = (0..12).map(|_| script().new_tree(&mut runner).unwrap().current());
    futures::future::join_all(scripts.map(case)).await;
}
