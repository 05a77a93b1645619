//! Whose a thing of ElastiCache is: tags are asked for by ARN.

use aws_sdk_elasticache::types::Tag;

use super::super::drift::Drift;
use super::super::lifecycle::{TagMap, tag_map};
use super::super::{Stack, keys};
use super::mode::{Found, State, description};
use crate::aws::{Answer, AwsError, AwsResult, Class, Owner};
use crate::engine::ResourceKey;

/// The tags of a thing of ElastiCache.
pub(super) struct Marks(Vec<Tag>);

impl Marks {
    /// Those of the thing with that ARN; `None` while it is in a state in which ElastiCache does
    /// not tell, and when it is gone.
    pub(super) async fn of(stack: &Stack, arn: &str) -> Result<Option<Self>, AwsError> {
        let call = stack.aws.elasticache.list_tags_for_resource();
        let answer = call.resource_name(arn).send().await;
        let answer = answer
            .during("elasticache:ListTagsForResource")
            .absent_as_none();
        match answer {
            Ok(answer) => Ok(answer.map(|answer| Self(answer.tag_list.unwrap_or_default()))),
            Err(error) if error.class == Class::Conflict => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Those of a cache. One that failed may never tell ("If the cluster is not in the available
    /// state, `ListTagsForResource` returns an error", ElastiCache API reference): what it is said
    /// to be, written by the call that gave it its tags, stands for them.
    pub(super) async fn of_cache(stack: &Stack, cache: &Found) -> Result<Option<Self>, AwsError> {
        let told = Self::of(stack, &cache.arn).await?;
        if told.is_some() || !matches!(cache.state, State::Failed(_)) {
            return Ok(told);
        }
        let is_ours = cache.description == description(stack);
        let tags = is_ours.then(|| stack.ownership.list(&keys::CACHE));
        Ok(Some(Self(tags.unwrap_or_default())))
    }

    /// By name.
    pub(super) fn map(&self) -> TagMap {
        tag_map(&self.0)
    }

    /// Whose the thing is, which has the name of the resource `key`.
    pub(super) fn owner(&self, stack: &Stack, key: &ResourceKey) -> Owner {
        stack.ownership.owner(key, self.0.as_slice())
    }

    /// How they differ from those of the resource `key`.
    pub(super) fn compare(&self, stack: &Stack, key: &ResourceKey) -> Drift {
        let mut drift = Drift::default();
        drift.tags(stack, key, self.0.as_slice());
        drift
    }
}

/// Whose a cache of the stack's name is, as far as ElastiCache tells.
pub(super) async fn owner_of_cache(
    stack: &Stack,
    cache: &Found,
) -> Result<Option<Owner>, AwsError> {
    let marks = Marks::of_cache(stack, cache).await?;
    Ok(marks.map(|marks| marks.owner(stack, &keys::CACHE)))
}

/// Puts the stack's tags on it.
pub(super) async fn adopt(stack: &Stack, arn: &str, key: &ResourceKey) -> Result<(), AwsError> {
    let tags = stack.ownership.list(key);
    let call = stack.aws.elasticache.add_tags_to_resource();
    call.resource_name(arn)
        .set_tags(Some(tags))
        .send()
        .await
        .during("elasticache:AddTagsToResource")
        .map(drop)
}
