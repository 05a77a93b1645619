//! How full the queues are.

use aws_sdk_sqs::types::QueueAttributeName;
use place_config::Queue;

use crate::aws::{Answer, AwsError, AwsResult};
use crate::engine::Failure;
use crate::steps::Stack;

/// How many messages a queue holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Depth {
    /// Waiting, or taken and not yet done with.
    pub(crate) messages: u64,
    /// Given up on.
    pub(crate) dead_letters: u64,
}

/// How many messages `queue` and its dead-letter queue hold, roughly: SQS counts approximately.
pub(crate) async fn depth(stack: &Stack, queue: Queue) -> Result<Depth, Failure> {
    let (names, sqs) = (&stack.names, &stack.aws.sqs);
    let count = async |name: String| -> Result<u64, AwsError> {
        let url = sqs.get_queue_url().queue_name(name).send().await;
        let Some(url) = url.during("sqs:GetQueueUrl").absent_as_none()? else {
            return Ok(0);
        };
        let look = sqs.get_queue_attributes().set_queue_url(url.queue_url);
        let look = look
            .attribute_names(QueueAttributeName::ApproximateNumberOfMessages)
            .attribute_names(QueueAttributeName::ApproximateNumberOfMessagesNotVisible);
        let answer = look
            .send()
            .await
            .during("sqs:GetQueueAttributes")
            .absent_as_none()?;
        let counts = answer
            .and_then(|answer| answer.attributes)
            .unwrap_or_default();
        Ok(counts
            .values()
            .filter_map(|count| count.parse::<u64>().ok())
            .sum())
    };
    let messages = count(names.queue(queue));
    let dead_letters = count(names.dead_letter_queue(queue));
    let (messages, dead_letters) = tokio::try_join!(messages, dead_letters)
        .or_failure(|| format!("counting the messages of queue `{}`", names.queue(queue)))?;
    Ok(Depth {
        messages,
        dead_letters,
    })
}
