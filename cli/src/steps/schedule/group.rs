//! The schedule group.

use async_trait::async_trait;
use aws_sdk_scheduler::types::{ScheduleGroupState, Tag};

use super::{GROUP_KEY, GroupIsOurs};
use crate::aws::{Answer, AwsResult};
use crate::steps::Stack;
use crate::steps::lifecycle::{Card, Kind, Reading, State, Trouble};

/// The schedule group. With it goes whatever schedule is in it; that takes its time.
pub(super) struct ScheduleGroup {
    pub(super) is_ours: GroupIsOurs,
}

/// The group as the scheduler answers it.
pub(super) struct Found {
    is_deleting: bool,
    /// Those that the scheduler tells: perhaps none of a group on its way out.
    tags: Vec<Tag>,
}

fn arn(stack: &Stack) -> String {
    let name = stack.names.schedule_group();
    stack
        .aws
        .arn("scheduler", &format!("schedule-group/{name}"))
}

#[async_trait(?Send)]
impl Kind for ScheduleGroup {
    type Found = Found;

    fn card(&self, stack: &Stack) -> Card {
        let name = stack.names.schedule_group();
        let card = Card::new(7, GROUP_KEY, "schedule group", name);
        card.takes(0, 60).seen_off(0, 60)
    }

    async fn find(&self, stack: &Stack) -> Result<Vec<Found>, Trouble> {
        let scheduler = &stack.aws.scheduler;
        let group = scheduler.get_schedule_group();
        let group = group.name(stack.names.schedule_group()).send();
        let tags = scheduler.list_tags_for_resource().resource_arn(arn(stack));
        let (group, tags) = tokio::join!(group, tags.send());
        let tags = tags.during("scheduler:ListTagsForResource");
        let tags = tags.absent_as_none()?.and_then(|answer| answer.tags);
        let group = group
            .during("scheduler:GetScheduleGroup")
            .absent_as_none()?;
        let found = group.map(|group| Found {
            is_deleting: group.state == Some(ScheduleGroupState::Deleting),
            tags: tags.unwrap_or_default(),
        });
        Ok(found.into_iter().collect())
    }

    fn read(&self, stack: &Stack, found: &Found) -> Reading {
        let reading = Reading::tagged(stack.names.schedule_group(), &found.tags);
        if found.is_deleting {
            let deleting = ScheduleGroupState::Deleting.to_string();
            return reading.state(State::Leaving(deleting));
        }
        reading
    }

    async fn create(&self, stack: &Stack) -> Result<Found, Trouble> {
        let tags = stack.ownership.list(&GROUP_KEY);
        let create = stack.aws.scheduler.create_schedule_group();
        let create = create.name(stack.names.schedule_group());
        let created = create.set_tags(Some(tags.clone())).send().await;
        created.during("scheduler:CreateScheduleGroup")?;
        let is_deleting = false;
        Ok(Found { is_deleting, tags })
    }

    async fn tag(&self, stack: &Stack, _: &Found) -> Result<(), Trouble> {
        let tag = stack.aws.scheduler.tag_resource().resource_arn(arn(stack));
        let tagged = tag.set_tags(Some(stack.ownership.list(&GROUP_KEY))).send();
        Ok(tagged.await.during("scheduler:TagResource").map(drop)?)
    }

    async fn delete(&self, stack: &Stack, _: &Found) -> Result<(), Trouble> {
        let delete = stack.aws.scheduler.delete_schedule_group();
        let deleted = delete.name(stack.names.schedule_group()).send().await;
        Ok(deleted.during("scheduler:DeleteScheduleGroup").map(drop)?)
    }

    fn leave(&self, _: &Stack, found: Option<&Found>) {
        self.is_ours.replace(found.map(drop));
    }
}
