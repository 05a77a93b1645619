//! A child process that never outlives the test that started it, however the test ends.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

/// Waits until its standard input closes, which the kernel does when this process ends for
/// whatever reason, then removes the child's directory and kills the whole process group: the
/// child and everything that it started.
const GUARD: &str = r#"directory=$1; shift
"$@" </dev/null >"$directory/log" 2>&1 &
echo $! >"$directory/pid"
exec 2>/dev/null
cat >/dev/null
[ -n "$KEEP" ] || rm -rf -- "$directory"
kill -KILL $!
wait $!
kill -KILL 0"#;

/// A running child with a directory of its own, killed with all its descendants on drop.
#[derive(Debug)]
pub(crate) struct Supervised {
    guard: Child,
    directory: PathBuf,
}

impl Supervised {
    /// Runs `command` under a guard. Its output goes to `log` in `directory`, which must exist
    /// and is removed with the child (unless `PLACE_TESTS_KEEP` is set, to look into it later).
    ///
    /// # Panics
    /// When there is no shell to run the guard.
    pub(crate) fn start(directory: &Path, command: &Command) -> Self {
        let keep = std::env::var_os("PLACE_TESTS_KEEP").unwrap_or_default();
        let mut guard = Command::new("sh");
        guard
            .args(["-c", GUARD, "sh"])
            .arg(directory)
            .arg(command.get_program());
        guard
            .args(command.get_args())
            .env("KEEP", keep)
            .stdin(Stdio::piped());
        for (name, value) in command.get_envs() {
            guard.env(name, value.unwrap_or(OsStr::new("")));
        }
        std::os::unix::process::CommandExt::process_group(&mut guard, 0);
        let guard = guard.spawn().expect("a shell to run the guard with");
        Self {
            guard,
            directory: directory.to_owned(),
        }
    }

    /// The child's process id, once it runs.
    pub(crate) fn id(&self) -> Option<u32> {
        let text = std::fs::read_to_string(self.directory.join("pid")).ok()?;
        text.trim().parse().ok()
    }

    /// The last lines of what the child wrote, for a failure's message.
    pub(crate) fn log_tail(&self, lines: usize) -> String {
        let log = std::fs::read_to_string(self.directory.join("log")).unwrap_or_default();
        let all: Vec<&str> = log.lines().collect();
        all[all.len().saturating_sub(lines)..].join("\n")
    }

    /// Everything that the child wrote so far.
    pub(crate) fn log(&self) -> String {
        std::fs::read_to_string(self.directory.join("log")).unwrap_or_default()
    }
}

impl Drop for Supervised {
    fn drop(&mut self) {
        drop(self.guard.stdin.take());
        let _ = self.guard.wait();
    }
}
