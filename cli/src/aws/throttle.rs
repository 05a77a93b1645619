//! Retries what the SDK does not: a plain page with the status 429. The SDK goes by error codes, and
//! a proxy or a load balancer on the way sends none.

use aws_smithy_runtime_api::client::interceptors::context::InterceptorContext;
use aws_smithy_runtime_api::client::retries::classifiers::{ClassifyRetry, RetryAction};

use super::classify::TOO_MANY;

/// Takes every answer with the status 429 for throttling.
#[derive(Clone, Copy, Debug)]
pub(super) struct TooManyRequests;

impl ClassifyRetry for TooManyRequests {
    fn classify_retry(&self, context: &InterceptorContext) -> RetryAction {
        let status = context.response().map(|answer| answer.status().as_u16());
        if status == Some(TOO_MANY) {
            RetryAction::throttling_error()
        } else {
            RetryAction::NoActionIndicated
        }
    }

    fn name(&self) -> &'static str {
        "TooManyRequests"
    }
}
