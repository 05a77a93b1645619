//! The mapping that feeds a queue's messages to a function.

use std::time::Duration;

use async_trait::async_trait;
use aws_sdk_lambda::config::Builder as Config;
use aws_sdk_lambda::config::retry::RetryConfig;
use aws_sdk_lambda::types::{
    EventSourceMappingConfiguration, Filter, FilterCriteria, FunctionResponseType, ScalingConfig,
};
use place_config::{Function, Queue};

use super::{environment_key, event_source_key};
use crate::aws::{Answer, AwsResult};
use crate::steps::drift::Drift;
use crate::steps::lifecycle::{Card, Kind, Reading, State, TagMap, Trouble, Whose};
use crate::steps::{Stack, keys};

/// Messages a call at most: as many as Lambda allows for a FIFO queue.
const MOST_MESSAGES: i32 = 10;

/// How long Lambda may find the role too young, or keep a mapping in transition.
const PATIENCE: Duration = Duration::from_mins(3);

/// The mapping from a queue to a function.
pub(super) struct EventSource {
    pub(super) function: Function,
    pub(super) queue: Queue,
}

/// A mapping as Lambda answers it.
pub(super) struct Found {
    mapping: EventSourceMappingConfiguration,
    /// None where Lambda does not tell: it may not know the ARN of a mapping that is being made or
    /// deleted.
    tags: Option<TagMap>,
}

impl Found {
    fn id(&self) -> &str {
        self.mapping.uuid().unwrap_or_default()
    }

    fn state(&self) -> &str {
        self.mapping.state().unwrap_or("unknown")
    }
}

fn arn(stack: &Stack, mapping: &EventSourceMappingConfiguration) -> String {
    let id = mapping.uuid().unwrap_or_default();
    let made = || {
        stack
            .aws
            .arn("lambda", &format!("event-source-mapping:{id}"))
    };
    let arn = mapping.event_source_mapping_arn.clone();
    arn.unwrap_or_else(made)
}

impl EventSource {
    /// Messages a call. A paint wakes all sleeping shards at once, and each shard's loop shall have a
    /// function, with its processor, for itself; the local cloud runs one call of a queue at a time,
    /// so there all loops must be in it.
    fn batch(&self, stack: &Stack) -> i32 {
        match self.queue {
            Queue::Request if !stack.is_local() => 1,
            _ => MOST_MESSAGES,
        }
    }

    /// Calls in flight at once, of which Lambda wants at least two. A broadcast loop is one for
    /// each shard, and beside it the next one that takes over; newcomers may come in crowds.
    fn concurrency(&self, stack: &Stack) -> i32 {
        match self.queue {
            Queue::Request => (i32::from(stack.config.broadcast.shards) * 2).clamp(2, 1000),
            Queue::Initialize => 20,
        }
    }

    fn scaling(&self, stack: &Stack) -> ScalingConfig {
        let scaling = ScalingConfig::builder();
        scaling.maximum_concurrency(self.concurrency(stack)).build()
    }

    fn queue_arn(&self, stack: &Stack) -> String {
        stack.aws.arn("sqs", &stack.names.queue(self.queue))
    }

    fn key(&self) -> crate::engine::ResourceKey {
        event_source_key(self.function)
    }
}

#[async_trait(?Send)]
impl Kind for EventSource {
    type Found = Found;

    fn card(&self, stack: &Stack) -> Card {
        let (queue, function) = (
            stack.names.queue(self.queue),
            stack.names.function(self.function),
        );
        let name = format!("{queue} feeds {function}");
        let card = Card::new(4, self.key(), "event source mapping", name);
        let card = card.needs([keys::queue(self.queue), environment_key(self.function)]);
        // The function's role may be too young to read its queue.
        let card = card.patience(PATIENCE).takes(0, 15).makes(0, 30);
        card.seen_off(1, 60).shows_within(PATIENCE)
    }

    /// A mapping outlives its function, so it is found by the queue.
    async fn find(&self, stack: &Stack) -> Result<Vec<Found>, Trouble> {
        let lambda = &stack.aws.lambda;
        let list = lambda.list_event_source_mappings();
        let list = list.event_source_arn(self.queue_arn(stack));
        let answer = list.send().await.during("lambda:ListEventSourceMappings");
        let listed = answer.absent_as_none()?;
        let mappings = listed.and_then(|answer| answer.event_source_mappings);
        let function = stack.names.function(self.function);
        let function = stack.aws.arn("lambda", &format!("function:{function}"));
        let mut mappings = mappings.unwrap_or_default().into_iter();
        let Some(mapping) = mappings.find(|of| of.function_arn() == Some(&function)) else {
            return Ok(Vec::new());
        };
        let tags = lambda
            .list_tags()
            .resource(arn(stack, &mapping))
            .send()
            .await;
        let tags = tags.during("lambda:ListTags").absent_as_none()?;
        let tags = tags.map(|answer| answer.tags.unwrap_or_default());
        Ok(vec![Found { mapping, tags }])
    }

