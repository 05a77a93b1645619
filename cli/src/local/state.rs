//! What is known of a local cloud: the record on disk, and the views that callers get.

use std::fs;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::error::LocalError;
use super::files::{at, gone};
use super::process::Process;
use super::secrets::{self, Secrets};

const FILE: &str = "state.json";

/// The state file: ports are written before anything starts, processes as they appear.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Record {
    /// Version of the emulator.
    pub(super) version: String,
    /// Port of the emulator.
    pub(super) port: u16,
    /// Port of Redis. The emulator was told it, so it stays as long as the emulator.
    pub(super) redis_port: u16,
    /// The emulator, once started.
    pub(super) emulator: Option<Process>,
    /// Redis, once started.
    pub(super) redis: Option<Process>,
}

/// What a state directory holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Found {
    /// No state file.
    Nothing,
    /// A state file that can't be read: half-written, or of another version.
    Damaged,
    /// A state file.
    Record(Record),
}

impl Found {
    /// The record, if there is a usable one.
    pub(super) fn record(self) -> Option<Record> {
        match self {
            Self::Record(record) => Some(record),
            Self::Nothing | Self::Damaged => None,
        }
    }
}

impl Record {
    /// Reads the state file of `state_dir`.
    pub(super) fn read(state_dir: &Path) -> Found {
        let Ok(text) = fs::read_to_string(state_dir.join(FILE)) else {
            return Found::Nothing;
        };
        serde_json::from_str(&text).map_or(Found::Damaged, Found::Record)
    }

    /// Writes the state file, whole or not at all.
    pub(super) fn write(&self, state_dir: &Path) -> Result<(), LocalError> {
        let path = state_dir.join(FILE);
        let text =
            serde_json::to_string_pretty(self).expect("a record of numbers and text is JSON");
        let draft = path.with_extension("json.new");
        fs::write(&draft, text).map_err(at("writing", &draft))?;
        fs::rename(&draft, &path).map_err(at("writing", &path))
    }

    /// Removes the state file, if there is one.
    pub(super) fn remove(state_dir: &Path) -> Result<(), LocalError> {
        let path = state_dir.join(FILE);
        gone(&path, fs::remove_file(&path))
    }

    /// The emulator, if it still runs.
    pub(super) fn live_emulator(&self) -> Option<Process> {
        self.emulator.filter(|process| process.is_alive())
    }

    /// Redis, if it still runs.
    pub(super) fn live_redis(&self) -> Option<Process> {
        self.redis.filter(|process| process.is_alive())
    }
}

/// A local cloud that answers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Running {
    /// Port of the emulator on 127.0.0.1.
    pub(crate) port: u16,
    /// Port of Redis on 127.0.0.1.
    pub(crate) redis_port: u16,
    /// Where AWS calls go.
    pub(crate) endpoint: String,
    /// Where Redis is, without its password.
    pub(crate) redis_url: String,
    /// The file with the key and the password, in the form of AWS's credentials file.
    pub(crate) credentials: PathBuf,
    /// What is in that file.
    #[serde(skip)]
    pub(crate) secrets: Secrets,
    /// Version of the emulator.
    pub(crate) version: String,
    /// Process id of the emulator.
    pub(crate) emulator_pid: u32,
    /// Process id of Redis.
    pub(crate) redis_pid: u32,
    /// State file and logs.
    pub(crate) state_dir: PathBuf,
}

impl Running {
    pub(super) fn new(
        record: &Record,
        pids: (u32, u32),
        state_dir: &Path,
        secrets: Secrets,
    ) -> Self {
        Self {
            port: record.port,
            redis_port: record.redis_port,
            endpoint: format!("http://127.0.0.1:{}", record.port),
            redis_url: format!("redis://127.0.0.1:{}", record.redis_port),
            credentials: secrets::path(state_dir),
            secrets,
            version: record.version.clone(),
            emulator_pid: pids.0,
            redis_pid: pids.1,
            state_dir: state_dir.to_owned(),
        }
    }
}

/// How a local cloud is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum LocalState {
    /// Both children answer.
    Running,
    /// It was started, and at least one child is gone or silent.
    Degraded,
    /// It was not started, or it was stopped.
    Stopped,
}

/// How a child is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub(crate) enum ChildState {
    /// It runs and answers.
    Running {
        /// Process id.
        pid: u32,
    },
    /// It runs but doesn't answer.
    Silent {
        /// Process id.
        pid: u32,
    },
    /// It was started and has ended without being stopped.
    Ended,
    /// It was not started.
    Stopped,
}

impl ChildState {
    pub(super) fn of(recorded: Option<Process>, answers: bool) -> Self {
        match recorded {
            None => Self::Stopped,
            Some(process) if !process.is_alive() => Self::Ended,
            Some(process) if answers => Self::Running { pid: process.pid },
            Some(process) => Self::Silent { pid: process.pid },
        }
    }
}

/// The answer to `placectl local status`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct LocalStatus {
    /// How it is as a whole.
    pub(crate) state: LocalState,
    /// Port of the emulator.
    pub(crate) port: u16,
    /// Port of Redis, once chosen.
    pub(crate) redis_port: Option<u16>,
    /// Version of the emulator.
    pub(crate) version: Option<String>,
    /// How the emulator is.
    pub(crate) emulator: ChildState,
    /// How Redis is.
    pub(crate) redis: ChildState,
    /// The file with the key and the password, while both children answer.
    pub(crate) credentials: Option<PathBuf>,
    /// State file and logs.
    pub(crate) state_dir: PathBuf,
    /// What is noteworthy besides, in words.
    pub(crate) detail: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record() -> Record {
        Record {
            version: "1".into(),
            port: 1,
            redis_port: 2,
            emulator: Some(Process { pid: 3, started: 4 }),
            redis: None,
        }
    }

    #[test]
    fn a_record_survives_the_disk() {
        let directory = tempfile::tempdir().unwrap();
        assert_eq!(Record::read(directory.path()), Found::Nothing);
        record().write(directory.path()).unwrap();
        assert_eq!(Record::read(directory.path()), Found::Record(record()));
        Record::remove(directory.path()).unwrap();
        Record::remove(directory.path()).unwrap();
        assert_eq!(Record::read(directory.path()), Found::Nothing);
    }

    #[test]
    fn a_damaged_record_is_recognised() {
        let directory = tempfile::tempdir().unwrap();
        for text in ["", "{\"port\":", "[]", "\u{0}"] {
            fs::write(directory.path().join(FILE), text).unwrap();
            assert_eq!(Record::read(directory.path()), Found::Damaged, "{text}");
        }
    }

    #[test]
    fn a_dead_child_has_ended_and_a_missing_one_is_stopped() {
        let dead = Some(Process {
            pid: u32::MAX,
            started: 1,
        });
        assert_eq!(ChildState::of(dead, true), ChildState::Ended);
        assert_eq!(ChildState::of(None, true), ChildState::Stopped);
    }
}
