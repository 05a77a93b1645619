//! SQS takes its time: until it knows a queue, shows a change of one, or has deleted one.

use std::collections::HashMap;
use std::time::Duration;

use aws_sdk_sqs::types::QueueAttributeName;

use super::super::drift::Drift;
use super::super::repeat::{doing, while_answer_is};
use super::{FifoQueue, PATIENCE};
use crate::aws::{Answer, AwsError, AwsResult, Class};
use crate::engine::outcome::Difference;
use crate::engine::{Failure, Poll, Progress, Resource, Wait};

/// The attribute whose change takes longest.
const RETENTION: &str = "MessageRetentionPeriod";

/// How long that may be: 15 minutes, says `SetQueueAttributes`, and 60 s for any other.
const RETENTION_SHOWN_WITHIN: Duration = Duration::from_mins(16);

impl FifoQueue {
    /// Waits until SQS knows the queue that it just made.
    pub(super) async fn until_known(&self, url: &str, progress: &Progress) -> Result<(), Failure> {
        let what = format!("queue `{}` to be known to SQS", self.name());
        let wait = Wait::new(what, PATIENCE).usual(0, 2);
        let action = doing("looking at", self);
        let look = async || self.attributes(url, QueueAttributeName::QueueArn).await;
        while_answer_is(progress, wait, &[Class::Absent], &action, look)
            .await
            .map(drop)
    }

    /// Waits until SQS shows what `changes` asked for: Lambda refuses a time-out above the
    /// visibility of old, and the next run would find everything as it was.
    pub(super) async fn until_shown(
        &self,
        url: &str,
        changes: &Drift,
        progress: &Progress,
    ) -> Result<(), Failure> {
        let limit = if changes.has(RETENTION) {
            RETENTION_SHOWN_WITHIN
        } else {
            PATIENCE
        };
        let what = format!("queue `{}` to show its changes", self.name());
        let look = async || {
            let found = self.attributes(url, QueueAttributeName::All).await;
            let found = found.or_failure(|| doing("looking at", self))?;
            let mut drift = Drift::default();
            self.wanted().compare(&found, &mut drift);
            let left: Vec<Difference> = drift.into_differences();
            let left: Vec<&str> = left.iter().map(|left| left.attribute.as_str()).collect();
            Ok(match left.as_slice() {
                [] => Poll::Ready(()),
                left => Poll::Pending(format!("as it was: {}", left.join(", "))),
            })
        };
        progress
            .until(Wait::new(what, limit).usual(0, 60), look)
            .await
    }

    /// Waits until SQS has deleted the queue.
    pub(super) async fn until_gone(&self, progress: &Progress) -> Result<(), Failure> {
        let wait = Wait::new(format!("queue `{}` to be deleted", self.name()), PATIENCE);
        let look = async || match self.url().await.or_failure(|| doing("removing", self))? {
            None => Ok(Poll::Ready(())),
            Some(_) => Ok(Poll::Pending("still there".to_owned())),
        };
        progress.until(wait.usual(0, 60), look).await
    }

    async fn attributes(
        &self,
        url: &str,
        names: QueueAttributeName,
    ) -> Result<HashMap<QueueAttributeName, String>, AwsError> {
        let look = self.stack.aws.sqs.get_queue_attributes().queue_url(url);
        let answer = look.attribute_names(names).send().await;
        let answer = answer.during("sqs:GetQueueAttributes")?;
        Ok(answer.attributes.unwrap_or_default())
    }
}
