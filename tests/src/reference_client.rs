//! The client in Python that was written from `docs/protocol.md`, with the emulator's own Python.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use serde_json::Value;
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};

use crate::cloud::emulators_python;

/// How long the client may take for anything that it is asked for.
const PATIENCE: Duration = Duration::from_mins(1);

/// A client that runs.
#[derive(Debug)]
pub struct ReferenceClient {
    _child: Child,
    stdin: ChildStdin,
    lines: Lines<BufReader<ChildStdout>>,
    directory: TempDir,
    events: Vec<Value>,
}

impl ReferenceClient {
    /// Starts one with further words on its command line; `url` is what it connects to.
    ///
    /// # Panics
    /// When it can't be started.
    pub fn start(url: &str, words: &[&str]) -> Self {
        let directory = tempfile::tempdir().expect("a directory for the client");
        let mut command = python();
        command.arg("client.py").arg(url).args(words);
        command.arg("--picture").arg(picture(&directory));
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().expect("the client starts");
        let stdout = child.stdout.take().expect("a pipe");
        Self {
            stdin: child.stdin.take().expect("a pipe"),
            lines: BufReader::new(stdout).lines(),
            _child: child,
            directory,
            events: Vec::new(),
        }
    }

    /// Waits until it tells `event`.
    ///
    /// # Panics
    /// When it doesn't; the message holds what it told instead.
    pub async fn tells(&mut self, event: &str) -> Value {
        loop {
            let line = tokio::time::timeout(PATIENCE, self.lines.next_line()).await;
            let Ok(Ok(Some(line))) = line else {
                panic!(
                    "the client did not tell `{event}` ({line:?}), but {:?}",
                    self.events
                );
            };
            let told: Value = serde_json::from_str(&line).expect("a line of JSON");
            self.events.push(told.clone());
            if told["event"] == event {
                return told;
            }
        }
    }

    /// Has it end as soon as it holds `position`; red, green and blue of its pixels then.
    ///
    /// # Panics
    /// When it doesn't get there.
    pub async fn finish(&mut self, position: &str) -> Vec<u8> {
        let line = format!("{position}\n");
        let written = self.stdin.write_all(line.as_bytes()).await;
        written.expect("the client still listens");
        let _ = self.tells("finished").await;
        std::fs::read(picture(&self.directory)).expect("the client's picture")
    }

    /// What it told so far.
    pub fn events(&self) -> &[Value] {
        &self.events
    }
}

fn picture(directory: &TempDir) -> PathBuf {
    directory.path().join("picture.rgb")
}

/// The emulator's Python, in the client's directory.
fn python() -> Command {
    let here = Path::new(env!("CARGO_MANIFEST_DIR")).join("reference/protocol-client");
    let mut command = Command::new(emulators_python());
    command.arg("-B").current_dir(here).kill_on_drop(true);
    command
}

/// Runs the client's own tests; what they wrote, and whether they passed.
///
/// # Panics
/// When there is no Python.
pub async fn own_tests() -> (bool, String) {
    let mut command = python();
    let output = command.args(["-m", "unittest"]).output().await;
    let output = output.expect("the emulator's Python runs");
    let written = String::from_utf8_lossy(&output.stderr).into_owned();
    (output.status.success(), written)
}
