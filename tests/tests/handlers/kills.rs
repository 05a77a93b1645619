//! A save that is killed at a call to DynamoDB, before or after it took effect, and then repeated:
//! history holds each change exactly once, and the table of current colours is the canvas.

use std::collections::BTreeSet;

use place_canvas::{Pixel, Store};
use place_config::Function as Kind;
use place_tests::Proxy;
use place_tests::lambda::{InvokeError, Memory, Rig, client};
use place_tests::proxy::{Fault, When};
use redis::AsyncCommands;
use serde_json::Value;

use crate::support::{ADDRESS, colour};

/// Messages of a round, and their pixels: 600 changes of 300 places, so 24 + 12 calls.
const MESSAGES: u32 = 60;
const PIXELS: u32 = 10;
const PLACES: u32 = 300;

struct Run {
    rig: Rig,
    proxy: Proxy,
    store: Store,
    /// What was accepted: the place, where it stands in history, its colour.
    accepted: BTreeSet<(String, String, String)>,
    rounds: u32,
}

impl Run {
    async fn new() -> Self {
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

    async fn paint(&mut self) {
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
                .paint(&client(1), ADDRESS, &pixels)
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

    /// A save that dies at the call of this number.
    async fn killed_save(&self, call: usize, fault: Fault) {
        self.proxy.clear();
        self.proxy.plan(When::Call(call), 1, fault);
        let save = self.rig.function(Kind::Save);
        self.proxy.aim_at(save.id());
        assert_eq!(
            save.invoke("{}").await,
            Err(InvokeError::Died),
            "killed at call {call}"
        );
        assert_eq!(self.proxy.kills(), 1);
        self.proxy.clear();
        // The dead save's lease, which expires by itself after half a minute.
        let client = redis::Client::open(self.rig.redis.url()).unwrap();
        let mut connection = client.get_multiplexed_async_connection().await.unwrap();
        let lease = format!("{{place:{}}}:saving", self.rig.env.stack);
        let gone: u64 = connection.del(lease).await.unwrap();
        assert_eq!(gone, 1, "the dead save held the lease");
    }

    async fn save(&self) {
        let save = self.rig.function(Kind::Save);
        let answer: Value = serde_json::from_slice(&save.invoke("{}").await.unwrap()).unwrap();
        assert_eq!(answer["complete"], true, "{answer}");
        let newest = self.store.newest().await.unwrap();
        assert_eq!(answer["to"], newest.to_string());
    }

    async fn assert_lossless(&self) {
        let text = |row: &Value, name: &str| row[name]["S"].as_str().unwrap().to_owned();
        let rows = self.rig.aws.rows(&self.rig.env.history_table);
        let stored = rows
            .values()
            .map(|row| (text(row, "pixel"), text(row, "t"), text(row, "rgb")));
        assert_eq!(stored.collect::<BTreeSet<_>>(), self.accepted);
        assert_eq!(rows.len(), self.accepted.len(), "each change once");
        let (_, canvas) = self.store.read_canvas().await.unwrap();
        let rows = self.rig.aws.rows(&self.rig.env.mru_table);
        assert_eq!(rows.len(), PLACES as usize);
        for row in rows.values() {
            let pixel = text(row, "pixel");
            let (x, y) = pixel.split_once(' ').unwrap();
            let rgb = canvas.get(x.parse().unwrap(), y.parse().unwrap()).unwrap();
            assert_eq!(
                text(row, "rgb"),
                format!("{} {} {}", rgb.r, rgb.g, rgb.b),
                "at {pixel}"
            );
        }
    }
}

async fn killed_everywhere(fault: Fault) {
    let mut run = Run::new().await;
    // The first, some within and the last calls of the history, the same of the colours.
    for call in [1, 2, 13, 23, 24, 25, 26, 35, 36] {
        run.paint().await;
        run.killed_save(call, fault.clone()).await;
        run.save().await;
        run.assert_lossless().await;
    }
}

#[tokio::test]
async fn row_4_6_a_save_killed_before_a_call_loses_nothing() {
    killed_everywhere(Fault::KillBefore).await;
}

#[tokio::test]
async fn row_4_6_a_save_killed_after_a_call_took_effect_loses_nothing() {
    killed_everywhere(Fault::KillAfter).await;
}

#[tokio::test]
async fn row_4_6_a_save_killed_again_and_again_gets_there() {
    let mut run = Run::new().await;
    run.paint().await;
    for call in [30, 3, 36, 24] {
        run.killed_save(call, Fault::KillAfter).await;
    }
    run.save().await;
    run.assert_lossless().await;
}
