//! Tags of API Gateway's resources.

use std::collections::HashMap;

use crate::aws::{Answer, AwsError, AwsResult};
use crate::engine::ResourceKey;
use crate::steps::Stack;

/// Tags by name.
pub(super) type TagMap = HashMap<String, String>;

/// ARN of an API, or of a part of it (`ID/stages/production`). It has no account in it.
pub(super) fn arn(stack: &Stack, path: &str) -> String {
    let (partition, region) = (&stack.aws.identity.partition, &stack.aws.region);
    format!("arn:{partition}:apigateway:{region}::/apis/{path}")
}

/// The tags that AWS answered with the resource itself.
pub(super) async fn current(
    stack: &Stack,
    path: &str,
    answered: Option<TagMap>,
) -> Result<TagMap, AwsError> {
    if stack.config.endpoints.aws.is_none() {
        return Ok(answered.unwrap_or_default());
    }
    // MiniStack 1.5.33, with `--local` or at an endpoint of its own, goes on answering the tags that
    // a resource was created with, whatever was changed since; only this call knows better
    // (docs/emulators.md).
    let tags = stack
        .aws
        .apigatewayv2
        .get_tags()
        .resource_arn(arn(stack, path))
        .send()
        .await;
    let tags = tags.during("apigateway:GetTags").absent_as_none()?;
    Ok(tags.and_then(|answer| answer.tags).unwrap_or_default())
}

/// Puts the ownership tags on.
pub(super) async fn put(stack: &Stack, path: &str, key: &ResourceKey) -> Result<(), AwsError> {
    let tag = stack
        .aws
        .apigatewayv2
        .tag_resource()
        .resource_arn(arn(stack, path));
    let tag = tag.set_tags(Some(stack.ownership.map(key))).send().await;
    tag.during("apigateway:TagResource").map(drop)
}
