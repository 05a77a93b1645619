//! The concurrency that is reserved for a function: none, for every one of them.
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

/// Notes what is reserved.
pub(super) fn compare(found: Option<&Concurrency>, drift: &mut Drift) {
    let reserved = found.and_then(|found| found.reserved_concurrent_executions);
    let reserved = reserved.map_or("none".to_owned(), |reserved| reserved.to_string());
    drift.compare(RESERVED, reserved, "none");
}

/// Takes the reservation away.
pub(super) async fn release(
    stack: &Stack,
    function: Function,
    progress: &Progress,
) -> Result<(), Failure> {
    let name = stack.names.function(function);
    let action = format!("releasing the reserved concurrency of function `{name}`");
    let release = async || {
        let release = stack.aws.lambda.delete_function_concurrency();
        let released = release.function_name(&name).send().await;
        released
            .during("lambda:DeleteFunctionConcurrency")
            .map(drop)
    };
    once_visible(progress, &action, release).await
}
