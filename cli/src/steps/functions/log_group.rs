//! The log group of a function: made before the function, so that it has a retention and a tag.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use place_config::Function;

use super::log_group_key;
use crate::aws::{Answer, AwsError, AwsResult, Class};
use crate::engine::{Failure, Observed, Progress, Resource, ResourceKey, Step, Wait};
use crate::steps::Stack;
use crate::steps::drift::{self, Drift};
use crate::steps::lost::{Creation, Made};
use crate::steps::repeat::{once_visible, while_answer_is};

/// Attribute as differences name it.
const RETENTION: &str = "retentionInDays";

/// A log group.
#[derive(Debug)]
pub(crate) struct LogGroup {
    stack: Arc<Stack>,
    function: Function,
}

/// A log group as CloudWatch Logs answers it.
struct Found {
    arn: String,
    retention: Option<i32>,
    tags: HashMap<String, String>,
}

impl LogGroup {
    /// The log group of `function`.
    pub(crate) fn new(stack: &Arc<Stack>, function: Function) -> Arc<Self> {
        Arc::new(Self {
            stack: Arc::clone(stack),
            function,
        })
    }

    fn retention(&self) -> i32 {
        i32::try_from(self.stack.config.functions.log_retention_days).unwrap_or(i32::MAX)
    }

    async fn look(&self) -> Result<Option<Found>, AwsError> {
        let (logs, name) = (&self.stack.aws.logs, self.name());
        let answer = logs
            .describe_log_groups()
            .log_group_name_prefix(&name)
            .send()
            .await;
        let groups = answer
            .during("logs:DescribeLogGroups")?
            .log_groups
            .unwrap_or_default();
        let exact = groups
            .into_iter()
            .find(|group| group.log_group_name() == Some(&name));
        let Some(group) = exact else { return Ok(None) };
        // `arn` ends in `:*`, which the calls about tags don't take.
        let arn = match group.log_group_arn {
            Some(arn) => arn,
            None => self.stack.aws.arn("logs", &format!("log-group:{name}")),
        };
        let tags = logs
            .list_tags_for_resource()
            .resource_arn(&arn)
            .send()
            .await;
        let tags = tags.during("logs:ListTagsForResource").absent_as_none()?;
        // A group without tags is told from one that is listed and gone, or not known yet: that is
        // nobody else's.
        Ok(tags.map(|answer| Found {
            arn,
            retention: group.retention_in_days,
            tags: answer.tags.unwrap_or_default(),
        }))
    }

    fn compare(&self, found: &Found) -> Drift {
        let mut drift = Drift::default();
        drift.tags(&self.stack, &self.key(), &found.tags);
        let days = found
            .retention
            .map_or_else(|| "for ever".to_owned(), |days| days.to_string());
        drift.compare(RETENTION, days, self.retention());
        drift
    }

    /// Creates it, or finds the one that is there already.
    async fn create(&self, progress: &Progress) -> Result<Made<(), Found>, Failure> {
        let create = async || {
            let create = self.stack.aws.logs.create_log_group();
            let create = create.log_group_name(self.name());
            let create = create.set_tags(Some(self.stack.ownership.map(&self.key())));
            let created = create.send().await.during("logs:CreateLogGroup");
            Ok(created.exists_as_none()?.map(drop))
        };
        let action = format!("creating log group `{}`", self.name());
        let creation = Creation::new(&self.stack, progress, &action);
        creation.run_named(async || self.look().await, create).await
    }

    /// CloudWatch Logs may not know a group yet that it just made, and says
    /// `OperationAbortedException` while it works on one.
    async fn put_retention(&self, progress: &Progress) -> Result<(), Failure> {
        let action = format!("setting the retention of log group `{}`", self.name());
        let put = async || {
            let put = self.stack.aws.logs.put_retention_policy();
            let put = put.log_group_name(self.name());
            let put = put.retention_in_days(self.retention()).send().await;
            put.during("logs:PutRetentionPolicy").map(drop)
        };
        once_visible(progress, &action, put).await
    }

    async fn tag(&self, found: &Found, progress: &Progress) -> Result<(), Failure> {
        let tag = async || {
            let tag = self.stack.aws.logs.tag_resource().resource_arn(&found.arn);
            let tag = tag.set_tags(Some(self.stack.ownership.map(&self.key())));
            tag.send().await.during("logs:TagResource").map(drop)
        };
        let action = format!("tagging log group `{}`", self.name());
        once_visible(progress, &action, tag).await
    }
}

#[async_trait(?Send)]
impl Resource for LogGroup {
    fn key(&self) -> ResourceKey {
        log_group_key(self.function)
    }

    fn step(&self) -> Step {
        Step(4)
    }

    fn kind(&self) -> &'static str {
        "log group"
    }

    fn name(&self) -> String {
        self.stack.names.log_group(self.function)
    }

    fn needs(&self) -> Vec<ResourceKey> {
        Vec::new()
    }

    async fn observe(&self) -> Result<Observed, Failure> {
        let found = self.look().await;
        let found = found.or_failure(|| format!("looking at log group `{}`", self.name()))?;
        let Some(found) = found else {
            return Ok(Observed::Absent);
        };
        let foreign = drift::foreign(&self.stack, self.name(), &self.key(), &found.tags);
        Ok(foreign.unwrap_or_else(|| self.compare(&found).verdict(self.name())))
    }

    async fn ensure(&self, observed: &Observed, progress: &Progress) -> Result<(), Failure> {
        let looking = || format!("looking at log group `{}`", self.name());
        let found = match observed {
            Observed::Absent => None,
            _ => self.look().await.or_failure(looking)?,
        };
        let found = match found {
            Some(found) => found,
            None => match self.create(progress).await? {
                Made::Now(()) => return self.put_retention(progress).await,
                Made::Before(found) => found,
            },
        };
        drift::refuse_foreign(
            &self.stack,
            &format!("log group `{}`", self.name()),
            &self.key(),
            &found.tags,
        )?;
        let drift = self.compare(&found);
        if drift.has(drift::TAGS) {
            self.tag(&found, progress).await?;
        }
        if drift.has(RETENTION) {
            self.put_retention(progress).await?;
        }
        Ok(())
    }

    async fn remove(&self, progress: &Progress) -> Result<(), Failure> {
        let action = || format!("removing log group `{}`", self.name());
        let found = self.look().await.or_failure(action)?;
        let ours = |found: &Found| self.stack.ownership.owns(&self.key(), &found.tags);
        if !found.as_ref().is_some_and(ours) {
            return Ok(());
        }
        let name = self.name();
        // `OperationAbortedException` while CloudWatch Logs still works on the group.
        let wait = Wait::new(
            format!("log group `{name}` to be deleted"),
            Duration::from_mins(1),
        );
        let delete = async || {
            let delete = self
                .stack
                .aws
                .logs
                .delete_log_group()
                .log_group_name(&name)
                .send();
            delete.await.during("logs:DeleteLogGroup").absent_as_none()
        };
        while_answer_is(
            progress,
            wait.usual(0, 5),
            &[Class::Conflict],
            &action(),
            delete,
        )
        .await
        .map(drop)
    }
}
