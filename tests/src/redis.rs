//! A real Redis on a port of its own.

use std::fs::OpenOptions;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::process::Command;
use std::str::FromStr;
use std::time::{Duration, Instant};

use crate::key::password;
use crate::ports::free_port;
use crate::supervised::Supervised;

/// How long it may take to come up.
const START_DEADLINE: Duration = Duration::from_secs(10);

/// A running Redis that keeps nothing on disk, killed on drop.
#[derive(Debug)]
pub struct Redis {
    process: Supervised,
    port: u16,
    /// What it asks for, where it does.
    password: Option<&'static str>,
}

impl Redis {
    /// Starts one, whose log goes to `directory`.
    pub fn start(directory: &Path) -> Self {
        Self::start_with(directory, None)
    }

    /// The same of one that asks for a password, as the local cloud's does.
    pub fn guarded(directory: &Path) -> Self {
        Self::start_with(directory, Some(password()))
    }

    fn start_with(directory: &Path, password: Option<&'static str>) -> Self {
        let port = free_port();
        let mut text = format!("port {port}\nbind 127.0.0.1\nsave \"\"\nappendonly no\n");
        if let Some(password) = password {
            text += "requirepass ";
            text += password;
            text += "\n";
        }
        let configuration = directory.join("redis.conf");
        let mut file = OpenOptions::new();
        file.create_new(true).write(true).mode(0o600);
        file.open(&configuration)
            .and_then(|mut file| file.write_all(text.as_bytes()))
            .expect("a new file in a directory of the test");
        let mut command = Command::new("redis-server");
        command.arg(configuration);
        Self {
            process: Supervised::start(directory, &command),
            port,
            password,
        }
    }

    /// Its port.
    pub const fn port(&self) -> u16 {
        self.port
    }

    /// Where it answers.
    pub fn url(&self) -> String {
        let password = self.password.map(|password| format!(":{password}@"));
        format!(
            "redis://{}127.0.0.1:{}",
            password.unwrap_or_default(),
            self.port
        )
    }

    /// Waits until it answers.
    ///
    /// # Panics
    /// When it doesn't come up.
    pub async fn wait_until_up(&self) {
        let started = Instant::now();
        while tokio::net::TcpStream::connect(("127.0.0.1", self.port))
            .await
            .is_err()
        {
            let log = || self.log_tail(20);
            assert!(
                started.elapsed() < START_DEADLINE,
                "Redis did not come up\n{}",
                log()
            );
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    /// How often it has read from a connection so far: a round trip is one read, and what a script
    /// does inside is none.
    ///
    /// # Panics
    /// When it doesn't answer.
    pub async fn reads(&self) -> u64 {
        self.said("stats", "total_reads_processed").await
    }

    /// The memory that it uses, in bytes.
    ///
    /// # Panics
    /// When it doesn't answer.
    pub async fn memory(&self) -> u64 {
        self.said("memory", "used_memory").await
    }

    /// The processor time that it has used.
    ///
    /// # Panics
    /// When it doesn't answer.
    pub async fn processor_time(&self) -> Duration {
        let own: f64 = self.said("cpu", "used_cpu_user").await;
        let kernel: f64 = self.said("cpu", "used_cpu_sys").await;
        Duration::from_secs_f64(own + kernel)
    }

    /// A field of what it says about itself.
    async fn said<T: FromStr>(&self, section: &str, field: &str) -> T {
        let client = ::redis::Client::open(self.url()).expect("an address of a Redis");
        let connected = client.get_multiplexed_async_connection().await;
        let mut connection = connected.expect("Redis answers");
        let mut ask = ::redis::cmd("INFO");
        let asked = ask
            .arg(section)
            .query_async::<String>(&mut connection)
            .await;
        let answer = asked.expect("Redis says how it is");
        let value = answer.lines().find_map(|line| {
            let (key, value) = line.split_once(':')?;
            (key == field).then(|| value.trim().parse().ok()).flatten()
        });
        value.expect("a field that Redis has")
    }

    pub(crate) fn log_tail(&self, lines: usize) -> String {
        self.process.log_tail(lines)
    }
}
