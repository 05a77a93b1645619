//! One vocabulary for what AWS answers when it does not do what it was asked.

use std::error::Error;
use std::fmt;

use aws_credential_types::provider::error::CredentialsError;
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;

use super::actions::needed;
use super::calls::only_looks;
use super::codes::{classify, quota_hint};
use crate::engine::{Failure, FailureKind, Left};

/// What an error means, whatever the service calls it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Class {
    /// The thing is not there.
    Absent,
    /// A thing of that name is there already.
    Exists,
    /// Too many calls.
    Throttled,
    /// A permission is missing.
    Denied,
    /// The credentials are missing, wrong or too old.
    Credentials,
    /// Something is in transition, or still used by something else.
    Conflict,
    /// Something made a moment ago has not reached every corner of AWS (IAM propagation).
    NotYet,
    /// The account's quota is used up.
    Quota,
    /// AWS finds the request itself wrong.
    Invalid,
    /// No answer.
    Unreachable,
    /// Anything else.
    Other,
}

/// A call to AWS that failed.
#[derive(Clone, Debug)]
pub(crate) struct AwsError {
    /// The service's prefix in IAM and its operation, `ec2:CreateNatGateway`.
    pub(crate) operation: &'static str,
    /// AWS's error code, if it answered with one.
    pub(crate) code: Option<String>,
    /// AWS's message, or why there was no answer.
    pub(crate) message: String,
    /// What AWS support asks for.
    pub(crate) request_id: Option<String>,
    /// What it means.
    pub(crate) class: Class,
    /// AWS refused, so it did nothing. False where nobody knows: no answer, or an internal error.
    pub(crate) refused: bool,
}

impl fmt::Display for AwsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(code) = &self.code else {
            if self.class == Class::NotYet {
                return f.write_str(&self.message);
            }
            return write!(f, "no answer to `{}`: {}", self.operation, self.message);
        };
        write!(f, "AWS said {code}: {}", self.message)?;
        match &self.request_id {
            Some(id) => write!(f, " (request {id})"),
            None => Ok(()),
        }
    }
}

impl Error for AwsError {}

/// Tagging what EC2 has made before.
const TAG_EC2: &str = "ec2:CreateTags";

/// Why a caller who has that permission may still lack it.
const NOT_OURS: &str = "The policy of `placectl doctor --print-policy` allows this action only on \
                        resources with the stack's tags. To adopt a resource without tags, tag \
                        the resource by hand, or run the command once with broader credentials.";

/// In place of a code, where the answer has none.
const UNCODED: &str = "an error without a code";

/// HTTP's status for too many requests.
pub(super) const TOO_MANY: u16 = 429;

/// In place of a code, where a proxy or a load balancer answered with a page of its own.
fn page(status: u16) -> Option<String> {
    matches!(status, TOO_MANY | 502 | 503 | 504).then(|| format!("HTTP status {status}"))
}

