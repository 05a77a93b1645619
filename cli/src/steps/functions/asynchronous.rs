//! What Lambda does by itself around two of the functions, and must not do otherwise.
//!
//! Broadcast hands over to itself through its queue: Lambda takes that for an endless loop and
//! stops it after some 16 rounds, unless it is told that the loop is meant. Save is called by the
//! scheduler asynchronously, and then Lambda has retries of its own, for hours, beside those of
//! the schedule: an old save would only repeat the work of the next.

use aws_sdk_lambda::types::RecursiveLoop;
use place_config::Function;

use crate::aws::{Answer, AwsError, AwsResult};
use crate::engine::{Failure, Progress};
use crate::steps::Stack;
use crate::steps::drift::Drift;
use crate::steps::repeat::once_visible;

/// How often Lambda itself repeats a call that failed.
const RETRIES: i32 = 0;

/// How old a call may get while it waits, in seconds: the least that Lambda takes.
const AGE: i32 = 60;

/// How it differs from what it should be.
pub(super) async fn compare(stack: &Stack, function: Function) -> Result<Drift, AwsError> {
    match function {
        Function::Broadcast => compare_loop(stack).await,
        Function::Save => compare_retries(stack).await,
        _ => Ok(Drift::default()),
    }
}

async fn compare_loop(stack: &Stack) -> Result<Drift, AwsError> {
    let look = stack.aws.lambda.get_function_recursion_config();
    let look = look.function_name(stack.names.function(Function::Broadcast));
    let found = look
        .send()
        .await
        .during("lambda:GetFunctionRecursionConfig")
        .absent_as_none()?
        .and_then(|answer| answer.recursive_loop);
    let mut drift = Drift::default();
    let found = found.unwrap_or(RecursiveLoop::Terminate);
    drift.compare("RecursiveLoop", found, RecursiveLoop::Allow);
    Ok(drift)
}

async fn compare_retries(stack: &Stack) -> Result<Drift, AwsError> {
    let look = stack.aws.lambda.get_function_event_invoke_config();
    let look = look.function_name(stack.names.function(Function::Save));
    let found = look
        .send()
        .await
        .during("lambda:GetFunctionEventInvokeConfig")
        .absent_as_none()?;
    let text = |value: Option<i32>| value.map_or("unset".to_owned(), |value| value.to_string());
    let [retries, age] = found.map_or([None, None], |found| {
        [
            found.maximum_retry_attempts,
            found.maximum_event_age_in_seconds,
        ]
    });
    let mut drift = Drift::default();
    drift.compare("MaximumRetryAttempts", text(retries), RETRIES);
    drift.compare("MaximumEventAgeInSeconds", text(age), AGE);
    Ok(drift)
}

/// Makes it what it should be.
pub(super) async fn put(
    stack: &Stack,
    function: Function,
    progress: &Progress,
) -> Result<(), Failure> {
    let name = stack.names.function(function);
    let action = format!("setting how Lambda calls function `{name}`");
    let put = async || match function {
        Function::Broadcast => allow_loop(stack, &name).await,
        Function::Save => limit_retries(stack, &name).await,
        _ => Ok(()),
    };
    once_visible(progress, &action, put).await
}

async fn allow_loop(stack: &Stack, name: &str) -> Result<(), AwsError> {
    let put = stack.aws.lambda.put_function_recursion_config();
    let put = put.function_name(name).recursive_loop(RecursiveLoop::Allow);
    let put = put.send().await;
    put.during("lambda:PutFunctionRecursionConfig").map(drop)
}

async fn limit_retries(stack: &Stack, name: &str) -> Result<(), AwsError> {
    let put = stack.aws.lambda.put_function_event_invoke_config();
    let put = put.function_name(name).maximum_retry_attempts(RETRIES);
    let put = put.maximum_event_age_in_seconds(AGE).send().await;
    put.during("lambda:PutFunctionEventInvokeConfig").map(drop)
}
