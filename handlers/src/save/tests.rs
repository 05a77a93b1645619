mod overlap;
mod proofs;
mod restart;

use std::cell::RefCell;
use std::collections::BTreeMap;

use place_canvas::{Pixel, Rgb};
use tokio::time::sleep_until;

use super::lease::RENEWAL;
use super::*;
use crate::fakes::{
    FakeCache, FakeGateway, FakeQueues, FakeTables, Faults, Weather, dot, geometry, id, invocation,
};

struct World {
    cache: FakeCache,
    tables: FakeTables,
    queues: FakeQueues,
    gateway: FakeGateway,
    /// What was accepted, as rows of the history table.
    painted: RefCell<BTreeMap<(u16, u16, String), Rgb>>,
}

const ORDINARY: SaveEvent = SaveEvent {
    full: false,
    offset: 0,
    resize: false,
    crop: false,
};
const FULL: SaveEvent = SaveEvent {
    full: true,
    ..ORDINARY
};

impl World {
    fn new() -> Self {
        let (cache, queues) = (FakeCache::new(1), FakeQueues::default());
        let tables = FakeTables::new(cache.faults.clone());
        Self {
            cache,
            tables,
            queues,
            gateway: FakeGateway::new(Duration::from_millis(5)),
            painted: RefCell::default(),
        }
    }

    /// Paints `messages` of three pixels, some of them again and again.
    fn paint(&self, messages: u16) {
        for number in 0..messages {
            let grey = u8::try_from(number % 251).unwrap();
            let x = number % 20;
            let pixels = [dot(x, number % 7, grey), dot(0, 0, grey), dot(x, 9, grey)];
            self.paint_these(&pixels);
        }
    }

    fn paint_these(&self, pixels: &[Pixel]) {
        let at = self.cache.paint_now(pixels).at;
        let row = |(i, p): (usize, &Pixel)| ((p.x, p.y, at.sort_key(i)), p.rgb);
        let rows = pixels.iter().enumerate().map(row);
        self.painted.borrow_mut().extend(rows);
    }

    async fn save(&self, event: SaveEvent, seconds: u64) -> Result<SaveAnswer, Error> {
        handle(
            event,
            invocation(seconds),
            &self.cache,
            &self.tables,
            &self.queues,
            &self.gateway,
        )
        .await
    }

    /// History holds each accepted change once, and the current colours are the canvas.
    fn assert_saved(&self) {
        assert_eq!(*self.tables.history.lock().unwrap(), *self.painted.borrow());
        let state = self.cache.state();
        assert_eq!(self.tables.picture(), state.picture);
        assert_eq!(state.unsaved, 0);
    }
}

#[tokio::test(start_paused = true)]
async fn every_change_and_every_last_colour_is_written_once() {
    let world = World::new();
    world.paint(500);
    let answer = world.save(ORDINARY, 60).await.unwrap();
    world.assert_saved();
    let newest = world.cache.state().history.last().unwrap().at;
    let changed = world.tables.rows().len() as u64;
    assert_eq!((answer.changes, answer.pixels), (1500, changed));
    assert_eq!((answer.from, answer.to), (Position::ZERO, newest));
    assert!(answer.complete && !answer.held);
    assert_eq!(*world.tables.written.lock().unwrap(), 1500 + changed);
    let again = world.save(ORDINARY, 60).await.unwrap();
    assert_eq!(
        (again.changes, again.pixels, again.from, again.to),
        (0, 0, newest, newest)
    );
}

#[tokio::test(start_paused = true)]
async fn killed_at_any_step_it_loses_nothing_and_doubles_nothing() {
    let steps = {
        let world = World::new();
        world.paint(40);
        world.save(ORDINARY, 60).await.unwrap();
        world.cache.faults.steps()
    };
    assert!(steps > 15, "{steps}");
    for step in 1..=steps {
        let world = World::new();
        world.paint(40);
        world.cache.faults.kill_at(step);
        let killed = world
            .cache
            .faults
            .clone()
            .run(world.save(ORDINARY, 60))
            .await;
        assert!(killed.is_none(), "step {step}");
        world.cache.faults.heal();
        world.paint(5);
        sleep_until(Instant::now() + LEASE).await;
        assert!(world.save(ORDINARY, 60).await.unwrap().complete);
        world.assert_saved();
    }
}

