//! Child processes that outlive the command: started in a group of their own, found again by a
//! mark in their environment, ended politely first.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs::{self, File};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child as StdChild, Command, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use serde::{Deserialize, Serialize};

use super::error::LocalError;

/// The mark: the state directory that a process belongs to. MiniStack hands its own environment
/// to the functions that it runs, so these carry the mark too.
const MARK: &str = "PLACECTL_LOCAL";
/// Neither child has anything to save, and MiniStack waits seconds for its open connections.
const TERM_GRACE: Duration = Duration::from_secs(2);
const KILL_GRACE: Duration = Duration::from_secs(4);
const POLL: Duration = Duration::from_millis(20);

/// A process, told from a later one with the same id by the time it was started.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Process {
    /// Process id.
    pub(crate) pid: u32,
    /// When it was started, in clock ticks since boot (`starttime` of proc(5)).
    pub(crate) started: u64,
}

impl Process {
    /// The process that has `pid` now.
    fn of(pid: u32) -> Option<Self> {
        start_time(pid).map(|started| Self { pid, started })
    }

    /// Whether it still runs; neither a zombie nor a later process with its id counts.
    pub(super) fn is_alive(self) -> bool {
        start_time(self.pid) == Some(self.started)
    }
}

/// What to start.
pub(super) struct Launch<'a> {
    /// The program.
    pub(super) program: PathBuf,
    /// Its arguments.
    pub(super) arguments: Vec<OsString>,
    /// Its whole environment: nothing of the operator's (credentials, endpoints) is inherited.
    pub(super) environment: BTreeMap<&'static str, OsString>,
    /// The state directory: working directory and mark.
    pub(super) state_dir: &'a Path,
    /// Takes stdout and stderr.
    pub(super) log: File,
}

impl Launch<'_> {
    /// Starts it in a process group of its own, so that the terminal's Ctrl-C doesn't reach it.
    pub(super) fn spawn(self) -> Result<(StdChild, Process), LocalError> {
        let failed = |source| LocalError::File {
            action: "starting",
            path: self.program.clone(),
            source,
        };
        let errors = self.log.try_clone().map_err(failed)?;
        let child = Command::new(&self.program)
            .args(&self.arguments)
            .env_clear()
            .envs(&self.environment)
            .env(MARK, self.state_dir)
            .current_dir(self.state_dir)
            .stdin(Stdio::null())
            .stdout(self.log)
            .stderr(errors)
            .process_group(0)
            .spawn()
            .map_err(failed)?;
        let pid = child.id();
        // A child that ended at once is a zombie by now: alive for nobody, which is right.
        let process = Process::of(pid).unwrap_or(Process { pid, started: 0 });
        Ok((child, process))
    }
}

/// Every live process of the local cloud in `state_dir`: the children, and the functions that the
/// emulator runs.
pub(super) fn members(state_dir: &Path) -> Vec<Process> {
    let mut mark = format!("{MARK}=").into_bytes();
    mark.extend_from_slice(state_dir.as_os_str().as_bytes());
    let carries_mark = |pid: &u32| {
        fs::read(format!("/proc/{pid}/environ"))
            .is_ok_and(|environment| environment.split(|&b| b == 0).any(|entry| entry == mark))
    };
    process_ids()
        .filter(carries_mark)
        .filter_map(Process::of)
        .collect()
}

/// Ends `polite` with SIGTERM and, when they are gone or out of time, everything else of
/// `state_dir` but `keep` with SIGKILL: MiniStack leaves the processes of its functions behind.
pub(super) async fn end(
    state_dir: &Path,
    polite: &[Process],
    keep: &[Process],
) -> Result<(), LocalError> {
    let left = || {
        members(state_dir)
            .into_iter()
            .filter(|process| !keep.contains(process))
    };
    for process in polite.iter().filter(|process| process.is_alive()) {
        signal(*process, Signal::TERM);
    }
    wait_until(TERM_GRACE, || {
        !polite.iter().any(|process| process.is_alive())
    })
    .await;
    let all_ended = wait_until(KILL_GRACE, || {
        left().map(|process| signal(process, Signal::KILL)).count() == 0
    });
    if all_ended.await {
        return Ok(());
    }
    Err(LocalError::StillAlive {
        pids: left().map(|process| process.pid).collect(),
    })
}

/// Polls until `done`; false when `limit` passes first.
async fn wait_until(limit: Duration, mut done: impl FnMut() -> bool) -> bool {
    let since = Instant::now();
    while !done() {
        if since.elapsed() >= limit {
            return false;
        }
        tokio::time::sleep(POLL).await;
    }
    true
}

fn signal(process: Process, signal: Signal) {
    let pid = i32::try_from(process.pid).ok().and_then(Pid::from_raw);
    if let Some(pid) = pid {
        // Gone in the meantime is what is wanted; not permitted shows in what is left alive.
        let _ = kill_process(pid, signal);
    }
}

/// Ids of all processes that can be seen.
pub(super) fn process_ids() -> impl Iterator<Item = u32> {
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok())
}

/// `starttime` of proc(5), unless the process is gone or a zombie.
fn start_time(pid: u32) -> Option<u64> {
    parse_stat(&fs::read_to_string(format!("/proc/{pid}/stat")).ok()?)
}

/// The command in parentheses may hold spaces and parentheses: fields count from the last one.
fn parse_stat(stat: &str) -> Option<u64> {
    let (_, fields) = stat.rsplit_once(')')?;
    let mut fields = fields.split_whitespace();
    let state = fields.next()?;
    if matches!(state, "Z" | "X") {
        return None;
    }
    // State is field 3, starttime field 22.
    fields.nth(18)?.parse().ok()
}

/// The first executable file called `program` on `path` (the value of `PATH`). Relative entries do
/// not count: the working directory may be a stranger's checkout.
pub(super) fn find_program(program: &str, path: Option<OsString>) -> Option<PathBuf> {
    use std::os::unix::fs::PermissionsExt;

    let is_executable = |candidate: &PathBuf| {
        fs::metadata(candidate)
            .is_ok_and(|meta| meta.is_file() && meta.permissions().mode() & 0o111 != 0)
    };
    std::env::split_paths(&path?)
        .filter(|directory| directory.is_absolute())
        .map(|directory| directory.join(program))
        .find(is_executable)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn start_time_is_read_past_a_hostile_command_name() {
        let stat = "7 (a) Z 9 (b) S 1 7 7 0 -1 4194560 1 0 0 0 0 0 0 0 20 0 1 0 4242 9 9";
        assert_eq!(parse_stat(stat), Some(4242));
    }

    #[test]
    fn a_zombie_is_not_alive() {
        let stat = "7 (python3) Z 1 7 7 0 -1 4194560 1 0 0 0 0 0 0 0 20 0 1 0 4242 9 9";
        assert_eq!(parse_stat(stat), None);
        assert_eq!(parse_stat("nonsense"), None);
    }

    #[test]
    fn a_recycled_id_is_another_process() {
        let this = Process::of(std::process::id()).unwrap();
        assert!(this.is_alive());
        let earlier = Process {
            started: this.started.wrapping_sub(1),
            ..this
        };
        assert!(!earlier.is_alive());
    }

    #[test]
    fn programs_are_found_on_the_path() {
        let path = Some(OsString::from("/nowhere:/bin:/usr/bin"));
        assert!(find_program("sh", path.clone()).is_some());
        assert_eq!(find_program("no-such-program", path), None);
        assert_eq!(find_program("sh", None), None);
        let here = Some(OsString::from("::../../../../../../../bin"));
        assert_eq!(find_program("sh", here), None);
    }
}