impl AwsError {
    /// What `error` of `operation` (`ec2:CreateNatGateway`) means.
    pub(crate) fn of<E>(operation: &'static str, error: &SdkError<E, HttpResponse>) -> Self
    where
        E: ProvideErrorMetadata + Error + Send + Sync + 'static,
    {
        match error {
            SdkError::ServiceError(answer) => {
                let status = answer.raw().status().as_u16();
                Self::answered(operation, answer.err(), status, request_id(error))
            }
            other => Self::unanswered(operation, other),
        }
    }

    fn answered<E: ProvideErrorMetadata>(
        operation: &'static str,
        error: &E,
        status: u16,
        request_id: Option<String>,
    ) -> Self {
        let page = page(status);
        let code = error.code().or(page.as_deref()).unwrap_or(UNCODED);
        // SQS may still answer with the names of its older protocol.
        let code = code
            .rsplit_once("SimpleQueueService.")
            .map_or(code, |(_, code)| code);
        let message = error.message().unwrap_or("no message").to_owned();
        let class = if status == TOO_MANY {
            Class::Throttled
        } else {
            classify(code, &message)
        };
        // EC2 refuses what comes too often with 503.
        let refused = status < 500 || class == Class::Throttled;
        let code = Some(code.to_owned());
        Self {
            operation,
            code,
            message,
            request_id,
            class,
            refused,
        }
    }

    fn unanswered<E>(operation: &'static str, error: &SdkError<E, HttpResponse>) -> Self
    where
        E: Error + Send + Sync + 'static,
    {
        let credentials = causes(error).any(<dyn Error>::is::<CredentialsError>);
        let class = if credentials {
            Class::Credentials
        } else {
            Class::Unreachable
        };
        let status = error.raw_response().map(|raw| raw.status().as_u16());
        let throttled = status == Some(TOO_MANY);
        let class = if throttled { Class::Throttled } else { class };
        let message = match error {
            SdkError::TimeoutError(_) => "no answer in time".to_owned(),
            other => chain(other),
        };
        // Without credentials or a well-formed request, nothing was ever sent.
        let refused = credentials || throttled || matches!(error, SdkError::ConstructionFailure(_));
        Self {
            operation,
            code: None,
            message,
            request_id: None,
            class,
            refused,
        }
    }

    /// An answer of `operation` that lacks what it must hold. Nobody knows what AWS did.
    pub(crate) fn empty(operation: &'static str) -> Self {
        let message = "the answer lacks the created resource".to_owned();
        let (code, request_id, refused) = (None, None, false);
        Self {
            operation,
            code,
            message,
            request_id,
            class: Class::Other,
            refused,
        }
    }

    /// An answer of `operation` that shows `state`, which passes.
    pub(crate) const fn not_yet(operation: &'static str, state: String) -> Self {
        Self {
            operation,
            code: None,
            message: state,
            request_id: None,
            class: Class::NotYet,
            refused: true,
        }
    }

    /// A refusal that stands in the answer of `operation` itself.
    pub(crate) fn listed(
        operation: &'static str,
        code: Option<&str>,
        message: Option<&str>,
    ) -> Self {
        let code = code.unwrap_or(UNCODED);
        let message = message.unwrap_or("no message").to_owned();
        Self {
            operation,
            class: classify(code, &message),
            code: Some(code.to_owned()),
            message,
            request_id: None,
            refused: true,
        }
    }

    /// Whether AWS's code is `code`.
    pub(crate) fn is(&self, code: &str) -> bool {
        self.code.as_deref() == Some(code)
    }

    /// The failure of `action` ("creating NAT gateway `place`").
    pub(crate) fn failure(self, action: impl Into<String>) -> Failure {
        let unknown = !self.refused && !only_looks(self.operation);
        let kind = match self.class {
            Class::Denied | Class::Credentials => FailureKind::Denied,
            Class::Throttled | Class::Unreachable | Class::NotYet => FailureKind::Incomplete,
            // An internal error that outlasted every retry is AWS's, and passes.
            _ if !self.refused => FailureKind::Incomplete,
            _ => FailureKind::Permanent,
        };
        let hint = self.hint();
        let mut failure = Failure::new(action).caused_by(self).kind(kind);
        failure.hint = hint;
        failure.left(if unknown {
            Left::Unknown
        } else {
            Left::Nothing
        })
    }

    /// Which permission is missing: AWS's message may name it, and it need not be the one that the
    /// operation is named after (`iam:PassRole` for `CreateFunction`).
    fn missing_permission(&self) -> String {
        let named = action_in(&self.message).map(|action| vec![action]);
        let needed = named.unwrap_or_else(|| needed(self.operation));
        let needed: Vec<String> = needed.iter().map(|action| format!("`{action}`")).collect();
        let word = if needed.len() == 1 {
            "permission"
        } else {
            "permissions"
        };
        let hint = format!("the credentials need the {word} {}", needed.join(", "));
        if self.operation == TAG_EC2 {
            return format!("{hint}. {NOT_OURS}");
        }
        hint
    }

    fn hint(&self) -> Option<String> {
        match self.class {
            Class::Denied => Some(self.missing_permission()),
            Class::Credentials => {
                Some("the credentials are missing or expired: sign in, then run again".to_owned())
            }
            Class::Quota => Some(quota_hint(self.code.as_deref().unwrap_or_default())),
            Class::Throttled => {
                Some("AWS throttles this account: wait a minute, then run again".to_owned())
            }
            Class::Unreachable => Some("run the same command again".to_owned()),
            _ => None,
        }
    }
}

/// The action in "... is not authorized to perform: iam:PassRole on resource: ...".
fn action_in(message: &str) -> Option<&str> {
    let (_, rest) = message.split_once("not authorized to perform: ")?;
    let action = rest.split_whitespace().next()?.trim_end_matches('.');
    action.contains(':').then_some(action)
}

/// The whole chain of causes of `error` in one line, without repetitions.
pub(super) fn chain(error: &(dyn Error + 'static)) -> String {
    let mut parts: Vec<String> = Vec::new();
    for cause in causes(error) {
        let text = cause.to_string();
        if parts.last().is_none_or(|last| !last.contains(&text)) {
            parts.push(text);
        }
    }
    parts.join(": ")
}

fn causes<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    std::iter::successors(Some(error), |&error| error.source())
}

fn request_id<E>(error: &SdkError<E, HttpResponse>) -> Option<String> {
    aws_sdk_sts::operation::RequestId::request_id(error).map(str::to_owned)
}

/// Names the operation behind an SDK's answer.
pub(crate) trait Answer<T> {
    /// The answer, its error classified; `operation` as in [`super::actions`].
    fn during(self, operation: &'static str) -> Result<T, AwsError>;
}

impl<T, E> Answer<T> for Result<T, SdkError<E, HttpResponse>>
where
    E: ProvideErrorMetadata + Error + Send + Sync + 'static,
{
    fn during(self, operation: &'static str) -> Result<T, AwsError> {
        self.map_err(|error| AwsError::of(operation, &error))
    }
}

/// What verbs of resources do with a classified answer.
pub(crate) trait AwsResult<T> {
    /// `None` where the thing is not there.
    fn absent_as_none(self) -> Result<Option<T>, AwsError>;

    /// `None` where a thing of that name is there already.
    fn exists_as_none(self) -> Result<Option<T>, AwsError>;

    /// The error as the failure of an action ("creating NAT gateway `place`").
    fn or_failure<A: Into<String>>(self, action: impl FnOnce() -> A) -> Result<T, Failure>;
}

impl<T> AwsResult<T> for Result<T, AwsError> {
    fn absent_as_none(self) -> Result<Option<T>, AwsError> {
        none_for(self, Class::Absent)
    }

    fn exists_as_none(self) -> Result<Option<T>, AwsError> {
        none_for(self, Class::Exists)
    }

    fn or_failure<A: Into<String>>(self, action: impl FnOnce() -> A) -> Result<T, Failure> {
        self.map_err(|error| error.failure(action()))
    }
}

fn none_for<T>(answer: Result<T, AwsError>, class: Class) -> Result<Option<T>, AwsError> {
    match answer {
        Ok(value) => Ok(Some(value)),
        Err(error) if error.class == class => Ok(None),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
#[path = "classify_tests.rs"]
mod tests;
