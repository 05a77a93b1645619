//! How long AWS usually takes to make each kind of resource, for forecasts. Waits have limits of
//! their own, which are far longer.

use std::time::Duration;

use crate::engine::Resource;

/// Usual time from nothing to usable.
///
/// AWS documents few of these. The figures are the middle of what is commonly seen; where there
/// is a published source it is named. Whatever is not listed is made within the call that asks.
pub(crate) fn of(resource: &dyn Resource) -> Duration {
    Duration::from_secs(match resource.kind() {
        // Acceptance runs of Terraform's provider take 13 to 29 minutes for creating and deleting
        // a group.
        "replication group" => 900,
        // "Under a minute" in AWS's announcement, some minutes in practice.
        "serverless cache" => 180,
        "NAT gateway" => 120,
        // Pending until Lambda's network interfaces are there: "a minute or so" (Lambda guide).
        "Lambda function" => 75,
        "event source mapping" => 15,
        // A new role is not assumable everywhere at once.
        "IAM role" | "table" => 10,
        // Updates are refused while the last one is under way.
        "Lambda environment" | "VPC" => 5,
        _ => 1,
    })
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use place_config::StackConfig;
    use place_config::stack::RedisMode;
    use tokio::time::Instant;

    use super::*;
    use crate::aws::Aws;
    use crate::engine::{Allowed, Verdict};
    use crate::steps::{Options, Stack, on_paper};

    /// Runs the real plan at AWS's pace. Returns how long it took, and what it hung on by the
    /// forecast, with how long each takes.
    async fn up(mode: RedisMode) -> (Duration, Vec<(&'static str, u64)>) {
        let mut config = StackConfig::default();
        config.redis.mode = mode;
        let stack = Arc::new(Stack::new(config, Aws::offline(), Options::default()));
        let (runner, _) = on_paper::runner(&stack, false, of);
        let survey = runner.survey().await;
        let mut spans = runner.timeline(&survey, of).spans;
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
}
