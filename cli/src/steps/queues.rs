//! Step 5: the two FIFO queues, and a dead-letter queue for each.

mod attributes;
mod depth;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use aws_sdk_sqs::types::QueueAttributeName;
use place_config::{Function, Queue};

use self::attributes::Attributes;
pub(crate) use self::depth::depth;
use super::drift::Drift;
use super::functions::{event_source_key, timeout};
use super::lifecycle::{self, Card, Kind, Reading, State, TagMap, Trouble, Whose};
use super::{QueueAddress, Stack, keys};
use crate::aws::{Answer, AwsError, AwsResult};
use crate::engine::{Resource, ResourceKey};

/// SQS refuses a name for 60 s after its queue was deleted, and takes as long to delete one.
const PATIENCE: Duration = Duration::from_secs(150);

/// From the moment that Lambda takes a message until its function runs, at most, in seconds.
const HANDING_OVER: u32 = 5;

/// How long a change may take to show: 15 minutes for the retention, says `SetQueueAttributes`, and
/// 60 s for any other. Until then Lambda refuses a time-out above the visibility of old, and the
/// next run would find everything as it was.
const SHOWN_WITHIN: Duration = Duration::from_mins(16);

/// The tag of a queue that is about to be deleted. For a minute after that SQS may answer as if it
/// were there ("requests during the 60 seconds might succeed", `DeleteQueue`), and whoever came
/// upon it then would build on it.
const REMOVING: &str = "place:removing";

/// The resources of step 5.
pub(crate) fn resources(stack: &Arc<Stack>) -> Vec<Arc<dyn Resource>> {
    let both = Queue::ALL.into_iter().flat_map(|queue| {
        [Role::DeadLetters, Role::Messages].map(|role| FifoQueue { queue, role })
    });
    both.map(|queue| lifecycle::resource(stack, queue))
        .collect()
}

/// What waits in a queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    /// Messages for the function that consumes it.
    Messages,
    /// Messages that the function failed on again and again.
    DeadLetters,
}

/// A queue.
struct FifoQueue {
    queue: Queue,
    role: Role,
}

/// A queue as SQS answers it.
struct Found {
    url: String,
    attributes: HashMap<QueueAttributeName, String>,
    tags: TagMap,
}

impl FifoQueue {
    fn key(&self) -> ResourceKey {
        match self.role {
            Role::Messages => keys::queue(self.queue),
            Role::DeadLetters => keys::dead_letter_queue(self.queue),
        }
    }

    fn name(&self, stack: &Stack) -> String {
        match self.role {
            Role::Messages => stack.names.queue(self.queue),
            Role::DeadLetters => stack.names.dead_letter_queue(self.queue),
        }
    }

    fn wanted(&self, stack: &Stack) -> Attributes {
        match self.role {
            Role::DeadLetters => Attributes::dead_letters(),
            Role::Messages => {
                let dead_letters = stack.names.dead_letter_queue(self.queue);
                let dead_letters = stack.aws.arn("sqs", &dead_letters);
                let timeout = timeout(stack, consumer(self.queue));
                let visibility = visibility(self.queue, timeout);
                let receives = stack.config.queues.max_receive_count;
                Attributes::messages(visibility, &dead_letters, receives)
            }
        }
    }
}

#[async_trait(?Send)]
impl Kind for FifoQueue {
    type Found = Found;

    fn card(&self, stack: &Stack) -> Card {
        let kind = match self.role {
            Role::Messages => "queue",
            Role::DeadLetters => "dead-letter queue",
        };
        let card = Card::new(5, self.key(), kind, self.name(stack));
        let card = card.patience(PATIENCE).takes(0, 60).seen_off(0, 60);
        let card = card.shows_within(SHOWN_WITHIN);
        match self.role {
            // It goes once nothing reads it. Who still sends gets an error, as it should.
            Role::Messages => card
                .needs([keys::dead_letter_queue(self.queue)])
                .removed_after([event_source_key(consumer(self.queue))]),
            Role::DeadLetters => card,
        }
    }

    async fn find(&self, stack: &Stack) -> Result<Vec<Found>, Trouble> {
        let sqs = &stack.aws.sqs;
        let url = sqs
            .get_queue_url()
            .queue_name(self.name(stack))
            .send()
            .await;
        let url = url.during("sqs:GetQueueUrl").absent_as_none()?;
        let Some(url) = url.and_then(|answer| answer.queue_url) else {
            return Ok(Vec::new());
        };
        let attributes = sqs.get_queue_attributes().queue_url(&url);
        let attributes = attributes.attribute_names(QueueAttributeName::All).send();
        let tags = sqs.list_queue_tags().queue_url(&url).send();
        let (attributes, tags) = tokio::join!(attributes, tags);
        let attributes = attributes.during("sqs:GetQueueAttributes");
        let tags = tags.during("sqs:ListQueueTags").absent_as_none()?;
        // A queue that is being deleted is named by one call and unknown to the next.
        let both = attributes.absent_as_none()?.zip(tags);
        let found = both.map(|(attributes, tags)| Found {
            url,
            attributes: attributes.attributes.unwrap_or_default(),
            tags: tags.tags.unwrap_or_default(),
        });
        Ok(found.into_iter().collect())
    }

