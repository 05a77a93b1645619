//! The local cloud of a test: MiniStack and Redis on ports of their own.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::key::{key, password};
use crate::ports::free_port;
use crate::redis::Redis;
use crate::supervised::Supervised;

/// The emulator's version, the same that `placectl local` pins.
pub const MINISTACK_VERSION: &str = "1.5.33";

/// Starts the emulator as `placectl local` does.
const STARTER: &str = include_str!("../../cli/src/local/start_ministack.py");

/// How long both processes may take to come up.
const START_DEADLINE: Duration = Duration::from_secs(30);

/// The account that MiniStack answers for.
pub const ACCOUNT: &str = "000000000000";

/// The region that tests work in.
pub const REGION: &str = "us-east-1";

/// MiniStack and Redis, killed with every function process on drop.
#[derive(Debug)]
pub struct LocalCloud {
    ministack: Supervised,
    redis: Redis,
    port: u16,
    _directory: TempDir,
}

impl LocalCloud {
    /// Starts both and waits until they answer.
    pub async fn start() -> Self {
        Self::start_with(&[]).await
    }

    /// The same with further environment variables for the emulator, such as `AUTH=true`.
    ///
    /// # Panics
    /// When the emulator is not installed or doesn't come up; the message says what to do, or
    /// holds the end of its log.
    pub async fn start_with(variables: &[(&str, &str)]) -> Self {
        let directory = tempfile::Builder::new()
            .prefix("place-cloud-")
            .tempdir()
            .expect("a directory for the local cloud");
        let port = free_port();
        let redis = Redis::guarded(&made(directory.path().join("redis")));
        let redis_port = redis.port();
        let home = made(directory.path().join("ministack"));
        let mut command = ministack_command(&home, port, redis_port);
        command.envs(variables.iter().copied());
        let ministack = Supervised::start(&home, &command);
        let cloud = Self {
            ministack,
            redis,
            port,
            _directory: directory,
        };
        cloud.wait_until_up().await;
        cloud
    }

    /// Where the emulator answers every AWS call.
    pub fn endpoint(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// The emulator's port.
    pub const fn port(&self) -> u16 {
        self.port
    }

    /// Redis's port.
    pub const fn redis_port(&self) -> u16 {
        self.redis.port()
    }

    /// Where Redis answers.
    pub fn redis_url(&self) -> String {
        self.redis.url()
    }

    /// Everything that the emulator logged so far, with what the functions wrote.
    pub fn log(&self) -> String {
        self.ministack.log()
    }

    /// Throws away everything in the emulator and in its Redis.
    ///
    /// # Panics
    /// When one of them doesn't answer.
    pub async fn reset(&self) {
        let answer = request(self.port, "POST", "/_ministack/reset").await;
        assert!(
            answer.is_some_and(|a| a.starts_with("HTTP/1.1 200")),
            "the emulator resets"
        );
        let words = format!("AUTH {}\r\nFLUSHALL\r\nQUIT\r\n", password());
        let answer = converse(self.redis_port(), &words).await;
        assert!(
            answer.is_some_and(|answer| answer.starts_with("+OK\r\n+OK")),
            "Redis forgets everything"
        );
    }

    /// Ends a connection of the API whose clients connect to `url`, as an operator could.
    ///
    /// # Panics
    /// When there is no such connection.
    pub async fn hang_up(&self, url: &str, connection: &str) {
        let (_, api) = url.split_once("/_aws/").expect("an address of this cloud");
        let path = format!("/_aws/{api}/@connections/{connection}");
        let answer = request(self.port, "DELETE", &path).await;
        let gone = answer
            .as_ref()
            .is_some_and(|a| a.starts_with("HTTP/1.1 204"));
        assert!(gone, "`{connection}` is disconnected: {answer:?}");
    }

    async fn wait_until_up(&self) {
        let started = Instant::now();
        while started.elapsed() < START_DEADLINE {
            let health = request(self.port, "GET", "/_ministack/health").await;
            let up = health.is_some_and(|answer| answer.starts_with("HTTP/1.1 200"));
            if up
                && TcpStream::connect(("127.0.0.1", self.redis_port()))
                    .await
                    .is_ok()
            {
                return;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!(
            "the local cloud did not come up in {START_DEADLINE:?}\nMiniStack:\n{}\nRedis:\n{}",
            self.ministack.log_tail(20),
            self.redis.log_tail(20),
        );
    }
}

/// An empty directory, for a child's files.
pub(crate) fn made(directory: PathBuf) -> PathBuf {
    std::fs::create_dir(&directory).expect("a new directory in an empty one");
    directory
}

fn ministack_command(home: &Path, port: u16, redis_port: u16) -> Command {
    let mut command = Command::new(emulators_python());
    command
        .args(["-I", "-u", "-c", STARTER])
        .env("GATEWAY_PORT", port.to_string());
    command
        .env("AWS_ACCESS_KEY_ID", key())
        .env("AWS_SECRET_ACCESS_KEY", password());
    command
        .env("BIND_HOST", "127.0.0.1")
        .env("IOT_MTLS_ENABLED", "0");
    // Queue addresses otherwise repeat the caller's `Host`, which may be a proxy of a test.
    command.env("MINISTACK_HOST", "127.0.0.1");
    command
        .env("REDIS_HOST", "127.0.0.1")
        .env("REDIS_PORT", redis_port.to_string());
    command.env("AWS_ENDPOINT_URL", format!("http://127.0.0.1:{port}"));
    command
        .env("TMPDIR", home)
        .env("STATE_DIR", home.join("state"));
    command
}

/// The Python of the emulator that `placectl local` installs, or of `PLACE_TESTS_MINISTACK`.
pub(crate) fn emulators_python() -> PathBuf {
    let venv = format!("ministack-{MINISTACK_VERSION}");
    installed("PLACE_TESTS_MINISTACK", &venv, "bin/python")
}

/// A program in the virtual environment that `variable` names, or that `scripts/setup.sh` made in the
/// user's cache.
pub(crate) fn installed(variable: &str, venv: &str, program: &str) -> PathBuf {
    let cached = || cache_directory().join("placectl").join(venv);
    let venv = std::env::var_os(variable).map_or_else(cached, PathBuf::from);
    let binary = venv.join(program);
    assert!(
        binary.exists(),
        "`{}` is not installed: run `scripts/setup.sh tests`, or name another virtual environment in \
         `{variable}`",
        binary.display()
    );
    binary
}

/// The user's cache, where the emulators are installed.
pub fn cache_directory() -> PathBuf {
    std::env::var_os("XDG_CACHE_HOME").map_or_else(
        || PathBuf::from(std::env::var_os("HOME").unwrap_or_default()).join(".cache"),
        PathBuf::from,
    )
}

/// One plain HTTP request; `None` when nobody answers.
pub(crate) async fn request(port: u16, method: &str, path: &str) -> Option<String> {
    let head = format!(
        "{method} {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 0\r\n\
         Connection: close\r\nx-placectl-key: {}\r\n\r\n",
        key()
    );
    converse(port, &head).await
}

/// Says `words` and hears the other side out.
async fn converse(port: u16, words: &str) -> Option<String> {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).await.ok()?;
    stream.write_all(words.as_bytes()).await.ok()?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.ok()?;
    Some(String::from_utf8_lossy(&answer).into_owned())
}
