//! Counts every call to AWS and reports every retry.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::interceptors::context::{
    BeforeTransmitInterceptorContextRef, FinalizerInterceptorContextRef,
};
use aws_smithy_runtime_api::client::interceptors::{Intercept, dyn_dispatch_hint};
use aws_smithy_runtime_api::client::orchestrator::Metadata;
use aws_smithy_runtime_api::client::retries::RequestAttempts;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::config_bag::{ConfigBag, Storable, StoreReplace};
use tokio::time::Instant;

use crate::engine::event::SharedSink;
use crate::engine::{Event, EventKind};

/// How often each operation was called, attempts counted one by one.
#[derive(Clone, Debug, Default)]
pub(crate) struct Calls(Arc<Mutex<BTreeMap<String, u64>>>);

impl Calls {
    /// Calls by operation, `ec2:DescribeVpcs`.
    pub(crate) fn by_operation(&self) -> BTreeMap<String, u64> {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// All calls together.
    pub(crate) fn total(&self) -> u64 {
        self.by_operation().values().sum()
    }

    fn count(&self, operation: String) {
        let mut calls = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *calls.entry(operation).or_default() += 1;
    }
}

/// Whether an operation (`ec2:DescribeVpcs`) changes nothing in AWS.
pub(crate) fn only_looks(operation: &str) -> bool {
    let name = operation.rsplit(':').next().unwrap_or(operation);
    let looking = [
        "Describe", "Get", "List", "BatchGet", "Query", "Scan", "Simulate",
    ];
    looking.iter().any(|verb| name.starts_with(verb))
}

/// The interceptor that every client carries.
pub(super) struct Meter {
    calls: Calls,
    sink: SharedSink,
    began: Instant,
}

impl std::fmt::Debug for Meter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Meter")
            .field("calls", &self.calls)
            .finish_non_exhaustive()
    }
}

impl Meter {
    pub(super) fn new(calls: Calls, sink: SharedSink) -> Self {
        Self {
            calls,
            sink,
            began: Instant::now(),
        }
    }
}

/// Why the last attempt of a call failed, kept until the next attempt says that it is a retry.
#[derive(Debug)]
struct LastFailure(String);

impl Storable for LastFailure {
    type Storer = StoreReplace<Self>;
}

#[dyn_dispatch_hint]
impl Intercept for Meter {
    fn name(&self) -> &'static str {
        "Meter"
    }

    fn read_before_attempt(
        &self,
        _: &BeforeTransmitInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let operation = config.load::<Metadata>().map_or_else(String::new, action);
        self.calls.count(operation.clone());
        let attempt = config
            .load::<RequestAttempts>()
            .map_or(1, RequestAttempts::attempts);
        if attempt > 1 {
            let failure = config.load::<LastFailure>();
            let reason = failure.map_or_else(|| "no answer".to_owned(), |last| last.0.clone());
            let kind = EventKind::Retrying {
                key: None,
                operation,
                attempt: attempt - 1,
                reason,
            };
            self.sink.event(&Event {
                at: self.began.elapsed(),
                kind,
            });
        }
        Ok(())
    }

    fn read_after_attempt(
        &self,
        context: &FinalizerInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        if let Some(Err(error)) = context.output_or_error() {
            let operation = config.load::<Metadata>().map_or_else(String::new, action);
            tracing::debug!(operation, ?error, "an attempt failed");
            let status = context.response().map(|answer| answer.status().as_u16());
            config
                .interceptor_state()
                .store_put(LastFailure(reason(error, status)));
        }
        Ok(())
    }
}

type AttemptError = aws_smithy_runtime_api::client::orchestrator::OrchestratorError<
    aws_smithy_runtime_api::client::interceptors::context::Error,
>;

/// What the SDK says of an answer without an error code.
const NAMELESS: &str = "unhandled error";

fn reason(error: &AttemptError, status: Option<u16>) -> String {
    if error.is_timeout_error() {
        return "no answer in time".to_owned();
    }
    if let Some(connector) = error.as_connector_error() {
        return super::classify::chain(connector);
    }
    let said = error
        .as_operation_error()
        .map_or_else(|| "no usable answer".to_owned(), ToString::to_string);
    match status {
        Some(status) if said == NAMELESS => format!("HTTP status {status}"),
        _ => said,
    }
}

/// IAM's name of the action behind an operation of the SDK: `ec2:DescribeVpcs`.
fn action(metadata: &Metadata) -> String {
    let service = match metadata.service() {
        "ApiGatewayV2" => "apigateway".to_owned(),
        "CloudWatch Logs" => "logs".to_owned(),
        other => other.to_lowercase().replace(' ', ""),
    };
    format!("{service}:{}", metadata.name())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn looking_is_told_from_changing() {
        assert!(only_looks("ec2:DescribeVpcs"));
        assert!(only_looks("dynamodb:BatchGetItem"));
        assert!(!only_looks("ec2:CreateVpc"));
        assert!(!only_looks("dynamodb:BatchWriteItem"));
    }

    #[test]
    fn counts_by_operation() {
        let calls = Calls::default();
        calls.count("ec2:DescribeVpcs".to_owned());
        calls.count("ec2:DescribeVpcs".to_owned());
        calls.count("ec2:CreateVpc".to_owned());
        assert_eq!(calls.total(), 3);
        assert_eq!(calls.by_operation()["ec2:DescribeVpcs"], 2);
    }

    #[test]
    fn services_are_named_as_in_policies() {
        let name = |service, operation| action(&Metadata::new(operation, service));
        assert_eq!(
            name("CloudWatch Logs", "CreateLogGroup"),
            "logs:CreateLogGroup"
        );
        assert_eq!(name("ApiGatewayV2", "GetApis"), "apigateway:GetApis");
        assert_eq!(name("EC2", "CreateVpc"), "ec2:CreateVpc");
    }
}
