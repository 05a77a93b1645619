//! Step 5: the two FIFO queues, and a dead-letter queue for each.

mod attributes;
mod changes;
mod depth;
mod waits;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use aws_sdk_sqs::types::QueueAttributeName;
use place_config::{Function, Queue};

use self::attributes::Attributes;
pub(crate) use self::depth::depth;
use super::drift::{self, Drift};
use super::functions::{event_source_key, timeout};
use super::lost::Made;
use super::repeat::doing;
use super::{QueueAddress, Stack, keys};
use crate::aws::{Answer, AwsError, AwsResult};
use crate::engine::{Failure, Observed, Progress, Resource, ResourceKey, Step};

/// SQS refuses a name for 60 s after its queue was deleted, and takes as long to delete one.
const PATIENCE: Duration = Duration::from_secs(150);

/// From the moment that Lambda takes a message until its function runs, at most, in seconds.
const HANDING_OVER: u32 = 5;

/// The resources of step 5.
pub(crate) fn resources(stack: &Arc<Stack>) -> Vec<Arc<dyn Resource>> {
    let mut resources: Vec<Arc<dyn Resource>> = Vec::new();
    for queue in Queue::ALL {
        for role in [Role::DeadLetters, Role::Messages] {
            resources.push(Arc::new(FifoQueue {
                stack: Arc::clone(stack),
                queue,
                role,
            }));
        }
    }
    resources
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
#[derive(Debug)]
struct FifoQueue {
    stack: Arc<Stack>,
    queue: Queue,
    role: Role,
}

/// The tag of a queue that is about to be deleted. For a minute after that SQS may answer as if it
/// were there ("requests during the 60 seconds might succeed", `DeleteQueue`), and whoever came
/// upon it then would build on it.
const REMOVING: &str = "place:removing";

/// A queue as SQS answers it.
struct Found {
    url: String,
    attributes: HashMap<QueueAttributeName, String>,
    tags: HashMap<String, String>,
}

impl Found {
    fn is_going(&self) -> bool {
        self.tags.contains_key(REMOVING)
    }
}

impl FifoQueue {
    fn arn(&self) -> String {
        self.stack.aws.arn("sqs", &self.name())
    }

    fn wanted(&self) -> Attributes {
        match self.role {
            Role::DeadLetters => Attributes::dead_letters(),
            Role::Messages => {
                let queues = &self.stack.config.queues;
                let dead_letters = self.stack.names.dead_letter_queue(self.queue);
                let dead_letters = self.stack.aws.arn("sqs", &dead_letters);
                let timeout = timeout(&self.stack, consumer(self.queue));
                let visibility = visibility(self.queue, timeout);
                Attributes::messages(visibility, &dead_letters, queues.max_receive_count)
            }
        }
    }

    fn leave(&self, url: Option<String>) {
        let address = url.map(|url| QueueAddress {
            url,
            arn: self.arn(),
        });
        let found = &self.stack.found;
        match self.role {
            Role::Messages => found.queues.replace(self.queue, address),
            Role::DeadLetters => found.dead_letter_queues.replace(self.queue, address),
        }
    }

    async fn url(&self) -> Result<Option<String>, AwsError> {
        let answer = self
            .stack
            .aws
            .sqs
            .get_queue_url()
            .queue_name(self.name())
            .send()
            .await;
        let answer = answer.during("sqs:GetQueueUrl").absent_as_none()?;
        Ok(answer.and_then(|answer| answer.queue_url))
    }

    async fn look(&self) -> Result<Option<Found>, AwsError> {
        let sqs = &self.stack.aws.sqs;
        let Some(url) = self.url().await? else {
            return Ok(None);
        };
        let attributes = sqs.get_queue_attributes().queue_url(&url);
        let attributes = attributes.attribute_names(QueueAttributeName::All).send();
        let (attributes, tags) =
            tokio::join!(attributes, sqs.list_queue_tags().queue_url(&url).send());
        let attributes = attributes
            .during("sqs:GetQueueAttributes")
            .absent_as_none()?;
        let tags = tags.during("sqs:ListQueueTags").absent_as_none()?;
        let attributes = attributes.map(|answer| answer.attributes.unwrap_or_default());
        let tags = tags.map(|answer| answer.tags.unwrap_or_default());
        // A queue that is being deleted is named by one call and unknown to the next.
        Ok(attributes.zip(tags).map(|(attributes, tags)| Found {
            url,
            attributes,
            tags,
        }))
    }

    fn compare(&self, found: &Found) -> Drift {
        let mut drift = Drift::default();
        drift.tags(&self.stack, &self.key(), &found.tags);
        self.wanted().compare(&found.attributes, &mut drift);
        drift
    }
}

#[async_trait(?Send)]
impl Resource for FifoQueue {
    fn key(&self) -> ResourceKey {
        match self.role {
            Role::Messages => keys::queue(self.queue),
            Role::DeadLetters => keys::dead_letter_queue(self.queue),
        }
    }

    fn step(&self) -> Step {
        Step(5)
    }

    fn kind(&self) -> &'static str {
        match self.role {
            Role::Messages => "queue",
            Role::DeadLetters => "dead-letter queue",
        }
    }

    fn name(&self) -> String {
        match self.role {
            Role::Messages => self.stack.names.queue(self.queue),
            Role::DeadLetters => self.stack.names.dead_letter_queue(self.queue),
        }
    }

    fn needs(&self) -> Vec<ResourceKey> {
        match self.role {
            Role::Messages => vec![keys::dead_letter_queue(self.queue)],
            Role::DeadLetters => Vec::new(),
        }
    }

    /// A queue goes once nothing reads it. Who still sends gets an error, as it should.
    fn removed_after(&self) -> Option<Vec<ResourceKey>> {
        match self.role {
            Role::Messages => Some(vec![event_source_key(consumer(self.queue))]),
            Role::DeadLetters => None,
        }
    }

    async fn observe(&self) -> Result<Observed, Failure> {
        self.leave(None);
        let found = self.look().await.or_failure(|| doing("looking at", self))?;
        let Some(found) = found else {
            return Ok(Observed::Absent);
        };
        if let Some(foreign) = drift::foreign(&self.stack, self.name(), &self.key(), &found.tags) {
            return Ok(foreign);
        }
        if found.is_going() {
            return Ok(Observed::Changing {
                id: self.name(),
                state: "being deleted".to_owned(),
            });
        }
        let observed = self.compare(&found).verdict(self.name());
        self.leave(Some(found.url));
        Ok(observed)
    }

    async fn ensure(&self, observed: &Observed, progress: &Progress) -> Result<(), Failure> {
        let found = match observed {
            Observed::Absent => None,
            _ => self.look().await.or_failure(|| doing("looking at", self))?,
        };
        let found = match found {
            Some(found) if found.is_going() => {
                self.delete(&found.url, progress).await?;
                None
            }
            other => other,
        };
        let found = match found {
            Some(found) => found,
            None => match self.create(progress).await? {
                Made::Now(url) => {
                    self.until_known(&url, progress).await?;
                    self.leave(Some(url));
                    return Ok(());
                }
                Made::Before(found) => found,
            },
        };
        drift::refuse_foreign(
            &self.stack,
            &format!("queue `{}`", self.name()),
            &self.key(),
            &found.tags,
        )?;
        self.repair(&found, progress).await?;
        self.leave(Some(found.url));
        Ok(())
    }

    async fn remove(&self, progress: &Progress) -> Result<(), Failure> {
        let found = self.look().await.or_failure(|| doing("looking at", self))?;
        let ours = |found: &Found| self.stack.ownership.owns(&self.key(), &found.tags);
        let Some(found) = found.filter(ours) else {
            return Ok(());
        };
        let tag = self.stack.aws.sqs.tag_queue().queue_url(&found.url);
        let tagged = tag.tags(REMOVING, "true").send().await;
        let tagged = tagged.during("sqs:TagQueue").absent_as_none();
        tagged.or_failure(|| doing("removing", self))?;
        self.delete(&found.url, progress).await?;
        self.leave(None);
        Ok(())
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
