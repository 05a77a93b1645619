//! `$connect`: admits a client, or not, and queues it for the picture.

use std::time::Duration;

use place_canvas::ConnectionId;
use place_canvas::store::Admission;
use place_config::env::OriginList;
use tracing::{info, warn};

use crate::error::{Error, chain};
use crate::event::{Newcomer, SocketAnswer, SocketEvent};
use crate::ports::{Clients, Lookup, Newcomers};
use crate::save::Ghosts;
use crate::save::prune::make_room;

/// How long queueing a client may take. initializeConnection takes one that has not opened after
/// five seconds for gone: if this one opened later, nobody would ever send it anything.
const ANNOUNCING: Duration = Duration::from_secs(4);

/// Admits the client of `event` into its shard's set and queues it for the picture.
///
/// Answers 2xx only when both are done; a client that could not be queued is taken out again,
/// because nobody would ever send it the picture.
pub async fn handle(
    event: &SocketEvent,
    allowed_origins: &OriginList,
    clients: &(impl Clients + Ghosts),
    newcomers: &impl Newcomers,
    gateway: &impl Lookup,
) -> SocketAnswer {
    let Some(connection) = event.connection() else {
        warn!("refused an event without a connection id");
        return SocketAnswer::BAD_REQUEST;
    };
    if !allowed_origins.admits(event.origin()) {
        info!(%connection, "refused: its origin is not allowed");
        return SocketAnswer::FORBIDDEN;
    }
    let newcomer = Newcomer {
        connection,
        from: event.from(),
    };
    let connection = &newcomer.connection;
    match admit((&newcomer, event.player()), clients, newcomers, gateway).await {
        Ok(Admission::Admitted { clients }) => {
            info!(%connection, clients, "connected");
            SocketAnswer::OK
        }
        Ok(Admission::Full { clients }) => {
            info!(%connection, clients, "refused: full");
            SocketAnswer::UNAVAILABLE
        }
        Err(error) => {
            warn!(%connection, error = chain(&error), "could not connect");
            SocketAnswer::UNAVAILABLE
        }
    }
}

async fn admit(
    (newcomer, player): (&Newcomer, Option<&str>),
    clients: &(impl Clients + Ghosts),
    newcomers: &impl Newcomers,
    gateway: &impl Lookup,
) -> Result<Admission, Error> {
    let connection = &newcomer.connection;
    let admitted = match add(connection, clients, gateway).await {
        Ok(full @ Admission::Full { .. }) => return Ok(full),
        Ok(admitted) => {
            let (announced, ()) = futures::join!(
                announce(newcomer, newcomers),
                introduce(connection, player, clients)
            );
            announced.map(|()| admitted)
        }
        // Undone too: the cache may have added it before its answer was lost.
        Err(error) => Err(error),
    };
    if admitted.is_err()
        && let Err(error) = clients.remove(connection).await
    {
        warn!(%connection, error = chain(&error), "could not take the client out again");
    }
    admitted
}

/// Adds a client. A canvas that is full may be full of clients that are gone: then there is room
/// once they are forgotten.
async fn add(
    connection: &ConnectionId,
    clients: &(impl Clients + Ghosts),
    gateway: &impl Lookup,
) -> Result<Admission, Error> {
    let admission = clients.add(connection).await?;
    if matches!(admission, Admission::Admitted { .. }) {
        return Ok(admission);
    }
    match make_room(clients, gateway).await {
        Ok(true) => clients.add(connection).await,
        Ok(false) => Ok(admission),
        Err(error) => {
            warn!(error = chain(&error), "could not look for room");
            Ok(admission)
        }
    }
}

/// Whoever is unknown paints all the same, as the player that the address stands for.
async fn introduce(connection: &ConnectionId, player: Option<&str>, clients: &impl Clients) {
    let Some(player) = player else {
        return;
    };
    if let Err(error) = clients.introduce(connection, player).await {
        warn!(%connection, error = chain(&error), "could not note the player");
    }
}

