//! Why there is no way to AWS, and what to do about it.

use super::classify::{AwsError, Class};

/// Why the clients can't be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ConnectError {
    /// Nothing says which region.
    #[error("no AWS region is configured")]
    NoRegion,
    /// No usable credentials anywhere in the SDK's chain, or AWS refused them.
    #[error("no usable AWS credentials")]
    Credentials(#[source] AwsError),
    /// No answer.
    #[error("{endpoint} does not answer")]
    Unreachable {
        /// What was called.
        endpoint: String,
        /// Why.
        #[source]
        cause: AwsError,
    },
    /// AWS answered something else.
    #[error("asking AWS for the caller's identity")]
    Other(#[source] AwsError),
}

impl ConnectError {
    pub(super) fn of(error: AwsError, endpoint: Option<&str>, region: &str) -> Self {
        match error.class {
            Class::Credentials => Self::Credentials(error),
            Class::Unreachable => Self::Unreachable {
                endpoint: endpoint.map_or_else(
                    || format!("AWS in region `{region}`"),
                    |endpoint| format!("the endpoint `{endpoint}`"),
                ),
                cause: error,
            },
            _ => Self::Other(error),
        }
    }

    /// What the operator can do next.
    pub(crate) fn hint(&self) -> &'static str {
        match self {
            Self::NoRegion => {
                "pass `--region us-east-1`, set `AWS_REGION`, or set `region` in place.toml"
            }
            Self::Credentials(error) if error.code.is_some() => {
                "AWS rejected the credentials: sign in again (`aws sso login`, `aws configure`), \
                 or pick another profile with `--profile`"
            }
            Self::Credentials(_) => {
                "sign in (`aws sso login`), run `aws configure`, pick a profile with `--profile`, \
                 or use `--local`, which needs no account"
            }
            Self::Unreachable { .. } => {
                "check the network, the region's name and `AWS_ENDPOINT_URL`; \
                 start the local cloud with `placectl local start`"
            }
            Self::Other(_) => "try `aws sts get-caller-identity` with the same profile",
        }
    }
}
