//! The log group of a function: made before the function, so that it has a retention and a tag.

use async_trait::async_trait;
use place_config::Function;

use super::log_group_key;
use crate::aws::{Answer, AwsError, AwsResult};
use crate::steps::Stack;
use crate::steps::drift::Drift;
use crate::steps::lifecycle::{Card, Kind, Reading, TagMap, Trouble, Whose};

/// The log group of a function.
pub(super) struct LogGroup(pub(super) Function);

/// A log group as CloudWatch Logs answers it.
pub(super) struct Found {
    arn: String,
    retention: Option<i32>,
    tags: TagMap,
}

impl LogGroup {
    fn tags(&self, stack: &Stack) -> TagMap {
        stack.ownership.map(&log_group_key(self.0))
    }
}

/// CloudWatch Logs may not know a group yet that it just made, and says `OperationAbortedException`
/// while it works on one.
async fn put_retention(stack: &Stack, name: String) -> Result<(), AwsError> {
    let put = stack.aws.logs.put_retention_policy().log_group_name(name);
    let put = put.retention_in_days(retention(stack)).send().await;
    put.during("logs:PutRetentionPolicy").map(drop)
}

fn retention(stack: &Stack) -> i32 {
    i32::try_from(stack.config.functions.log_retention_days).unwrap_or(i32::MAX)
}

#[async_trait(?Send)]
impl Kind for LogGroup {
    type Found = Found;

    fn card(&self, stack: &Stack) -> Card {
        let name = stack.names.log_group(self.0);
        Card::new(4, log_group_key(self.0), "log group", name)
    }

    async fn find(&self, stack: &Stack) -> Result<Vec<Found>, Trouble> {
        let (logs, name) = (&stack.aws.logs, stack.names.log_group(self.0));
        let look = logs.describe_log_groups().log_group_name_prefix(&name);
        let answer = look.send().await.during("logs:DescribeLogGroups")?;
        let mut groups = answer.log_groups.unwrap_or_default().into_iter();
        let Some(group) = groups.find(|group| group.log_group_name() == Some(&name)) else {
            return Ok(Vec::new());
        };
        // `arn` ends in `:*`, which the calls about tags don't take.
        let made = || stack.aws.arn("logs", &format!("log-group:{name}"));
        let arn = group.log_group_arn.unwrap_or_else(made);
        let tags = logs.list_tags_for_resource().resource_arn(&arn);
        let tags = tags.send().await.during("logs:ListTagsForResource");
        // A group without tags is told from one that is listed and gone, or not known yet: that is
        // nobody else's.
        let found = tags.absent_as_none()?.map(|answer| Found {
            arn,
            retention: group.retention_in_days,
            tags: answer.tags.unwrap_or_default(),
        });
        Ok(found.into_iter().collect())
    }

    fn read(&self, stack: &Stack, found: &Found) -> Reading {
        let name = stack.names.log_group(self.0);
        Reading::new(name, Whose::Tagged(found.tags.clone()))
    }

    fn compare(&self, stack: &Stack, found: &Found, drift: &mut Drift) {
        let days = found.retention.map(|days| days.to_string());
        let days = days.unwrap_or_else(|| "never expire".to_owned());
        drift.compare("retentionInDays", days, retention(stack));
    }

    async fn create(&self, stack: &Stack) -> Result<Found, Trouble> {
        let (name, tags) = (stack.names.log_group(self.0), self.tags(stack));
        let create = stack.aws.logs.create_log_group().log_group_name(name);
        let created = create.set_tags(Some(tags.clone())).send().await;
        created.during("logs:CreateLogGroup")?;
        Ok(Found {
            arn: String::new(),
            retention: None,
            tags,
        })
    }

    async fn finish(&self, stack: &Stack, _: &Found) -> Result<(), Trouble> {
        Ok(put_retention(stack, stack.names.log_group(self.0)).await?)
    }

    async fn tag(&self, stack: &Stack, found: &Found) -> Result<(), Trouble> {
        let tag = stack.aws.logs.tag_resource().resource_arn(&found.arn);
        let tagged = tag.set_tags(Some(self.tags(stack))).send().await;
        Ok(tagged.during("logs:TagResource").map(drop)?)
    }

    async fn mend(&self, stack: &Stack, _: &Found, _: &Drift) -> Result<(), Trouble> {
        Ok(put_retention(stack, stack.names.log_group(self.0)).await?)
    }

    async fn delete(&self, stack: &Stack, _: &Found) -> Result<(), Trouble> {
        let name = stack.names.log_group(self.0);
        let delete = stack.aws.logs.delete_log_group().log_group_name(name);
        Ok(delete
            .send()
            .await
            .during("logs:DeleteLogGroup")
            .map(drop)?)
    }
}