    /// `Creating`, `Enabling`, `Disabling`, `Updating`, `Deleting` are states that pass.
    fn read(&self, _: &Stack, found: &Found) -> Reading {
        let whose = found.tags.clone().map_or(Whose::Untold, Whose::Tagged);
        let reading = Reading::new(found.id(), whose);
        match found.state() {
            "Deleting" => reading.state(State::Leaving("Deleting".to_owned())),
            state if state.ends_with("ing") => reading.state(State::Changing(state.to_owned())),
            _ => reading,
        }
    }

    fn compare(&self, stack: &Stack, found: &Found, drift: &mut Drift) {
        let mapping = &found.mapping;
        let batch = mapping.batch_size.unwrap_or_default();
        drift.compare("BatchSize", batch, self.batch(stack));
        let partial = mapping.function_response_types();
        let partial = partial.contains(&FunctionResponseType::ReportBatchItemFailures);
        drift.compare("ReportBatchItemFailures", partial, true);
        let scaling = mapping.scaling_config.as_ref();
        let concurrency = scaling.and_then(|scaling| scaling.maximum_concurrency);
        let concurrency = concurrency.unwrap_or_default();
        drift.compare("MaximumConcurrency", concurrency, self.concurrency(stack));
        let filters = mapping.filter_criteria().map(FilterCriteria::filters);
        let patterns = filters.unwrap_or_default().iter().map(Filter::pattern);
        let patterns: Vec<&str> = patterns.map(Option::unwrap_or_default).collect();
        // With none, every message gets through.
        let shown = if patterns.is_empty() {
            "none".to_owned()
        } else {
            patterns.join(", ")
        };
        drift.compare("FilterCriteria", shown, "none");
        drift.compare("State", found.state(), "Enabled");
    }

    async fn create(&self, stack: &Stack) -> Result<Found, Trouble> {
        let tags = stack.ownership.map(&self.key());
        let create = stack.aws.lambda.create_event_source_mapping();
        let create = create
            .event_source_arn(self.queue_arn(stack))
            .function_name(stack.names.function(self.function))
            .batch_size(self.batch(stack))
            .function_response_types(FunctionResponseType::ReportBatchItemFailures)
            .scaling_config(self.scaling(stack))
            .set_tags(Some(tags.clone()))
            .customize()
            .config_override(Config::new().retry_config(RetryConfig::disabled()));
        let created = create.send().await;
        let created = created.during("lambda:CreateEventSourceMapping")?;
        let mapping = EventSourceMappingConfiguration::builder();
        let mapping = mapping.set_uuid(created.uuid).set_state(created.state);
        Ok(Found {
            mapping: mapping.build(),
            tags: Some(tags),
        })
    }

    async fn tag(&self, stack: &Stack, found: &Found) -> Result<(), Trouble> {
        let tag = stack.aws.lambda.tag_resource();
        let tag = tag.resource(arn(stack, &found.mapping));
        let tagged = tag.set_tags(Some(stack.ownership.map(&self.key()))).send();
        Ok(tagged.await.during("lambda:TagResource").map(drop)?)
    }

    async fn mend(&self, stack: &Stack, found: &Found, _: &Drift) -> Result<(), Trouble> {
        let update = stack.aws.lambda.update_event_source_mapping();
        let update = update
            .uuid(found.id())
            .batch_size(self.batch(stack))
            .function_response_types(FunctionResponseType::ReportBatchItemFailures)
            .scaling_config(self.scaling(stack))
            // Lambda leaves filters as they are where an update says nothing of them
            // (terraform-provider-aws sends an empty object too).
            .filter_criteria(FilterCriteria::builder().build())
            .enabled(true);
        let updated = update.send().await;
        Ok(updated
            .during("lambda:UpdateEventSourceMapping")
            .map(drop)?)
    }

    async fn delete(&self, stack: &Stack, found: &Found) -> Result<(), Trouble> {
        let delete = stack.aws.lambda.delete_event_source_mapping();
        let deleted = delete.uuid(found.id()).send().await;
        Ok(deleted
            .during("lambda:DeleteEventSourceMapping")
            .map(drop)?)
    }
}