#[tokio::test(start_paused = true)]
async fn failing_at_any_step_it_says_so_and_the_next_save_mends_it() {
    let (mut unharmed, mut free) = (0, 0);
    for step in 1.. {
        let world = World::new();
        world.paint(40);
        world.cache.faults.fail_at(step);
        let failed = world.save(ORDINARY, 60).await;
        if world.cache.faults.steps() < step {
            assert!(step > 15);
            break;
        }
        unharmed += u32::from(failed.is_ok());
        world.cache.faults.heal();
        world.paint(5);
        let held = world.save(ORDINARY, 60).await.unwrap().held;
        free += u32::from(failed.is_err() && !held);
        sleep_until(Instant::now() + LEASE).await;
        world.save(ORDINARY, 60).await.unwrap();
        world.assert_saved();
    }
    assert_eq!(unharmed, 2, "who lags is no matter of the save's");
    // The lease is left to expire, but where it was not taken yet or given back already.
    assert_eq!(free, 2);
}

#[tokio::test(start_paused = true)]
async fn out_of_time_it_keeps_what_is_done_and_the_next_save_goes_on() {
    let world = World::new();
    world.tables.take(100);
    world.paint(10_000);
    let start = Instant::now();
    let first = world.save(ORDINARY, 60).await.unwrap();
    assert!(
        start.elapsed() < Duration::from_mins(1),
        "{:?}",
        start.elapsed()
    );
    assert!(!first.complete);
    assert!(first.changes > 0 && first.to > first.from);
    assert_eq!(world.cache.state().saved, first.to);
    let mut saves = 1;
    while !world.save(ORDINARY, 60).await.unwrap().complete {
        saves += 1;
        assert!(saves < 20);
    }
    world.assert_saved();
}

/// What is painted while a save runs is the next one's: otherwise it would run as long as people
/// paint, and write a few rows at a time.
#[tokio::test(start_paused = true)]
async fn a_save_ends_however_much_is_painted_meanwhile() {
    let world = World::new();
    world.tables.take(10);
    world.paint(2000);
    let (mut before, newest) = (0, world.cache.state().history.last().unwrap().at);
    let painter = async {
        loop {
            sleep_until(Instant::now() + Duration::from_millis(3)).await;
            world.cache.paint_now(&[dot(0, 0, 9)]);
            before += 1;
        }
    };
    let start = Instant::now();
    let answer = tokio::select! {
        answer = world.save(ORDINARY, 300) => answer.unwrap(),
        () = painter => unreachable!(),
    };
    assert!(
        start.elapsed() < Duration::from_secs(10),
        "{:?}",
        start.elapsed()
    );
    assert!(before > 300, "{before}");
    assert!(answer.complete);
    assert_eq!((answer.changes, answer.to), (6000, newest));
    let state = world.cache.state();
    assert_eq!((state.saved, state.unsaved), (newest, before));
}

#[tokio::test(start_paused = true)]
async fn a_write_that_is_done_late_is_made_good() {
    let world = World::new();
    world.paint_these(&[dot(1, 1, 1)]);
    let late = Weather::Late(Duration::from_secs(200));
    world.tables.weather.lock().unwrap().push_back(late);
    world.save(ORDINARY, 60).await.unwrap();
    world.paint_these(&[dot(1, 1, 2)]);
    world.save(ORDINARY, 60).await.unwrap();
    let shown = |world: &World| world.tables.rows()[&(1, 1)].0;
    assert_eq!(shown(&world), Rgb::new(2, 2, 2));
    sleep_until(Instant::now() + Duration::from_secs(201)).await;
    assert_eq!(shown(&world), Rgb::new(1, 1, 1), "the late write is done");
    let answer = world.save(ORDINARY, 60).await.unwrap();
    assert_eq!((answer.changes, answer.pixels), (0, 1));
    assert_eq!(shown(&world), Rgb::new(2, 2, 2));
    // When nothing can come any more, nobody looks.
    assert_eq!(world.cache.state().doubts.len(), 1);
    sleep_until(Instant::now() + colours::DOUBT).await;
    world.save(ORDINARY, 60).await.unwrap();
    assert!(world.cache.state().doubts.is_empty());
    world.assert_saved();
}

#[tokio::test(start_paused = true)]
async fn what_a_killed_save_had_under_way_is_made_good() {
    let world = World::new();
    world.paint(1);
    world.tables.take(1000);
    let dying = tokio::time::timeout(Duration::from_millis(1500), world.save(ORDINARY, 60));
    assert!(dying.await.is_err(), "killed while it writes the colours");
    world.tables.abandon(Duration::from_secs(100));
    world.paint(3);
    sleep_until(Instant::now() + LEASE).await;
    world.save(ORDINARY, 60).await.unwrap();
    world.assert_saved();
    sleep_until(Instant::now() + Duration::from_secs(100)).await;
    assert_ne!(world.tables.picture(), world.cache.state().picture);
    world.save(ORDINARY, 60).await.unwrap();
    world.assert_saved();
}

