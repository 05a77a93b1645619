//! The functions, their queues and their clients.

use std::collections::VecDeque;
use std::sync::Mutex;
use std::time::Duration;

use futures::stream::{FuturesUnordered, StreamExt};
use place_canvas::client::Outcome;
use place_canvas::{ConnectionId, Picture, Pixel};
use place_config::env::OriginList;
use tokio::time::{Instant, sleep, timeout};

use super::script::{Fate, Script, Step};
use crate::broadcast::{self, Invocation, Tuning};
use crate::event::{SocketAnswer, SocketEvent};
use crate::fakes::{FakeGateway, FakeQueues, FakeTables, Faults, Mood, batch, geometry, id};
use crate::gateway::GatewayError;
use crate::initialize::{self, Gallery, Service};
use crate::ports::{Clients, History, Look, Paint, Shards};
use crate::queues::{Call, Reason};
use crate::save::{self, Ghosts, Opens, SaveEvent, Saves};
use crate::send_message::{self, Limits, Told};
use crate::{connect, disconnect};

/// What the functions need of the cache.
pub(super) trait Backend:
    Clients + Shards + History + Look + Paint + Saves + Opens + Ghosts
{
}
impl<T: Clients + Shards + History + Look + Paint + Saves + Opens + Ghosts> Backend for T {}

#[expect(
    clippy::struct_excessive_bools,
    reason = "each says what a test leaves out or lets happen"
)]
pub(super) struct World<C> {
    pub(super) cache: C,
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
    pub(super) hands_over: bool,
    /// Whether clients that know of a gap, or were closed, connect anew.
    pub(super) reconnects: bool,
    /// Whether there is a last update, of which whoever missed the one before it learns.
    pub(super) paints_at_last: bool,
    /// Whether the cache may be full, which then takes nobody in.
    pub(super) may_be_full: bool,
    told: Told,
}

/// How things calm down at last.
#[derive(Clone, Copy)]
pub(super) struct Calm<'a> {
    /// Between two looks at the clients.
    pub(super) pause: Duration,
    /// Lets leases expire that nobody holds any more.
    pub(super) expire: &'a dyn Fn(),
    /// Whether the minute's save helps shards that lag.
    pub(super) saves: bool,
}

fn invocation(length: Duration) -> Invocation<'static> {
    Invocation {
        request_id: "r",
        deadline: Instant::now() + length,
    }
}

const fn limits() -> Limits {
    Limits {
        geometry: geometry(),
        max_pixels: 4,
    }
}

const MINUTE: Duration = Duration::from_mins(1);
/// Time for a loop that keeps three seconds free.
const SHORT: Duration = Duration::from_millis(3100);

impl<C: Backend> World<C> {
    pub(super) fn new(cache: C, script: &Script) -> Self {
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
            paints_at_last: true,
            may_be_full: false,
            told: Told::default(),
        }
    }

    /// Paints once; says whether that was accepted.
    pub(super) async fn paint_once(&self, pixels: &[Pixel]) -> bool {
        let artist = id("painter");
        let Ok(painted) = self.cache.paint(&artist, "", pixels, None).await else {
            return false;
        };
        let calls = painted.wake.iter().map(|shard| Call {
            shard: *shard,
            at: painted.at,
            reason: Reason::Paint(painted.caller.clone()),
        });
        self.queues.calls.lock().unwrap().extend(calls);
        true
    }

    /// Saves once; says whether everything is saved.
    pub(super) async fn save_once(&self) -> bool {
        let (cache, queues, gateway) = (&self.cache, &self.queues, &self.gateway);
        let (event, tables) = (SaveEvent::default(), &self.tables);
        let saving = save::handle(event, invocation(MINUTE), cache, tables, queues, gateway);
        saving.await.is_ok_and(|answer| answer.complete)
    }

    /// From now on nothing goes wrong any more.
    pub(super) fn calm_down(&self) {
        self.gateway.swallows_no_more();
        self.wakes.lock().unwrap().clear();
        self.welcomes.lock().unwrap().clear();
    }

    /// Lets every client ping, and those connect anew that learn that they must. Answers those that
    /// do not hold the canvas.
    pub(super) async fn ping_all(&self) -> Vec<ConnectionId> {
        let connected = self.connected.lock().unwrap().clone();
        for client in connected {
            let at = self.gateway.model(&client).position();
            let at = at.map(|at| format!(r#","at":"{at}""#)).unwrap_or_default();
            let event = Self::event(client.as_str(), Some(format!(r#"{{"ping":true{at}}}"#)));
            let ports = (&self.cache, &self.queues, &self.gateway);
            // A limit that is new each time: nobody floods here.
            send_message::handle(&event, limits(), &Told::default(), ports).await;
        }
        self.astray().await
    }

    /// Whether the tables show this picture.
    pub(super) fn tables_show(&self, picture: &Picture) -> bool {
        self.tables.picture() == *picture
    }

    /// The queues, for ever.
    pub(super) async fn deliver(&self) {
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
            let service = Service {
                gallery: &self.gallery,
                cache: &self.cache,
                gateway: &self.gateway,
                queue: &self.queues,
                tries: 5,
            };
            let answer = initialize::handle(&event, deadline, &service).await;
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
        let (cache, queues, gateway) = (&self.cache, &self.queues, &self.gateway);
        let answer = connect::handle(&event, &origins, cache, queues, gateway).await;
        if answer == SocketAnswer::OK {
            self.connected.lock().unwrap().push(id(&name));
        } else {
            assert!(self.may_be_full, "{answer:?}");
        }
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
        let event = Self::event("painter", Some(body));
        let ports = (&self.cache, &self.queues, &self.gateway);
        send_message::handle(&event, limits(), &self.told, ports).await;
    }

    pub(super) async fn play(&self, steps: &[Step]) {
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
                    let (cache, tables) = (&self.cache, &self.tables);
                    let (queues, gateway) = (&self.queues, &self.gateway);
                    let saving =
                        save::handle(event, invocation(MINUTE), cache, tables, queues, gateway);
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
        let canvas = self.cache.read_canvas().await.unwrap().picture;
        let connected = self.connected.lock().unwrap().clone();
        let mut astray = Vec::new();
        for client in connected {
            let model = self.gateway.model(&client);
            let closed = self.gateway.calls().closed.contains(&client);
            if self.reconnects && (model.has_gap() || closed || self.is_unwell(&client)) {
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

    /// Whether the last answer to a client's ping says that it must connect anew.
    fn is_unwell(&self, client: &ConnectionId) -> bool {
        let mut model = self.gateway.model(client);
        let texts = self.gateway.texts(client);
        let pong = texts.iter().rev().find(|text| text.contains("pong"));
        pong.is_some_and(|pong| model.on_frame(pong).unwrap() == Outcome::Alive { is_well: false })
    }

    /// Plays the script and lets things calm down. Fails with the clients that don't show the
    /// canvas then.
    pub(super) async fn converges(
        &self,
        steps: &[Step],
        calm: Calm<'_>,
    ) -> Result<(), Vec<ConnectionId>> {
        let play = async {
            self.play(steps).await;
            self.gateway.swallows_no_more();
            if self.paints_at_last {
                self.paint(&[(0, 0)], 0xff).await;
            }
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
