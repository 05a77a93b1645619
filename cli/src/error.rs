//! Why a command failed: the message, the hint and the exit code.

use std::error::Error;

use place_config::ConfigError;
use thiserror::Error;

use crate::aws::ConnectError;
use crate::engine::{Failure, FailureKind, GraphError};
use crate::exit::Exit;
use crate::local::LocalError;

/// Why a command failed.
#[derive(Debug, Error)]
pub(crate) enum CommandError {
    /// The configuration is wrong.
    #[error("the configuration is not valid")]
    Config(#[from] ConfigError),
    /// What was said on the command line doesn't go together, or isn't enough.
    #[error("{message}")]
    Usage {
        /// What is wrong.
        message: String,
        /// What to say instead.
        hint: String,
    },
    /// There is no way to AWS.
    #[error(transparent)]
    Connect(#[from] ConnectError),
    /// The local cloud can't be used.
    #[error(transparent)]
    Local(#[from] LocalError),
    /// A call failed.
    #[error(transparent)]
    Failure(#[from] Failure),
    /// The plan is no graph.
    #[error("the plan contradicts itself; this is a bug in placectl")]
    Graph(#[from] GraphError),
    /// A file can't be read or written.
    #[error("{doing} `{path}`")]
    File {
        /// What was being done.
        doing: &'static str,
        /// The file.
        path: String,
        /// What the system said.
        source: std::io::Error,
    },
    /// The stack's own functions answered something else than they should.
    #[error("{doing}")]
    Answer {
        /// What was being done.
        doing: String,
        /// What was answered.
        source: Box<dyn Error + Send + Sync>,
    },
    /// The lease could not be renewed, so that another operator may hold it by now.
    #[error("the operator lease is lost: AWS did not confirm a renewal in time")]
    LeaseLost,
    /// The operator interrupted.
    #[error("interrupted")]
    Interrupted,
    /// Another operator holds the lease.
    #[error("{holder}")]
    Held {
        /// Who, where, since when.
        holder: String,
    },
}

impl CommandError {
    /// The exit code of the error.
    pub(crate) const fn exit(&self) -> Exit {
        match self {
            Self::Config(_) | Self::Usage { .. } | Self::Connect(ConnectError::NoRegion) => {
                Exit::Usage
            }
            Self::Failure(failure) => match failure.kind {
                FailureKind::Incomplete => Exit::Incomplete,
                FailureKind::Interrupted => Exit::Interrupted,
                FailureKind::Permanent | FailureKind::Denied => Exit::Failed,
            },
            Self::Held { .. } | Self::LeaseLost => Exit::Incomplete,
            Self::Interrupted => Exit::Interrupted,
            _ => Exit::Failed,
        }
    }

    /// What the operator can do next.
    pub(crate) fn hint(&self) -> Option<String> {
        match self {
            Self::Config(_) => {
                Some("`placectl init` writes an annotated place.toml with every key".to_owned())
            }
            Self::Usage { hint, .. } => Some(hint.clone()),
            Self::Connect(error) => Some(error.hint().to_owned()),
            Self::Local(error) => error.hint(),
            Self::Failure(failure) => failure.hint.clone(),
            Self::Answer { source, .. } => match source.downcast_ref::<Self>() {
                Some(cause) => cause.hint(),
                None => Some(
                    "the functions may have another version than placectl: run `placectl deploy`"
                        .to_owned(),
                ),
            },
            Self::Held { .. } => Some(
                "`--wait` waits for the lease. After a crash the lease is free at once on the same \
                 machine, and after 45 s on another machine."
                    .to_owned(),
            ),
            Self::LeaseLost => {
                Some("run the same command again to resume".to_owned())
            }
            Self::Interrupted | Self::Graph(_) | Self::File { .. } => None,
        }
    }
}
