//! A real redis-server for tests: on a free port of 127.0.0.1, gone when its handle is dropped.

use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, SocketAddrV4, TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

mod failover;
mod moving_name;
pub use failover::TestPair;
pub use moving_name::MovingName;

/// How long a server may take until it answers.
const START: Duration = Duration::from_secs(10);

/// Options of a server that others follow within milliseconds.
const AT_ONCE: [&str; 2] = ["--repl-diskless-sync-delay", "0"];

/// A running redis-server with a directory of its own.
#[derive(Debug)]
pub struct TestRedis {
    child: Child,
    port: u16,
    folder: PathBuf,
    options: Vec<String>,
}

impl TestRedis {
    /// Starts a server that keeps nothing on disk.
    pub fn start() -> io::Result<Self> {
        Self::start_with(&["--save", "", "--appendonly", "no"])
    }

    /// Starts a server that keeps every write across [`TestRedis::restart`].
    pub fn start_durable() -> io::Result<Self> {
        Self::start_with(&[
            "--save",
            "",
            "--appendonly",
            "yes",
            "--appendfsync",
            "always",
        ])
    }

    /// Starts a cluster of this one node, which serves all slots.
    pub fn start_cluster() -> io::Result<Self> {
        Self::start_cluster_behind(None)
    }

    /// Starts a cluster of this one node, which tells its clients that it is at another port of
    /// 127.0.0.1.
    pub fn start_cluster_behind(port: Option<u16>) -> io::Result<Self> {
        let server = Self::start_cluster_node(port)?;
        server.ask("CLUSTER ADDSLOTSRANGE 0 16383")?;
        server.wait_for("CLUSTER INFO", "cluster_state:ok")?;
        Ok(server)
    }

    /// A node of a cluster that serves no slot yet.
    fn start_cluster_node(port: Option<u16>) -> io::Result<Self> {
        // By default the cluster's bus would listen 10,000 ports above the server's own.
        let bus = free_port()?.to_string();
        // Zero means its own.
        let port = port.unwrap_or_default().to_string();
        let options = [
            "--save",
            "",
            "--appendonly",
            "no",
            "--cluster-enabled",
            "yes",
        ];
        let announce = [
            "--cluster-port",
            &bus,
            "--cluster-announce-ip",
            "127.0.0.1",
            "--cluster-announce-port",
            &port,
        ];
        Self::start_with(&[&options[..], &announce[..], &AT_ONCE[..]].concat())
    }

    fn start_with(options: &[&str]) -> io::Result<Self> {
        let options: Vec<_> = options.iter().map(|&option| option.to_owned()).collect();
        // Between choosing a port and listening on it somebody else may take it.
        let mut attempt = Self::start_once(&options);
        for _ in 0..4 {
            if attempt.is_ok() {
                break;
            }
            attempt = Self::start_once(&options);
        }
        attempt
    }

    fn start_once(options: &[String]) -> io::Result<Self> {
        let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?
            .local_addr()?
            .port();
        let name = format!("place-redis-{}-{port}", std::process::id());
        let folder = std::env::temp_dir().join(name);
        std::fs::create_dir_all(&folder)?;
        let child = spawn(port, &folder, options)?;
        let mut server = Self {
            child,
            port,
            folder,
            options: options.to_vec(),
        };
        server.wait_until_ready()?;
        Ok(server)
    }

    /// Its port of 127.0.0.1.
    pub const fn port(&self) -> u16 {
        self.port
    }

    /// Its address: `redis://127.0.0.1:<port>`.
    pub fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    /// Kills the server at once, as a crash does.
    pub fn kill(&mut self) -> io::Result<()> {
        self.child.kill()?;
        self.child.wait().map(|_| ())
    }

    /// Stops the server where it is: its host goes on answering for it, the server does not.
    pub fn freeze(&self) -> io::Result<()> {
        let mut kill = Command::new("kill");
        kill.args(["-STOP", &self.child.id().to_string()]);
        if kill.status()?.success() {
            Ok(())
        } else {
            Err(io::Error::other("could not stop redis-server"))
        }
    }

    /// Starts it again on the same port, after a kill or instead of what runs.
    pub fn restart(&mut self) -> io::Result<()> {
        self.kill()?;
        self.child = spawn(self.port, &self.folder, &self.options)?;
        self.wait_until_ready()
    }

