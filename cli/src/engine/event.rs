//! Events: the one interface between the engine and whoever shows or records what happens.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use serde::{Serialize, Serializer};

use super::outcome::{FailureKind, Left, Outcome};
use super::resource::{ResourceKey, Step};

/// Something that happened, with the time since the run began.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Event {
    /// Time since the run began.
    #[serde(rename = "at_ms", serialize_with = "milliseconds")]
    pub(crate) at: Duration,
    /// What happened.
    #[serde(flatten)]
    pub(crate) kind: EventKind,
}

/// What happened.
#[derive(Clone, Debug, Serialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub(crate) enum EventKind {
    /// A run begins over these resources.
    Started {
        /// `up`, `deploy`, `teardown`.
        command: &'static str,
        /// Every resource of the plan, in order of steps.
        resources: Vec<Planned>,
    },
    /// A resource was looked at.
    Observed {
        /// Which.
        key: ResourceKey,
        /// One word for what was found: `ready`, `absent`, `drifted`, ...
        state: &'static str,
        /// What is different, in words.
        detail: Option<String>,
    },
    /// Work on a resource begins.
    Working {
        /// Which.
        key: ResourceKey,
        /// `creating`, `repairing`, `finishing` (what was on its way), `adopting`, `removing`.
        verb: &'static str,
    },
    /// A resource's wait goes on. Sent at the start of a wait, whenever the blocker changes, and
    /// once a minute as long as it does not.
    Waiting {
        /// Which.
        key: ResourceKey,
        /// What for.
        what: String,
        /// Usual range, in seconds.
        usual_s: Option<(u64, u64)>,
        /// What it hangs on right now.
        blocker: Option<String>,
        /// How long already.
        #[serde(rename = "waited_ms", serialize_with = "milliseconds")]
        waited: Duration,
    },
    /// A call to AWS is tried again.
    Retrying {
        /// Which resource, where it is known.
        key: Option<ResourceKey>,
        /// AWS's name of the operation.
        operation: String,
        /// The attempt that failed, from 1.
        attempt: u32,
        /// Why.
        reason: String,
    },
    /// Work on a resource ended well, or was not needed.
    Done {
        /// Which.
        key: ResourceKey,
        /// How it ended.
        outcome: Outcome,
        /// Time spent on it.
        #[serde(rename = "elapsed_ms", serialize_with = "milliseconds")]
        elapsed: Duration,
    },
    /// Never tried, because of another's failure.
    Blocked {
        /// Which.
        key: ResourceKey,
        /// By which.
        by: ResourceKey,
    },
    /// Work on a resource failed.
    Failed {
        /// Which.
        key: ResourceKey,
        /// What was being done.
        message: String,
        /// Why it failed, outermost first.
        causes: Vec<String>,
        /// What to do next.
        hint: Option<String>,
        /// What is left behind.
        left: Left,
        /// How it is to be taken.
        kind: FailureKind,
    },
    /// Something worth a line that belongs to no resource.
    Note {
        /// The line.
        message: String,
    },
    /// The run is over.
    Finished {
        /// `done`, `failed`, `incomplete`, `interrupted`.
        outcome: &'static str,
        /// How many resources ended in which way.
        counts: BTreeMap<Outcome, usize>,
        /// Calls made to AWS, retries included, where they are counted.
        #[serde(skip_serializing_if = "Option::is_none")]
        calls: Option<u64>,
        /// Length of the run.
        #[serde(rename = "elapsed_ms", serialize_with = "milliseconds")]
        elapsed: Duration,
        /// Where clients connect, when there is something to connect to.
        #[serde(skip_serializing_if = "Option::is_none")]
        websocket_url: Option<String>,
        /// Where people open the page, when there is one.
        #[serde(skip_serializing_if = "Option::is_none")]
        page_url: Option<String>,
        /// Why the run ended without an outcome for each resource.
        #[serde(skip_serializing_if = "Option::is_none")]
        error: Option<Breakdown>,
    },
}

/// Why a run ended without an outcome for each resource.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Breakdown {
    /// What could not be done.
    pub(crate) message: String,
    /// Why, outermost first.
    pub(crate) causes: Vec<String>,
    /// What to do next.
    pub(crate) hint: Option<String>,
}

/// A resource of the plan, as announced at the start.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Planned {
    /// Its key.
    pub(crate) key: ResourceKey,
    /// Its step.
    pub(crate) step: Step,
    /// AWS's word for it.
    pub(crate) kind: &'static str,
    /// Its name.
    pub(crate) name: String,
}

/// Where events go.
pub(crate) trait EventSink: Send + Sync {
    /// Takes one event. Must not block.
    fn event(&self, event: &Event);
}

/// A sink that everyone shares.
pub(crate) type SharedSink = Arc<dyn EventSink>;

fn milliseconds<S: Serializer>(duration: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_u64(u64::try_from(duration.as_millis()).unwrap_or(u64::MAX))
}
