//! The schedule group.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use aws_sdk_scheduler::operation::get_schedule_group::GetScheduleGroupOutput;
use aws_sdk_scheduler::types::{ScheduleGroupState, Tag};

use super::{GROUP_KEY, GroupIsOurs};
use crate::aws::{Answer, AwsError, AwsResult, Class};
use crate::engine::{Failure, Observed, Poll, Progress, Resource, ResourceKey, Step, Wait};
use crate::steps::Stack;
use crate::steps::drift::{self, Drift};
use crate::steps::lost::{Creation, Made};
use crate::steps::repeat::{doing, while_answer_is};
use crate::steps::telling::Telling;

/// Longest wait for the group to go; its deletion is eventually consistent.
const PATIENCE: Duration = Duration::from_mins(5);

/// The schedule group.
#[derive(Debug)]
pub(super) struct ScheduleGroup {
    stack: Arc<Stack>,
    is_ours: GroupIsOurs,
}

/// The group as the scheduler answers it.
struct Found {
    group: GetScheduleGroupOutput,
    /// Those that the scheduler tells: perhaps none of a group on its way out.
    tags: Vec<Tag>,
}

impl Found {
    fn is_deleting(&self) -> bool {
        self.group.state == Some(ScheduleGroupState::Deleting)
    }
}

impl ScheduleGroup {
    pub(super) fn new(stack: &Arc<Stack>, is_ours: &GroupIsOurs) -> Arc<Self> {
        Arc::new(Self {
            stack: Arc::clone(stack),
            is_ours: Arc::clone(is_ours),
        })
    }

    fn arn(&self) -> String {
        self.stack
            .aws
            .arn("scheduler", &format!("schedule-group/{}", self.name()))
    }

    async fn describe(&self) -> Result<Option<GetScheduleGroupOutput>, AwsError> {
        let answer = self
            .stack
            .aws
            .scheduler
            .get_schedule_group()
            .name(self.name())
            .send()
            .await;
        answer.during("scheduler:GetScheduleGroup").absent_as_none()
    }

    async fn look(&self) -> Result<Option<Found>, AwsError> {
        let tags = self
            .stack
            .aws
            .scheduler
            .list_tags_for_resource()
            .resource_arn(self.arn());
        let (group, tags) = tokio::join!(self.describe(), tags.send());
        let tags = tags
            .during("scheduler:ListTagsForResource")
            .absent_as_none()?;
        let tags = tags.and_then(|answer| answer.tags).unwrap_or_default();
        Ok(group?.map(|group| Found { group, tags }))
    }

    fn compare(&self, found: &Found) -> Drift {
        let mut drift = Drift::default();
        drift.tags(&self.stack, &GROUP_KEY, found.tags.as_slice());
        drift
    }

    /// Creates it, once an earlier one of that name has quite gone, or finds the one that is there
    /// already, perhaps by a call whose answer got lost.
    async fn create(&self, progress: &Progress) -> Result<Made<(), Found>, Failure> {
        let what = format!("the name of schedule group `{}` to be free", self.name());
        let action = doing("creating", self);
        let creation = Creation::new(&self.stack, progress, &action)
            .waiting(Wait::new(what, PATIENCE).usual(0, 60));
        let mut telling = Telling::default();
        // One on its way out is none, and whose one is that tells no tags yet is not known.
        let look = async || {
            let found = self.look().await?.filter(|found| !found.is_deleting());
            Ok(found.filter(|found| !telling.is_due(!found.tags.is_empty(), true)))
        };
        creation
            .run_named(look, async || self.try_create().await)
            .await
    }

    async fn try_create(&self) -> Result<Option<()>, AwsError> {
        let create = self.stack.aws.scheduler.create_schedule_group();
        let create = create
            .name(self.name())
            .set_tags(Some(self.stack.ownership.list(&GROUP_KEY)));
        let created = create.send().await.during("scheduler:CreateScheduleGroup");
        Ok(created.exists_as_none()?.map(drop))
    }

