//! Looks at a mapping: what there is, how it is on its way, and whose it is.

use std::collections::HashMap;

use aws_sdk_lambda::types::EventSourceMappingConfiguration;

use super::{EventSource, PATIENCE};
use crate::aws::{Answer, AwsError, AwsResult};
use crate::engine::{Failure, Observed, Poll, Progress, Wait};
use crate::steps::telling::Telling;

/// Tags by name.
type TagMap = HashMap<String, String>;

/// A mapping as Lambda answers it.
pub(super) struct Found {
    pub(super) id: String,
    pub(super) arn: String,
    pub(super) configuration: EventSourceMappingConfiguration,
    tags: TagMap,
    /// Lambda may not know the ARN of a mapping that is being made or deleted.
    is_known: bool,
}

impl Found {
    pub(super) fn state(&self) -> &str {
        self.configuration.state.as_deref().unwrap_or("unknown")
    }

    /// Its tags, as far as they are told.
    pub(super) const fn tags(&self) -> &TagMap {
        &self.tags
    }

    /// Whether nobody can know yet whose it is.
    pub(super) fn is_untold(&self) -> bool {
        !self.is_known || (self.tags.is_empty() && in_transition(self.state()))
    }

    pub(super) fn changing(self) -> Observed {
        Observed::Changing {
            state: self.state().to_owned(),
            id: self.id,
        }
    }
}

/// `Creating`, `Enabling`, `Disabling`, `Updating`, `Deleting`.
pub(super) fn in_transition(state: &str) -> bool {
    state.ends_with("ing")
}

impl EventSource {
    /// A mapping outlives its function, so it is found by the queue.
    pub(super) async fn look(&self) -> Result<Option<Found>, AwsError> {
        let lambda = &self.stack.aws.lambda;
        let list = lambda
            .list_event_source_mappings()
            .event_source_arn(self.queue_arn());
        let answer = list
            .send()
            .await
            .during("lambda:ListEventSourceMappings")
            .absent_as_none()?;
        let mappings = answer
            .and_then(|answer| answer.event_source_mappings)
            .unwrap_or_default();
        let wanted = Some(self.function_arn());
        let Some(mapping) = mappings.into_iter().find(|m| m.function_arn == wanted) else {
            return Ok(None);
        };
        let id = mapping.uuid.clone().unwrap_or_default();
        let arn = match mapping.event_source_mapping_arn.clone() {
            Some(arn) => arn,
            None => self
                .stack
                .aws
                .arn("lambda", &format!("event-source-mapping:{id}")),
        };
        let tags = lambda.list_tags().resource(&arn).send().await;
        let tags = tags.during("lambda:ListTags").absent_as_none()?;
        Ok(Some(Found {
            id,
            arn,
            configuration: mapping,
            is_known: tags.is_some(),
            tags: tags.and_then(|answer| answer.tags).unwrap_or_default(),
        }))
    }

    /// Waits until the mapping has left every state ending in `-ing`; none is such a state too.
    pub(super) async fn at_rest(&self, progress: &Progress) -> Result<Option<Found>, Failure> {
        let wait = Wait::new(format!("{} to settle", self.describe()), PATIENCE).usual(1, 60);
        let is_due = |found: &Found| in_transition(found.state());
        self.look_while(progress, wait, is_due).await
    }

    /// The mapping once its tags are told, or it turns out to have none; nothing once it is gone.
    pub(super) async fn told(&self, progress: &Progress) -> Result<Option<Found>, Failure> {
        let what = format!("Lambda to tell whose {} is", self.describe());
        let mut telling = Telling::default();
        let is_due =
            |found: &Found| telling.is_due(!found.tags.is_empty(), !in_transition(found.state()));
        let wait = Wait::new(what, PATIENCE).usual(0, 60);
        self.look_while(progress, wait, is_due).await
    }

    async fn look_while(
        &self,
        progress: &Progress,
        wait: Wait,
        mut is_due: impl FnMut(&Found) -> bool,
    ) -> Result<Option<Found>, Failure> {
        let look = async || {
            let found = self.look().await.or_failure(|| self.looking())?;
            Ok(match found {
                Some(found) if is_due(&found) => Poll::Pending(found.state().to_owned()),
                other => Poll::Ready(other),
            })
        };
        progress.until(wait, look).await
    }

    pub(super) fn looking(&self) -> String {
        format!("looking at {}", self.describe())
    }
}

#[cfg(test)]
mod tests {
    use super::in_transition;

    #[test]
    fn states_on_their_way_are_told_from_states_at_rest() {
        let moving = ["Creating", "Enabling", "Disabling", "Updating", "Deleting"];
        assert!(moving.into_iter().all(in_transition));
        assert!(!["Enabled", "Disabled"].into_iter().any(in_transition));
    }
}
