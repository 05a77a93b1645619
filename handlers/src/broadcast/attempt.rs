//! One post to one client, and what follows from its failure.

use std::time::Duration;

use place_canvas::ConnectionId;
use tracing::{debug, warn};

use crate::error::{Error, chain};
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
    /// post arrived.
    NotOpen,
    /// The gateway throttles: nothing is wrong with the client.
    Throttled,
    /// It may succeed later.
    Failed,
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
/// Fails itself when the gateway denies the call: that is the function's role, and no client may
/// be removed for it.
pub(super) async fn attempt(
    gateway: &impl Gateway,
    clients: &impl Clients,
    client: &ConnectionId,
    frame: &Frame,
    last: LastTry,
) -> Result<Outcome, Error> {
    match gateway.post(client, frame).await {
        Ok(()) => Ok(Outcome::Delivered),
        Err(GatewayError::Gone) => gone(clients, client).await,
        Err(GatewayError::Throttled) if !last.throttled => Ok(Outcome::Throttled),
        Err(denied @ GatewayError::Denied(_)) => Err(denied.into()),
        Err(error) if last.failed || error == GatewayError::Throttled => {
            warn!(%client, %error, "gave a client up");
            give_up(gateway, clients, client).await
        }
        Err(error) => {
            debug!(%client, %error, "a post failed");
            Ok(Outcome::Failed)
        }
    }
}

async fn gone(clients: &impl Clients, client: &ConnectionId) -> Result<Outcome, Error> {
    let removed = clients.remove_gone(client, GRACE).await?;
    Ok(if removed {
        Outcome::Gone
    } else {
        Outcome::NotOpen
    })
}

/// Removed first: a connection that can't be closed either must not be posted to for ever.
async fn give_up(
    gateway: &impl Gateway,
    clients: &impl Clients,
    client: &ConnectionId,
) -> Result<Outcome, Error> {
    clients.remove(client).await?;
    if let Err(error) = gateway.close(client).await
        && error != GatewayError::Gone
    {
        debug!(%client, error = chain(&error), "could not close a connection");
    }
    Ok(Outcome::GivenUp)
}
