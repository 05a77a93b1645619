//! The real plan without AWS: making and removing a resource only take time.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use tokio::sync::watch;
use tokio::time::Instant;

use super::scripted::Nowhere;
use super::{Stack, plan};
use crate::engine::{Failure, Observed, Poll, Progress, Resource, ResourceKey, Runner, Step, Wait};

/// When each removal began, since the plan was drawn up.
pub(crate) type Beginnings = Arc<Mutex<BTreeMap<ResourceKey, Duration>>>;

/// A resource of the real plan. What is made is waited for as all are: by looking now and then.
struct OnPaper {
    real: Arc<dyn Resource>,
    takes: Duration,
    there: Mutex<bool>,
    since: Instant,
    beginnings: Beginnings,
}

/// A run over the plan of `stack`, all of which is `there` or not; each resource takes as long as
/// `takes` says. Nobody can interrupt it.
pub(crate) fn runner(
    stack: &Arc<Stack>,
    there: bool,
    takes: impl Fn(&dyn Resource) -> Duration,
) -> (Runner, Beginnings) {
    let (beginnings, since) = (Beginnings::default(), Instant::now());
    let on_paper = |real: Arc<dyn Resource>| {
        Arc::new(OnPaper {
            takes: takes(&*real),
            real,
            there: Mutex::new(there),
            since,
            beginnings: Arc::clone(&beginnings),
        }) as Arc<dyn Resource>
    };
    let plan = plan(stack).into_iter().map(on_paper).collect();
    let (_, interrupted) = watch::channel(false);
    let runner = Runner::new(plan, Arc::new(Nowhere), interrupted).unwrap();
    (runner, beginnings)
}

#[async_trait(?Send)]
impl Resource for OnPaper {
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
    fn usual(&self) -> Duration {
        self.real.usual()
    }
    async fn observe(&self) -> Result<Observed, Failure> {
        Ok(if *self.there.lock().unwrap() {
            Observed::ready(self.name())
        } else {
            Observed::Absent
        })
    }
    async fn ensure(&self, _: &Observed, progress: &Progress) -> Result<(), Failure> {
        let made = Instant::now() + self.takes;
        let wait = Wait::new(self.name(), Duration::from_hours(1));
        let look = async || {
            Ok(if Instant::now() >= made {
                Poll::Ready(())
            } else {
                Poll::Pending("on its way".to_owned())
            })
        };
        progress.until(wait, look).await?;
        *self.there.lock().unwrap() = true;
        Ok(())
    }
    async fn remove(&self, _: &Progress) -> Result<(), Failure> {
        let began = self.since.elapsed();
        self.beginnings.lock().unwrap().insert(self.key(), began);
        tokio::time::sleep(self.takes).await;
        *self.there.lock().unwrap() = false;
        Ok(())
    }
}
