//! The concurrency that is reserved for a function: none, but for the page function as configured, so
//! that a crowd of watchers takes none from painting.
//!
//! The console's "Throttle" reserves 0 of it, and Lambda then refuses every call of the function,
//! while its settings are all as they were.

use aws_sdk_lambda::types::Concurrency;
use place_config::Function;

use crate::aws::Answer;
use crate::engine::{Failure, Progress};
use crate::steps::Stack;
use crate::steps::drift::Drift;
use crate::steps::repeat::once_visible;

/// Attribute as differences name it.
pub(super) const RESERVED: &str = "ReservedConcurrentExecutions";

/// What is to be reserved.
fn wanted(stack: &Stack, function: Function) -> Option<i32> {
    let most = stack.config.page.max_concurrency;
    let is_limited = function == Function::Page && most > 0;
    is_limited.then(|| i32::try_from(most).unwrap_or(i32::MAX))
}

/// Whether any is to be reserved.
pub(super) fn is_wanted(stack: &Stack, function: Function) -> bool {
    wanted(stack, function).is_some()
}

fn words(reserved: Option<i32>) -> String {
    reserved.map_or("none".to_owned(), |reserved| reserved.to_string())
}

/// Notes what is reserved.
pub(super) fn compare(
    stack: &Stack,
    function: Function,
    found: Option<&Concurrency>,
    drift: &mut Drift,
) {
    let reserved = found.and_then(|found| found.reserved_concurrent_executions);
    drift.compare(RESERVED, words(reserved), words(wanted(stack, function)));
}

/// Reserves what is configured, and takes any other reservation away.
pub(super) async fn put(
    stack: &Stack,
    function: Function,
    progress: &Progress,
) -> Result<(), Failure> {
    let name = stack.names.function(function);
    let action = format!("setting the reserved concurrency of function `{name}`");
    let put = async || {
        let Some(reserved) = wanted(stack, function) else {
            let release = stack.aws.lambda.delete_function_concurrency();
            let released = release.function_name(&name).send().await;
            return released
                .during("lambda:DeleteFunctionConcurrency")
                .map(drop);
        };
        let reserve = stack.aws.lambda.put_function_concurrency();
        let reserve = reserve.function_name(&name);
        let reserved = reserve
            .reserved_concurrent_executions(reserved)
            .send()
            .await;
        reserved.during("lambda:PutFunctionConcurrency").map(drop)
    };
    once_visible(progress, &action, put).await
}
