//! The page function on the real scripts in a real Redis.

use std::collections::HashMap;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use place_canvas::client::{ModelClient, Outcome};
use place_canvas::testing::TestRedis;
use place_canvas::{ConnectionId, Picture, Position, Rgb, StoreConfig, png};
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use serde_json::Value;
use tokio::time::sleep;

use super::*;
use crate::adapters::Cache;
use crate::fakes::{dot, geometry};
use crate::ports::{Clients, Paint};
use crate::save::{Opens, Saves};

/// A table that holds nothing.
struct NoPast;

impl Past for NoPast {
    async fn changes_of(&self, _: (u16, u16), _: usize) -> Result<Vec<HistoryRow>, Error> {
        Ok(Vec::new())
    }
}

struct Bench {
    redis: TestRedis,
    cache: Cache,
    env: FunctionEnv,
}

impl Bench {
    fn closed() -> Self {
        let redis = TestRedis::start().unwrap();
        let config = StoreConfig::new("test", geometry());
        let cache = Cache::new(redis.url(), config);
        let variables: HashMap<&str, &str> = [
            ("PLACE_STACK", "test"),
            ("PLACE_REDIS_URL", "redis://nowhere"),
            ("PLACE_REDIS_CLUSTER", "false"),
            ("PLACE_GATEWAY_URL", "http://nowhere"),
            ("PLACE_INITIALIZE_QUEUE_URL", "q"),
            ("PLACE_REQUEST_QUEUE_URL", "q"),
            ("PLACE_MRU_TABLE", "m"),
            ("PLACE_HISTORY_TABLE", "h"),
            ("PLACE_WIDTH", "20"),
            ("PLACE_HEIGHT", "10"),
            ("PLACE_BACKGROUND", "#ffffff"),
            ("PLACE_MAX_PIXELS_PER_MESSAGE", "256"),
            ("PLACE_MAX_UNSAVED_CHANGES", "1000000"),
            ("PLACE_COOLDOWN_MS", "0"),
            ("PLACE_MAX_MESSAGES_PER_SECOND_PER_IP", "0"),
            ("PLACE_ALLOWED_ORIGINS", ""),
            ("PLACE_MAX_CLIENTS", "2"),
            ("PLACE_FRAME_BYTES", "32768"),
            ("PLACE_TICK_MS", "100"),
            ("PLACE_MAX_POSTS_PER_SECOND", "5000"),
            ("PLACE_SHARDS", "1"),
            ("PLACE_CONCURRENCY", "8"),
            ("PLACE_REUSE_MS", "0"),
            ("PLACE_WEBSOCKET_URL", "wss://a.example/production"),
            ("PLACE_PAGE_TITLE", "<b>Art</b>"),
        ]
        .into();
        let lookup = |name: &str| variables.get(name).map(|value| (*value).to_owned());
        let env = FunctionEnv::from_variables(lookup).unwrap();
        Self { redis, cache, env }
    }

    async fn open() -> Self {
        let bench = Self::closed();
        let token = place_canvas::Token::random();
        bench
            .cache
            .take(&token, Duration::from_secs(5))
            .await
            .unwrap();
        let opening = place_canvas::store::Opening {
            background: Rgb::WHITE,
            salt: "salt".to_owned(),
            after: Position::ZERO,
            source: place_canvas::store::Source::Saved,
        };
        let picture = Picture::new(geometry(), Rgb::WHITE);
        let opened = bench.cache.open(&token, &opening, Some(&picture)).await;
        opened.unwrap().unwrap();
        bench
    }

    async fn paint(&self, x: u16, y: u16, grey: u8) -> Position {
        let by = ConnectionId::new("painter=").unwrap();
        let pixels = [dot(x, y, grey)];
        let painted = Paint::paint(&self.cache, &by, "10.0.0.1", &pixels, None);
        painted.await.unwrap().at
    }

    async fn get(&self, path: &str) -> UrlAnswer {
        self.ask("GET", path, &[]).await
    }

