//! What the engine asks of a resource.

use std::borrow::Cow;
use std::fmt;
use std::time::Duration;

use async_trait::async_trait;
use serde::Serialize;

use super::outcome::{Failure, Observed};
pub(crate) use super::wait::Progress;

/// Key of a resource in the plan, for example `nat-gateway` or `function:save`. It is the value
/// of the tag `place:resource`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(transparent)]
pub(crate) struct ResourceKey(Cow<'static, str>);

impl ResourceKey {
    /// A key known at compile time.
    pub(crate) const fn new(key: &'static str) -> Self {
        Self(Cow::Borrowed(key))
    }

    /// A key of a family, `function:save`.
    pub(crate) fn of(family: &str, member: impl fmt::Display) -> Self {
        Self(Cow::Owned(format!("{family}:{member}")))
    }

    /// The key as text.
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ResourceKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// One of the seven numbered steps.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(transparent)]
pub(crate) struct Step(pub(crate) u8);

impl Step {
    /// All seven.
    pub(crate) const ALL: [Self; 7] = [
        Self(1),
        Self(2),
        Self(3),
        Self(4),
        Self(5),
        Self(6),
        Self(7),
    ];

    /// The step's title in the setup guide.
    pub(crate) const fn title(self) -> &'static str {
        match self.0 {
            1 => "VPC",
            2 => "Redis",
            3 => "WebSocket API",
            4 => "Functions",
            5 => "Queues",
            6 => "Tables",
            _ => "Schedule",
        }
    }
}

/// One thing in AWS that a stack consists of: the smallest that can be there or not.
///
/// A resource is found by its name and ownership tag, never by an id that an earlier run
/// remembered; what can't be tagged is ours through its tagged parent. Ids found in this run are
/// left where dependants look for them.
///
/// The verbs' futures stay on the task that drives them all: they wait on AWS, they don't compute.
#[async_trait(?Send)]
pub(crate) trait Resource: Send + Sync {
    /// Its key in the plan.
    fn key(&self) -> ResourceKey;

    /// The numbered step that it belongs to.
    fn step(&self) -> Step;

    /// AWS's word for this kind of thing, `NAT gateway`.
    fn kind(&self) -> &'static str;

    /// What an operator finds it by: its AWS name, or what stands in for one.
    fn name(&self) -> String;

    /// Resources that must be usable before this one can be.
    fn needs(&self) -> Vec<ResourceKey>;

    /// Resources that must be gone before this one can go. `None`: all that need it.
    fn removed_after(&self) -> Option<Vec<ResourceKey>> {
        None
    }

    /// Its usual time from nothing to usable, for forecasts.
    fn usual(&self) -> Duration {
        Duration::from_secs(1)
    }

    /// Whether it costs money by merely existing.
    fn billable(&self) -> bool {
        false
    }

    /// Whether it is the stack's own. What a stack merely uses (the default VPC and its subnets) is
    /// left alone by teardown, and is no sign of an incomplete one. Asked after `observe`.
    fn owned(&self) -> bool {
        true
    }

    /// Whether it holds what people painted (kept by `teardown --keep-data`).
    fn holds_data(&self) -> bool {
        false
    }

    /// Looks, changes nothing. A dependency that isn't there is no error: what hangs on it is
    /// absent.
    async fn observe(&self) -> Result<Observed, Failure>;

    /// Makes it match the configuration and waits until it is usable.
    ///
    /// Called with what `observe` last found, never with `Ready`, and with `Foreign` only when
    /// the operator said `--adopt`. Must be safe to repeat after being killed anywhere inside,
    /// so: name and tag before effect, and "already exists" is answered by looking again.
    async fn ensure(&self, observed: &Observed, progress: &Progress) -> Result<(), Failure>;

    /// Removes it if it is there and ours, and waits until it is gone. Needs nothing that
    /// `ensure` returned; safe to repeat; absent already is success.
    async fn remove(&self, progress: &Progress) -> Result<(), Failure>;
}
