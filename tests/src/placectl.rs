//! The real `placectl` binary, run the way that an operator runs it.

mod finished;
mod heard;

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

use tokio::process::{Child, Command};
use tokio::task::JoinHandle;

pub use finished::Finished;

use crate::terminal::Terminal;
use heard::{Heard, read};

/// How long a command may take on the local cloud before the test calls it hung.
const COMMAND_DEADLINE: Duration = Duration::from_mins(4);

/// A command line in the making.
#[derive(Debug)]
pub struct Placectl {
    command: Command,
    words: Vec<String>,
    heard: Heard,
    watched: Heard,
}

impl Placectl {
    /// `placectl`, run in `directory` with nothing of this process's environment but the search
    /// path, and with a home of its own.
    pub fn new(directory: &Path) -> Self {
        let mut command = Command::new(binary());
        command
            .current_dir(directory)
            .env_clear()
            .env("HOME", directory);
        command.env("PATH", std::env::var_os("PATH").unwrap_or_default());
        // Nothing may ask the network for credentials.
        command.env("AWS_EC2_METADATA_DISABLED", "true");
        Self {
            command: with_pipes(command),
            words: vec!["placectl".to_owned()],
            heard: Heard::All,
            watched: Heard::All,
        }
    }

    /// Adds words of the command line.
    #[must_use]
    pub fn args<I: IntoIterator<Item = S>, S: AsRef<OsStr>>(mut self, words: I) -> Self {
        for word in words {
            self.words
                .push(word.as_ref().to_string_lossy().into_owned());
            self.command.arg(word);
        }
        self
    }

    /// Sets an environment variable.
    #[must_use]
    pub fn env(mut self, name: &str, value: impl AsRef<OsStr>) -> Self {
        self.command.env(name, value);
        self
    }

    /// Whoever reads its standard output goes away after one line, as `head -1` does.
    #[must_use]
    pub const fn heard_for_one_line(mut self) -> Self {
        self.heard = Heard::OneLine;
        self
    }

    /// The same of standard error.
    #[must_use]
    pub const fn watched_for_one_line(mut self) -> Self {
        self.watched = Heard::OneLine;
        self
    }

    /// Starts it with `nohup`, so that it outlives the terminal.
    #[must_use]
    pub fn under_nohup(self) -> Self {
        self.under(&["nohup"])
    }

    /// Starts it with a stream redirected as a shell writes it, `2>&-`.
    #[must_use]
    pub fn redirected(self, how: &str) -> Self {
        let script = format!(r#"exec "$0" "$@" {how}"#);
        self.under(&["sh", "-c", &script])
    }

    /// Has it started by another program.
    fn under(mut self, starter: &[&str]) -> Self {
        let plain = self.command.as_std();
        let mut command = Command::new(starter[0]);
        command.args(&starter[1..]);
        command.arg(plain.get_program()).args(plain.get_args());
        command.env_clear();
        let set = plain
            .get_envs()
            .filter_map(|(name, value)| Some((name, value?)));
        command.envs(set);
        command.current_dir(plain.get_current_dir().unwrap_or(Path::new(".")));
        self.command = with_pipes(command);
        self
    }

    /// Starts it in a terminal.
    pub fn in_terminal(self) -> Terminal {
        Terminal::run(self.command.as_std())
    }

    /// Starts it and leaves it running.
    ///
    /// # Panics
    /// When it can't be started.
    pub fn spawn(mut self) -> Running {
        let mut child = self.command.spawn().expect("placectl starts");
        let stdout = read(child.stdout.take(), self.heard);
        let stderr = read(child.stderr.take(), self.watched);
        let line = self.words.join(" ");
        Running {
            child,
            stdout,
            stderr,
            line,
            started: Instant::now(),
        }
    }

    /// Runs it to its end.
    pub async fn run(self) -> Finished {
        self.spawn().finish().await
    }

    /// Runs it to its end, which must be exit code 0.
    pub async fn succeed(self) -> Finished {
        self.run().await.expect_code(0)
    }
}

fn with_pipes(mut command: Command) -> Command {
    command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command.kill_on_drop(true);
    command
}

/// A command on its way.
#[derive(Debug)]
pub struct Running {
    child: Child,
    stdout: JoinHandle<String>,
    stderr: JoinHandle<String>,
    line: String,
    started: Instant,
}

impl Running {
    /// Its process id.
    ///
    /// # Panics
    /// When it has been waited for already.
    pub fn id(&self) -> u32 {
        self.child
            .id()
            .expect("a child that nobody waited for has an id")
    }

    /// Sends it a signal, `INT`.
    ///
    /// # Panics
    /// When it can't be sent: the process has ended.
    pub fn signal(&self, name: &str) {
        let mut kill = std::process::Command::new("kill");
        let sent = kill.arg(format!("-{name}")).arg(self.id().to_string());
        let status = sent.status().expect("there is a `kill`");
        assert!(status.success(), "`{}` takes SIG{name}", self.line);
    }

    /// Waits for its end.
    ///
    /// # Panics
    /// When it takes longer than four minutes.
    pub async fn finish(mut self) -> Finished {
        let ended = tokio::time::timeout(COMMAND_DEADLINE, self.child.wait()).await;
        if ended.is_err() {
            let _ = self.child.kill().await;
        }
        let stdout = self.stdout.await.unwrap_or_default();
        let stderr = self.stderr.await.unwrap_or_default();
        let Ok(status) = ended else {
            panic!("`{}` hung\nstdout:\n{stdout}\nstderr:\n{stderr}", self.line);
        };
        Finished {
            code: status.expect("a child can be waited for").code(),
            stdout,
            stderr,
            line: self.line,
            elapsed: self.started.elapsed(),
        }
    }
}

/// The directory that cargo builds into: `target`, or wherever `CARGO_TARGET_DIR` points.
///
/// # Panics
/// When this process is not a test that cargo built.
pub fn target_directory() -> PathBuf {
    profile_directory()
        .parent()
        .expect("a profile's directory has a parent")
        .to_owned()
}

/// The directory of the handlers' binaries, in cargo-lambda's layout.
///
/// # Panics
/// When they are not there; the message says how to make them.
pub fn artifacts() -> PathBuf {
    let directory = target_directory().join("lambda");
    assert!(
        directory.join("save/bootstrap").exists(),
        "the handlers' binaries are missing in `{}`: run `make handlers`",
        directory.display()
    );
    directory
}

/// The `placectl` that is run: the one that cargo built, or `PLACECTL_BIN`.
///
/// # Panics
/// When this process is not a test that cargo built.
pub fn binary() -> PathBuf {
    if let Some(path) = std::env::var_os("PLACECTL_BIN") {
        return PathBuf::from(path);
    }
    let path = profile_directory().join("placectl");
    assert!(
        path.exists(),
        "`{}` is missing: run `cargo build -p placectl`, or name another binary in \
         `PLACECTL_BIN`",
        path.display()
    );
    path
}

/// `target/debug` of a test that runs as `target/debug/deps/<name>`, or of a program that runs as
/// `target/debug/examples/<name>`.
fn profile_directory() -> PathBuf {
    let program = std::env::current_exe().expect("a process knows its binary");
    let holds_programs = |path: &&Path| path.ends_with("deps") || path.ends_with("examples");
    let directory = program.ancestors().find(holds_programs).unwrap_or(&program);
    directory.parent().expect("a binary has a place").to_owned()
}
