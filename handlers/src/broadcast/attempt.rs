//! One post to one client, and what follows from its failure.

use std::time::Duration;

use place_canvas::ConnectionId;
use tracing::{debug, warn};

use crate::error::chain;
use crate::gateway::{Frame, GatewayError};
use crate::ports::{Clients, Gateway};

/// A connection younger than this may answer 410 because its `$connect` has not returned.
pub(crate) const GRACE: Duration = Duration::from_secs(10);

/// How a post ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    /// The client has it.
    Delivered,
    /// The connection is gone; the client is removed.
    Gone,
    /// The connection is not open yet. The client gets this change, and all others up to the
    /// moment of its opening, from initializeConnection, which reads history after its first
    /// post arrived. What this loop has read after that moment, the client gets from this loop.
    NotOpen,
    /// The gateway throttles: nothing is wrong with the client.
    Throttled,
    /// The gateway failed: it may succeed later.
    Failed,
    /// The gateway denied it, with this status: that is the function's role, if it happens to
    /// everybody.
    Denied(u16),
    /// There was no answer: it may succeed later.
    Unanswered,
    /// It failed too often; the client is removed and disconnected.
    GivenUp,
}

/// Which failures of a post are the client's end.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct LastTry {
    /// No answer, or an unexpected one.
    pub(super) failed: bool,
    /// Throttled.
    pub(super) throttled: bool,
}

/// Posts `frame` to `client`. A failure of its `last` try removes and disconnects it.
///
/// A client that could not be removed stays in the set, and the next frame finds it again: a cache
/// that stumbles is no reason to leave all the others without news. It may be a young one, too.
pub(super) async fn attempt(
    gateway: &impl Gateway,
    clients: &impl Clients,
    client: &ConnectionId,
    frame: &Frame,
    last: LastTry,
) -> Outcome {
    match gateway.post(client, frame).await {
        Ok(()) => Outcome::Delivered,
        Err(GatewayError::Gone) => gone(clients, client).await,
        Err(GatewayError::Throttled) if !last.throttled => Outcome::Throttled,
        Err(error) if last.failed || error == GatewayError::Throttled => {
            warn!(%client, %error, "gave a client up");
            give_up(gateway, clients, client).await;
            Outcome::GivenUp
        }
        Err(error) => {
            debug!(%client, %error, "a post failed");
            match error {
                GatewayError::Denied(status) => Outcome::Denied(status),
                GatewayError::Unreachable(_) => Outcome::Unanswered,
                _ => Outcome::Failed,
            }
        }
    }
}

async fn gone(clients: &impl Clients, client: &ConnectionId) -> Outcome {
    match clients.remove_gone(client, GRACE).await {
        Ok(true) => Outcome::Gone,
        Ok(false) => Outcome::NotOpen,
        Err(error) => {
            warn!(%client, error = chain(&error), "could not remove a client that is gone");
            Outcome::NotOpen
        }
    }
}

/// Removes and disconnects a client, so that it comes back and starts afresh.
///
/// Removed first: a connection that can't be closed either must not be posted to for ever.
pub(crate) async fn give_up(gateway: &impl Gateway, clients: &impl Clients, client: &ConnectionId) {
    if let Err(error) = clients.remove(client).await {
        warn!(%client, error = chain(&error), "could not remove a client that keeps failing");
    }
    if let Err(error) = gateway.close(client).await
        && error != GatewayError::Gone
    {
        debug!(%client, error = chain(&error), "could not close a connection");
    }
}
