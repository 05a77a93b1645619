//! Forgets the clients whose connections are gone although nobody said so.
//!
//! A broadcast removes whom it can't reach. While nobody paints there is no broadcast, and clients
//! that are gone stay listed and count against `api.max_clients`. So the minute's save picks some
//! clients at random and asks the gateway for each whether it is connected, and so does a connect
//! that finds the canvas full.

use std::future::Future;
use std::time::Duration;

use futures::stream::{self, StreamExt};
use place_canvas::ConnectionId;
use tokio::time::{Instant, timeout_at};
use tracing::{info, warn};

use crate::broadcast::{GRACE, Invocation};
use crate::error::{Error, chain};
use crate::gateway::GatewayError;
use crate::ports::Lookup;

/// Calls to the gateway in flight at once.
const IN_FLIGHT: usize = 32;
/// Clients that a save looks up at once, and how often it does while it finds many that are gone.
const SAMPLE: usize = 500;
const ROUNDS: usize = 10;
/// Longest time that a save looks.
const TIME: Duration = Duration::from_secs(5);
/// Kept free before the invocation's time-out.
const RESERVE: Duration = Duration::from_secs(2);
/// Clients that a refused connect looks up, and for how long at most.
const CONNECT_SAMPLE: usize = 100;
const CONNECT_TIME: Duration = Duration::from_secs(2);
/// Of all connects that are refused within this time, one looks: a crowd before a full canvas must
/// not use up the calls that the account may make.
const CONNECT_PAUSE: Duration = Duration::from_secs(1);

/// The connected clients, among whom some may be gone.
pub trait Ghosts: Sync {
    /// Some clients, picked at random: about `count`, or all where there are fewer.
    fn sample(&self, count: usize)
    -> impl Future<Output = Result<Vec<ConnectionId>, Error>> + Send;
    /// Removes those of `ids` that connected longer than `grace` ago, and answers them.
    fn forget(
        &self,
        ids: &[ConnectionId],
        grace: Duration,
    ) -> impl Future<Output = Result<Vec<ConnectionId>, Error>> + Send;
    /// Whether the caller may look for clients that are gone; then no other caller may for
    /// `length`.
    fn may_prune(&self, length: Duration) -> impl Future<Output = Result<bool, Error>> + Send;
}

/// What came of looking clients up.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Pruned {
    /// How many the gateway answered about.
    pub(crate) checked: u64,
    /// Those that were forgotten.
    pub(crate) removed: Vec<ConnectionId>,
}

/// Looks `ids` up, as far as there is time, and forgets those whose connections are gone. A
/// connection that is still being set up answers as one that is gone, so the young ones stay.
pub(crate) async fn prune(
    ids: Vec<ConnectionId>,
    until: Instant,
    ghosts: &impl Ghosts,
    gateway: &impl Lookup,
) -> Result<Pruned, Error> {
    let mut checks = stream::iter(ids)
        .map(async |id: ConnectionId| (gateway.is_connected(&id).await, id))
        .buffer_unordered(IN_FLIGHT);
    let (mut checked, mut gone) = (0, Vec::new());
    while let Ok(Some((connected, id))) = timeout_at(until, checks.next()).await {
        match connected {
            Ok(true) => checked += 1,
            Ok(false) => {
                checked += 1;
                gone.push(id);
            }
            // The role lacks the permission: it does for all of them.
            Err(error @ GatewayError::Denied(_)) => return Err(error.into()),
            Err(_) => {}
        }
    }
    let removed = match gone.as_slice() {
        [] => Vec::new(),
        gone => ghosts.forget(gone, GRACE).await?,
    };
    Ok(Pruned { checked, removed })
}

/// The save's pruning.
pub(super) async fn tidy(invocation: Invocation<'_>, ghosts: &impl Ghosts, gateway: &impl Lookup) {
    let left = invocation
        .deadline
        .saturating_duration_since(Instant::now());
    let until = Instant::now() + left.saturating_sub(RESERVE).min(TIME);
    match try_tidy(until, ghosts, gateway).await {
        Ok(Pruned { checked, removed }) if !removed.is_empty() => {
            info!(
                checked,
                removed = removed.len(),
                "forgot clients that were gone"
            );
        }
        Ok(_) => {}
        Err(error) => warn!(
            error = chain(&error),
            "could not look for clients that are gone"
        ),
    }
}

/// Goes on while half of a sample was gone: then there are more.
async fn try_tidy(
    until: Instant,
    ghosts: &impl Ghosts,
    gateway: &impl Lookup,
) -> Result<Pruned, Error> {
    let mut all = Pruned::default();
    for _ in 0..ROUNDS {
        let ids = ghosts.sample(SAMPLE).await?;
        let is_all = ids.len() < SAMPLE;
        let some = prune(ids, until, ghosts, gateway).await?;
        let goes_on = !is_all && some.removed.len() * 2 > SAMPLE;
        all.checked += some.checked;
        all.removed.extend(some.removed);
        if !goes_on || Instant::now() >= until {
            break;
        }
    }
    Ok(all)
}

/// Makes room on a full canvas, if some of its clients are gone; says whether there may be some
/// now.
pub(crate) async fn make_room(ghosts: &impl Ghosts, gateway: &impl Lookup) -> Result<bool, Error> {
    if !ghosts.may_prune(CONNECT_PAUSE).await? {
        return Ok(false);
    }
    let until = Instant::now() + CONNECT_TIME;
    let ids = ghosts.sample(CONNECT_SAMPLE).await?;
    let Pruned { checked, removed } = prune(ids, until, ghosts, gateway).await?;
    info!(checked, removed = removed.len(), "looked for room");
    Ok(!removed.is_empty())
}

#[cfg(test)]
mod tests;
