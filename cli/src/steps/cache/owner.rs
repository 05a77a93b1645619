//! Whose a thing of ElastiCache is: tags are asked for by ARN.

use super::super::Stack;
use crate::aws::{Answer, AwsError, AwsResult, Class, Owner};
use crate::engine::ResourceKey;

/// Whose the thing with that ARN is; `None` while it is in a state in which ElastiCache does not
/// say, and when it is gone.
pub(super) async fn owner(stack: &Stack, arn: &str) -> Result<Option<Owner>, AwsError> {
    let call = stack
        .aws
        .elasticache
        .list_tags_for_resource()
        .resource_name(arn);
    let answer = call
        .send()
        .await
        .during("elasticache:ListTagsForResource")
        .absent_as_none();
    match answer {
        Ok(answer) => Ok(answer.map(|answer| stack.ownership.owner(answer.tag_list()))),
        Err(error) if error.class == Class::Conflict => Ok(None),
        Err(error) => Err(error),
    }
}

/// Puts the stack's tags on it.
pub(super) async fn adopt(stack: &Stack, arn: &str, key: &ResourceKey) -> Result<(), AwsError> {
    let tags = stack.ownership.list(key);
    let call = stack
        .aws
        .elasticache
        .add_tags_to_resource()
        .resource_name(arn);
    call.set_tags(Some(tags))
        .send()
        .await
        .during("elasticache:AddTagsToResource")
        .map(drop)
}