    async fn ask(&self, method: &str, path: &str, headers: &[(&str, &str)]) -> UrlAnswer {
        let site = Site::new(&self.env, geometry(), &self.cache, &NoPast);
        let header = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        let request = UrlRequest {
            raw_path: path.to_owned(),
            headers: headers.iter().map(header).collect(),
            request_context: UrlContext {
                http: UrlHttp {
                    method: method.to_owned(),
                },
            },
        };
        site.answer(&request).await
    }

    async fn json(&self, path: &str) -> Value {
        let answer = self.get(path).await;
        assert_eq!(answer.status_code, 200, "{path}: {answer:?}");
        serde_json::from_str(&answer.body).unwrap()
    }
}

#[tokio::test]
async fn the_page_comes_compressed_and_may_run_nothing_but_itself() {
    let bench = Bench::closed();
    let headers = [("accept-encoding", "gzip, br")];
    let answer = bench.ask("GET", "/", &headers).await;
    assert_eq!(answer.headers["content-encoding"], "br");
    assert_eq!(answer.headers["cache-control"], "no-cache");
    assert_eq!(answer.headers["x-content-type-options"], "nosniff");
    let policy = &answer.headers["content-security-policy"];
    assert!(
        policy.contains("connect-src 'self' wss://a.example;"),
        "{policy}"
    );
    assert!(policy.contains("frame-ancestors 'none'"), "{policy}");
    assert!(!policy.contains("unsafe"), "{policy}");
    let tag = answer.headers["etag"].clone();
    let again = bench
        .ask("GET", "/", &[("if-none-match", tag.as_str())])
        .await;
    assert_eq!((again.status_code, again.body.as_str()), (304, ""));

    let main = format!("/a/{}/main.js", place_page::HASH);
    let answer = bench.get(&main).await;
    assert_eq!(
        STANDARD.decode(answer.body).unwrap(),
        place_page::File::named("main.js").unwrap().plain
    );
    assert!(answer.headers["cache-control"].contains("immutable"));
    assert_eq!(bench.get("/a/0000/main.js").await.status_code, 404);
    assert_eq!(bench.ask("POST", "/", &[]).await.status_code, 405);
}

#[tokio::test]
async fn odd_paths_are_answered_and_nothing_more() {
    let bench = Bench::open().await;
    for path in [
        "/nothing",
        "/a/../../etc/passwd",
        "/slots/-1",
        "/slots/99999999999999999999999",
        "/slots/",
        "/pixels/20/0",
        "/pixels/a/b",
        "/canvas/1.png",
        "/canvas/x.png",
        "//evil.example/",
    ] {
        assert_eq!(bench.get(path).await.status_code, 404, "{path}");
    }
    let far = bench.json(&format!("/slots/{}", u64::MAX)).await;
    assert!(far["in_ms"].is_u64(), "{far}");
}

#[tokio::test]
async fn while_the_canvas_is_closed_the_page_is_told_so() {
    let bench = Bench::closed();
    let settings = bench.json("/config.json").await;
    assert_eq!(settings["epoch"], Value::Null);
    assert_eq!(settings["title"], "<b>Art</b>");
    assert_eq!(settings["page"], place_page::HASH);
    for path in ["/canvas.png", "/slots/1", "/canvas/0.png"] {
        let answer = bench.get(path).await;
        assert_eq!(answer.status_code, 503, "{path}");
        assert_eq!(answer.headers["cache-control"], "no-store", "{path}");
    }
}

#[tokio::test]
async fn the_settings_tell_who_is_there_and_whether_there_is_room() {
    let bench = Bench::open().await;
    for client in ["a=", "b="] {
        let settings = bench.json("/config.json").await;
        assert_eq!(settings["full"], false);
        let client = ConnectionId::new(client).unwrap();
        bench.cache.add(&client).await.unwrap();
    }
    let settings = bench.json("/config.json").await;
    assert_eq!(
        (&settings["online"], &settings["full"]),
        (&2.into(), &true.into())
    );
    assert_eq!(
        (&settings["width"], &settings["height"]),
        (&20.into(), &10.into())
    );
}

