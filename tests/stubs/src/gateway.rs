//! A stub of API Gateway's `@connections`: fast, concurrent, and in whatever mood a test wants.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, RwLock};
use std::time::{Duration, Instant};

use super::http::{Reply, Request, Server, Service};

/// How a client's connection answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mood {
    /// It takes everything.
    Fine,
    /// It is gone: 410.
    Gone,
    /// It is throttled: 429.
    Throttled,
    /// The gateway fails with this status.
    Broken(u16),
    /// It takes everything after so long.
    Slow(Duration),
    /// It never answers.
    Hanging,
}

/// A post that came in.
#[derive(Clone, Debug)]
pub struct Post {
    /// To whom.
    pub client: String,
    /// When.
    pub at: Instant,
    /// How it was answered.
    pub mood: Mood,
    /// The frame, as far as frames are kept.
    pub frame: Option<String>,
}

/// What the gateway remembers of the posts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Memory {
    /// Their number.
    Count,
    /// When each came, to whom, and how it ended.
    Posts,
    /// The frames too.
    Frames,
}

#[derive(Debug)]
struct State {
    memory: Memory,
    posts: AtomicU64,
    bytes: AtomicU64,
    longest: AtomicU64,
    /// When the first and the last post came, in nanoseconds since the start; 0 for never.
    first: AtomicU64,
    last: AtomicU64,
    started: Instant,
    /// Whether anybody is in a mood, so that the usual case looks nothing up.
    moody: AtomicBool,
    moods: RwLock<HashMap<String, Mood>>,
    log: Mutex<Vec<Post>>,
    closed: Mutex<Vec<String>>,
}

/// The running stub.
#[derive(Debug)]
pub struct GatewayStub {
    server: Server,
    state: Arc<State>,
}

impl GatewayStub {
    /// A gateway at which all is well.
    pub fn start(memory: Memory) -> Self {
        let state = Arc::new(State {
            memory,
            posts: AtomicU64::new(0),
            bytes: AtomicU64::new(0),
            longest: AtomicU64::new(0),
            first: AtomicU64::new(0),
            last: AtomicU64::new(0),
            started: Instant::now(),
            moody: AtomicBool::new(false),
            moods: RwLock::default(),
            log: Mutex::default(),
            closed: Mutex::default(),
        });
        Self {
            server: Server::start(Arc::clone(&state)),
            state,
        }
    }

    /// Where posts go to.
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}/production", self.server.port())
    }

    /// From now on `client`'s connection is in this mood.
    pub fn set(&self, client: &str, mood: Mood) {
        self.state.set(client, mood);
    }

    /// Number of posts so far, whatever became of them.
    pub fn posts(&self) -> u64 {
        self.state.posts.load(Ordering::SeqCst)
    }

    /// Their bytes.
    pub fn bytes(&self) -> u64 {
        self.state.bytes.load(Ordering::SeqCst)
    }

    /// Length of the longest frame so far.
    pub fn longest(&self) -> u64 {
        self.state.longest.load(Ordering::SeqCst)
    }

    /// Time from the first post to the last.
    pub fn span(&self) -> Duration {
        let [first, last] = [&self.state.first, &self.state.last];
        Duration::from_nanos(last.load(Ordering::SeqCst) - first.load(Ordering::SeqCst))
    }

    /// The posts so far, as far as they are remembered.
    pub fn log(&self) -> Vec<Post> {
        self.state.log().clone()
    }

    /// The posts to `client` so far.
    pub fn posts_to(&self, client: &str) -> Vec<Post> {
        let log = self.state.log();
        log.iter()
            .filter(|post| post.client == client)
            .cloned()
            .collect()
    }

    /// The connections that were closed.
    pub fn closed(&self) -> Vec<String> {
        self.state.closed().clone()
    }

    /// Forgets all posts.
    pub fn clear(&self) {
        self.state.log().clear();
        let state = &self.state;
        for count in [
            &state.posts,
            &state.bytes,
            &state.longest,
            &state.first,
            &state.last,
        ] {
            count.store(0, Ordering::SeqCst);
        }
    }
}

impl State {
    fn log(&self) -> MutexGuard<'_, Vec<Post>> {
        self.log.lock().expect("nobody panics while holding it")
    }

    fn closed(&self) -> MutexGuard<'_, Vec<String>> {
        self.closed.lock().expect("nobody panics while holding it")
    }

    fn set(&self, client: &str, mood: Mood) {
        let mut moods = self.moods.write().expect("nobody panics while holding it");
        moods.insert(client.to_owned(), mood);
        self.moody.store(true, Ordering::SeqCst);
    }

    fn mood(&self, client: &str) -> Mood {
        if !self.moody.load(Ordering::Relaxed) {
            return Mood::Fine;
        }
        let moods = self.moods.read().expect("nobody panics while holding it");
        moods.get(client).copied().unwrap_or(Mood::Fine)
    }

    fn note(&self, client: &str, mood: Mood, body: &[u8]) {
        let length = body.len() as u64;
        self.posts.fetch_add(1, Ordering::Relaxed);
        self.bytes.fetch_add(length, Ordering::Relaxed);
        self.longest.fetch_max(length, Ordering::Relaxed);
        let now = u64::try_from(self.started.elapsed().as_nanos()).unwrap_or(u64::MAX);
        let _ = self
            .first
            .compare_exchange(0, now, Ordering::Relaxed, Ordering::Relaxed);
        self.last.fetch_max(now, Ordering::Relaxed);
        if self.memory == Memory::Count {
            return;
        }
        let frame =
            (self.memory == Memory::Frames).then(|| String::from_utf8_lossy(body).into_owned());
        let post = Post {
            client: client.to_owned(),
            at: Instant::now(),
            mood,
            frame,
        };
        self.log().push(post);
    }
}

impl Service for State {
    fn answer(&self, request: &Request<'_>) -> Reply {
        let Some((_, id)) = request.path.split_once("/@connections/") else {
            return Reply::status(404, "{}");
        };
        if request.header("authorization").is_none() {
            return Reply::status(403, r#"{"message":"Missing Authentication Token"}"#);
        }
        let client = unescaped(id);
        let mood = self.mood(&client);
        match request.method {
            "POST" => self.note(&client, mood, request.body),
            "DELETE" => self.closed().push(client),
            _ => {}
        }
        match mood {
            Mood::Fine => Reply::status(200, ""),
            Mood::Gone => Reply::status(410, r#"{"message":"Gone"}"#),
            Mood::Throttled => Reply::status(429, r#"{"message":"Too Many Requests"}"#),
            Mood::Broken(status) => Reply::status(status, r#"{"message":"broken"}"#),
            Mood::Slow(time) => Reply::Late(time, Box::new(Reply::status(200, ""))),
            Mood::Hanging => Reply::Never,
        }
    }
}

/// The segment without its `%3D`s.
fn unescaped(segment: &str) -> String {
    let mut text = String::with_capacity(segment.len());
    let mut pieces = segment.split('%');
    text.push_str(pieces.next().unwrap_or_default());
    for piece in pieces {
        let code = piece
            .get(..2)
            .and_then(|code| u8::from_str_radix(code, 16).ok());
        text.push(code.map_or('%', char::from));
        text.push_str(piece.get(2..).unwrap_or_default());
    }
    text
}
