//! A command's wall time and peak memory.

use std::time::Duration;

use place_tests::Placectl;
use place_tests::process::Resident;

const POLL: Duration = Duration::from_millis(2);

/// What a run took.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Watched {
    /// From start to end.
    pub(crate) elapsed: Duration,
    /// Highest resident set, in KiB (`VmHWM` of proc(5), read until the end).
    pub(crate) peak_kib: u64,
}

/// Runs a command, which must succeed, and watches its memory.
pub(crate) async fn watch(command: Placectl) -> Watched {
    let running = command.spawn();
    let sampler = tokio::spawn(sample(running.id()));
    let finished = running.finish().await.expect_code(0);
    let peak_kib = sampler.await.expect("the sampler ends with the process");
    Watched {
        elapsed: finished.elapsed,
        peak_kib,
    }
}

async fn sample(pid: u32) -> u64 {
    let mut peak = 0;
    while let Some(memory) = Resident::of(pid) {
        peak = peak.max(memory.peak);
        tokio::time::sleep(POLL).await;
    }
    peak
}
