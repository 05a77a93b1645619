//! One Ctrl-C, SIGTERM or hang-up asks to stop, a second stops at once.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::watch;

use crate::error::CommandError;
use crate::exit::Exit;
use crate::ui::Printer;

/// How the operator's wish to stop is heard.
#[derive(Clone, Debug)]
pub(crate) struct Interrupt {
    stop: watch::Receiver<bool>,
    finishes: Arc<AtomicBool>,
}

impl Interrupt {
    /// Listens from now on.
    pub(crate) fn listen(printer: Printer) -> Self {
        let (sender, stop) = watch::channel(false);
        let finishes = Arc::<AtomicBool>::default();
        let finishing = Arc::clone(&finishes);
        tokio::spawn(async move {
            let ends = [SignalKind::interrupt(), SignalKind::terminate()];
            let ends = ends.into_iter().map(signal).collect::<Result<Vec<_>, _>>();
            let (Ok(mut ends), Ok(mut hangup)) = (ends, hangups()) else {
                // Without handlers the system's own ones stay: the first signal ends the process.
                return;
            };
            tokio::select! {
                () = next(&mut ends) => {}
                () = next(&mut hangup) => {}
            }
            if finishing.load(Ordering::Relaxed) {
                printer
                    .note("Stopping after the calls in progress. Press Ctrl-C again to stop now.");
            }
            // No receiver is left when the command is about to end by itself.
            let _ = sender.send(true);
            // When a terminal closes, the kernel and the shell may both send SIGHUP: two signals,
            // but only one request to stop.
            next(&mut ends).await;
            leave();
        });
        Self { stop, finishes }
    }

    /// Turns true when the operator wants to stop: calls in flight end, nothing new begins.
    pub(crate) fn stop(&self) -> watch::Receiver<bool> {
        self.stop.clone()
    }

    /// From now on the command ends what it has begun before it stops.
    pub(crate) fn will_finish(&self) {
        self.finishes.store(true, Ordering::Relaxed);
    }

    /// Does `work`, and drops it where it is when the operator wants to stop.
    pub(crate) async fn or_stop<T>(
        &self,
        work: impl Future<Output = Result<T, CommandError>>,
    ) -> Result<T, CommandError> {
        let mut stop = self.stop();
        let stopped = async {
            // A closed channel means that no interrupt can come.
            if stop.wait_for(|stop| *stop).await.is_err() {
                std::future::pending::<()>().await;
            }
        };
        tokio::select! {
            biased;
            () = stopped => Err(CommandError::Interrupted),
            done = work => done,
        }
    }
}

/// None where whoever started the command made it deaf to them, as `nohup` does, so that it outlives
/// the terminal.
fn hangups() -> std::io::Result<Vec<Signal>> {
    if are_hangups_ignored() {
        return Ok(Vec::new());
    }
    Ok(vec![signal(SignalKind::hangup())?])
}

/// As Linux tells it (`proc_pid_status(5)`: `SigIgn` is a mask in hexadecimal digits, signal 1 the
/// lowest bit). Elsewhere nobody tells, and a hang-up ends the command.
fn are_hangups_ignored() -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let mask = mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok());
    mask.is_some_and(|mask| mask & 1 == 1)
}

async fn next(signals: &mut [Signal]) {
    if signals.is_empty() {
        return std::future::pending().await;
    }
    let any = signals.iter_mut().map(|signal| Box::pin(signal.recv()));
    futures::future::select_all(any).await;
}

#[expect(
    clippy::exit,
    reason = "a second interrupt ends the program wherever it is"
)]
fn leave() {
    std::process::exit(Exit::Interrupted.code().into());
}
