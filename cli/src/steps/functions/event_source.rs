//! The mapping that feeds a queue's messages to a function.

mod look;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use aws_sdk_lambda::config::Builder as Config;
use aws_sdk_lambda::config::retry::RetryConfig;
use aws_sdk_lambda::types::{Filter, FilterCriteria, FunctionResponseType, ScalingConfig};
use place_config::{Function, Queue};

use self::look::{Found, in_transition};
use super::{environment_key, event_source_key};
use crate::aws::{Answer, AwsResult, Class};
use crate::engine::{Failure, Observed, Poll, Progress, Resource, ResourceKey, Step, Wait};
use crate::steps::drift::{self, Drift};
use crate::steps::lost::Creation;
use crate::steps::repeat::while_answer_is;
use crate::steps::{Stack, keys};

/// Messages a call at most: as many as Lambda allows for a FIFO queue.
const MOST_MESSAGES: i32 = 10;

/// How long Lambda may find the role too young, or keep a mapping in transition.
const PATIENCE: Duration = Duration::from_mins(3);

/// An event source mapping.
#[derive(Debug)]
pub(crate) struct EventSource {
    stack: Arc<Stack>,
    function: Function,
    queue: Queue,
}

impl EventSource {
    /// The mapping from `queue` to `function`.
    pub(crate) fn new(stack: &Arc<Stack>, function: Function, queue: Queue) -> Arc<Self> {
        Arc::new(Self {
            stack: Arc::clone(stack),
            function,
            queue,
        })
    }

    fn function_name(&self) -> String {
        self.stack.names.function(self.function)
    }

    fn function_arn(&self) -> String {
        self.stack
            .aws
            .arn("lambda", &format!("function:{}", self.function_name()))
    }

    fn queue_arn(&self) -> String {
        self.stack
            .aws
            .arn("sqs", &self.stack.names.queue(self.queue))
    }

    /// Messages a call. A paint wakes all sleeping shards at once, and each shard's loop shall have a
    /// function, with its processor, for itself; the local cloud runs one call of a queue at a time,
    /// so there all loops must be in it.
    fn batch(&self) -> i32 {
        match self.queue {
            Queue::Request if !self.stack.is_local() => 1,
            _ => MOST_MESSAGES,
        }
    }

    /// Calls in flight at once, of which Lambda wants at least two. A broadcast loop is one for
    /// each shard, and beside it the next one that takes over; newcomers may come in crowds.
    fn concurrency(&self) -> i32 {
        match self.queue {
            Queue::Request => (i32::from(self.stack.config.broadcast.shards) * 2).clamp(2, 1000),
            Queue::Initialize => 20,
        }
    }

    fn scaling(&self) -> ScalingConfig {
        ScalingConfig::builder()
            .maximum_concurrency(self.concurrency())
            .build()
    }

    fn describe(&self) -> String {
        format!("event source mapping `{}`", self.name())
    }

    fn compare(&self, found: &Found) -> Drift {
        let mut drift = Drift::default();
        drift.tags(&self.stack, &self.key(), found.tags());
        let mapping = &found.configuration;
        let batch = mapping.batch_size.unwrap_or_default();
        drift.compare("BatchSize", batch, self.batch());
        let partial = mapping.function_response_types();
        let partial = partial.contains(&FunctionResponseType::ReportBatchItemFailures);
        drift.compare("ReportBatchItemFailures", partial, true);
        let scaling = mapping.scaling_config.as_ref();
        let concurrency = scaling.and_then(|scaling| scaling.maximum_concurrency);
        drift.compare(
            "MaximumConcurrency",
            concurrency.unwrap_or_default(),
            self.concurrency(),
        );
        let filters = mapping.filter_criteria().map(FilterCriteria::filters);
        let patterns = filters.unwrap_or_default().iter().map(Filter::pattern);
        let patterns: Vec<&str> = patterns.map(Option::unwrap_or_default).collect();
        drift.compare("FilterCriteria", shown(&patterns), shown(&[]));
        drift.compare("State", found.state(), "Enabled");
        drift
    }

    async fn create(&self, progress: &Progress) -> Result<(), Failure> {
        let create = async || {
            let request = self.stack.aws.lambda.create_event_source_mapping();
            let request = request
                .event_source_arn(self.queue_arn())
                .function_name(self.function_name())
                .batch_size(self.batch())
                .function_response_types(FunctionResponseType::ReportBatchItemFailures)
                .scaling_config(self.scaling())
                .set_tags(Some(self.stack.ownership.map(&self.key())))
                .customize()
                .config_override(Config::new().retry_config(RetryConfig::disabled()));
            let created = request
                .send()
                .await
                .during("lambda:CreateEventSourceMapping");
            created.exists_as_none().map(drop)
        };
        let look = async || Ok(self.look().await?.map(drop));
        let what = format!(
            "role of `{}` to be allowed to read its queue",
            self.function_name()
        );
        let wait = Wait::new(what, PATIENCE).usual(0, 15);
        let action = format!("creating {}", self.describe());
        let creation = Creation::new(&self.stack, progress, &action).waiting(wait);
        creation.run(look, create).await
    }

