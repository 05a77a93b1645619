//! The wait for a child's first answer.

use std::path::PathBuf;
use std::process::Child as StdChild;
use std::time::{Duration, Instant};

use super::error::{Child, LocalError};
use super::files::tail;
use super::process::Process;

/// A cold start of the emulator on a busy machine takes some ten seconds.
const READY_PATIENCE: Duration = Duration::from_mins(1);
const POLL: Duration = Duration::from_millis(30);
const TAIL_LINES: usize = 15;

/// What is waited for.
pub(super) struct Wait {
    /// Which child.
    pub(super) child: Child,
    /// Its port.
    pub(super) port: u16,
    /// Its process.
    pub(super) process: Process,
    /// Its log: the end of it explains a failure.
    pub(super) log: PathBuf,
}

impl Wait {
    /// Asks until `answers` says yes, the child is gone, or patience ends.
    pub(super) async fn until<F>(
        self,
        mut handle: Option<StdChild>,
        answers: impl Fn() -> F,
    ) -> Result<(), LocalError>
    where
        F: Future<Output = bool>,
    {
        let since = Instant::now();
        loop {
            // Asked in this order, a stranger that took the port in between is not mistaken for
            // the child: the child ends when it can't have its port.
            let answered = answers().await;
            if !self.process.is_alive() {
                return Err(self.ended(handle.as_mut()));
            }
            if answered {
                return Ok(());
            }
            if since.elapsed() >= READY_PATIENCE {
                return Err(self.no_answer(since.elapsed()));
            }
            tokio::time::sleep(POLL).await;
        }
    }

    fn ended(self, handle: Option<&mut StdChild>) -> LocalError {
        let status = handle.and_then(|child| child.try_wait().ok().flatten());
        LocalError::ChildEnded {
            child: self.child,
            status: status.map_or("gone".to_owned(), |status| status.to_string()),
            tail: tail(&self.log, TAIL_LINES),
            log: self.log,
        }
    }

    fn no_answer(self, waited: Duration) -> LocalError {
        LocalError::NoAnswer {
            child: self.child,
            pid: self.process.pid,
            port: self.port,
            waited,
            tail: tail(&self.log, TAIL_LINES),
            log: self.log,
        }
    }
}
