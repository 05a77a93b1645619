//! Starts the local cloud, whatever an earlier one left behind.

use std::path::Path;
use std::process::Child as StdChild;
use std::time::{Duration, Instant};

use super::cloud::{LocalCloud, Report};
use super::error::{Child, LocalError};
use super::files::at;
use super::install::{MINISTACK_VERSION, python};
use super::process::{Process, end, members};
use super::secrets::Secrets;
use super::state::{Found, Record, Running};
use super::wait::Wait;
use super::{emulator, ports, probe, redis};

/// Tries to get a free port for Redis: between finding one and taking it, another may come first.
const PORT_TRIES: u32 = 5;
/// A killed process counts as gone as soon as its first thread is; the others hold its sockets for
/// a moment longer.
const PORT_GRACE: Duration = Duration::from_secs(1);
const PORT_POLL: Duration = Duration::from_millis(20);

impl LocalCloud {
    /// The record to start from: recorded processes that live are kept, other processes are
    /// stopped.
    pub(super) async fn usable_record(&self, report: Report<'_>) -> Result<Record, LocalError> {
        let found = Record::read(self.state_dir());
        if found == Found::Damaged {
            report("the state file is damaged: starting an empty local cloud");
        }
        let record = found
            .record()
            .filter(|record| record.port == self.settings.port);
        let emulator = record.as_ref().and_then(Record::live_emulator);
        let redis = record.as_ref().and_then(Record::live_redis);
        if emulator.is_none() {
            let keep: Vec<Process> = redis.into_iter().collect();
            self.end_strays(&keep, report).await?;
        }
        let was_started = record
            .as_ref()
            .is_some_and(|record| record.emulator.is_some());
        for (child, process) in [(Child::Emulator, emulator), (Child::Redis, redis)] {
            if was_started && process.is_none() {
                report(&format!("{child} had exited: starting an empty {child}"));
            }
        }
        match record {
            Some(record) if emulator.is_some() || redis.is_some() => Ok(Record {
                emulator,
                redis,
                ..record
            }),
            _ => self.fresh_record(),
        }
    }

    fn fresh_record(&self) -> Result<Record, LocalError> {
        let redis_port = match self.settings.redis_port {
            Some(port) => port,
            None => {
                ports::free_port().map_err(at("finding a free port for", Path::new("Redis")))?
            }
        };
        Ok(Record {
            version: MINISTACK_VERSION.to_owned(),
            port: self.settings.port,
            redis_port,
            emulator: None,
            redis: None,
        })
    }

    async fn end_strays(&self, keep: &[Process], report: Report<'_>) -> Result<(), LocalError> {
        let strays = members(self.state_dir())
            .iter()
            .filter(|p| !keep.contains(p))
            .count();
        if strays == 0 {
            return Ok(());
        }
        report(&format!(
            "stopping {strays} processes of an earlier local cloud"
        ));
        end(self.state_dir(), &[], keep).await
    }

    /// What lets a caller in: kept as long as a child runs that was told it.
    pub(super) fn usable_secrets(&self, record: &Record) -> Result<Secrets, LocalError> {
        if record.emulator.is_none() && record.redis.is_none() {
            return Secrets::create(self.state_dir());
        }
        Secrets::read(self.state_dir()).ok_or(LocalError::NoKey { port: record.port })
    }

    /// Starts each child that the record doesn't hold, and waits until both answer.
    pub(super) async fn bring_up(
        &self,
        record: &mut Record,
        secrets: Secrets,
        report: Report<'_>,
    ) -> Result<Running, LocalError> {
        if record.emulator.is_none() {
            self.need_port(record.port, Child::Emulator).await?;
        }
        self.mention_differences(record, report);
        let redis = self.ensure_redis(record, &secrets, report).await?;
        let emulator = self.ensure_emulator(record, &secrets, report).await?;
        Ok(Running::new(
            record,
            (emulator.pid, redis.pid),
            self.state_dir(),
            secrets,
        ))
    }

