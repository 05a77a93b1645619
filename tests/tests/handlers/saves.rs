//! What the tests of the save share: rounds of paints, the real binary behind a proxy, and the
//! comparison of what was accepted with what is stored.

use std::collections::BTreeSet;

use place_canvas::store::Painter;
use place_canvas::{Pixel, Store};
use place_config::Function as Kind;
use place_tests::Proxy;
use place_tests::lambda::{Memory, Rig, client};
use redis::AsyncCommands;
use serde_json::Value;

use crate::support::{ADDRESS, colour};

/// Messages of a round, their pixels, and the places that are painted.
const MESSAGES: u32 = 30;
const PIXELS: u32 = 10;
pub(crate) const PLACES: u32 = 150;
pub(crate) const CHANGES: u32 = MESSAGES * PIXELS;
/// Calls of a save of one round that nothing happens to: 25 rows each.
pub(crate) const HISTORY_CALLS: usize = 12;
pub(crate) const CALLS: usize = HISTORY_CALLS + 6;

/// Rounds of paints and saves.
pub(crate) struct Run {
    pub(crate) rig: Rig,
    /// Between the functions and DynamoDB.
    pub(crate) proxy: Proxy,
    store: Store,
    /// What was accepted: the place, where it stands in history, its colour.
    accepted: BTreeSet<(String, String, String)>,
    rounds: u32,
}

impl Run {
    pub(crate) async fn new() -> Self {
        let mut rig = Rig::start(Memory::Count).await;
        let proxy = Proxy::start(&rig.aws.endpoint());
        rig.endpoint = proxy.endpoint();
        Self {
            store: rig.store().await,
            rig,
            proxy,
            accepted: BTreeSet::new(),
            rounds: 0,
        }
    }

    /// One round: the same places in new colours.
    pub(crate) async fn paint(&mut self) {
        self.rounds += 1;
        for message in 0..MESSAGES {
            let pixel = |index: u32| {
                let number = message * PIXELS + index;
                let place = number % PLACES;
                let (x, y) = (place % 64, place / 64);
                let colour = colour(self.rounds * 1000 + number);
                Pixel::new(x.try_into().unwrap(), y.try_into().unwrap(), colour)
            };
            let pixels: Vec<Pixel> = (0..PIXELS).map(pixel).collect();
            let painted = self
                .store
                .paint(Painter::Operator(&client(1)), ADDRESS, &pixels)
                .await
                .unwrap();
            let accepted = pixels.iter().enumerate().map(|(index, p)| {
                let place = format!("{} {}", p.x, p.y);
                let rgb = format!("{} {} {}", p.rgb.r, p.rgb.g, p.rgb.b);
                (place, painted.at.sort_key(index), rgb)
            });
            self.accepted.extend(accepted);
        }
    }

    /// A save that gets there; its answer.
    pub(crate) async fn save(&self) -> Value {
        let save = self.rig.function(Kind::Save);
        let answer: Value = serde_json::from_slice(&save.invoke("{}").await.unwrap()).unwrap();
        assert_eq!(answer["complete"], true, "{answer}");
        let newest = self.store.newest().await.unwrap();
        assert_eq!(answer["to"], newest.to_string());
        answer
    }

    /// Takes the save's lease away, which otherwise expires after half a minute; whether there was
    /// one.
    pub(crate) async fn drop_lease(&self) -> bool {
        let client = redis::Client::open(self.rig.redis.url()).unwrap();
        let mut connection = client.get_multiplexed_async_connection().await.unwrap();
        let lease = format!("{{place:{}}}:saving", self.rig.env.stack);
        let gone: u64 = connection.del(lease).await.unwrap();
        gone == 1
    }

    /// How many rows of the table of current colours don't show the canvas.
    pub(crate) async fn wrong_colours(&self) -> usize {
        let canvas = self.store.read_canvas().await.unwrap().picture;
        let rows = self.rig.aws.rows(&self.rig.env.mru_table);
        assert_eq!(rows.len(), PLACES as usize);
        let is_wrong = |row: &&Value| {
            let pixel = text(row, "pixel");
            let (x, y) = pixel.split_once(' ').unwrap();
            let rgb = canvas.get(x.parse().unwrap(), y.parse().unwrap()).unwrap();
            text(row, "rgb") != format!("{} {} {}", rgb.r, rgb.g, rgb.b)
        };
        rows.values().filter(is_wrong).count()
    }

    /// History holds each accepted change exactly once, and the current colours are the canvas.
    pub(crate) async fn assert_lossless(&self) {
        let rows = self.rig.aws.rows(&self.rig.env.history_table);
        let stored = rows
            .values()
            .map(|row| (text(row, "pixel"), text(row, "t"), text(row, "rgb")));
        assert_eq!(stored.collect::<BTreeSet<_>>(), self.accepted);
        assert_eq!(rows.len(), self.accepted.len(), "each change once");
        assert_eq!(self.wrong_colours().await, 0);
    }
}

fn text(row: &Value, name: &str) -> String {
    row[name]["S"].as_str().unwrap().to_owned()
}
