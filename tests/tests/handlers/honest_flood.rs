//! Many paint much at once: 400 messages of 256 pixels in 0.7 seconds.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use futures::future::join_all;
use place_canvas::client::ModelClient;
use place_canvas::store::Canvas;
use place_canvas::{Pixel, wire};
use place_config::Function as Kind;
use place_tests::lambda::{Memory, Post, Rig, client, event};

use crate::support::{Painter, colour, feed};

const MESSAGES: u32 = 400;
const PIXELS: u32 = 256;
const TIME: Duration = Duration::from_millis(700);
const CLIENTS: usize = 50;
/// Processes of sendMessage, between which Lambda shares messages that come at once.
const PAINTERS: u32 = 4;
/// Pixels of a row.
const SIDE: u32 = 1000;

/// Message `number` of the flood, which paints pixels `places` of the canvas, counted by rows.
fn message(number: u32, places: impl Iterator<Item = u32>) -> String {
    let part = |n: u32| u16::try_from(n).unwrap();
    let pixel = |place| Pixel::new(part(place % SIDE), part(place / SIDE), colour(number));
    event::paint(&places.map(pixel).collect::<Vec<_>>())
}

/// What a flood led to.
struct Flooded {
    rig: Rig,
    /// From the first message until everybody had everything.
    time: Duration,
    /// Peak memory of the broadcast.
    peak_kib: u64,
    /// What each client got, its picture included.
    posts: BTreeMap<String, Vec<Post>>,
}

/// Floods a canvas with messages whose places `places` says, while all clients watch.
async fn flood(places: impl Fn(u32) -> u32) -> Flooded {
    let rig = Rig::with(Memory::Frames, |env| (env.width, env.height) = (1000, 1000)).await;
    let watchers = rig.join(CLIENTS).await;
    let painters: Vec<_> = (0..PAINTERS).map(|_| Painter::new(&rig)).collect();
    let broadcast = [rig.function(Kind::Broadcast)];
    // Connections are open and everybody has a picture before the flood begins.
    let opening = join_all(painters.iter().map(|painter| painter.paint(0)));
    feed(&rig, &broadcast, opening).await;
    rig.gateway.clear();
    rig.aws.clear();
    let initialize = rig.function(Kind::Initialize);
    initialize
        .invoke(event::newcomers(&watchers))
        .await
        .unwrap();
    let started = Instant::now();
    let paint = async |(painter, first): (&Painter, u32)| {
        for number in (first..MESSAGES).step_by(PAINTERS as usize) {
            tokio::time::sleep_until((started + TIME * number / MESSAGES).into()).await;
            let from = places(number);
            let body = message(number, from..from + PIXELS);
            painter.send(number as usize, "192.0.2.1", &body).await;
        }
    };
    feed(
        &rig,
        &broadcast,
        join_all(painters.iter().zip(0..).map(paint)),
    )
    .await;
    let mut posts = BTreeMap::<_, Vec<_>>::new();
    let mut last = started;
    for post in rig.gateway.log() {
        last = last.max(post.at);
        posts.entry(post.client.clone()).or_default().push(post);
    }
    Flooded {
        time: last - started,
        peak_kib: broadcast[0].memory().peak,
        posts,
        rig,
    }
}

impl Flooded {
    /// Asserts that all clients hold the canvas, and got at most so many updates each.
    async fn assert_everyone_has_everything(&self, frames: usize) {
        let Canvas {
            at,
            picture: canvas,
            ..
        } = self.rig.store().await.read_canvas().await.unwrap();
        for number in 0..CLIENTS {
            let mut model = ModelClient::new();
            let mut updates = 0;
            for post in &self.posts[client(number).as_str()] {
                let frame = post.frame.as_deref().unwrap();
                assert!(frame.len() <= wire::frame_bytes_for(0) + 32 * 1024);
                updates += usize::from(frame.contains(r#""type":"update""#));
                model.on_frame(frame).unwrap();
            }
            assert_eq!(model.position(), Some(at), "client {number}");
            assert!(model.picture() == Some(&canvas), "client {number}");
            assert!(updates <= frames, "{updates} updates for client {number}");
        }
        assert!(self.time < Duration::from_secs(10), "{:?}", self.time);
        assert!(self.peak_kib < 64 * 1024, "{} KiB", self.peak_kib);
    }
}

#[tokio::test]
async fn a_flood_of_honest_traffic_reaches_everyone_in_few_frames() {
    // 3,400 pixels fit a frame, and no tick cuts more than one short.
    flood(|number| number * PIXELS)
        .await
        .assert_everyone_has_everything(60)
        .await;
}

/// What everybody paints over and over goes out once a tick.
#[tokio::test]
async fn a_flood_over_one_place_goes_out_once_a_tick() {
    flood(|_| 7).await.assert_everyone_has_everything(60).await;
}
