//! What the two modes of a cache have in common.

use std::time::Duration;

use async_trait::async_trait;

use super::super::{CacheEndpoint, Stack};
use crate::aws::AwsError;
use crate::engine::outcome::Difference;

/// A cache as AWS has it, in either mode.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Found {
    /// Its ARN, by which its tags are asked for.
    pub(super) arn: String,
    /// What it is said to be.
    pub(super) description: String,
    /// How it is.
    pub(super) state: State,
    /// Where the functions reach it, once AWS says so.
    pub(super) endpoint: Option<CacheEndpoint>,
    /// What is not as configured.
    pub(super) differences: Vec<Difference>,
}

/// How a cache is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum State {
    /// Usable.
    Available,
    /// On its way to another state.
    Changing(String),
    /// On its way out.
    Deleting,
    /// Failed for good.
    Failed(String),
}

impl State {
    /// ElastiCache's status: the documentation writes it in capitals, the service in lower case.
    pub(super) fn of(status: Option<&str>) -> Self {
        let status = status.unwrap_or("in an unknown state").to_lowercase();
        match status.as_str() {
            "available" => Self::Available,
            "deleting" => Self::Deleting,
            failed if failed.ends_with("failed") => Self::Failed(status),
            _ => Self::Changing(status),
        }
    }
}

/// How long a cache takes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Times {
    /// Usual range of a creation, in seconds.
    pub(super) usual: (u64, u64),
    /// When to give up.
    pub(super) limit: Duration,
}

/// One of the two modes.
#[async_trait(?Send)]
pub(super) trait Mode {
    /// AWS's word for the kind of cache.
    fn kind(&self) -> &'static str;

    /// How long it takes.
    fn times(&self) -> Times;

    /// The cache of the stack's name, whosever it is.
    async fn find(&self, stack: &Stack) -> Result<Option<Found>, AwsError>;

    /// Starts to create it, tagged. That it exists already is no error: names are unique.
    async fn create(&self, stack: &Stack) -> Result<(), AwsError>;

    /// Starts to put back what differs and can be changed in place.
    async fn modify(&self, stack: &Stack, differences: &[Difference]) -> Result<(), AwsError>;

    /// Starts to delete it, without a snapshot. That it is gone already is no error.
    async fn delete(&self, stack: &Stack) -> Result<(), AwsError>;
}

/// What the stack's cache is said to be.
pub(super) fn description(stack: &Stack) -> String {
    format!("Cache of the place `{}`", stack.names.stack())
}

/// The endpoint, unless the configuration says another one.
pub(super) fn endpoint(
    stack: &Stack,
    answered: Option<&aws_sdk_elasticache::types::Endpoint>,
    cluster: bool,
) -> Option<CacheEndpoint> {
    if let Some(url) = &stack.config.endpoints.redis {
        // What stands in for the cache is a plain Redis.
        return Some(CacheEndpoint {
            url: url.clone(),
            cluster: false,
        });
    }
    let answered = answered?;
    let (host, port) = (answered.address()?, answered.port().unwrap_or(6379));
    Some(CacheEndpoint {
        url: format!("rediss://{host}:{port}"),
        cluster,
    })
}

/// A difference between two sets of ids, where all are known.
pub(super) fn compare_ids(
    attribute: &str,
    found: Vec<String>,
    wanted: Option<Vec<String>>,
) -> Option<Difference> {
    let sorted = |mut ids: Vec<String>| {
        ids.sort();
        ids.join(", ")
    };
    let (found, wanted) = (sorted(found), sorted(wanted?));
    (found != wanted).then(|| Difference::new(attribute, found, wanted))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_status_counts_in_any_case() {
        assert_eq!(State::of(Some("AVAILABLE")), State::Available);
        assert_eq!(State::of(Some("available")), State::Available);
        assert_eq!(
            State::of(Some("CREATE-FAILED")),
            State::Failed("create-failed".to_owned())
        );
        assert_eq!(
            State::of(Some("snapshotting")),
            State::Changing("snapshotting".to_owned())
        );
    }

    #[test]
    fn order_is_no_difference_and_the_unknown_neither() {
        let ids = |text: &str| text.split(' ').map(str::to_owned).collect::<Vec<_>>();
        assert_eq!(compare_ids("SubnetIds", ids("b a"), Some(ids("a b"))), None);
        assert_eq!(compare_ids("SubnetIds", ids("b a"), None), None);
        assert!(compare_ids("SubnetIds", ids("a"), Some(ids("a b"))).is_some());
    }
}
