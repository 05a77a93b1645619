//! One Ctrl-C, SIGTERM or hang-up asks to stop, a second stops at once.

use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;

use crate::exit::Exit;
use crate::ui::Printer;

/// Listens from now on. The receiver turns true when the operator wants to stop: calls in flight
/// end, nothing new begins.
pub(crate) fn listen(printer: Printer) -> watch::Receiver<bool> {
    let (sender, receiver) = watch::channel(false);
    tokio::spawn(async move {
        let kinds = [
            SignalKind::interrupt(),
            SignalKind::terminate(),
            SignalKind::hangup(),
        ];
        let Ok(signals) = kinds.into_iter().map(signal).collect::<Result<Vec<_>, _>>() else {
            // Without handlers the system's own ones stay: the process ends at the first signal.
            return;
        };
        let mut signals = signals;
        next(&mut signals).await;
        printer.note("stopping: calls in flight are finished first; again to stop at once");
        // Nobody listens any more when the command is about to end by itself.
        let _ = sender.send(true);
        next(&mut signals).await;
        leave();
    });
    receiver
}

async fn next(signals: &mut [tokio::signal::unix::Signal]) {
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