    async fn repair(&self, found: &Found, progress: &Progress) -> Result<(), Failure> {
        let lambda = &self.stack.aws.lambda;
        let drift = self.compare(found);
        if drift.has(drift::TAGS) {
            let tag = lambda.tag_resource().resource(&found.arn);
            let tag = tag
                .set_tags(Some(self.stack.ownership.map(&self.key())))
                .send()
                .await;
            tag.during("lambda:TagResource")
                .or_failure(|| format!("tagging {}", self.describe()))?;
        }
        if !drift.has_beside(&[drift::TAGS]) {
            return Ok(());
        }
        let update = async || {
            let request = lambda.update_event_source_mapping().uuid(&found.id);
            let request = request
                .batch_size(self.batch())
                .function_response_types(FunctionResponseType::ReportBatchItemFailures)
                .scaling_config(self.scaling())
                // Lambda leaves filters as they are where an update says nothing of them
                // (terraform-provider-aws sends an empty object too).
                .filter_criteria(FilterCriteria::builder().build())
                .enabled(true);
            request
                .send()
                .await
                .during("lambda:UpdateEventSourceMapping")
        };
        let wait = Wait::new(format!("{} to take changes", self.describe()), PATIENCE).usual(0, 60);
        let action = format!("updating {}", self.describe());
        while_answer_is(progress, wait, &[Class::Conflict], &action, update)
            .await
            .map(drop)
    }
}

#[async_trait(?Send)]
impl Resource for EventSource {
    fn key(&self) -> ResourceKey {
        event_source_key(self.function)
    }

    fn step(&self) -> Step {
        Step(4)
    }

    fn kind(&self) -> &'static str {
        "event source mapping"
    }

    fn name(&self) -> String {
        format!(
            "{} feeds {}",
            self.stack.names.queue(self.queue),
            self.function_name()
        )
    }

    fn needs(&self) -> Vec<ResourceKey> {
        vec![keys::queue(self.queue), environment_key(self.function)]
    }

    async fn observe(&self) -> Result<Observed, Failure> {
        let found = self.look().await.or_failure(|| self.looking())?;
        let Some(found) = found else {
            return Ok(Observed::Absent);
        };
        if found.is_untold() {
            return Ok(found.changing());
        }
        if let Some(foreign) = drift::foreign(&self.stack, &found.id, &self.key(), found.tags()) {
            return Ok(foreign);
        }
        if in_transition(found.state()) {
            return Ok(found.changing());
        }
        Ok(self.compare(&found).verdict(found.id))
    }

    async fn ensure(&self, observed: &Observed, progress: &Progress) -> Result<(), Failure> {
        if *observed == Observed::Absent {
            self.create(progress).await?;
        }
        let Some(found) = self.at_rest(progress).await? else {
            self.create(progress).await?;
            return self.at_rest(progress).await.map(drop);
        };
        let found = match observed {
            Observed::Absent | Observed::Changing { .. } if found.tags().is_empty() => {
                self.told(progress).await?.unwrap_or(found)
            }
            _ => found,
        };
        drift::refuse_foreign(&self.stack, &self.describe(), &self.key(), found.tags())?;
        self.repair(&found, progress).await?;
        self.at_rest(progress).await.map(drop)
    }

    async fn remove(&self, progress: &Progress) -> Result<(), Failure> {
        let found = self.told(progress).await?;
        let ours = |found: &Found| self.stack.ownership.owns(&self.key(), found.tags());
        let Some(found) = found.filter(ours) else {
            return Ok(());
        };
        let delete = async || {
            let delete = self
                .stack
                .aws
                .lambda
                .delete_event_source_mapping()
                .uuid(&found.id)
                .send();
            delete
                .await
                .during("lambda:DeleteEventSourceMapping")
                .absent_as_none()
        };
        let wait = Wait::new(format!("{} to take changes", self.describe()), PATIENCE).usual(0, 60);
        let action = format!("removing {}", self.describe());
        while_answer_is(progress, wait, &[Class::Conflict], &action, delete).await?;
        let wait = Wait::new(format!("{} to be gone", self.describe()), PATIENCE).usual(1, 60);
        progress
            .until(wait, async || {
                match self.look().await.or_failure(|| self.looking())? {
                    None => Ok(Poll::Ready(())),
                    Some(found) => Ok(Poll::Pending(found.state().to_owned())),
                }
            })
            .await
    }
}

/// The patterns of filters, of which none lets every message through.
fn shown(patterns: &[&str]) -> String {
    match patterns {
        [] => "none".to_owned(),
        patterns => patterns.join(", "),
    }
}