#[tokio::test(start_paused = true)]
async fn a_slow_table_of_colours_does_not_keep_saved_from_moving() {
    let world = World::new();
    *world.tables.latency.lock().unwrap() = (Duration::ZERO, Duration::from_secs(2));
    for n in 0..200_u8 {
        world.paint_these(&[dot(u16::from(n % 20), u16::from(n / 20), n)]);
    }
    let first = world.save(ORDINARY, 15).await.unwrap();
    assert!(!first.complete);
    assert!((25..200).contains(&first.changes), "{first:?}");
    for _ in 0..10 {
        if world.save(ORDINARY, 15).await.unwrap().complete {
            break;
        }
    }
    world.assert_saved();
}

#[tokio::test(start_paused = true)]
async fn a_table_that_hangs_is_an_error_before_the_time_is_up() {
    let world = World::new();
    world.paint(2);
    world.tables.take(3_600_000);
    let start = Instant::now();
    let failed = world.save(ORDINARY, 60).await;
    assert!(matches!(failed, Err(Error::TimeUp(_))), "{failed:?}");
    assert!(start.elapsed() < Duration::from_mins(1));
}

#[tokio::test(start_paused = true)]
async fn a_save_of_nothing_only_reads_the_state() {
    let mut world = World::new();
    world.tables = FakeTables::new(Faults::default());
    world.cache.join(&id("a"), Duration::ZERO);
    let calls = || {
        let queued = world.queues.calls.lock().unwrap().len();
        (world.tables.faults.steps(), queued)
    };
    // The first one stores the state.
    world.save(ORDINARY, 60).await.unwrap();
    for _ in 0..3 {
        let before = calls();
        world.save(ORDINARY, 60).await.unwrap();
        assert_eq!(calls(), (before.0 + 1, 0));
    }
    world.paint(1);
    world.save(ORDINARY, 60).await.unwrap();
    let before = calls();
    world.save(ORDINARY, 60).await.unwrap();
    assert_eq!(calls(), (before.0 + 1, before.1));
}

#[tokio::test(start_paused = true)]
async fn a_full_save_writes_every_pixel() {
    let world = World::new();
    world.paint(10);
    let answer = world.save(FULL, 60).await.unwrap();
    assert!(answer.complete && answer.next.is_none());
    assert_eq!(world.tables.rows().len(), geometry().pixels());
    world.assert_saved();
}

#[tokio::test(start_paused = true)]
async fn a_full_save_goes_on_where_it_ended() {
    let world = World::new();
    world.paint(10);
    world
        .save(
            SaveEvent {
                offset: 190,
                ..FULL
            },
            60,
        )
        .await
        .unwrap();
    let beyond = |(x, y): &(u16, u16)| usize::from(*y) * 20 + usize::from(*x) >= 190;
    let rows = world.tables.rows();
    assert_eq!(rows.keys().filter(|place| beyond(place)).count(), 10);
}

#[tokio::test(start_paused = true)]
async fn a_shard_whose_loop_died_is_called() {
    let world = World::new();
    world.cache.join(&id("a"), Duration::ZERO);
    world.paint(1);
    world.save(ORDINARY, 60).await.unwrap();
    // The paint's own call is still good.
    assert!(world.queues.calls.lock().unwrap().is_empty());
    sleep_until(Instant::now() + Duration::from_secs(3)).await;
    world.save(ORDINARY, 60).await.unwrap();
    let calls = world.queues.calls.lock().unwrap();
    assert_eq!(calls.len(), 1);
    assert_eq!(calls[0].reason, Reason::Lagging("r".into()));
}

#[test]
fn any_event_is_a_save() {
    let read = |text| SaveEvent::read(&serde_json::from_str(text).unwrap());
    for text in [
        "{}",
        "null",
        "[]",
        "7",
        r#"{"full":"yes"}"#,
        r#"{"source":"aws.scheduler"}"#,
    ] {
        assert_eq!(read(text), ORDINARY);
    }
    assert_eq!(read(r#"{"full":true}"#), FULL);
    assert_eq!(
        read(r#"{"full":true,"offset":7}"#),
        SaveEvent { offset: 7, ..FULL }
    );
}

#[tokio::test(start_paused = true)]
async fn a_save_forgets_clients_that_are_gone_though_nobody_paints() {
    let world = World::new();
    for number in 0..300 {
        let client = id(&format!("c{number}"));
        world.cache.join(&client, Duration::from_mins(1));
        let gone = crate::fakes::Mood::Fails(crate::gateway::GatewayError::Gone);
        world.gateway.set(&client, gone);
    }
    world.save(ORDINARY, 60).await.unwrap();
    assert!(world.cache.state().clients.is_empty());
}
