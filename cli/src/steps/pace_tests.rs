//! How long AWS usually takes, and what `up` makes of it.

use std::sync::Arc;
use std::time::Duration;

use place_config::StackConfig;
use place_config::stack::RedisMode;
use tokio::time::Instant;

use super::{Options, Stack, on_paper};
use crate::aws::Aws;
use crate::engine::{Allowed, Verdict};

/// Runs the real plan at AWS's pace. Returns how long it took, and what it hung on by the
/// forecast, with how long each takes.
async fn up(mode: RedisMode) -> (Duration, Vec<(&'static str, u64)>) {
    let mut config = StackConfig::default();
    config.redis.mode = mode;
    let stack = Arc::new(Stack::new(config, Aws::offline(), Options::default()));
    let (runner, _) = on_paper::runner(&stack, false, |resource| resource.usual());
    let survey = runner.survey().await;
    let mut spans = runner.timeline(&survey, |resource| resource.usual()).spans;
    spans.retain(|span| span.critical);
    spans.sort_by_key(|span| span.start);
    let critical = spans.iter().map(|span| (span.kind, span.length.as_secs()));
    let began = Instant::now();
    let report = runner.up(&survey, Allowed::default()).await;
    assert_eq!(report.verdict, Verdict::Done);
    (began.elapsed(), critical.collect())
}

/// The cache decides; before it comes what it stands in, after it only what has to know it.
#[tokio::test(start_paused = true)]
async fn up_takes_at_most_a_twentieth_longer_than_what_it_hangs_on() {
    let before = [("VPC", 5), ("subnet", 1)];
    let after = [("Lambda environment", 5), ("event source mapping", 15)];
    let serverless = &[("serverless cache", 180)][..];
    let group = &[("cache subnet group", 1), ("replication group", 900)][..];
    for (mode, cache) in [
        (RedisMode::Serverless, serverless),
        (RedisMode::ReplicationGroup, group),
    ] {
        let path = [&before[..], cache, &after[..]].concat();
        let (took, critical) = up(mode).await;
        assert_eq!(critical, path);
        let least = Duration::from_secs(path.iter().map(|(_, seconds)| seconds).sum());
        assert!(took >= least, "{mode:?}: {took:?} instead of {least:?}");
        // Part of it is that what is there is seen at the next look only.
        let most = least.mul_f64(1.05);
        assert!(took <= most, "{mode:?}: {took:?} instead of {least:?}");
    }
}
