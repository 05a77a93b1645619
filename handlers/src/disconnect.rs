//! `$disconnect`: forgets a client. AWS makes no promise that it runs at all.

use tracing::{info, warn};

use crate::error::chain;
use crate::event::{SocketAnswer, SocketEvent};
use crate::ports::Clients;

/// Takes the client of `event` out of its shard's set.
///
/// Nobody reads the answer and nothing repeats the event: a client that stays in the set by
/// failure is removed by the first broadcast that finds it gone.
pub async fn handle(event: &SocketEvent, clients: &impl Clients) -> SocketAnswer {
    let Some(connection) = event.connection() else {
        warn!("dropped an event without a connection id");
        return SocketAnswer::BAD_REQUEST;
    };
    match clients.remove(&connection).await {
        Ok(()) => {
            info!(%connection, "disconnected");
            SocketAnswer::OK
        }
        Err(error) => {
            warn!(%connection, error = chain(&error), "could not forget the client");
            SocketAnswer::UNAVAILABLE
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::fakes::{FakeCache, id};

    #[tokio::test(start_paused = true)]
    async fn a_client_is_forgotten() {
        let cache = FakeCache::new(2);
        cache.join(&id("a"), Duration::ZERO);
        cache.join(&id("b"), Duration::ZERO);
        let text = r#"{"requestContext":{"connectionId":"a"}}"#;
        let event: SocketEvent = serde_json::from_str(text).unwrap();
        for _ in 0..2 {
            assert_eq!(handle(&event, &cache).await, SocketAnswer::OK);
        }
        assert_eq!(cache.state().clients.keys().collect::<Vec<_>>(), [&id("b")]);
        cache.faults.fail_at(1);
        assert_eq!(handle(&event, &cache).await, SocketAnswer::UNAVAILABLE);
        assert_eq!(
            handle(&SocketEvent::default(), &cache).await,
            SocketAnswer::BAD_REQUEST
        );
    }
}
