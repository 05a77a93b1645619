//! Whose a thing of ElastiCache is: tags are asked for by ARN.

use aws_sdk_elasticache::types::Tag;

use super::super::Stack;
use super::super::drift::Drift;
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

/// Whose the thing with that ARN, of the name of the resource `key`, is, as far as ElastiCache
/// tells.
pub(super) async fn owner(
    stack: &Stack,
    arn: &str,
    key: &ResourceKey,
) -> Result<Option<Owner>, AwsError> {
    let marks = Marks::of(stack, arn).await?;
    Ok(marks.map(|marks| marks.owner(stack, key)))
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