    async fn ensure_redis(
        &self,
        record: &mut Record,
        secrets: &Secrets,
        report: Report<'_>,
    ) -> Result<Process, LocalError> {
        if let Some(process) = record.redis {
            self.wait_redis((record.redis_port, secrets), process, None)
                .await?;
            return Ok(process);
        }
        let program = redis::program()?;
        let may_move = self.settings.redis_port.is_none() && record.emulator.is_none();
        for attempt in 1.. {
            self.need_port(record.redis_port, Child::Redis).await?;
            record.write(self.state_dir())?;
            report(&format!("starting Redis on port {}", record.redis_port));
            let launch = redis::launch(
                program.clone(),
                self.state_dir(),
                record.redis_port,
                secrets,
            )?;
            let (child, process) = launch.spawn()?;
            record.redis = Some(process);
            record.write(self.state_dir())?;
            match self
                .wait_redis((record.redis_port, secrets), process, Some(child))
                .await
            {
                Err(LocalError::ChildEnded { .. }) if may_move && attempt < PORT_TRIES => {
                    *record = Record {
                        redis: None,
                        ..self.fresh_record()?
                    };
                }
                outcome => return outcome.map(|()| process),
            }
        }
        unreachable!("the loop returns")
    }

    async fn ensure_emulator(
        &self,
        record: &mut Record,
        secrets: &Secrets,
        report: Report<'_>,
    ) -> Result<Process, LocalError> {
        if let Some(process) = record.emulator {
            self.wait_emulator(record.port, process, None).await?;
            report(&format!("MiniStack runs on port {}", record.port));
            return Ok(process);
        }
        let python = python(&self.settings.cache_dir, report).await?;
        report(&format!(
            "starting MiniStack {MINISTACK_VERSION} on port {}",
            record.port
        ));
        let ports = emulator::Ports {
            port: record.port,
            redis: record.redis_port,
        };
        let launch = emulator::launch(python, self.state_dir(), ports, secrets)?;
        let (child, process) = launch.spawn()?;
        record.emulator = Some(process);
        MINISTACK_VERSION.clone_into(&mut record.version);
        record.write(self.state_dir())?;
        self.wait_emulator(record.port, process, Some(child))
            .await?;
        Ok(process)
    }

    async fn wait_redis(
        &self,
        (port, secrets): (u16, &Secrets),
        process: Process,
        child: Option<StdChild>,
    ) -> Result<(), LocalError> {
        let log = self.state_dir().join(redis::LOG);
        let wait = Wait {
            child: Child::Redis,
            port,
            process,
            log,
        };
        wait.until(child, || probe::redis_answers(port, &secrets.password))
            .await
    }

    async fn wait_emulator(
        &self,
        port: u16,
        process: Process,
        child: Option<StdChild>,
    ) -> Result<(), LocalError> {
        let log = self.state_dir().join(emulator::LOG);
        let wait = Wait {
            child: Child::Emulator,
            port,
            process,
            log,
        };
        wait.until(child, || async move {
            probe::emulator_health(port).await.is_some()
        })
        .await
    }

    async fn need_port(&self, port: u16, child: Child) -> Result<(), LocalError> {
        let since = Instant::now();
        while since.elapsed() < PORT_GRACE {
            if ports::is_free(port) {
                return Ok(());
            }
            tokio::time::sleep(PORT_POLL).await;
        }
        let mut holder = ports::holder(port);
        if let Some(health) = probe::emulator_health(port).await {
            holder = format!("another MiniStack {}, {holder}", health.version);
        }
        Err(LocalError::PortTaken {
            port,
            child,
            holder,
        })
    }

    fn mention_differences(&self, record: &Record, report: Report<'_>) {
        if record.emulator.is_some() && record.version != MINISTACK_VERSION {
            report(&format!(
                "MiniStack {} runs, but this placectl needs {MINISTACK_VERSION}: restart the local \
                 cloud to change the version",
                record.version
            ));
        }
        if self
            .settings
            .redis_port
            .is_some_and(|port| port != record.redis_port)
        {
            report(&format!(
                "Redis stays on port {}: restart the local cloud to change the port",
                record.redis_port
            ));
        }
    }
}
