//! The owner of the cache: placectl changes a cache only after the tags are known.

use place_config::stack::RedisMode;

use super::super::drift::Drift;
use super::super::keys;
use super::super::repeat::{doing, while_answer_is};
use super::instance::{Cache, word};
use super::mode::Found;
use super::owner::{Marks, adopt, owner_of_cache};
use crate::aws::{AwsResult, Class, Owner};
use crate::engine::{Failure, Observed, Poll, Progress, Resource, Wait};

impl Cache {
    /// Whether a subnet group of ours is left from the other mode: a serverless cache has none.
    pub(super) async fn has_left_group(&self) -> Result<bool, Failure> {
        if self.stack.config.redis.mode != RedisMode::Serverless {
            return Ok(false);
        }
        // A subnet group of another owner, or in deletion, does not count.
        let observed = self.subnet_group.observe().await?;
        Ok(matches!(
            observed,
            Observed::Ready { .. } | Observed::Drifted { .. }
        ))
    }

    /// The owner of the cache with the stack's name; none once the cache is deleted.
    pub(super) async fn whose(&self, progress: &Progress) -> Result<Option<Owner>, Failure> {
        self.told(async || self.find().await, progress).await
    }

    /// Whether a cache of the stack exists in the other mode.
    pub(super) async fn has_left_over(&self, progress: &Progress) -> Result<bool, Failure> {
        let whose = self
            .told(async || self.find_other().await, progress)
            .await?;
        Ok(whose == Some(Owner::Us))
    }

    /// The owner of the cache that `find` finds. ElastiCache refuses `ListTagsForResource` of
    /// a cache that is not in the available state (ElastiCache API reference).
    async fn told(
        &self,
        find: impl AsyncFn() -> Result<Option<Found>, Failure>,
        progress: &Progress,
    ) -> Result<Option<Owner>, Failure> {
        let action = || doing("looking for", self);
        let what = format!("ElastiCache to return the tags of cache `{}`", self.name());
        let wait = Wait::new(what, self.mode.times().limit).usual(0, 300);
        let look = async || {
            let Some(found) = find().await? else {
                return Ok(Poll::Ready(None));
            };
            let owner = owner_of_cache(&self.stack, &found).await;
            let owner = owner.or_failure(action)?;
            Ok(match owner {
                Some(owner) => Poll::Ready(Some(owner)),
                None => Poll::Pending(word(&found.state)),
            })
        };
        progress.until(wait, look).await
    }

    /// A cache that was `creating` in the survey shows its tags only now.
    pub(super) async fn refuse_foreign(&self, progress: &Progress) -> Result<(), Failure> {
        match self.whose(progress).await? {
            None | Some(Owner::Us) => Ok(()),
            Some(other) => Err(Failure::new(doing("creating", self))
                .caused_by(format!(
                    "a cache of this name already exists, {}",
                    other.describe()
                ))
                .hint("`--adopt` takes the cache over; or set another `redis.name`")),
        }
    }

    /// Puts back tags that somebody took off.
    pub(super) async fn mend_tags(&self, arn: &str, progress: &Progress) -> Result<(), Failure> {
        let marks = Marks::of(&self.stack, arn).await;
        let marks = marks.or_failure(|| doing("looking for", self))?;
        match marks.map(|marks| marks.compare(&self.stack, &self.key())) {
            Some(drift) if drift != Drift::default() => self.tag(arn, progress).await,
            _ => Ok(()),
        }
    }

    pub(super) async fn tag(&self, arn: &str, progress: &Progress) -> Result<(), Failure> {
        let wait = Wait::new(
            format!("cache `{}` to accept tags", self.name()),
            self.mode.times().limit,
        );
        let (action, passing) = (doing("tagging", self), [Class::Conflict]);
        let tag = async || adopt(&self.stack, arn, &keys::CACHE).await;
        while_answer_is(progress, wait.usual(0, 300), &passing, &action, tag).await
    }
}
