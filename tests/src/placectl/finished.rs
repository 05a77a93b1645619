//! What is left of a command that has ended.

use std::time::Duration;

use serde_json::Value;

/// What a command left.
#[derive(Clone, Debug)]
pub struct Finished {
    /// Its exit code; `None` when a signal killed it.
    pub code: Option<i32>,
    /// The data it printed.
    pub stdout: String,
    /// Everything else it printed.
    pub stderr: String,
    /// How long it took.
    pub elapsed: Duration,
    pub(super) line: String,
}

impl Finished {
    /// Itself, if it ended with `code`.
    ///
    /// # Panics
    /// When it ended otherwise, with everything it printed.
    #[must_use]
    #[track_caller]
    pub fn expect_code(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "exit code of {self}");
        self
    }

    /// Standard output as one JSON document.
    ///
    /// # Panics
    /// When it is none.
    #[track_caller]
    pub fn json(&self) -> Value {
        match serde_json::from_str(&self.stdout) {
            Ok(value) => value,
            Err(error) => panic!("stdout is no JSON document ({error}): {self}"),
        }
    }

    /// Standard output as one JSON document a line.
    ///
    /// # Panics
    /// When a line is none.
    #[track_caller]
    pub fn json_lines(&self) -> Vec<Value> {
        let parse = |line: &str| match serde_json::from_str(line) {
            Ok(value) => value,
            Err(error) => panic!("`{line}` is no JSON document ({error}): {self}"),
        };
        self.stdout.lines().map(parse).collect()
    }

    /// The last event of a run: `finished`.
    ///
    /// # Panics
    /// When the last line of standard output is another event.
    #[track_caller]
    pub fn finished_event(&self) -> Value {
        let last = self.json_lines().pop().unwrap_or_default();
        assert_eq!(last["event"], "finished", "the last event of {self}");
        last
    }
}

impl std::fmt::Display for Finished {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self {
            line,
            code,
            stdout,
            stderr,
            elapsed,
        } = self;
        write!(
            f,
            "`{line}` ({code:?} in {elapsed:?})\nstdout:\n{stdout}\nstderr:\n{stderr}"
        )
    }
}
