//! Calls a function and waits for its answer: how the operator's commands reach the cache.

use std::time::Duration;

use aws_sdk_lambda::operation::invoke::InvokeOutput;
use aws_sdk_lambda::primitives::Blob;
use aws_sdk_lambda::types::{InvocationType, LogType};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use place_config::Function;
use serde::Serialize;
use serde_json::Value;

use super::settings;
use crate::aws::sdk::patient;
use crate::aws::{Answer, AwsResult, Class};
use crate::engine::{Failure, FailureKind, Left};
use crate::steps::Stack;

/// Time beyond the function's own time-out, for its start and for the way there and back.
const MARGIN: Duration = Duration::from_secs(30);

/// The hint for a function that accepts no calls now (`ResourceNotReadyException`, and
/// `ResourceConflictException` while it is `Pending`).
const SLEPT: &str = "after weeks without a call a function is `Inactive`; this call reactivates \
                     the function: run the same command again in two minutes";

/// What a function said when it failed.
#[derive(Debug, thiserror::Error)]
#[error("the function failed: {message}{}", log_lines(.log))]
pub(crate) struct FunctionError {
    /// Its word for the kind of error.
    pub(crate) kind: String,
    /// The message of the function.
    pub(crate) message: String,
    log: String,
}

impl FunctionError {
    /// What the function said, if `failure` is that a function failed.
    pub(crate) fn of(failure: &Failure) -> Option<&Self> {
        failure.cause.as_deref()?.downcast_ref()
    }
}

fn log_lines(log: &str) -> String {
    if log.is_empty() {
        String::new()
    } else {
        format!("\nthe last lines of the log:\n{log}")
    }
}

/// Invokes `function` with `payload` and returns what it answers.
pub(crate) async fn invoke(
    stack: &Stack,
    function: Function,
    payload: &impl Serialize,
) -> Result<Value, Failure> {
    let limit = Duration::from_secs(settings::timeout(stack, function).into()) + MARGIN;
    invoke_within(stack, function, payload, limit).await
}

/// The same, but an answer that takes longer than `limit` is not waited for.
pub(crate) async fn invoke_within(
    stack: &Stack,
    function: Function,
    payload: &impl Serialize,
    limit: Duration,
) -> Result<Value, Failure> {
    let name = stack.names.function(function);
    let action = || format!("calling function `{name}`");
    let payload =
        serde_json::to_vec(payload).map_err(|cause| Failure::new(action()).caused_by(cause))?;
    let request = stack.aws.lambda.invoke().function_name(&name);
    let request = request
        .invocation_type(InvocationType::RequestResponse)
        .log_type(LogType::Tail)
        .payload(Blob::new(payload))
        .customize()
        .config_override(aws_sdk_lambda::config::Builder::new().timeout_config(patient(limit)));
    let answer = request
        .send()
        .await
        .during("lambda:Invoke")
        .absent_as_none();
    let answer = answer.map_err(|error| match error.class {
        Class::Conflict => {
            let failure = error.failure(action()).hint(SLEPT);
            failure.kind(FailureKind::Incomplete)
        }
        _ => error.failure(action()),
    });
    let Some(answer) = answer? else {
        return Err(Failure::new(action())
            .caused_by("the function does not exist")
            .hint("`placectl up` creates the function"));
    };
    read(&answer).map_err(|cause| Failure::new(action()).caused_by(cause).left(Left::Unknown))
}

fn read(answer: &InvokeOutput) -> Result<Value, Box<dyn std::error::Error + Send + Sync>> {
    let payload = answer
        .payload
        .as_ref()
        .map(AsRef::as_ref)
        .unwrap_or_default();
    if answer.function_error.is_some() {
        return Err(function_error(payload, answer.log_result.as_deref()).into());
    }
    Ok(if payload.is_empty() {
        Value::Null
    } else {
        serde_json::from_slice(payload)?
    })
}

fn function_error(payload: &[u8], log: Option<&str>) -> FunctionError {
    let answer: Value = serde_json::from_slice(payload).unwrap_or_default();
    let message = answer["errorMessage"].as_str().map_or_else(
        || String::from_utf8_lossy(payload).into_owned(),
        str::to_owned,
    );
    let log = log
        .and_then(|log| STANDARD.decode(log).ok())
        .unwrap_or_default();
    FunctionError {
        kind: answer["errorType"].as_str().unwrap_or_default().to_owned(),
        message,
        log: String::from_utf8_lossy(&log).trim_end().to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn answer(payload: &str) -> InvokeOutput {
        InvokeOutput::builder().payload(Blob::new(payload)).build()
    }

    #[test]
    fn the_answer_is_read_as_json() {
        assert_eq!(
            read(&answer(r#"{"changes":3}"#)).unwrap(),
            json!({ "changes": 3 })
        );
        assert_eq!(read(&answer("")).unwrap(), Value::Null);
        assert!(read(&answer("<html>")).is_err());
    }

    #[test]
    fn a_failed_function_says_why_and_shows_the_end_of_its_log() {
        let mut failed = answer(r#"{"errorType":"Retry","errorMessage":"the cache is away"}"#);
        failed.function_error = Some("Unhandled".to_owned());
        failed.log_result = Some(STANDARD.encode("START\nEND\n"));
        let text = read(&failed).unwrap_err().to_string();
        assert_eq!(
            text,
            "the function failed: the cache is away\nthe last lines of the log:\nSTART\nEND"
        );
    }
}
