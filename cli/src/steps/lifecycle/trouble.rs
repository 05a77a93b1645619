//! Why a verb of a kind did not do what it was asked.

use crate::aws::{AwsError, Class};
use crate::engine::Failure;

/// An answer of AWS, which the driver may put up with, or a failure of our own, which ends it.
#[derive(Debug)]
pub(crate) enum Trouble {
    /// AWS's answer.
    Aws(AwsError),
    /// What the call needs is not there, or must not be touched.
    Failed(Failure),
}

impl Trouble {
    /// The failure of `action` ("creating NAT gateway `place`").
    pub(crate) fn failure(self, action: impl Into<String>) -> Failure {
        match self {
            Self::Aws(error) => error.failure(action),
            Self::Failed(failure) => failure,
        }
    }

    /// What AWS answered, if it is of one of `classes`.
    pub(super) fn answered(&self, classes: &[Class]) -> Option<&AwsError> {
        match self {
            Self::Aws(error) if classes.contains(&error.class) => Some(error),
            Self::Aws(_) | Self::Failed(_) => None,
        }
    }
}

impl From<AwsError> for Trouble {
    fn from(error: AwsError) -> Self {
        Self::Aws(error)
    }
}

impl From<Failure> for Trouble {
    fn from(failure: Failure) -> Self {
        Self::Failed(failure)
    }
}
