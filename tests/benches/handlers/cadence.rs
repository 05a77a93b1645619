//! The broadcast's cadence: what a small, a large and a huge crowd cost while somebody paints, and
//! when nobody does.

use std::time::{Duration, Instant};

use place_config::Function as Kind;
use place_tests::lambda::play::{Painter, feed, most_in_a_second};
use place_tests::lambda::{Memory, Rig};

use super::report::Report;

/// How long one paints, and then nobody.
const PAINTING: Duration = Duration::from_secs(5);
const IDLE: Duration = Duration::from_secs(2);
/// Between two paints.
const PAUSE: Duration = Duration::from_millis(3);
/// Posts that were late on their way come together beside the budget.
const LATE: f64 = 1.05;

/// Paints, frames, posts and queue messages for each size of the crowd.
pub(crate) async fn measure(report: &mut Report) {
    for clients in [10, 1000, 10_000] {
        crowd(clients, report).await;
    }
}

#[expect(clippy::cast_precision_loss, reason = "counts are far below 2^52")]
async fn crowd(clients: usize, report: &mut Report) {
    let rig = Rig::start(Memory::Posts).await;
    rig.join(clients).await;
    let (painter, broadcast) = (Painter::new(&rig), rig.function(Kind::Broadcast));
    let painting = async {
        let (started, mut clock) = (Instant::now(), tokio::time::interval(PAUSE));
        let mut paints = 0;
        while started.elapsed() < PAINTING {
            clock.tick().await;
            painter.paint(paints).await;
            paints += 1;
        }
        paints
    };
    let (paints, messages) = feed(&rig, std::slice::from_ref(&broadcast), painting).await;
    let log = rig.gateway.log();
    tokio::time::sleep(IDLE).await;
    let idle = rig.gateway.log().len() - log.len();
    let who = format!("{clients} clients");
    let budget = f64::from(rig.env.max_posts_per_second);
    let (frames, most) = (log.len() as f64 / clients as f64, most_in_a_second(&log));
    report.add(format!("{who}, painted"), "messages", paints.into(), None);
    report.add(format!("{who}, each got"), "frames", frames, None);
    report
        .add(
            format!("{who}, most at once"),
            "posts in a second",
            most as f64,
            None,
        )
        .below(budget * LATE);
    report
        .add(format!("{who}, queued"), "messages", messages as f64, None)
        .below(f64::from(paints) / 10.0);
    report
        .add(
            format!("{who}, while nobody paints"),
            "posts",
            idle as f64,
            None,
        )
        .below(1.0);
}
