//! The two calls that remove a function.

use std::time::Duration;

use aws_sdk_lambda::types::FunctionConfiguration;

use super::settings::Settings;
use super::settle::{self, Readiness};
use crate::aws::{Answer, AwsResult, Class};
use crate::engine::{Failure, FailureKind, Progress, Wait};
use crate::steps::Stack;
use crate::steps::repeat::while_answer_is;

/// How long Lambda may refuse, because it still works on the function's network interfaces.
const PATIENCE: Duration = Duration::from_mins(10);

/// Takes the function out of the VPC, so that Lambda begins to release the function's network
/// interfaces: the interfaces keep our security group for up to 45 minutes after the function is
/// deleted. The call only saves time, so the function is deleted even if Lambda refuses the update
/// (a function in state `Failed`, or without its role) or the wait fails.
pub(super) async fn leave_network(
    stack: &Stack,
    name: &str,
    configuration: &FunctionConfiguration,
    progress: &Progress,
) -> Result<(), Failure> {
    let vpc = configuration.vpc_config.as_ref();
    let attached = vpc.is_some_and(|vpc| !vpc.subnet_ids().is_empty());
    let failed = matches!(Readiness::of(configuration), Readiness::Failed(_));
    // The emulator has no such interfaces.
    if !attached || failed || stack.is_local() {
        return Ok(());
    }
    let nowhere = Settings::no_network();
    let detach = async || {
        let request = stack.aws.lambda.update_function_configuration();
        let request = request.function_name(name).vpc_config(nowhere.clone());
        let updated = request
            .send()
            .await
            .during("lambda:UpdateFunctionConfiguration");
        match updated {
            Err(error) if error.class == Class::Conflict => Err(error),
            Err(error) => {
                tracing::warn!(function = name, %error, "the function stays in the VPC");
                Ok(false)
            }
            Ok(_) => Ok(true),
        }
    };
    let wait = Wait::new(format!("function `{name}` to leave the VPC"), PATIENCE).usual(5, 120);
    let action = format!("taking function `{name}` out of the VPC");
    let left = match while_answer_is(progress, wait, &[Class::Conflict], &action, detach).await {
        Ok(true) => settle::until_at_rest(&stack.aws, name, progress).await,
        other => other.map(drop),
    };
    match left {
        Err(failure) if failure.kind == FailureKind::Interrupted => Err(failure),
        Ok(()) | Err(_) => Ok(()),
    }
}

/// Deletes the function and waits until Lambda no longer finds the function.
pub(super) async fn delete(stack: &Stack, name: &str, progress: &Progress) -> Result<(), Failure> {
    let delete = async || {
        let delete = stack
            .aws
            .lambda
            .delete_function()
            .function_name(name)
            .send()
            .await;
        delete.during("lambda:DeleteFunction").absent_as_none()
    };
    let wait = Wait::new(
        format!("function `{name}` to accept the deletion"),
        PATIENCE,
    )
    .usual(0, 90);
    let action = format!("removing function `{name}`");
    while_answer_is(progress, wait, &[Class::Conflict], &action, delete).await?;
    settle::until_gone(&stack.aws, name, progress).await
}
