//! The embedded default: `--local` brings a cloud of its own.

use std::process::Command;

use place_canvas::{Pixel, Rgb};
use place_tests::cloud::cache_directory;
use place_tests::placectl::{artifacts, binary};
use place_tests::ports::free_port;
use place_tests::{Placectl, Socket};
use tempfile::TempDir;

/// What the operator's environment holds, and no process of the local cloud may.
const OPERATORS: [&str; 4] = [
    "AWS_ACCESS_KEY_ID",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
    "GITHUB_TOKEN",
];
const SECRET: &str = "an-operators-own-secret";

/// Somebody without an AWS account.
struct Newcomer(TempDir);

impl Newcomer {
    fn new() -> Self {
        let home = tempfile::tempdir().unwrap();
        let text = format!(
            "[functions]\nartifacts = \"{}\"\n[local]\nport = {}\nstate_dir = \"{}\"\n\
             [canvas]\nwidth = 20\nheight = 10\n",
            artifacts().display(),
            free_port(),
            home.path().join("state").display(),
        );
        std::fs::write(home.path().join("place.toml"), text).unwrap();
        Self(home)
    }

    fn placectl(&self, words: &[&str]) -> Placectl {
        // The emulator is installed there already.
        let placectl = Placectl::new(self.0.path()).env("XDG_CACHE_HOME", cache_directory());
        let placectl = OPERATORS
            .iter()
            .fold(placectl, |placectl, name| placectl.env(name, SECRET));
        placectl.args(words)
    }

    async fn state(&self) -> String {
        let status = self.placectl(&["local", "status", "-o", "json"]);
        let state = status.succeed().await.json()["state"].clone();
        state.as_str().unwrap().to_owned()
    }
}

impl Newcomer {
    /// Environment and command line of each process of the local cloud.
    fn processes(&self) -> Vec<(String, String)> {
        let mark = format!("PLACECTL_LOCAL={}", self.0.path().join("state").display());
        let entries = std::fs::read_dir("/proc").unwrap().flatten();
        let read = |path: std::path::PathBuf| {
            let bytes = std::fs::read(path).unwrap_or_default();
            String::from_utf8_lossy(&bytes).into_owned()
        };
        entries
            .map(|entry| entry.path())
            .map(|path| (read(path.join("environ")), read(path.join("cmdline"))))
            .filter(|(environment, _)| environment.split('\0').any(|one| one == mark))
            .collect()
    }
}

impl Drop for Newcomer {
    fn drop(&mut self) {
        // Nothing may outlive a test that failed.
        let mut stop = Command::new(binary());
        stop.args(["local", "stop"])
            .current_dir(self.0.path())
            .env("XDG_CACHE_HOME", cache_directory());
        let _ = stop.output();
    }
}

#[tokio::test]
async fn without_an_account_one_command_makes_a_canvas_and_another_ends_it() {
    let newcomer = Newcomer::new();
    assert_eq!(newcomer.state().await, "stopped");
    let _ = newcomer.placectl(&["up", "--local"]).succeed().await;
    assert_eq!(newcomer.state().await, "running");

    let status = newcomer.placectl(&["status", "--local", "-o", "json"]);
    let status = status.succeed().await.json();
    let url = status["websocket_url"].as_str().unwrap();
    let (mut painter, mut viewer) = (Socket::join(url).await, Socket::join(url).await);
    let pixel = Pixel::new(3, 4, Rgb::new(5, 6, 7));
    painter.paint(&[pixel]).await;
    viewer.sees(pixel).await;

    let credentials = std::fs::read_to_string(newcomer.0.path().join("state/credentials"));
    let credentials = credentials.unwrap();
    let secrets: Vec<&str> = credentials
        .lines()
        .filter_map(|line| Some(line.split_once(" = ")?.1))
        .collect();
    assert_eq!(secrets.len(), 2);
    let processes = newcomer.processes();
    assert!(processes.len() > 2, "MiniStack, Redis and functions");
    for (environment, line) in processes {
        assert!(!environment.contains(SECRET), "{environment}");
        assert!(
            !secrets.iter().any(|secret| line.contains(secret)),
            "{line}"
        );
    }

    let text = newcomer
        .placectl(&["local", "status"])
        .succeed()
        .await
        .stdout;
    assert!(
        text.starts_with("MiniStack 1.") && !text.contains("  "),
        "{text}"
    );
    assert!(!text.contains(secrets[0]) && !text.contains(secrets[1]));
    let stop = || newcomer.placectl(&["local", "stop", "-o", "json"]);
    assert_eq!(stop().succeed().await.json()["stopped"], true);
    assert_eq!(newcomer.state().await, "stopped");
    assert_eq!(stop().succeed().await.json()["stopped"], false);
    let text = newcomer
        .placectl(&["local", "status"])
        .succeed()
        .await
        .stdout;
    assert!(text.starts_with("MiniStack on port "), "{text}");
}
