//! The log group of a function: made before the function, so that it has a retention and a tag.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use place_config::Function;

use super::log_group_key;
use crate::aws::{Answer, AwsError, AwsResult, Class, Owner};
use crate::engine::{Failure, Observed, Progress, Resource, ResourceKey, Step, Wait};
use crate::steps::Stack;
use crate::steps::drift::{self, Drift};
use crate::steps::repeat::while_answer_is;

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
        let tags = tags.and_then(|answer| answer.tags).unwrap_or_default();
        Ok(Some(Found {
            arn,
            retention: group.retention_in_days,
            tags,
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

    /// Creates it; false when there is one already.
    async fn create(&self) -> Result<bool, Failure> {
        let create = self
            .stack
            .aws
            .logs
            .create_log_group()
            .log_group_name(self.name());
        let create = create.set_tags(Some(self.stack.ownership.map(&self.key())));
        let created = create
            .send()
            .await
            .during("logs:CreateLogGroup")
            .exists_as_none();
        let created = created.or_failure(|| format!("creating log group `{}`", self.name()))?;
        Ok(created.is_some())
    }

    async fn put_retention(&self) -> Result<(), Failure> {
        let put = self
            .stack
            .aws
            .logs
            .put_retention_policy()
            .log_group_name(self.name());
        let put = put.retention_in_days(self.retention()).send().await;
        put.during("logs:PutRetentionPolicy")
            .or_failure(|| format!("setting the retention of log group `{}`", self.name()))
            .map(drop)
    }

    async fn tag(&self, found: &Found) -> Result<(), Failure> {
        let tag = self.stack.aws.logs.tag_resource().resource_arn(&found.arn);
        let tag = tag
            .set_tags(Some(self.stack.ownership.map(&self.key())))
            .send()
            .await;
        tag.during("logs:TagResource")
            .or_failure(|| format!("tagging log group `{}`", self.name()))
            .map(drop)
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
        let foreign = drift::foreign(&self.stack, self.name(), &found.tags);
        Ok(foreign.unwrap_or_else(|| self.compare(&found).verdict(self.name())))
    }

    async fn ensure(&self, observed: &Observed, _: &Progress) -> Result<(), Failure> {
        if *observed == Observed::Absent && self.create().await? {
            return self.put_retention().await;
        }
        let found = self.look().await;
        let found = found.or_failure(|| format!("looking at log group `{}`", self.name()))?;
        let Some(found) = found else {
            return self.put_retention().await;
        };
        drift::refuse_foreign(
            &self.stack,
            &format!("log group `{}`", self.name()),
            &found.tags,
        )?;
        let drift = self.compare(&found);
        if drift.has(drift::TAGS) {
            self.tag(&found).await?;
        }
        if drift.has(RETENTION) {
            self.put_retention().await?;
        }
        Ok(())
    }

    async fn remove(&self, progress: &Progress) -> Result<(), Failure> {
        let action = || format!("removing log group `{}`", self.name());
        let found = self.look().await.or_failure(action)?;
        let ours = |found: &Found| self.stack.ownership.owner(&found.tags) == Owner::Us;
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
