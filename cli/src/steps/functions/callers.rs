//! Who may call a function beside those whose own role says so: the statements of its policy.
//!
//! Queues and the schedule call through roles, so of most functions the policy has no statement at
//! all. One with a route has the API's, the page function those that let everybody in.

use place_config::Function;
use serde_json::Value;

use crate::aws::{Answer, AwsError, AwsResult};
use crate::engine::outcome::Difference;
use crate::engine::{Failure, Progress};
use crate::steps::Stack;
use crate::steps::drift::Drift;
use crate::steps::repeat::once_visible;

/// Every statement of a function's policy.
pub(super) async fn statements(stack: &Stack, function: Function) -> Result<Vec<Value>, AwsError> {
    let look = stack.aws.lambda.get_policy();
    let look = look.function_name(stack.names.function(function));
    let answer = look.send().await.during("lambda:GetPolicy");
    let policy = answer.absent_as_none()?.and_then(|answer| answer.policy);
    Ok(policy.map(|policy| parse(&policy)).unwrap_or_default())
}

/// Takes one statement away.
pub(super) async fn remove(
    stack: &Stack,
    function: Function,
    statement: &str,
) -> Result<(), AwsError> {
    let remove = stack.aws.lambda.remove_permission();
    let remove = remove.function_name(stack.names.function(function));
    let removed = remove.statement_id(statement).send().await;
    let removed = removed.during("lambda:RemovePermission");
    removed.absent_as_none().map(drop)
}

/// The ids of all statements but ours.
pub(super) fn others<'a>(statements: &'a [Value], ours: &[&str]) -> Vec<&'a str> {
    let ids = statements.iter().filter_map(|of| of["Sid"].as_str());
    ids.filter(|id| !ours.contains(id)).collect()
}

/// What is to be said about statements that should not be there.
pub(super) fn difference(others: &[&str]) -> Option<Difference> {
    (!others.is_empty()).then(|| Difference::new("OtherStatements", others.join(", "), "none"))
}

/// What a function lets in that nobody is to call. Of the others it is the permission's affair.
pub(super) async fn compare(stack: &Stack, function: Function) -> Result<Drift, AwsError> {
    let mut drift = Drift::default();
    if !function.has_callers() {
        let found = statements(stack, function).await?;
        drift.extend(difference(&others(&found, &[])));
    }
    Ok(drift)
}

/// Removes every permission to call a function that nobody is to call.
pub(super) async fn keep_out(
    stack: &Stack,
    function: Function,
    progress: &Progress,
) -> Result<(), Failure> {
    if function.has_callers() {
        return Ok(());
    }
    let name = stack.names.function(function);
    let action = format!("removing other callers' permissions on function `{name}`");
    let remove_all = async || {
        for other in others(&statements(stack, function).await?, &[]) {
            remove(stack, function, other).await?;
        }
        Ok(())
    };
    once_visible(progress, &action, remove_all).await
}

fn parse(policy: &str) -> Vec<Value> {
    let policy: Option<Value> = serde_json::from_str(policy).ok();
    let statements = policy
        .as_ref()
        .and_then(|policy| policy["Statement"].as_array());
    statements.cloned().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ours_is_not_among_the_others() {
        let found = parse(r#"{"Statement":[{"Sid":"other"},{"Sid":"place-api"}]}"#);
        assert_eq!(others(&found, &["place-api"]), ["other"]);
        assert_eq!(others(&found, &[]), ["other", "place-api"]);
        assert_eq!(parse("not JSON"), Vec::<Value>::new());
    }
}
