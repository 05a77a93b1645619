//! Words for what was found, what was done, and what went wrong.

use std::error::Error;
use std::fmt;

use serde::Serialize;

/// What `observe` found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Observed {
    /// Not there.
    Absent,
    /// Not there, and nothing that `up` could make.
    Impossible {
        /// Why not.
        reason: String,
        /// What lets `up` go on.
        remedy: String,
    },
    /// There, ours, as configured, usable.
    Ready {
        /// AWS's id or name of it.
        id: String,
        /// What an operator may want to know of it all the same.
        note: Option<String>,
    },
    /// There and ours, but not as configured.
    Drifted {
        /// AWS's id or name of it.
        id: String,
        /// Every difference found.
        differences: Vec<Difference>,
    },
    /// There and ours, on its way to another state (`creating`, `deleting`, `Pending`).
    Changing {
        /// AWS's id or name of it.
        id: String,
        /// AWS's word for the state.
        state: String,
    },
    /// There and ours, but failed for good.
    Broken {
        /// AWS's id or name of it.
        id: String,
        /// AWS's reason.
        reason: String,
    },
    /// Somebody else's, under our name.
    Foreign {
        /// AWS's id or name of it.
        id: String,
        /// Whose it seems to be.
        detail: String,
        /// What lets `up` go on where taking it over would not.
        remedy: Option<String>,
    },
}

impl Observed {
    /// There as configured, with nothing to be said about it.
    pub(crate) fn ready(id: impl Into<String>) -> Self {
        Self::Ready {
            id: id.into(),
            note: None,
        }
    }

    /// The same with a remark, where it is ready.
    pub(crate) fn remark(mut self, remark: Option<String>) -> Self {
        if let Self::Ready { note, .. } = &mut self {
            *note = remark;
        }
        self
    }

    /// Somebody else's, which may be taken over on request.
    pub(crate) fn foreign(id: impl Into<String>, detail: impl Into<String>) -> Self {
        Self::Foreign {
            id: id.into(),
            detail: detail.into(),
            remedy: None,
        }
    }

    /// One word: the state in events and in `status`.
    pub(crate) const fn label(&self) -> &'static str {
        match self {
            Self::Absent => "absent",
            Self::Impossible { .. } => "impossible",
            Self::Ready { .. } => "ready",
            Self::Drifted { .. } => "drifted",
            Self::Changing { .. } => "changing",
            Self::Broken { .. } => "broken",
            Self::Foreign { .. } => "foreign",
        }
    }

    /// What is noteworthy, in words.
    pub(crate) fn detail(&self) -> Option<String> {
        match self {
            Self::Absent => None,
            Self::Ready { note, .. } => note.clone(),
            Self::Drifted { differences, .. } => {
                let all: Vec<String> = differences.iter().map(ToString::to_string).collect();
                Some(all.join("; "))
            }
            Self::Changing { state, .. } => Some(state.clone()),
            Self::Impossible { reason, .. } | Self::Broken { reason, .. } => Some(reason.clone()),
            Self::Foreign { detail, .. } => Some(detail.clone()),
        }
    }

    /// AWS's id or name of it, where it is there.
    pub(crate) fn id(&self) -> Option<&str> {
        match self {
            Self::Absent | Self::Impossible { .. } => None,
            Self::Ready { id, .. }
            | Self::Drifted { id, .. }
            | Self::Changing { id, .. }
            | Self::Broken { id, .. }
            | Self::Foreign { id, .. } => Some(id),
        }
    }
}

/// One attribute that is not as configured.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Difference {
    /// The attribute, in AWS's words.
    pub(crate) attribute: String,
    /// What it is.
    pub(crate) found: String,
    /// What it should be.
    pub(crate) wanted: String,
    /// It can't be changed in place: only a replacement would mend it.
    pub(crate) needs_replacement: bool,
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            attribute,
            found,
            wanted,
            ..
        } = self;
        write!(f, "{attribute} is {found}, should be {wanted}")
    }
}

impl Difference {
    /// A difference that can be put back in place.
    pub(crate) fn new(
        attribute: impl Into<String>,
        found: impl Into<String>,
        wanted: impl Into<String>,
    ) -> Self {
        Self {
            attribute: attribute.into(),
            found: found.into(),
            wanted: wanted.into(),
            needs_replacement: false,
        }
    }

    /// The same, but only a replacement would mend it.
    pub(crate) fn needs_replacement(mut self) -> Self {
        self.needs_replacement = true;
        self
    }
}

/// What became of a resource in a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Outcome {
    /// It was as configured.
    Unchanged,
    /// It was not there and is now.
    Created,
    /// It was there and matches again.
    Repaired,
    /// It was there and is gone.
    Removed,
    /// It was not there.
    Absent,
    /// Left alone on request (`--keep-data`).
    Kept,
    /// Never tried, because something that it waits for failed.
    Blocked,
    /// Tried, and failed.
    Failed,
    /// Not tried, because the operator interrupted the run.
    Interrupted,
}

/// What a failure left behind.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Left {
    /// Nothing: AWS refused before it did anything.
    Nothing,
    /// Something of ours, which the next run finds by name and tag.
    Ours,
    /// Nobody knows: the answer never came. The next run looks before it acts.
    Unknown,
}

/// How a failure is to be taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum FailureKind {
    /// Won't work until somebody mends something.
    Permanent,
    /// Credentials lack a permission.
    Denied,
    /// A wait ended without the state that it waited for: run again.
    Incomplete,
    /// The operator interrupted.
    Interrupted,
}

/// Why a verb of a resource failed.
#[derive(Debug, thiserror::Error)]
#[error("{action}")]
pub(crate) struct Failure {
    /// What was being done, on which resource: "creating queue `requestQueue.fifo`".
    pub(crate) action: String,
    /// What AWS, or the system, said.
    #[source]
    pub(crate) cause: Option<Box<dyn Error + Send + Sync>>,
    /// What the operator can do next.
    pub(crate) hint: Option<String>,
    /// What is left behind.
    pub(crate) left: Left,
    /// How it is to be taken.
    pub(crate) kind: FailureKind,
}

impl Failure {
    /// A permanent failure of `action` that left nothing behind.
    pub(crate) fn new(action: impl Into<String>) -> Self {
        Self {
            action: action.into(),
            cause: None,
            hint: None,
            left: Left::Nothing,
            kind: FailureKind::Permanent,
        }
    }

    /// The same with its cause.
    pub(crate) fn caused_by(mut self, cause: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        self.cause = Some(cause.into());
        self
    }

    /// The same with advice.
    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// The same, leaving `left` behind.
    pub(crate) const fn left(mut self, left: Left) -> Self {
        self.left = left;
        self
    }

    /// The same, to be taken as `kind`.
    pub(crate) const fn kind(mut self, kind: FailureKind) -> Self {
        self.kind = kind;
        self
    }
}
