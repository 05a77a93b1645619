//! Starting, stopping and looking at a local cloud.

use std::fs;
use std::ops::ControlFlow;
use std::path::Path;
use std::time::Duration;

use super::error::LocalError;
use super::files::{Lock, gone};
use super::folder::Folder;
use super::logs::{self, LogQuery};
use super::process::{Process, end, members};
use super::secrets::{self, Secrets};
use super::settings::LocalSettings;
use super::state::{ChildState, Found, LocalState, LocalStatus, Record, Running};
use super::{emulator, ports, probe, redis};

/// Takes one line about what happens.
pub(crate) type Report<'a> = &'a (dyn Fn(&str) + Send + Sync);

/// Longer than any start that gets somewhere, an installation on a slow line included.
const LOCK_PATIENCE: Duration = Duration::from_mins(11);

/// One local cloud, running or not.
#[derive(Clone, Debug)]
pub(crate) struct LocalCloud {
    pub(super) settings: LocalSettings,
    folder: Folder,
}

impl LocalCloud {
    /// The local cloud that `settings` describe, where its state directory may be used. Touches
    /// nothing.
    pub(crate) fn new(settings: LocalSettings) -> Result<Self, LocalError> {
        let folder = Folder::new(&settings.state_dir, &settings.default_state_dir);
        folder.check()?;
        Ok(Self { settings, folder })
    }

    /// Starts what doesn't run yet and returns when everything answers. What this call started
    /// and could not bring up is ended again.
    pub(crate) async fn start(&self, report: Report<'_>) -> Result<Running, LocalError> {
        self.folder.make()?;
        let _lock = self.lock(report).await?;
        let mut record = self.usable_record(report).await?;
        let before: Vec<Process> = [record.live_emulator(), record.live_redis()]
            .into_iter()
            .flatten()
            .collect();
        let secrets = self.usable_secrets(&record)?;
        let started = self.bring_up(&mut record, secrets, report).await;
        if started.is_err() {
            end(self.state_dir(), &[], &before).await?;
        }
        started
    }

    /// Ends both children and every function process. False when nothing ran.
    pub(crate) async fn stop(&self, report: Report<'_>) -> Result<bool, LocalError> {
        if !self.folder.is_used()? {
            return Ok(false);
        }
        self.folder.make()?;
        let _lock = self.lock(report).await?;
        let record = Record::read(self.state_dir()).record();
        let polite: Vec<Process> = record
            .iter()
            .flat_map(|record| [record.live_emulator(), record.live_redis()])
            .flatten()
            .collect();
        let ran = !members(self.state_dir()).is_empty();
        if ran {
            report("stopping the local cloud");
        }
        end(self.state_dir(), &polite, &[]).await?;
        Record::remove(self.state_dir())?;
        Secrets::remove(self.state_dir())?;
        self.clear_scratch()?;
        Ok(ran)
    }

    /// How it is right now.
    pub(crate) async fn status(&self) -> LocalStatus {
        let found = Record::read(self.state_dir());
        let damaged = found == Found::Damaged;
        let record = found.record();
        let (emulator, redis) = self.children(record.as_ref()).await;
        LocalStatus {
            state: overall(emulator, redis),
            port: self.settings.port,
            redis_port: record.as_ref().map(|record| record.redis_port),
            version: record.as_ref().map(|record| record.version.clone()),
            emulator,
            redis,
            credentials: (overall(emulator, redis) == LocalState::Running)
                .then(|| secrets::path(self.state_dir())),
            state_dir: self.state_dir().to_owned(),
            detail: self.remark(damaged, emulator, redis),
        }
    }

    /// The local cloud, if the emulator answers. What a Redis that has ended means for the stack is for
    /// the stack's own checks to tell.
    pub(crate) async fn running(&self) -> Option<Running> {
        let record = Record::read(self.state_dir()).record()?;
        let secrets = Secrets::read(self.state_dir())?;
        match self.children(Some(&record)).await {
            (ChildState::Running { pid }, _) => {
                let redis = record.redis.map_or(0, |process| process.pid);
                Some(Running::new(
                    &record,
                    (pid, redis),
                    self.state_dir(),
                    secrets,
                ))
            }
            _ => None,
        }
    }

    /// Hands the lines of a log to `emit` until it breaks or, without `follow`, the log ends.
    pub(crate) async fn logs(
        &self,
        query: LogQuery,
        emit: impl FnMut(&str) -> ControlFlow<()>,
    ) -> Result<(), LocalError> {
        logs::read(self.state_dir(), query, emit).await
    }

    pub(super) fn state_dir(&self) -> &Path {
        &self.settings.state_dir
    }

    async fn lock(&self, report: Report<'_>) -> Result<Lock, LocalError> {
        let waiting = || report("waiting for another placectl to finish with this local cloud");
        Lock::take(self.state_dir().join("lock"), LOCK_PATIENCE, waiting).await
    }

    async fn children(&self, record: Option<&Record>) -> (ChildState, ChildState) {
        let Some(record) = record else {
            return (ChildState::Stopped, ChildState::Stopped);
        };
        let secrets = Secrets::read(self.state_dir());
        let password = secrets.map(|secrets| secrets.password).unwrap_or_default();
        let (health, pong) = tokio::join!(
            probe::emulator_health(record.port),
            probe::redis_answers(record.redis_port, &password)
        );
        let emulator = ChildState::of(record.emulator, health.is_some());
        (emulator, ChildState::of(record.redis, pong))
    }

    fn remark(&self, damaged: bool, emulator: ChildState, redis: ChildState) -> Option<String> {
        let port = self.settings.port;
        match (emulator, redis) {
            _ if damaged => Some(empty_start("the state file is damaged", "local cloud")),
            (ChildState::Stopped, _) if !ports::is_free(port) => {
                Some(format!("port {port} is taken by {}", ports::holder(port)))
            }
            (ChildState::Ended, _) => Some(empty_start("MiniStack has exited", "MiniStack")),
            (_, ChildState::Ended) => Some(empty_start("Redis has exited", "Redis")),
            _ => None,
        }
    }

    /// What the children wrote or read for their own use; the logs stay.
    fn clear_scratch(&self) -> Result<(), LocalError> {
        let configuration = self.state_dir().join(redis::CONFIGURATION);
        gone(&configuration, fs::remove_file(&configuration))?;
        let scratch = self.state_dir().join(emulator::SCRATCH);
        gone(&scratch, fs::remove_dir_all(&scratch))
    }
}

fn empty_start(cause: &str, what: &str) -> String {
    format!("{cause}; `placectl local start` starts an empty {what}")
}

const fn overall(emulator: ChildState, redis: ChildState) -> LocalState {
    match (emulator, redis) {
        (ChildState::Running { .. }, ChildState::Running { .. }) => LocalState::Running,
        (ChildState::Stopped, ChildState::Stopped) => LocalState::Stopped,
        _ => LocalState::Degraded,
    }
}
