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
        Allowed, Event, EventSink, Failure, Observed, Progress, ResourceKey, Runner, Step, Verdict,
    };
    use crate::steps::{Options, Stack, plan};

    /// A resource of the real plan whose making takes AWS's usual time and does nothing else.
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
        async fn ensure(&self, _: &Observed, _: &Progress) -> Result<(), Failure> {
            tokio::time::sleep(of(&*self.real)).await;
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

    /// Runs the real plan at AWS's pace and returns how long it and the cache alone take.
    async fn up(mode: RedisMode) -> (Duration, Duration) {
        let mut config = StackConfig::default();
        config.redis.mode = mode;
        let stack = Arc::new(Stack::new(config, Aws::offline(), Options::default()));
        let plan = plan(&stack);
        let slowest = plan.iter().map(|resource| of(&**resource)).max().unwrap();
        let paced = |real| {
            Arc::new(Paced {
                real,
                made: Mutex::default(),
            }) as Arc<dyn Resource>
        };
        let (_stop, interrupted) = watch::channel(false);
        let plan = plan.into_iter().map(paced).collect();
        let runner = Runner::new(plan, Arc::new(Deaf), interrupted).unwrap();
        let survey = runner.survey().await;
        let forecast = runner.timeline(&survey, of).total;
        let began = Instant::now();
        let report = runner.up(&survey, Allowed::default()).await;
        assert_eq!(report.verdict, Verdict::Done);
        let took = began.elapsed();
        assert!(
            took <= forecast.mul_f64(1.05),
            "{took:?} instead of {forecast:?}"
        );
        (took, slowest)
    }

    #[tokio::test(start_paused = true)]
    async fn up_hangs_on_the_cache_and_hardly_on_anything_else() {
        for mode in [RedisMode::Serverless, RedisMode::ReplicationGroup] {
            let (took, cache) = up(mode).await;
            // The network before it; the environments and the event sources after it.
            let margin = Duration::from_secs(30);
            assert!(
                took <= cache + margin,
                "{mode:?}: {took:?}, the cache alone {cache:?}"
            );
        }
    }
}
