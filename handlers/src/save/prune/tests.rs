use super::*;
use crate::fakes::{FakeCache, FakeGateway, Mood, id, invocation};

const LATENCY: Duration = Duration::from_millis(20);

/// So many clients that connected `age` ago; those from number `living` on are gone.
fn crowd(clients: usize, living: usize, age: u64) -> (FakeCache, FakeGateway) {
    let (cache, gateway) = (FakeCache::new(2), FakeGateway::new(LATENCY));
    for number in 0..clients {
        let client = id(&format!("c{number}"));
        cache.join(&client, Duration::from_secs(age));
        if number >= living {
            gateway.set(&client, Mood::Fails(GatewayError::Gone));
        }
    }
    (cache, gateway)
}

#[tokio::test(start_paused = true)]
async fn a_save_forgets_clients_that_are_gone() {
    let (cache, gateway) = crowd(310, 10, 60);
    tidy(invocation(60), &cache, &gateway).await;
    assert_eq!(cache.state().clients.len(), 10);
    assert_eq!(gateway.calls().lookups.len(), 310);
}

#[tokio::test(start_paused = true)]
async fn nobody_is_looked_up_when_nobody_is_there() {
    let (cache, gateway) = crowd(0, 0, 60);
    tidy(invocation(60), &cache, &gateway).await;
    assert!(gateway.calls().lookups.is_empty());
}

#[tokio::test(start_paused = true)]
async fn the_living_cost_a_save_so_many_calls_and_no_more() {
    let (cache, gateway) = crowd(3000, 3000, 60);
    tidy(invocation(60), &cache, &gateway).await;
    assert_eq!(gateway.calls().lookups.len(), SAMPLE);
    assert_eq!(cache.state().clients.len(), 3000);
}

#[tokio::test(start_paused = true)]
async fn a_save_goes_on_while_it_finds_many() {
    let (cache, gateway) = crowd(3000, 0, 60);
    tidy(invocation(60), &cache, &gateway).await;
    assert!(cache.state().clients.is_empty());
}

#[tokio::test(start_paused = true)]
async fn the_young_stay() {
    let (cache, gateway) = crowd(20, 0, 9);
    tidy(invocation(60), &cache, &gateway).await;
    assert_eq!(cache.state().clients.len(), 20);
    tokio::time::advance(Duration::from_secs(1)).await;
    tidy(invocation(60), &cache, &gateway).await;
    assert!(cache.state().clients.is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_gateway_that_hangs_or_denies_removes_nobody_and_holds_no_save_up() {
    for mood in [
        Mood::Hangs,
        Mood::Fails(GatewayError::Denied(403)),
        Mood::Fails(GatewayError::Throttled),
    ] {
        let (cache, gateway) = crowd(300, 300, 60);
        for client in cache.state().clients.keys() {
            gateway.set(client, mood.clone());
        }
        let start = Instant::now();
        tidy(invocation(60), &cache, &gateway).await;
        assert!(start.elapsed() <= TIME, "{mood:?}");
        assert_eq!(cache.state().clients.len(), 300, "{mood:?}");
    }
}
