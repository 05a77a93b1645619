//! A cache that loses what it holds, at random moments, on the real scripts: it comes back empty, or
//! with what it held some time ago, or it is full for a while; and meanwhile functions are killed,
//! people connect and leave, and saves run.
//!
//! At the end, whatever happened: everything that a save acknowledged is in the canvas, unless
//! somebody painted over it; so is every accepted paint that no loss can have taken; the tables show
//! the canvas; and every connected client holds it.

use std::collections::HashMap;
use std::sync::Mutex;
use std::time::Duration;

use place_canvas::store::Canvas;
use place_canvas::testing::TestRedis;
use place_canvas::{Pixel, Rgb, StoreConfig};
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use tokio::time::sleep;

use super::script::{Script, Step, script};
use super::world::World;
use super::{SHARDS, geometry};
use crate::adapters::Cache;
use crate::ports::Look;

/// Something that happens to the cache between two parts of a script.
#[derive(Clone, Copy, Debug)]
enum Loss {
    /// It is emptied.
    Flush,
    /// It loses one key of the canvas.
    Lose(&'static str),
    /// What it holds now is what it comes back with.
    Remember,
    /// It crashes, and comes back with what was remembered.
    GoBack,
    /// It is full, and refuses.
    Fill,
    /// It has room again.
    MakeRoom,
    /// A save runs, to its end.
    Save,
}

fn losses() -> impl Strategy<Value = Vec<(usize, Loss)>> {
    let loss = prop_oneof![
        1 => Just(Loss::Flush),
        1 => Just(Loss::Lose("canvas")),
        1 => Just(Loss::Lose("meta")),
        1 => Just(Loss::Lose("unsaved")),
        2 => Just(Loss::Remember),
        2 => Just(Loss::GoBack),
        2 => Just(Loss::Fill),
        2 => Just(Loss::MakeRoom),
        3 => Just(Loss::Save),
    ];
    proptest::collection::vec((0_usize..40, loss), 2..8)
}

/// An accepted paint: where, what, and whether a loss may have taken it.
struct Accepted {
    place: (u16, u16),
    rgb: Rgb,
    may_be_lost: bool,
}

/// What was accepted, and how much of it is safe.
#[derive(Default)]
struct Ledger {
    accepted: Vec<Accepted>,
    /// So many of the first ones are saved, or were in the cache when it was remembered.
    saved: usize,
    remembered: usize,
}

impl Ledger {
    fn lose_after(&mut self, kept: usize) {
        let kept = kept.max(self.saved);
        for paint in self.accepted.iter_mut().skip(kept) {
            paint.may_be_lost = true;
        }
    }

    /// Asserts that the canvas shows of each place the newest paint that is safe, or a later one.
    fn check(&self, canvas: &Canvas) -> usize {
        let mut allowed: HashMap<(u16, u16), Vec<Rgb>> = HashMap::new();
        for paint in &self.accepted {
            let colours = allowed
                .entry(paint.place)
                .or_insert_with(|| vec![Rgb::WHITE]);
            if !paint.may_be_lost {
                colours.clear();
            }
            colours.push(paint.rgb);
        }
        for ((x, y), colours) in &allowed {
            let shown = canvas.picture.get(*x, *y).unwrap();
            assert!(
                colours.contains(&shown),
                "{x} {y} is {shown:?}, not of {colours:?}"
            );
        }
        self.accepted
            .iter()
            .filter(|paint| paint.may_be_lost)
            .count()
    }
}

struct Case {
    redis: Mutex<TestRedis>,
    world: World<Cache>,
    ledger: Mutex<Ledger>,
}

impl Case {
    /// A paint in a colour of its own.
    async fn paint(&self, places: &[(u16, u16)]) {
        let number = self.ledger.lock().unwrap().accepted.len() + 1;
        let [.., r, g, b] = number.to_be_bytes();
        let rgb = Rgb::new(r, g, b);
        let pixels: Vec<Pixel> = places.iter().map(|&(x, y)| Pixel::new(x, y, rgb)).collect();
        if self.world.paint_once(&pixels).await {
            let paints = places.iter().map(|&place| Accepted {
                place,
                rgb,
                may_be_lost: false,
            });
            self.ledger.lock().unwrap().accepted.extend(paints);
        }
    }

