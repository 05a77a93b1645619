//! The local cloud as a whole: real children on free ports, in a state directory of the test's own.
//! The virtual environment is the user's own, so that it is installed once and not once a test.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Mutex;

use super::process::{Process, members};
use super::state::{Record, Running};
use super::*;
use place_config::stack::LocalConfig;

pub(super) struct Bench {
    pub(super) cloud: LocalCloud,
    settings: LocalSettings,
    directory: tempfile::TempDir,
    said: Mutex<Vec<String>>,
}

impl Bench {
    pub(super) fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let config = LocalConfig {
            port: ports::free_port().unwrap(),
            state_dir: Some(directory.path().join("state").display().to_string()),
            ..LocalConfig::default()
        };
        let settings = LocalSettings::from_config(&config).unwrap();
        Self {
            cloud: LocalCloud::new(settings.clone()).unwrap(),
            settings,
            directory,
            said: Mutex::default(),
        }
    }

    pub(super) async fn start(&self) -> Result<Running, LocalError> {
        self.cloud
            .start(&|line| self.said.lock().unwrap().push(line.to_owned()))
            .await
    }

    pub(super) async fn stop(&self) -> bool {
        self.cloud.stop(&|_| ()).await.unwrap()
    }

    fn said(&self, part: &str) -> bool {
        self.said
            .lock()
            .unwrap()
            .iter()
            .any(|line| line.contains(part))
    }

    pub(super) fn state_dir(&self) -> &Path {
        &self.settings.state_dir
    }
}

impl Drop for Bench {
    /// A failed assertion must not leave processes behind.
    fn drop(&mut self) {
        for process in members(self.state_dir()) {
            kill(process.pid, "-KILL");
        }
    }
}

pub(super) fn kill(pid: u32, signal: &str) {
    let status = Command::new("sh")
        .args(["-c", &format!("kill {signal} {pid}")])
        .status();
    assert!(status.unwrap().success(), "kill {signal} {pid}");
}

/// Addresses that the processes listen on, other than 127.0.0.1.
fn listens_elsewhere(pids: &[u32]) -> Vec<String> {
    let sockets: Vec<PathBuf> = pids
        .iter()
        .flat_map(|pid| fs::read_dir(format!("/proc/{pid}/fd")).unwrap().flatten())
        .filter_map(|entry| fs::read_link(entry.path()).ok())
        .collect();
    let mut found = Vec::new();
    let mut seen = 0;
    for table in [
        "/proc/net/tcp",
        "/proc/net/tcp6",
        "/proc/net/udp",
        "/proc/net/udp6",
    ] {
        for line in fs::read_to_string(table)
            .unwrap_or_default()
            .lines()
            .skip(1)
        {
            let fields: Vec<&str> = line.split_whitespace().collect();
            let socket = PathBuf::from(format!("socket:[{}]", fields[9]));
            let listens = fields[3] == "0A" || table.contains("udp");
            if !listens || !sockets.contains(&socket) {
                continue;
            }
            seen += 1;
            if !fields[1].starts_with("0100007F:") {
                found.push(format!("{table} {}", fields[1]));
            }
        }
    }
    assert!(seen >= 2, "MiniStack and Redis listen somewhere");
    found
}

#[tokio::test]
async fn starts_once_and_stops_without_a_trace() {
    let bench = Bench::new();
    let first = bench.start().await.unwrap();
    assert_eq!(bench.cloud.running().await.as_ref(), Some(&first));
    assert_eq!(bench.cloud.status().await.state, LocalState::Running);
    let again = bench.start().await.unwrap();
    assert_eq!(first, again);
    let pids = [first.emulator_pid, first.redis_pid];
    assert_eq!(listens_elsewhere(&pids), Vec::<String>::new());

    assert!(bench.stop().await);
    assert!(!bench.stop().await, "a second stop finds nothing");
    assert_eq!(members(bench.state_dir()), Vec::<Process>::new());
    assert!(ports::is_free(first.port) && ports::is_free(first.redis_port));
    assert_eq!(bench.cloud.status().await.state, LocalState::Stopped);
    let mut left: Vec<_> = fs::read_dir(bench.state_dir())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    left.sort();
    assert_eq!(
        left,
        ["lock", "ministack.log", "placectl-local", "redis.log"]
    );
}