#[tokio::test]
async fn a_pixel_tells_who_painted_it_and_what_was_there_before() {
    let bench = Bench::open().await;
    let untouched = bench.json("/pixels/3/4").await;
    assert_eq!(
        (&untouched["rgb"], &untouched["by"]),
        (&"#ffffff".into(), &Value::Null)
    );
    let first = bench.paint(3, 4, 1).await;
    bench.paint(4, 4, 5).await;
    let second = bench.paint(3, 4, 2).await;
    let told = bench.json("/pixels/3/4").await;
    assert_eq!(
        (&told["rgb"], &told["at"]),
        (&"#020202".into(), &second.to_string().into())
    );
    let by = told["by"].as_str().unwrap();
    assert!(by.len() == 16 && !by.contains("10.0"), "{by}");
    assert_eq!(told["before"][0]["at"], first.to_string());
    assert_eq!(told["before"].as_array().unwrap().len(), 1);
}

/// Somebody who watches without a socket, as the page does.
struct Watcher {
    client: ModelClient,
    next: u64,
}

impl Watcher {
    async fn join(bench: &Bench) -> Self {
        let answer = bench.get("/canvas.png").await;
        let png = STANDARD.decode(&answer.body).unwrap();
        let at = answer.headers["x-place-at"].parse().unwrap();
        let shown = place_canvas::wire::Shown {
            epoch: &answer.headers["x-place-epoch"],
            at,
            geometry: geometry(),
        };
        let mut client = ModelClient::new();
        for frame in place_canvas::wire::init_frames(&png, shown, 32_768) {
            client.on_frame(&frame).unwrap();
        }
        Self {
            client,
            next: answer.headers["x-place-slot"].parse().unwrap(),
        }
    }

    /// Takes the next slot if it is complete, and says whether.
    async fn step(&mut self, bench: &Bench) -> bool {
        let slot = bench.json(&format!("/slots/{}", self.next)).await;
        if slot["in_ms"].is_u64() {
            return false;
        }
        assert_eq!(slot["gone"], Value::Null, "history reaches so far back");
        let from: Position = slot["from"].as_str().unwrap().parse().unwrap();
        let holds = self.client.position().unwrap();
        assert!(from <= holds, "slots chain: {from} after {holds}");
        for frame in slot["frames"].as_array().unwrap() {
            let outcome = self.client.on_frame(&frame.to_string()).unwrap();
            assert!(!matches!(outcome, Outcome::Gap { .. }), "{frame}");
        }
        self.next += 1;
        true
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_watches_by_slots_sees_the_canvas_and_a_complete_slot_stays_as_it_is() {
    let mut runner = TestRunner::default();
    let strokes = proptest::collection::vec((0_u16..20, 0_u16..10, 0_u8..9, 0_u64..700), 1..20);
    let cases = (0..6).map(|_| strokes.new_tree(&mut runner).unwrap().current());
    let cases = cases.map(|strokes| async move {
        let bench = Bench::open().await;
        let (mut watchers, mut complete) = (vec![Watcher::join(&bench).await], HashMap::new());
        for (number, (x, y, grey, pause)) in strokes.into_iter().enumerate() {
            bench.paint(x, y, grey).await;
            sleep(Duration::from_millis(pause)).await;
            if number % 5 == 0 {
                watchers.push(Watcher::join(&bench).await);
            }
            for watcher in &mut watchers {
                watcher.step(&bench).await;
            }
            // Nothing of a slot that was complete changes: another container answers the same.
            let slot = watchers[0].next.saturating_sub(1);
            let changes = bench.json(&format!("/slots/{slot}")).await["frames"].clone();
            if changes.is_array() {
                assert_eq!(*complete.entry(slot).or_insert(changes.clone()), changes);
            }
        }
        sleep(Duration::from_millis(slots::LENGTH_MS + 1200)).await;
        let png = STANDARD
            .decode(bench.get("/canvas.png").await.body)
            .unwrap();
        let canvas = png::decode(&png, usize::MAX).unwrap();
        for watcher in &mut watchers {
            while watcher.step(&bench).await {}
            assert!(*watcher.client.picture().unwrap() == canvas);
        }
        drop(bench.redis);
    });
    futures::future::join_all(cases).await;
}