async fn announce(newcomer: &Newcomer, newcomers: &impl Newcomers) -> Result<(), Error> {
    let announcing = tokio::time::timeout(ANNOUNCING, newcomers.announce(newcomer));
    announcing.await.unwrap_or(Err(Error::TimeUp("queueing")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fakes::{FakeCache, FakeGateway, FakeQueues, Mood, id};
    use crate::gateway::GatewayError;

    fn event(origin: Option<&str>) -> SocketEvent {
        let text = r#"{"requestContext":{"connectionId":"abc="}}"#;
        let mut event: SocketEvent = serde_json::from_str(text).unwrap();
        event.headers = origin.map(|o| [("Origin".to_owned(), o.to_owned())].into());
        event
    }

    const LATENCY: Duration = Duration::from_millis(5);

    async fn admit_one(
        event: &SocketEvent,
        cache: &FakeCache,
        queues: &FakeQueues,
    ) -> SocketAnswer {
        let gateway = FakeGateway::new(LATENCY);
        handle(event, &OriginList::default(), cache, queues, &gateway).await
    }

    #[tokio::test(start_paused = true)]
    async fn a_client_is_added_and_queued() {
        let (cache, queues) = (FakeCache::new(1), FakeQueues::default());
        let answer = admit_one(&event(None), &cache, &queues).await;
        assert_eq!(answer, SocketAnswer::OK);
        assert!(cache.state().clients.contains_key(&id("abc=")));
        assert_eq!(*queues.newcomers.lock().unwrap(), [id("abc=")]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_player_is_noted_if_it_is_one() {
        for (given, noted) in [
            ("0123456789abcdef0123456789ABCDEF", true),
            ("0123", false),
            ("0123456789abcdef0123456789abcdeg", false),
        ] {
            let (cache, queues) = (FakeCache::new(1), FakeQueues::default());
            let mut event = event(None);
            let query = [("player".to_owned(), given.to_owned())];
            event.query_string_parameters = Some(query.into());
            assert_eq!(admit_one(&event, &cache, &queues).await, SocketAnswer::OK);
            let player = cache.state().players.get(&id("abc=")).cloned();
            assert_eq!(player, noted.then(|| given.to_owned()));
        }
    }

    #[tokio::test(start_paused = true)]
    async fn another_origin_is_refused() {
        let (cache, queues) = (FakeCache::new(1), FakeQueues::default());
        let origins = OriginList::new(vec!["https://a.example".into()]);
        let gateway = FakeGateway::new(LATENCY);
        for origin in [None, Some("https://b.example")] {
            let answer = handle(&event(origin), &origins, &cache, &queues, &gateway).await;
            assert_eq!(answer, SocketAnswer::FORBIDDEN);
        }
        assert!(cache.state().clients.is_empty());
        let answer = handle(
            &event(Some("https://a.example")),
            &origins,
            &cache,
            &queues,
            &gateway,
        )
        .await;
        assert_eq!(answer, SocketAnswer::OK);
    }

    #[tokio::test(start_paused = true)]
    async fn a_full_canvas_refuses() {
        let (cache, queues) = (FakeCache::new(1), FakeQueues::default());
        cache.state().max_clients = 0;
        let answer = admit_one(&event(None), &cache, &queues).await;
        assert_eq!(answer, SocketAnswer::UNAVAILABLE);
        assert!(queues.newcomers.lock().unwrap().is_empty());
    }

    /// A canvas full of clients that connected `age` ago and are gone, but for the first `living`.
    fn full(living: usize, gone: usize, age: u64) -> (FakeCache, FakeGateway) {
        let (cache, gateway) = (FakeCache::new(2), FakeGateway::new(LATENCY));
        for number in 0..living + gone {
            let client = id(&format!("c{number}"));
            cache.join(&client, Duration::from_secs(age));
            if number >= living {
                gateway.set(&client, Mood::Fails(GatewayError::Gone));
            }
        }
        cache.state().max_clients = (living + gone) as u64;
        (cache, gateway)
    }

    #[tokio::test(start_paused = true)]
    async fn a_canvas_full_of_ghosts_admits_at_once() {
        let (cache, gateway) = full(0, 300, 60);
        let (origins, queues) = (OriginList::default(), FakeQueues::default());
        let start = tokio::time::Instant::now();
        let answer = handle(&event(None), &origins, &cache, &queues, &gateway).await;
        assert_eq!(answer, SocketAnswer::OK);
        assert!(start.elapsed() < Duration::from_secs(2));
        assert!(cache.state().clients.contains_key(&id("abc=")));
        assert!(gateway.calls().lookups.len() <= 100);
    }

    #[tokio::test(start_paused = true)]
    async fn a_canvas_that_is_really_full_refuses_a_crowd_without_looking_everybody_up_for_each() {
        let (cache, gateway) = full(300, 0, 60);
        let (origins, queues) = (OriginList::default(), FakeQueues::default());
        for _ in 0..50 {
            let answer = handle(&event(None), &origins, &cache, &queues, &gateway).await;
            assert_eq!(answer, SocketAnswer::UNAVAILABLE);
        }
        assert!(gateway.calls().lookups.len() <= 100);
        assert_eq!(cache.state().clients.len(), 300);
    }

    #[tokio::test(start_paused = true)]
    async fn clients_that_may_still_be_connecting_make_no_room() {
        let (cache, gateway) = full(0, 30, 9);
        let (origins, queues) = (OriginList::default(), FakeQueues::default());
        let answer = handle(&event(None), &origins, &cache, &queues, &gateway).await;
        assert_eq!(answer, SocketAnswer::UNAVAILABLE);
        assert_eq!(cache.state().clients.len(), 30);
    }

    #[tokio::test(start_paused = true)]
    async fn a_gateway_that_hangs_holds_no_connect_up() {
        let (cache, gateway) = full(0, 300, 60);
        for client in cache.state().clients.keys() {
            gateway.set(client, Mood::Hangs);
        }
        let (origins, queues) = (OriginList::default(), FakeQueues::default());
        let start = tokio::time::Instant::now();
        let answer = handle(&event(None), &origins, &cache, &queues, &gateway).await;
        assert_eq!(answer, SocketAnswer::UNAVAILABLE);
        assert!(start.elapsed() < Duration::from_millis(2500));
    }

    #[tokio::test(start_paused = true)]
    async fn a_client_that_cannot_be_queued_is_taken_out_again() {
        let (cache, queues) = (FakeCache::new(1), FakeQueues::default());
        queues.faults.fail_at(1);
        let answer = admit_one(&event(None), &cache, &queues).await;
        assert_eq!(answer, SocketAnswer::UNAVAILABLE);
        assert!(cache.state().clients.is_empty());
    }

    #[tokio::test(start_paused = true)]
    async fn a_client_that_is_queued_late_is_refused() {
        let (cache, queues) = (FakeCache::new(1), FakeQueues::default());
        *queues.latency.lock().unwrap() = Duration::from_secs(6);
        let start = tokio::time::Instant::now();
        let answer = admit_one(&event(None), &cache, &queues).await;
        assert_eq!(answer, SocketAnswer::UNAVAILABLE);
        assert!(cache.state().clients.is_empty());
        // So it does not open after initializeConnection has given it up.
        assert!(start.elapsed() < Duration::from_secs(5));
    }

    #[tokio::test(start_paused = true)]
    async fn a_client_whose_adding_was_not_answered_is_taken_out_again() {
        let (cache, queues) = (FakeCache::new(1), FakeQueues::default());
        cache.faults.fail_at(2);
        let answer = admit_one(&event(None), &cache, &queues).await;
        assert_eq!(answer, SocketAnswer::UNAVAILABLE);
        assert!(cache.state().clients.is_empty());
        assert!(queues.newcomers.lock().unwrap().is_empty());
    }

    #[tokio::test(start_paused = true)]
    async fn an_event_without_a_connection_is_refused() {
        let (cache, queues) = (FakeCache::new(1), FakeQueues::default());
        let event = SocketEvent::default();
        let answer = admit_one(&event, &cache, &queues).await;
        assert_eq!(answer, SocketAnswer::BAD_REQUEST);
    }
}