    fn read(&self, stack: &Stack, found: &Found) -> Reading {
        let reading = Reading::new(self.name(stack), Whose::Tagged(found.tags.clone()));
        if found.tags.contains_key(REMOVING) {
            return reading.state(State::Failed(
                "an earlier removal was interrupted".to_owned(),
            ));
        }
        reading
    }

    fn compare(&self, stack: &Stack, found: &Found, drift: &mut Drift) {
        self.wanted(stack).compare(&found.attributes, drift);
    }

    async fn create(&self, stack: &Stack) -> Result<Found, Trouble> {
        let (attributes, tags) = (
            self.wanted(stack).to_create(),
            stack.ownership.map(&self.key()),
        );
        let create = stack.aws.sqs.create_queue().queue_name(self.name(stack));
        let create = create.set_attributes(Some(attributes.clone()));
        let created = create.set_tags(Some(tags.clone())).send().await;
        let url = created.during("sqs:CreateQueue")?.queue_url;
        Ok(Found {
            url: url.ok_or_else(|| AwsError::empty("sqs:CreateQueue"))?,
            attributes,
            tags,
        })
    }

    /// Sees that SQS knows the queue that it just made.
    async fn finish(&self, stack: &Stack, made: &Found) -> Result<(), Trouble> {
        let look = stack.aws.sqs.get_queue_attributes().queue_url(&made.url);
        let look = look.attribute_names(QueueAttributeName::QueueArn);
        Ok(look
            .send()
            .await
            .during("sqs:GetQueueAttributes")
            .map(drop)?)
    }

    async fn tag(&self, stack: &Stack, found: &Found) -> Result<(), Trouble> {
        let tag = stack.aws.sqs.tag_queue().queue_url(&found.url);
        let tagged = tag.set_tags(Some(stack.ownership.map(&self.key()))).send();
        Ok(tagged.await.during("sqs:TagQueue").map(drop)?)
    }

    async fn mend(&self, stack: &Stack, found: &Found, _: &Drift) -> Result<(), Trouble> {
        let set = stack.aws.sqs.set_queue_attributes().queue_url(&found.url);
        let set = set.set_attributes(Some(self.wanted(stack).to_change()));
        Ok(set
            .send()
            .await
            .during("sqs:SetQueueAttributes")
            .map(drop)?)
    }

    async fn delete(&self, stack: &Stack, found: &Found) -> Result<(), Trouble> {
        let sqs = &stack.aws.sqs;
        if !found.tags.contains_key(REMOVING) {
            let tag = sqs.tag_queue().queue_url(&found.url).tags(REMOVING, "true");
            tag.send().await.during("sqs:TagQueue")?;
        }
        let deleted = sqs.delete_queue().queue_url(&found.url).send().await;
        Ok(deleted.during("sqs:DeleteQueue").map(drop)?)
    }

    fn leave(&self, stack: &Stack, found: Option<&Found>) {
        let is_going = |found: &&Found| found.tags.contains_key(REMOVING);
        let address = found
            .filter(|found| !is_going(found))
            .map(|found| QueueAddress {
                url: found.url.clone(),
                arn: stack.aws.arn("sqs", &self.name(stack)),
            });
        match self.role {
            Role::Messages => stack.found.queues.replace(self.queue, address),
            Role::DeadLetters => stack.found.dead_letter_queues.replace(self.queue, address),
        }
    }
}

/// The function that consumes a queue.
fn consumer(queue: Queue) -> Function {
    let mut all = Function::ALL.into_iter();
    all.find(|function| function.queue() == Some(queue))
        .expect("each queue has a function that consumes it")
}

/// How long a message stays hidden once it was taken, in seconds. Lambda refuses less than one
/// time-out of the function.
///
/// A wake-up stays hidden for six of them, as the Lambda developer guide advises: other wake-ups
/// make up for it, and one that Lambda holds back must not come twice. A newcomer waits for what it
/// was not given, nobody makes up for it, and a picture that comes twice does no harm: what a call
/// that crashed held comes again as soon as that call can't run any more.
fn visibility(queue: Queue, timeout: u32) -> u32 {
    match queue {
        Queue::Request => timeout * 6,
        Queue::Initialize => timeout + HANDING_OVER,
    }
}

#[cfg(test)]
mod tests {
    use place_config::StackConfig;

    use super::*;

    #[test]
    fn each_queue_has_its_consumer() {
        assert_eq!(consumer(Queue::Request), Function::Broadcast);
        assert_eq!(consumer(Queue::Initialize), Function::Initialize);
    }

    #[test]
    fn what_a_crashed_call_held_comes_again_within_half_a_minute() {
        let timeout = StackConfig::default().functions.initialize_timeout_s;
        let hidden = visibility(Queue::Initialize, timeout);
        // Lambda refuses a time-out above the visibility time-out.
        assert!(hidden > timeout && hidden <= 30, "{hidden}");
        assert_eq!(visibility(Queue::Request, 60), 360);
    }
}
