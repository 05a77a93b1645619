//! A terminal: an operator sits before it, presses keys, and may be cut off from it.

use std::process::Stdio;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};
use tokio::process::{Child, ChildStdin, Command};
use tokio::task::JoinHandle;

use crate::cloud::emulators_python;

/// The emulator's Python is at hand, and its library makes terminals.
const PROGRAM: &str = include_str!("terminal.py");

/// How long something may take to be shown, and the program to end.
const PATIENCE: Duration = Duration::from_mins(1);

type Screen = Arc<Mutex<Vec<u8>>>;

/// A program in a terminal of its own.
#[derive(Debug)]
pub struct Terminal {
    child: Child,
    keys: Option<ChildStdin>,
    screen: Screen,
    reader: JoinHandle<()>,
}

impl Terminal {
    /// Runs `command` in a new terminal.
    ///
    /// # Panics
    /// When it can't be started.
    pub(crate) fn run(command: &std::process::Command) -> Self {
        let mut inner = Command::new(emulators_python());
        inner.args(["-c", PROGRAM]).arg(command.get_program());
        inner.args(command.get_args()).env_clear();
        for (name, value) in command.get_envs() {
            inner.env(name, value.unwrap_or_default());
        }
        inner.env("TERM", "xterm");
        let directory = command.get_current_dir();
        inner.current_dir(directory.expect("a command runs somewhere"));
        inner.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = inner.kill_on_drop(true).spawn().expect("Python starts");
        let keys = child.stdin.take();
        let screen = Screen::default();
        let shown = child.stdout.take().expect("the output is piped");
        let reader = tokio::spawn(read(shown, Arc::clone(&screen)));
        Self {
            child,
            keys,
            screen,
            reader,
        }
    }

    /// Everything shown so far.
    ///
    /// # Panics
    /// Never: nobody panics while holding the screen.
    pub fn screen(&self) -> String {
        let screen = self.screen.lock().expect("nobody panics while holding it");
        String::from_utf8_lossy(&screen).into_owned()
    }

    /// Waits until `text` is shown.
    ///
    /// # Panics
    /// When that takes a minute.
    pub async fn shows(&self, text: &str) {
        let began = Instant::now();
        while !self.screen().contains(text) {
            assert!(began.elapsed() < PATIENCE, "`{text}` in {}", self.screen());
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Presses keys: `\x03` is Ctrl-C.
    ///
    /// # Panics
    /// When the terminal went away.
    pub async fn press(&mut self, keys: &str) {
        let keyboard = self.keys.as_mut().expect("the terminal is there");
        let pressed = keyboard.write_all(keys.as_bytes()).await;
        pressed.expect("the terminal is there");
    }

    /// The terminal goes away.
    pub fn goes_away(&mut self) {
        self.keys = None;
    }

    /// Waits for the program's end: its exit code, and everything shown.
    ///
    /// # Panics
    /// When it takes a minute.
    pub async fn finish(mut self) -> (Option<i32>, String) {
        let ended = tokio::time::timeout(PATIENCE, self.child.wait()).await;
        let Ok(ended) = ended else {
            panic!("it hung: {}", self.screen());
        };
        let _ = (&mut self.reader).await;
        let code = ended.expect("a child can be waited for").code();
        (code, self.screen())
    }
}

async fn read(mut shown: impl AsyncRead + Unpin, screen: Screen) {
    let mut part = [0; 4096];
    while let Ok(length @ 1..) = shown.read(&mut part).await {
        let mut screen = screen.lock().expect("nobody panics while holding it");
        screen.extend_from_slice(&part[..length]);
    }
}