    async fn until_gone(&self, progress: &Progress) -> Result<(), Failure> {
        let wait = Wait::new(
            format!("schedule group `{}` to be deleted", self.name()),
            PATIENCE,
        );
        progress
            .until(wait.usual(0, 60), async || {
                let group = self
                    .describe()
                    .await
                    .or_failure(|| doing("removing", self))?;
                Ok(match group {
                    None => Poll::Ready(()),
                    Some(group) => Poll::Pending(state(&group)),
                })
            })
            .await
    }
}

#[async_trait(?Send)]
impl Resource for ScheduleGroup {
    fn key(&self) -> ResourceKey {
        GROUP_KEY
    }

    fn step(&self) -> Step {
        Step(7)
    }

    fn kind(&self) -> &'static str {
        "schedule group"
    }

    fn name(&self) -> String {
        self.stack.names.schedule_group()
    }

    fn needs(&self) -> Vec<ResourceKey> {
        Vec::new()
    }

    async fn observe(&self) -> Result<Observed, Failure> {
        self.is_ours.clear();
        let found = self.look().await.or_failure(|| doing("looking at", self))?;
        let Some(found) = found else {
            return Ok(Observed::Absent);
        };
        let deleting = found.is_deleting();
        let foreign = drift::foreign(&self.stack, self.name(), &GROUP_KEY, found.tags.as_slice());
        if let Some(foreign) = foreign.filter(|_| !(deleting && found.tags.is_empty())) {
            return Ok(foreign);
        }
        if deleting {
            return Ok(Observed::Changing {
                id: self.name(),
                state: state(&found.group),
            });
        }
        self.is_ours.set(());
        Ok(self.compare(&found).verdict(self.name()))
    }

    async fn ensure(&self, observed: &Observed, progress: &Progress) -> Result<(), Failure> {
        if matches!(observed, Observed::Changing { .. }) {
            self.until_gone(progress).await?;
        }
        let absent = matches!(observed, Observed::Absent | Observed::Changing { .. });
        let found = if absent {
            match self.create(progress).await? {
                Made::Now(()) => {
                    self.is_ours.set(());
                    return Ok(());
                }
                Made::Before(found) => Some(found),
            }
        } else {
            self.look().await.or_failure(|| doing("looking at", self))?
        };
        let tags = found.map(|found| found.tags).unwrap_or_default();
        let what = format!("schedule group `{}`", self.name());
        drift::refuse_foreign(&self.stack, &what, &GROUP_KEY, tags.as_slice())?;
        let tag = self
            .stack
            .aws
            .scheduler
            .tag_resource()
            .resource_arn(self.arn());
        let tag = tag
            .set_tags(Some(self.stack.ownership.list(&GROUP_KEY)))
            .send()
            .await;
        tag.during("scheduler:TagResource")
            .or_failure(|| doing("tagging", self))?;
        self.is_ours.set(());
        Ok(())
    }

    /// With the group goes whatever schedule is in it.
    async fn remove(&self, progress: &Progress) -> Result<(), Failure> {
        let found = self.look().await.or_failure(|| doing("looking at", self))?;
        let ownership = &self.stack.ownership;
        let ours = |found: &Found| ownership.owns(&GROUP_KEY, found.tags.as_slice());
        if let Some(found) = &found
            && found.is_deleting()
            && found.tags.is_empty()
        {
            // Whosever it was, nothing is left to be done but to see it go.
            return self.until_gone(progress).await;
        }
        if !found.as_ref().is_some_and(ours) {
            return Ok(());
        }
        let wait = Wait::new(
            format!("schedule group `{}` to take calls", self.name()),
            PATIENCE,
        );
        let delete = async || {
            let delete = self
                .stack
                .aws
                .scheduler
                .delete_schedule_group()
                .name(self.name())
                .send();
            delete
                .await
                .during("scheduler:DeleteScheduleGroup")
                .absent_as_none()
        };
        while_answer_is(
            progress,
            wait.usual(0, 30),
            &[Class::Conflict],
            &doing("removing", self),
            delete,
        )
        .await?;
        self.until_gone(progress).await?;
        self.is_ours.clear();
        Ok(())
    }
}

fn state(group: &GetScheduleGroupOutput) -> String {
    group
        .state
        .as_ref()
        .map_or_else(|| "still there".to_owned(), ToString::to_string)
}
