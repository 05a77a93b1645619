//! The cache, whichever mode it is in.
//!
//! It implements [`Resource`] by itself, because it looks after the other mode too: a cache that is
//! left of that mode is paid for, holds the canvas, and goes before or after a new one is made.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use place_config::stack::RedisMode;

use super::super::drift::Drift;
use super::super::repeat::{doing, until_gone, while_answer_is};
use super::super::{CacheEndpoint, Stack, keys, lifecycle};
use super::STEP;
use super::left_over::LeftOver;
use super::mode::{Found, Mode, State};
use super::owner::Marks;
use super::replication::Replication;
use super::serverless::Serverless;
use super::subnet_group::SubnetGroup;
use crate::aws::{AwsResult, Class, Owner};
use crate::engine::outcome::Difference;
use crate::engine::{Failure, Left, Observed, Progress, Resource, ResourceKey, Step, Wait};

/// Word for the state of a cache on its way out.
pub(super) const DELETING: &str = "deleting";

/// The cache.
pub(super) struct Cache {
    pub(super) stack: Arc<Stack>,
    pub(super) mode: Box<dyn Mode + Send + Sync>,
    pub(super) other: Box<dyn Mode + Send + Sync>,
    pub(super) subnet_group: Arc<dyn Resource>,
}

impl Cache {
    pub(super) fn new(stack: Arc<Stack>) -> Self {
        let subnet_group = lifecycle::resource(&stack, SubnetGroup);
        let (serverless, replication) = (Box::new(Serverless), Box::new(Replication));
        match stack.config.redis.mode {
            RedisMode::Serverless => Self {
                stack,
                mode: serverless,
                other: replication,
                subnet_group,
            },
            RedisMode::ReplicationGroup => Self {
                stack,
                mode: replication,
                other: serverless,
                subnet_group,
            },
        }
    }

    pub(super) async fn find(&self) -> Result<Option<Found>, Failure> {
        self.mode
            .find(&self.stack)
            .await
            .or_failure(|| doing("looking for", self))
    }

    /// What is to be said about a cache that is there.
    async fn judge(&self, found: Found) -> Result<Observed, Failure> {
        let id = self.name();
        let marks = Marks::of_cache(&self.stack, &found).await;
        let Some(marks) = marks.or_failure(|| doing("looking for", self))? else {
            // Without tags the owner is unknown, and the cache must not be changed.
            let state = word(&found.state);
            return Ok(Observed::Changing { id, state });
        };
        let owner = marks.owner(&self.stack, &keys::CACHE);
        if owner != Owner::Us {
            return Ok(Observed::foreign(id, owner.describe()));
        }
        let mut drift = marks.compare(&self.stack, &self.key());
        drift.note_all(found.differences);
        if self.has_left_group().await? {
            drift.note(left_group());
        }
        Ok(match found.state {
            State::Available => self.verdict(drift).await?,
            State::Changing(state) => Observed::Changing { id, state },
            State::Deleting => Observed::Changing {
                id,
                state: DELETING.to_owned(),
            },
            State::Failed(reason) => Observed::Broken { id, reason },
        })
    }

    /// The verdict on an existing cache: no cache of the stack may exist in the other mode.
    async fn verdict(&self, mut drift: Drift) -> Result<Observed, Failure> {
        match self.left_over().await? {
            LeftOver::Nothing => {}
            LeftOver::Ours => drift.note(self.left_cache()),
            LeftOver::Untold(state) => return Ok(self.untold(&state)),
        }
        Ok(drift.verdict(self.name()))
    }

    pub(super) async fn remove_one(
        &self,
        mode: &dyn Mode,
        progress: &Progress,
    ) -> Result<(), Failure> {
        let name = self.name();
        let action = format!("removing {} `{name}`", mode.kind());
        let limit = mode.times().limit;
        let wait = |what: &str| Wait::new(format!("{} `{name}` {what}", mode.kind()), limit);
        // A cache that is being created or changed can't be deleted until that is over.
        let delete = async || mode.delete(&self.stack).await;
        let free = wait("to be deletable").usual(1, 300);
        while_answer_is(progress, free, &[Class::Conflict], &action, delete)
            .await
            .map_err(|failure| failure.left(Left::Ours))?;
        let look = async || {
            Ok(mode
                .find(&self.stack)
                .await?
                .map(|found| word(&found.state)))
        };
        until_gone(
            progress,
            wait("to be deleted").usual(60, 900),
            &action,
            look,
        )
        .await
    }

    fn note(&self, endpoint: Option<CacheEndpoint>) {
        self.stack.found.cache.replace(endpoint);
    }
}

#[async_trait(?Send)]
impl Resource for Cache {
    fn key(&self) -> ResourceKey {
        keys::CACHE
    }

    fn step(&self) -> Step {
        STEP
    }

    fn kind(&self) -> &'static str {
        self.mode.kind()
    }

    fn name(&self) -> String {
        self.stack.names.cache()
    }

    fn needs(&self) -> Vec<ResourceKey> {
        let [first, second] = keys::PRIVATE_SUBNETS;
        let mut needs = vec![keys::PUBLIC_SUBNET, first, second, keys::CACHE_GROUP];
        if self.stack.config.redis.mode == RedisMode::ReplicationGroup {
            needs.push(keys::CACHE_SUBNET_GROUP);
        }
        needs
    }

    /// Nothing: a cache costs money by the hour, and the canvas was saved before.
    fn removed_after(&self) -> Option<Vec<ResourceKey>> {
        Some(Vec::new())
    }

    fn usual(&self) -> Duration {
        let (from, to) = self.mode.times().usual;
        Duration::from_secs(from.midpoint(to))
    }

    fn billable(&self) -> bool {
        true
    }

    async fn observe(&self) -> Result<Observed, Failure> {
        if let Some(found) = self.find().await? {
            self.note(found.endpoint.clone());
            return self.judge(found).await;
        }
        self.note(None);
        let mut drift = Drift::default();
        match self.left_over().await? {
            LeftOver::Untold(state) => return Ok(self.untold(&state)),
            LeftOver::Ours => drift.note(self.mode_difference()),
            LeftOver::Nothing if self.has_left_group().await? => drift.note(left_group()),
            LeftOver::Nothing => return Ok(Observed::Absent),
        }
        Ok(drift.verdict(self.name()))
    }

    async fn ensure(&self, observed: &Observed, progress: &Progress) -> Result<(), Failure> {
        self.replace(observed, progress).await?;
        match self.find().await? {
            None => {
                self.refuse_second(progress).await?;
                self.start(progress).await?;
            }
            Some(found) if matches!(observed, Observed::Foreign { .. }) => {
                self.tag(&found.arn, progress).await?;
            }
            Some(_) => {}
        }
        let found = self.until_available(progress).await?;
        self.refuse_foreign(progress).await?;
        self.mend_tags(&found.arn, progress).await?;
        let found = self.mend(found, progress).await?;
        self.note(found.endpoint);
        self.remove_left_over(progress).await
    }

    async fn remove(&self, progress: &Progress) -> Result<(), Failure> {
        if self.whose(progress).await? == Some(Owner::Us) {
            self.remove_one(&*self.mode, progress).await?;
        }
        self.remove_left_over(progress).await?;
        self.note(None);
        Ok(())
    }
}

/// A subnet group that outlived its replication group.
fn left_group() -> Difference {
    Difference::new("CacheSubnetGroup", "of the other mode", "none")
}

pub(super) fn word(state: &State) -> String {
    match state {
        State::Available => "available".to_owned(),
        State::Deleting => DELETING.to_owned(),
        State::Changing(state) | State::Failed(state) => state.clone(),
    }
}