    /// Loses everything.
    pub fn flush(&self) -> io::Result<()> {
        self.ask("FLUSHALL").map(drop)
    }

    /// Loses the key of this name, and holds the rest.
    pub fn lose(&self, key: &str) -> io::Result<()> {
        self.ask(&format!("DEL {key}")).map(drop)
    }

    /// Is full: takes no more, until [`TestRedis::make_room`] or a restart.
    pub fn fill(&self) -> io::Result<()> {
        self.ask("CONFIG SET maxmemory 1").map(drop)
    }

    /// Has room for everything again.
    pub fn make_room(&self) -> io::Result<()> {
        self.ask("CONFIG SET maxmemory 0").map(drop)
    }

    /// Remembers what the server holds now, for [`TestRedis::go_back`].
    pub fn remember(&self) -> io::Result<()> {
        self.ask("SAVE")?;
        let dump = self.folder.join("dump.rdb");
        std::fs::copy(dump, self.folder.join("remembered.rdb")).map(drop)
    }

    /// Crashes, and comes back with what was remembered, or with nothing.
    pub fn go_back(&mut self) -> io::Result<()> {
        self.kill()?;
        let (dump, remembered) = (
            self.folder.join("dump.rdb"),
            self.folder.join("remembered.rdb"),
        );
        if remembered.exists() {
            std::fs::copy(remembered, dump)?;
        }
        self.child = spawn(self.port, &self.folder, &self.options)?;
        self.wait_until_ready()
    }

    /// Lets the leases of `stack`, and its calls, expire now: those of `shards` shards and the
    /// save's.
    pub fn expire_leases(&self, stack: &str, shards: u16) -> io::Result<()> {
        let shards = (0..shards).map(|shard| format!(" {{place:{stack}}}:awake:{shard}"));
        let shards: String = shards.collect();
        self.ask(&format!("DEL {{place:{stack}}}:saving{shards}"))
            .map(drop)
    }

    fn wait_until_ready(&mut self) -> io::Result<()> {
        let start = Instant::now();
        loop {
            if self.answers() {
                return Ok(());
            }
            if self.child.try_wait()?.is_some() || start.elapsed() > START {
                return Err(io::Error::other("redis-server did not start"));
            }
            pause();
        }
    }

    fn answers(&self) -> bool {
        self.ask("PING")
            .is_ok_and(|answer| answer.starts_with("+PONG"))
    }

    /// Waits until the answer to `command` has `part` in it.
    fn wait_for(&self, command: &str, part: &str) -> io::Result<()> {
        let start = Instant::now();
        loop {
            let answer = self.ask(command)?;
            if answer.contains(part) {
                return Ok(());
            }
            if start.elapsed() > START {
                let still = format!("no {part} in the answer to {command}: {answer}");
                return Err(io::Error::other(still));
            }
            pause();
        }
    }

    /// Sends one command, which must not fail.
    fn order(&self, command: &str) -> io::Result<()> {
        let answer = self.ask(command)?;
        if answer.starts_with('-') {
            return Err(io::Error::other(format!("{command}: {answer}")));
        }
        Ok(())
    }

    /// Sends one command; its answer as it is on the wire, if it is short.
    fn ask(&self, command: &str) -> io::Result<String> {
        let address = SocketAddrV4::new(Ipv4Addr::LOCALHOST, self.port).into();
        let mut stream = TcpStream::connect_timeout(&address, Duration::from_secs(1))?;
        stream.set_read_timeout(Some(Duration::from_secs(1)))?;
        stream.write_all(format!("{command}\r\n").as_bytes())?;
        let mut answer = [0; 4096];
        let length = stream.read(&mut answer)?;
        Ok(String::from_utf8_lossy(&answer[..length]).into_owned())
    }
}

impl Drop for TestRedis {
    fn drop(&mut self) {
        // Nothing can be done about a failure here, and the tests' outcome doesn't hang on it.
        let _ = self.kill();
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

fn free_port() -> io::Result<u16> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?
        .local_addr()?
        .port())
}

fn spawn(port: u16, folder: &PathBuf, options: &[String]) -> io::Result<Child> {
    Command::new("redis-server")
        .args(["--bind", "127.0.0.1", "--port", &port.to_string(), "--dir"])
        .arg(folder)
        .args(options)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
}

fn pause() {
    std::thread::sleep(Duration::from_millis(5));
}
