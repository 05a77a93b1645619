//! Who is served in one turn, who comes again, and who is given up.

use super::*;

fn failed(answer: &BatchAnswer) -> Vec<&str> {
    let failures = answer.failures.iter();
    failures.map(|f| f.message_id.as_str()).collect()
}

#[tokio::test(start_paused = true)]
async fn what_failed_comes_again_within_seconds() {
    let world = World::new();
    let broken = Mood::Fails(GatewayError::Status(500));
    world.gateway.set(&id("b"), broken);
    let start = Instant::now();
    let answer = world.welcome(&["a", "b", "c"], 20).await;
    assert!(start.elapsed() < Duration::from_secs(3));
    assert_eq!(failed(&answer), ["m1"]);
    let unserved = world.queues.unserved.lock().unwrap().clone();
    let [again] = &unserved[..] else {
        panic!("{unserved:?}")
    };
    assert_eq!((again.receipt_handle.as_str(), again.pause_s), ("h1", 1));
    world.assert_up_to_date("a");
    world.assert_up_to_date("c");
}

#[tokio::test(start_paused = true)]
async fn what_failed_is_reported_even_when_its_time_out_cannot_be_cut_short() {
    for hangs in [false, true] {
        let world = World::new();
        let broken = Mood::Fails(GatewayError::Status(500));
        world.gateway.set(&id("a"), broken);
        if hangs {
            *world.queues.latency.lock().unwrap() = Duration::from_mins(1);
        } else {
            world.queues.faults.fail_at(1);
        }
        let start = Instant::now();
        assert_eq!(failed(&world.welcome(&["a"], 20).await), ["m0"]);
        assert!(start.elapsed() < Duration::from_secs(5));
    }
}

#[tokio::test(start_paused = true)]
async fn after_the_last_delivery_a_client_is_closed_so_that_it_comes_back() {
    for mood in [
        Mood::Fails(GatewayError::Status(500)),
        Mood::Fails(GatewayError::Denied(403)),
        Mood::Fails(GatewayError::Throttled),
        Mood::Hangs,
    ] {
        let world = World::new();
        world.cache.join(&id("a"), Duration::from_secs(1));
        world.gateway.set(&id("a"), mood.clone());
        let start = Instant::now();
        assert_eq!(world.deliver_all("a").await, TRIES, "{mood:?}");
        assert!(start.elapsed() < Duration::from_secs(30), "{mood:?}");
        assert_eq!(world.gateway.calls().closed, [id("a")], "{mood:?}");
        assert!(world.cache.state().clients.is_empty(), "{mood:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_cache_that_stumbles_is_no_dead_letter_either() {
    let world = World::new();
    world.cache.faults.fail_from(1);
    assert_eq!(world.deliver_all("a").await, TRIES);
    assert_eq!(world.gateway.calls().closed, [id("a")]);
    world.cache.faults.heal();
    world.cache.faults.fail_at(1);
    assert_eq!(world.deliver_all("b").await, 2);
    world.assert_up_to_date("b");
}

#[tokio::test(start_paused = true)]
async fn a_throttled_newcomer_is_served_in_the_end() {
    for times in [3, 12, 25] {
        let world = World::new();
        let throttled = Mood::FailsTimes(GatewayError::Throttled, times);
        world.gateway.set(&id("a"), throttled);
        world.deliver_all("a").await;
        world.assert_up_to_date("a");
        assert!(world.gateway.calls().closed.is_empty());
    }
}

#[tokio::test(start_paused = true)]
async fn who_is_slow_but_gets_on_is_served_in_one_turn() {
    let world = World::new();
    for grey in 0..=200_u8 {
        world
            .cache
            .paint_now(&[dot(u16::from(grey % 20), u16::from(grey / 20 % 10), grey)]);
    }
    world
        .gateway
        .set(&id("a"), Mood::Slow(Duration::from_millis(1500)));
    assert_eq!(world.welcome(&["a"], 60).await, BatchAnswer::default());
    world.assert_up_to_date("a");
}

#[tokio::test(start_paused = true)]
async fn a_hanging_newcomer_delays_nobody_and_is_reported_in_time() {
    for seconds in 5..15 {
        let world = World::new();
        world.gateway.set(&id("a"), Mood::Hangs);
        let start = Instant::now();
        let slow = world.welcome(&["a", "b"], seconds);
        let watch = async {
            sleep(Duration::from_millis(500)).await;
            world.assert_up_to_date("b");
        };
        let (answer, ()) = tokio::join!(slow, watch);
        assert!(start.elapsed() < Duration::from_secs(3));
        assert_eq!(failed(&answer), ["m0"]);
    }
}

#[tokio::test(start_paused = true)]
async fn who_has_left_its_shard_is_asked_once() {
    let world = World::new();
    world.gateway.set(&id("a"), Mood::Fails(GatewayError::Gone));
    let start = Instant::now();
    assert_eq!(world.welcome(&["a"], 60).await, BatchAnswer::default());
    assert_eq!(world.gateway.calls().posts.len(), 1);
    assert!(start.elapsed() < Duration::from_millis(100));
}

#[tokio::test(start_paused = true)]
async fn who_connected_a_while_ago_and_is_not_there_is_removed_at_once() {
    let world = World::new();
    world.cache.join(&id("a"), Duration::from_secs(6));
    world.gateway.set(&id("a"), Mood::Fails(GatewayError::Gone));
    assert_eq!(world.welcome(&["a"], 60).await, BatchAnswer::default());
    assert_eq!(world.gateway.calls().posts.len(), 1);
    assert!(world.cache.state().clients.is_empty());
}

#[tokio::test(start_paused = true)]
async fn who_may_still_be_connecting_waits_in_the_queue() {
    let world = World::new();
    world.cache.join(&id("a"), Duration::ZERO);
    world.gateway.set(&id("a"), Mood::Fails(GatewayError::Gone));
    let start = Instant::now();
    assert_eq!(failed(&world.welcome(&["a"], 20).await), ["m0"]);
    assert!(start.elapsed() < Duration::from_secs(1));
    assert_eq!(world.cache.state().clients.len(), 1);
    // In the end it is gone, and nothing is left of it.
    let start = Instant::now();
    assert!(world.deliver_all("a").await < TRIES);
    assert!(start.elapsed() < Duration::from_secs(12));
    assert!(world.cache.state().clients.is_empty());
    assert!(world.gateway.calls().closed.is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_connection_that_opens_late_misses_nothing() {
    for opens in [300, 1500, 3000, 4900] {
        let world = World::new();
        world.cache.join(&id("a"), Duration::ZERO);
        let opening = Instant::now() + Duration::from_millis(opens);
        world.gateway.set(&id("a"), Mood::OpensAt(opening));
        let painter = async {
            for grey in 0..=u8::MAX {
                sleep(Duration::from_millis(100)).await;
                world.cache.paint_now(&[dot(u16::from(grey % 20), 1, grey)]);
                if Instant::now() > opening {
                    break;
                }
            }
        };
        let served = async {
            // The last delivery waits for as long as it takes.
            if opens > 4000 {
                world.deliver(&[("a", TRIES)], 20).await;
            } else {
                world.deliver_all("a").await;
            }
        };
        tokio::join!(served, painter);
        let shown = world.gateway.model(&id("a")).position().unwrap();
        let opened = 1_000_000 + opens - 100;
        assert!(shown.ms >= opened, "{shown}: the changes up to the opening");
        assert!(world.gateway.calls().closed.is_empty());
    }
}