    async fn happen(&self, loss: Loss) {
        match loss {
            Loss::Save => {
                let before = self.ledger.lock().unwrap().accepted.len();
                if self.world.save_once().await {
                    self.ledger.lock().unwrap().saved = before;
                }
            }
            Loss::Flush => {
                self.redis.lock().unwrap().flush().unwrap();
                let mut ledger = self.ledger.lock().unwrap();
                ledger.lose_after(0);
            }
            // What history tells is not lost.
            Loss::Lose(key) => {
                let key = format!("{{place:test}}:{key}");
                self.redis.lock().unwrap().lose(&key).unwrap();
            }
            // What a full cache refuses was not accepted, and what it holds can be saved.
            Loss::Fill => self.redis.lock().unwrap().fill().unwrap(),
            Loss::MakeRoom => self.redis.lock().unwrap().make_room().unwrap(),
            Loss::Remember => {
                self.redis.lock().unwrap().remember().unwrap();
                let mut ledger = self.ledger.lock().unwrap();
                ledger.remembered = ledger.accepted.len();
            }
            Loss::GoBack => {
                self.redis.lock().unwrap().go_back().unwrap();
                let mut ledger = self.ledger.lock().unwrap();
                let kept = ledger.remembered;
                ledger.lose_after(kept);
                ledger.remembered = kept.min(ledger.remembered);
            }
        }
    }

    async fn play(&self, script: &Script, losses: &[(usize, Loss)]) {
        for (number, step) in script.steps.iter().enumerate() {
            for (_, loss) in losses.iter().filter(|(at, _)| *at == number) {
                self.happen(*loss).await;
            }
            match step {
                Step::Paint(places) => self.paint(places).await,
                // The ledger must know of every save.
                Step::Save => self.happen(Loss::Save).await,
                step => self.world.play(std::slice::from_ref(step)).await,
            }
        }
    }

    /// Saves, as every minute, and lets clients ping, until all of them hold the canvas.
    async fn settle(&self) {
        self.world.calm_down();
        self.happen(Loss::MakeRoom).await;
        let mut astray = Vec::new();
        for _ in 0..60 {
            self.redis
                .lock()
                .unwrap()
                .expire_leases("test", SHARDS)
                .unwrap();
            let saved = self.world.save_once().await;
            sleep(Duration::from_millis(150)).await;
            astray = self.world.ping_all().await;
            if saved && astray.is_empty() {
                break;
            }
        }
        assert_eq!(astray, [], "clients that do not hold the canvas");
        self.redis
            .lock()
            .unwrap()
            .expire_leases("test", SHARDS)
            .unwrap();
        assert!(self.world.save_once().await, "the last save is complete");
        let canvas = self.world.cache.read_canvas().await.unwrap();
        assert!(
            self.world.tables_show(&canvas.picture),
            "the tables show the canvas"
        );
        let lost = self.ledger.lock().unwrap().check(&canvas);
        let accepted = self.ledger.lock().unwrap().accepted.len();
        println!("{accepted} paints accepted, {lost} of them in a cache that was lost unsaved");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cache_that_comes_back_empty_or_older_or_is_full_loses_nothing_that_was_saved() {
    let mut runner = TestRunner::default();
    let case = |(script, losses): (Script, Vec<(usize, Loss)>)| async move {
        let redis = TestRedis::start().unwrap();
        let config = StoreConfig {
            shards: SHARDS,
            retain: Duration::ZERO,
            ..StoreConfig::new("test", geometry())
        };
        let cache = Cache::new(redis.url(), config);
        let mut world = World::new(cache, &script);
        world.may_be_full = true;
        let case = Case {
            world,
            redis: Mutex::new(redis),
            ledger: Mutex::default(),
        };
        let play = async {
            case.happen(Loss::Save).await;
            case.play(&script, &losses).await;
            case.settle().await;
        };
        tokio::select! {
            () = case.world.deliver() => unreachable!("the queues are there for ever"),
            () = play => {}
        }
    };
    let cases = (0..10).map(|_| {
        (script(), losses())
            .new_tree(&mut runner)
            .unwrap()
            .current()
    });
    futures::future::join_all(cases.map(case)).await;
}
