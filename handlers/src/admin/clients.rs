//! The connected clients: what the cache and API Gateway know of them.

use std::time::Duration;

use aws_smithy_types::DateTime;
use aws_smithy_types::date_time::Format;
use futures::stream::{self, StreamExt};
use place_canvas::admin::{ClientCursor, ClientRow, Response};
use place_canvas::{ConnectionId, Shard};
use serde_json::Value;
use tokio::time::Instant;

use super::Admin;
use crate::error::Error;
use crate::gateway::{ConnectionDetails, GatewayError};
use crate::save::prune::prune;

/// Calls to API Gateway in flight at once.
const IN_FLIGHT: usize = 32;
/// Kept free before the invocation's time-out.
const RESERVE: Duration = Duration::from_secs(3);

impl Admin {
    pub(super) async fn clients(&self, from: Option<ClientCursor>) -> Result<Response, Error> {
        let store = self.cache.store().await?;
        let ClientCursor { shard, scan } = from.unwrap_or(ClientCursor {
            shard: Shard(0),
            scan: 0,
        });
        let page = store.client_page(shard, scan).await?;
        let rows = stream::iter(page.ids)
            .map(|id| self.row(id, shard))
            .buffered(IN_FLIGHT);
        let next_shard = store.shards().find(|next| *next > shard);
        let next = match page.next {
            Some(scan) => Some(ClientCursor { shard, scan }),
            None => next_shard.map(|shard| ClientCursor { shard, scan: 0 }),
        };
        Ok(Response::Clients {
            rows: rows.collect().await,
            next,
        })
    }

    pub(super) async fn client(&self, id: &ConnectionId) -> Result<Response, Error> {
        let store = self.cache.store().await?;
        let row = match store.joined(id).await? {
            Some(_) => Some(self.row(id.clone(), store.shard_of(id)).await),
            None => None,
        };
        Ok(Response::Client { row })
    }

    /// What the gateway can't tell stays empty: the client is connected as far as we know.
    async fn row(&self, id: ConnectionId, shard: Shard) -> ClientRow {
        let details = self.gateway.get(&id).await.ok();
        let ConnectionDetails {
            connected_at,
            last_active_at,
            identity,
        } = details.unwrap_or_default();
        ClientRow {
            id,
            shard,
            connected_at: connected_at.as_ref().and_then(timestamp),
            source_ip: identity.and_then(|identity| identity.source_ip),
            last_active_at: last_active_at.as_ref().and_then(timestamp),
        }
    }

    pub(super) async fn disconnect(&self, ids: Vec<ConnectionId>) -> Result<Response, Error> {
        let store = self.cache.store().await?;
        let closed = stream::iter(ids).map(async |id: ConnectionId| {
            match self.gateway.close(&id).await {
                Ok(()) | Err(GatewayError::Gone) => {}
                Err(error) => return Err(Error::from(error)),
            }
            store.remove_client(&id).await?;
            Ok(id)
        });
        let closed: Vec<Result<_, _>> = closed.buffered(IN_FLIGHT).collect().await;
        let ids = closed.into_iter().collect::<Result<_, _>>()?;
        Ok(Response::Disconnected { ids })
    }

    /// Looks every client up and forgets those that are gone, as far as there is time.
    pub(super) async fn prune(&self, deadline: Instant) -> Result<Response, Error> {
        let store = self.cache.store().await?;
        let until = deadline.checked_sub(RESERVE).unwrap_or(deadline);
        let (mut checked, mut removed) = (0, Vec::new());
        for shard in store.shards() {
            let ids = store.clients_of(shard).await?;
            let pruned = prune(ids, until, &self.cache, &self.gateway).await?;
            checked += pruned.checked;
            removed.extend(pruned.removed);
        }
        Ok(Response::Pruned { checked, removed })
    }
}

/// A point in time as RFC 3339. API Gateway writes it so; MiniStack 1.5.33 writes seconds or
/// milliseconds since 1970.
fn timestamp(value: &Value) -> Option<String> {
    const MILLISECONDS_FROM: i64 = 100_000_000_000;
    if let Value::String(text) = value {
        return Some(text.clone());
    }
    #[expect(
        clippy::cast_possible_truncation,
        reason = "a fraction of a second is no matter"
    )]
    let number = value
        .as_i64()
        .or_else(|| value.as_f64().map(|seconds| seconds as i64))?;
    let time = if number < MILLISECONDS_FROM {
        DateTime::from_secs(number)
    } else {
        DateTime::from_millis(number)
    };
    time.fmt(Format::DateTime).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_told_alike_whoever_writes_them() {
        let told = |value: Value| timestamp(&value).unwrap();
        assert_eq!(told("2026-11-24T03:14:07Z".into()), "2026-11-24T03:14:07Z");
        assert_eq!(told(1_795_490_047.into()), "2026-11-24T03:14:07Z");
        assert_eq!(told(1_795_490_047_000_i64.into()), "2026-11-24T03:14:07Z");
        assert_eq!(told(1_795_490_047.9.into()), "2026-11-24T03:14:07Z");
        assert_eq!(timestamp(&Value::Null), None);
    }
}
