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
    use std::sync::{Arc, Mutex};

    use async_trait::async_trait;
    use place_config::StackConfig;
    use place_config::stack::RedisMode;
    use tokio::sync::watch;
    use tokio::time::Instant;

    use super::*;
    use crate::aws::Aws;
    use crate::engine::{
        Allowed, Event, EventSink, Failure, Observed, Poll, Progress, ResourceKey, Runner, Step,
        Verdict, Wait,
    };
    use crate::steps::{Options, Stack, plan};

    /// A resource of the real plan that is there when AWS's usual time is over, and is waited for
    /// as all are: by looking now and then.
    struct Paced {
        real: Arc<dyn Resource>,
        made: Mutex<bool>,
    }

    #[async_trait(?Send)]
    impl Resource for Paced {
        fn key(&self) -> ResourceKey {
            self.real.key()
        }
        fn step(&self) -> Step {
            self.real.step()
        }
        fn kind(&self) -> &'static str {
            self.real.kind()
        }
        fn name(&self) -> String {
            self.real.name()
        }
        fn needs(&self) -> Vec<ResourceKey> {
            self.real.needs()
        }
        fn removed_after(&self) -> Option<Vec<ResourceKey>> {
            self.real.removed_after()
        }
        async fn observe(&self) -> Result<Observed, Failure> {
            let made = *self.made.lock().unwrap();
            Ok(if made {
                Observed::ready(self.name())
            } else {
                Observed::Absent
            })
        }
        async fn ensure(&self, _: &Observed, progress: &Progress) -> Result<(), Failure> {
            let there = Instant::now() + of(&*self.real);
            let wait = Wait::new(self.name(), Duration::from_hours(1));
            let look = async || {
                let left = there.saturating_duration_since(Instant::now());
                Ok(if left.is_zero() {
                    Poll::Ready(())
                } else {
                    Poll::Pending("on its way".to_owned())
                })
            };
            progress.until(wait, look).await?;
            *self.made.lock().unwrap() = true;
            Ok(())
        }
        async fn remove(&self, _: &Progress) -> Result<(), Failure> {
            unreachable!("nothing is removed here")
        }
    }

    struct Deaf;

    impl EventSink for Deaf {
        fn event(&self, _: &Event) {}
    }

    /// Runs the real plan at AWS's pace. Returns how long it took, and what it hung on by the
    /// forecast, with how long each takes.
    async fn up(mode: RedisMode) -> (Duration, Vec<(&'static str, u64)>) {
        let mut config = StackConfig::default();
        config.redis.mode = mode;
        let stack = Arc::new(Stack::new(config, Aws::offline(), Options::default()));
        let paced = |real| {
            Arc::new(Paced {
                real,
                made: Mutex::default(),
            }) as Arc<dyn Resource>
        };
        let (_stop, interrupted) = watch::channel(false);
        let plan = plan(&stack).into_iter().map(paced).collect();
        let runner = Runner::new(plan, Arc::new(Deaf), interrupted).unwrap();
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
