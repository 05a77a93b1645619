//! What can go wrong in a function.

use std::fmt::{self, Write};

use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use lambda_runtime::Diagnostic;
use place_canvas::StoreError;
use place_canvas::admin::CANVAS_DIFFERS;
use place_config::env::EnvError;
use thiserror::Error;

use crate::gateway::GatewayError;

/// Why a function could not do its work.
#[derive(Error)]
pub enum Error {
    /// The function's environment is not what placectl sets.
    #[error("reading the function's environment")]
    Environment(#[from] EnvError),
    /// A variable that Lambda itself sets is missing.
    #[error("environment variable `{0}` is not set")]
    Runtime(&'static str),
    /// A value of the environment can't be used.
    #[error("environment variable `{0}` has an unusable value")]
    Value(&'static str),
    /// Redis.
    #[error("calling the cache")]
    Store(#[from] StoreError),
    /// A paint.
    #[error("painting")]
    Paint(#[from] place_canvas::PaintError),
    /// `@connections`.
    #[error("calling the gateway")]
    Gateway(#[from] GatewayError),
    /// SQS.
    #[error("sending to queue `{queue}`: {code}")]
    Queue {
        /// URL of the queue.
        queue: String,
        /// What AWS called it, or what kept the call from AWS.
        code: String,
    },
    /// DynamoDB.
    #[error("calling the tables")]
    Tables(#[from] place_canvas::tables::TablesError),
    /// A lease ended while it was needed.
    #[error("lost the {0} lease to another invocation")]
    LeaseLost(&'static str),
    /// The invocation's time was up before the work was done.
    #[error("the {0} ran out of time")]
    TimeUp(&'static str),
}

/// The runtime writes an error to the log in this form, which operators read.
impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&chain(self))
    }
}

impl Error {
    /// The failure of a call to SQS.
    pub(crate) fn queue<E>(queue: &str, error: &aws_sdk_sqs::error::SdkError<E>) -> Self
    where
        E: ProvideErrorMetadata + std::error::Error + 'static,
    {
        let code = error.code().map_or_else(|| chain(error), str::to_owned);
        Self::Queue {
            queue: queue.to_owned(),
            code,
        }
    }
}

/// An error and everything that caused it, in one line: printed once, at the edge.
pub fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        write!(text, ": {cause}").expect("a string takes all text");
        source = cause.source();
    }
    text
}

impl From<Error> for Diagnostic {
    fn from(error: Error) -> Self {
        let error_type = match &error {
            Error::Environment(_) | Error::Runtime(_) | Error::Value(_) => "EnvironmentError",
            Error::Store(StoreError::Mismatch { .. } | StoreError::Background { .. }) => {
                CANVAS_DIFFERS
            }
            Error::Store(_) | Error::Paint(_) => "CacheError",
            Error::Gateway(_) => "GatewayError",
            Error::Queue { .. } => "QueueError",
            Error::Tables(_) => "TablesError",
            Error::LeaseLost(_) => "LeaseLost",
            Error::TimeUp(_) => "TimeUp",
        };
        Self {
            error_type: error_type.to_owned(),
            error_message: chain(&error),
        }
    }
}