#[tokio::test]
async fn a_dead_child_is_started_again_on_its_port() {
    let bench = Bench::new();
    let first = bench.start().await.unwrap();
    kill(first.redis_pid, "-KILL");
    while Process::is_alive(recorded(&bench).redis.unwrap()) {
        tokio::task::yield_now().await;
    }
    let status = bench.cloud.status().await;
    assert_eq!(
        (status.state, status.redis),
        (LocalState::Degraded, ChildState::Ended)
    );
    let running = bench.cloud.running().await.map(|running| running.endpoint);
    assert_eq!(
        running,
        Some(first.endpoint.clone()),
        "the emulator's resources can be looked at"
    );

    let second = bench.start().await.unwrap();
    assert!(bench.said("Redis had exited"));
    assert_eq!(second.redis_port, first.redis_port);
    assert_eq!(
        second.emulator_pid, first.emulator_pid,
        "the live child stays"
    );

    kill(second.emulator_pid, "-KILL");
    while Process::is_alive(recorded(&bench).emulator.unwrap()) {
        tokio::task::yield_now().await;
    }
    let third = bench.start().await.unwrap();
    assert!(bench.said("MiniStack had exited"));
    assert_eq!(third.redis_pid, second.redis_pid);
    assert!(bench.stop().await);
}

fn recorded(bench: &Bench) -> Record {
    Record::read(bench.state_dir()).record().unwrap()
}

#[tokio::test]
async fn a_lost_state_file_strands_nothing() {
    let bench = Bench::new();
    let first = bench.start().await.unwrap();
    fs::write(bench.state_dir().join("state.json"), "{").unwrap();
    let second = bench.start().await.unwrap();
    assert!(bench.said("state file is damaged"));
    assert_ne!(first.emulator_pid, second.emulator_pid);
    let mut alive: Vec<u32> = members(bench.state_dir()).iter().map(|p| p.pid).collect();
    alive.sort_unstable();
    let mut expected = [second.emulator_pid, second.redis_pid];
    expected.sort_unstable();
    assert_eq!(alive, expected);

    Record::remove(bench.state_dir()).unwrap();
    assert!(bench.stop().await, "stop needs no state file");
    assert_eq!(members(bench.state_dir()), Vec::<Process>::new());
}

#[tokio::test]
async fn a_port_of_somebody_else_is_named_and_nothing_is_left() {
    let bench = Bench::new();
    let taken = std::net::TcpListener::bind(("127.0.0.1", bench.settings.port)).unwrap();
    let error = bench.start().await.unwrap_err();
    let text = error.to_string();
    assert!(
        text.contains(&format!("port {}", bench.settings.port)),
        "{text}"
    );
    assert!(
        text.contains(&format!("pid {}", std::process::id())),
        "{text}"
    );
    assert!(error.hint().unwrap().contains("--local-port"));
    assert_eq!(members(bench.state_dir()), Vec::<Process>::new());
    let status = bench.cloud.status().await;
    assert_eq!(status.state, LocalState::Stopped);
    assert!(status.detail.unwrap().contains("is taken by"));
    drop(taken);
}

#[tokio::test]
async fn two_starts_at_once_make_one_cloud() {
    let bench = Bench::new();
    let (one, two) = tokio::join!(bench.start(), bench.start());
    assert_eq!(one.unwrap(), two.unwrap());
    assert_eq!(members(bench.state_dir()).len(), 2);
    assert!(bench.stop().await);
}

#[tokio::test]
async fn a_child_that_cannot_start_shows_its_log_and_leaves_nothing() {
    let bench = Bench::new();
    let mut settings = bench.settings.clone();
    settings.cache_dir = bench.directory.path().join("cache");
    // A virtual environment that claims to be right and ends at once.
    let bin = settings
        .cache_dir
        .join(format!("ministack-{}/bin", install::MINISTACK_VERSION));
    fs::create_dir_all(&bin).unwrap();
    let script = "#!/bin/sh\n[ $# = 3 ] && echo 1.5.33 || { echo no such module; exit 3; }\n";
    fs::write(bin.join("python"), script).unwrap();
    make_executable(&bin.join("python"));
    let error = LocalCloud::new(settings)
        .unwrap()
        .start(&|_| ())
        .await
        .unwrap_err();
    let text = error.to_string();
    assert!(
        text.contains("MiniStack exited while starting (exit status: 3)"),
        "{text}"
    );
    assert!(text.contains("no such module"), "{text}");
    assert_eq!(
        members(bench.state_dir()),
        Vec::<Process>::new(),
        "Redis was ended again"
    );
}

fn make_executable(path: &Path) {
    use std::os::unix::fs::PermissionsExt;
    fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
}
