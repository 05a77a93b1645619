//! A gateway that fails, throttles, hangs or denies, for one client or for all.

use super::*;

#[tokio::test(start_paused = true)]
async fn a_client_that_is_gone_is_removed_and_a_young_one_is_not() {
    let world = World::new(3);
    world.cache.join(&id("young"), Duration::from_secs(3));
    world
        .gateway
        .set(&id("young"), Mood::Fails(GatewayError::Gone));
    world
        .gateway
        .set(&client(1), Mood::Fails(GatewayError::Gone));
    world.cache.paint_now(&[dot(0, 0, 0)]);
    let summary = world.serve().await;
    assert_eq!((summary.counts.gone, summary.counts.delivered), (1, 2));
    let left: Vec<_> = world.cache.state().clients.keys().cloned().collect();
    assert_eq!(left, [client(0), client(2), id("young")]);
    assert!(world.gateway.calls().closed.is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_throttled_client_stays_and_gets_everything() {
    let world = World::new(5);
    for number in 0..5 {
        world.gateway.set(
            &client(number),
            Mood::FailsTimes(GatewayError::Throttled, 12),
        );
    }
    world.cache.paint_now(&[dot(0, 0, 0)]);
    let summary = world.serve().await;
    assert_eq!(
        (summary.counts.throttled, summary.counts.delivered),
        (60, 5)
    );
    assert_eq!(world.cache.state().clients.len(), 5);
    world.updates(&client(4), Position::ZERO);
}

#[tokio::test(start_paused = true)]
async fn a_throttled_gateway_is_not_asked_for_more() {
    let world = World::new(100);
    for number in 0..100 {
        world.gateway.set(
            &client(number),
            Mood::FailsTimes(GatewayError::Throttled, 5),
        );
    }
    world.cache.paint_now(&[dot(0, 0, 0)]);
    let painter = async {
        for grey in 0..40 {
            sleep(Duration::from_millis(50)).await;
            world.cache.paint_now(&[dot(2, 2, grey)]);
        }
    };
    let (summary, ()) = tokio::join!(world.serve(), painter);
    // While most clients wait, ticks are put off: what is painted meanwhile is one frame.
    assert!(summary.ticks <= 15, "{summary:?}");
    assert_eq!(world.cache.state().clients.len(), 100);
    world.updates(&client(7), Position::ZERO);
}

#[tokio::test(start_paused = true)]
async fn a_server_error_is_tried_again() {
    let world = World::new(4);
    world
        .gateway
        .set(&client(2), Mood::FailsTimes(GatewayError::Status(500), 3));
    world.cache.paint_now(&[dot(0, 0, 0)]);
    let summary = world.serve().await;
    assert_eq!((summary.counts.failed, summary.counts.delivered), (3, 4));
    assert_eq!(world.cache.state().clients.len(), 4);
}

#[tokio::test(start_paused = true)]
async fn a_client_that_keeps_failing_is_removed_and_disconnected() {
    let world = World::new(4);
    world
        .gateway
        .set(&client(2), Mood::Fails(GatewayError::Status(500)));
    world.cache.paint_now(&[dot(0, 0, 0)]);
    let summary = world.serve().await;
    assert_eq!((summary.counts.given_up, summary.counts.delivered), (1, 3));
    assert!(!world.cache.state().clients.contains_key(&client(2)));
    assert_eq!(world.gateway.calls().closed, [client(2)]);
}

#[tokio::test(start_paused = true)]
async fn a_gateway_that_fails_for_everyone_costs_nobody_the_connection() {
    for clients in [1, 3, 50] {
        let world = World::new(clients);
        for number in 0..clients {
            world.gateway.set(
                &client(number),
                Mood::FailsTimes(GatewayError::Status(503), 20),
            );
        }
        world.cache.paint_now(&[dot(0, 0, 0)]);
        let summary = world.serve().await;
        let counts = summary.counts;
        assert_eq!((counts.given_up, counts.delivered), (0, clients as u64));
        assert_eq!(world.cache.state().clients.len(), clients);
    }
}

#[tokio::test(start_paused = true)]
async fn a_gateway_that_stumbles_for_seconds_costs_nobody_the_connection() {
    let world = World::new(4);
    let stumbles = Mood::FailsTimes(GatewayError::Status(503), 7);
    world.gateway.set(&client(0), stumbles);
    let start = Instant::now();
    world.cache.paint_now(&[dot(0, 0, 0)]);
    let summary = world.serve().await;
    assert!(start.elapsed() > Duration::from_secs(2), "{summary:?}");
    assert_eq!((summary.counts.given_up, summary.counts.delivered), (0, 4));
    world.updates(&client(0), Position::ZERO);
}

#[tokio::test(start_paused = true)]
async fn one_client_that_the_gateway_denies_is_that_clients_failure() {
    let world = World::new(3);
    world
        .gateway
        .set(&client(1), Mood::Fails(GatewayError::Denied(403)));
    world.cache.paint_now(&[dot(0, 0, 0)]);
    let summary = world.serve().await;
    assert_eq!((summary.counts.given_up, summary.counts.delivered), (1, 2));
    assert_eq!(world.gateway.calls().closed, [client(1)]);
}

#[tokio::test(start_paused = true)]
async fn most_of_the_clients_hang_and_the_others_are_served() {
    let world = World::new(3);
    world.gateway.set(&client(0), Mood::Hangs);
    world.gateway.set(&client(1), Mood::Hangs);
    world.cache.paint_now(&[dot(0, 0, 0)]);
    let painter = async {
        for grey in 0..40 {
            sleep(Duration::from_millis(200)).await;
            world.cache.paint_now(&[dot(2, 2, grey)]);
        }
    };
    tokio::select! {
        _ = world.serve() => unreachable!("two clients lack frames"),
        () = painter => {}
    }
    let calls = world.gateway.calls();
    let arrived = &calls.arrived[&client(2)];
    assert!(arrived.len() > 35, "{}", arrived.len());
    let pauses = arrived.windows(2).map(|pair| pair[1].0 - pair[0].0);
    assert!(pauses.max().unwrap() < Duration::from_millis(500));
}

#[tokio::test(start_paused = true)]
async fn a_client_that_cannot_be_removed_ends_no_loop() {
    let world = World::new(3);
    world
        .gateway
        .set(&client(1), Mood::Fails(GatewayError::Gone));
    world.cache.paint_now(&[dot(0, 0, 0)]);
    let removal = async {
        // The loop has read everything and posts; the next step of the cache is the removal.
        sleep(Duration::from_millis(2)).await;
        world.cache.faults.fail_at(1);
    };
    let (summary, ()) = tokio::join!(world.serve(), removal);
    assert_eq!((summary.ending, summary.counts.gone), (Ending::Asleep, 0));
    assert!(world.cache.state().clients.contains_key(&client(1)));
    world.cache.paint_now(&[dot(0, 0, 1)]);
    world.serve().await;
    assert!(!world.cache.state().clients.contains_key(&client(1)));
}

#[tokio::test(start_paused = true)]
async fn a_role_without_permission_removes_nobody() {
    let world = World::new(50);
    for number in 0..50 {
        world
            .gateway
            .set(&client(number), Mood::Fails(GatewayError::Denied(403)));
    }
    world.cache.paint_now(&[dot(0, 0, 0)]);
    let error = world.serve_for(60).await.unwrap_err();
    assert!(
        matches!(error, Error::Gateway(GatewayError::Denied(403))),
        "{error:?}"
    );
    assert_eq!(world.cache.state().clients.len(), 50);
    // The lease was given back: the next paint need not wait for it to expire.
    sleep(Duration::from_millis(2100)).await;
    assert_eq!(world.cache.paint_now(&[dot(0, 0, 1)]).wake, [Shard(0)]);
}

#[tokio::test(start_paused = true)]
async fn slow_clients_delay_nobody() {
    let world = World::new(100);
    for number in 0..40 {
        let mood = if number % 2 == 0 {
            Mood::Hangs
        } else {
            Mood::Slow(Duration::from_secs(4))
        };
        world.gateway.set(&client(number), mood);
    }
    let start = Instant::now();
    world.cache.paint_now(&[dot(0, 0, 0)]);
    let painter = async {
        for grey in 0..30 {
            sleep(Duration::from_millis(200)).await;
            world.cache.paint_now(&[dot(2, 2, grey)]);
        }
    };
    let (_, ()) = tokio::join!(world.serve(), painter);
    let calls = world.gateway.calls();
    for number in 40..100 {
        let arrived = &calls.arrived[&client(number)];
        assert!(
            arrived[0].0 - start < Duration::from_secs(2),
            "{:?}",
            arrived[0].0 - start
        );
        let pauses = arrived.windows(2).map(|pair| pair[1].0 - pair[0].0);
        assert!(pauses.max().unwrap() < Duration::from_millis(1500));
    }
    drop(calls);
    world.updates(&client(1), Position::ZERO);
    assert!(!world.cache.state().clients.contains_key(&client(0)));
}

#[tokio::test(start_paused = true)]
async fn a_slow_client_does_not_keep_the_cursor_of_a_dead_loop_ahead() {
    let world = World::new(4);
    world
        .gateway
        .set(&client(0), Mood::Slow(Duration::from_secs(4)));
    world.cache.paint_now(&[dot(0, 0, 0)]);
    let dying = tokio::time::timeout(Duration::from_secs(2), world.serve());
    assert!(dying.await.is_err());
    // All but one have it, so the cursor must not have moved past it.
    assert_eq!(world.cache.state().cursors[&Shard(0)], Position::ZERO);
    sleep(Duration::from_secs(6)).await;
    world.serve().await;
    for number in 0..4 {
        world.updates(&client(number), Position::ZERO);
    }
}

/// A client that opens a socket and never reads is throttled for ever, and each loop knows nothing
/// of what the one before it has seen.
#[tokio::test(start_paused = true)]
async fn a_client_that_never_reads_is_given_up_within_a_loop_or_two() {
    for seconds in [10, 60] {
        let world = World::new(10);
        world
            .gateway
            .set(&client(3), Mood::Fails(GatewayError::Throttled));
        world.cache.paint_now(&[dot(0, 0, 0)]);
        let painter = async {
            for grey in 0..200 {
                sleep(Duration::from_millis(500)).await;
                world.cache.paint_now(&[dot(2, 2, grey)]);
            }
        };
        let loops = async {
            while world.cache.state().clients.contains_key(&client(3)) {
                world.serve_for(seconds).await.unwrap();
            }
        };
        tokio::select! {
            () = painter => panic!("{seconds} s: it keeps the cursor"),
            () = loops => {}
        }
        assert_eq!(world.gateway.calls().closed, [client(3)], "{seconds} s");
        assert_eq!(world.cache.state().clients.len(), 9, "{seconds} s");
    }
}

#[tokio::test(start_paused = true)]
async fn a_client_that_never_reads_is_given_up_when_nothing_is_painted_too() {
    let world = World::new(10);
    world
        .gateway
        .set(&client(3), Mood::Fails(GatewayError::Throttled));
    world.cache.paint_now(&[dot(0, 0, 0)]);
    let summary = world.serve_for(60).await.unwrap();
    assert_eq!(summary.ending, Ending::Asleep, "{summary:?}");
    assert_eq!((summary.counts.given_up, summary.counts.delivered), (1, 9));
}

#[tokio::test(start_paused = true)]
async fn who_joins_while_all_others_hang_is_served() {
    let world = World::new(1);
    world.gateway.set(&client(0), Mood::Hangs);
    world.cache.paint_now(&[dot(0, 0, 0)]);
    let joiner = async {
        sleep(Duration::from_secs(3)).await;
        world.cache.join(&id("late"), OLD);
        world.cache.paint_now(&[dot(1, 1, 1)]);
        let painted = Instant::now();
        while world.gateway.texts(&id("late")).is_empty() {
            sleep(Duration::from_millis(10)).await;
        }
        painted.elapsed()
    };
    tokio::select! {
        _ = world.serve() => unreachable!("a client lacks frames"),
        delay = joiner => assert!(delay < Duration::from_millis(1500), "{delay:?}"),
    }
}

#[tokio::test(start_paused = true)]
async fn who_is_in_order_is_served_while_most_are_throttled() {
    let world = World::new(3);
    for number in 0..2 {
        let throttled = Mood::Fails(GatewayError::Throttled);
        world.gateway.set(&client(number), throttled);
    }
    world.cache.paint_now(&[dot(0, 0, 0)]);
    let painter = async {
        for grey in 0..50 {
            sleep(Duration::from_millis(200)).await;
            world.cache.paint_now(&[dot(2, 2, grey)]);
        }
    };
    tokio::select! {
        _ = world.serve_for(60) => unreachable!("two clients lack frames"),
        () = painter => {}
    }
    let calls = world.gateway.calls();
    let arrived = &calls.arrived[&client(2)];
    let pauses = arrived.windows(2).map(|pair| pair[1].0 - pair[0].0);
    assert!(pauses.max().unwrap() < Duration::from_millis(1500));
}

/// It opens between the answer 410 and the end of what follows from it; what was painted since is
/// in no picture.
#[tokio::test(start_paused = true)]
async fn a_frame_that_follows_one_that_came_too_early_is_posted() {
    let world = World::new(1);
    world.cache.join(&id("young"), Duration::from_secs(1));
    world
        .gateway
        .set(&id("young"), Mood::FailsTimes(GatewayError::Gone, 1));
    let first = world.cache.paint_now(&[dot(0, 0, 0)]).at;
    // The look at the client's age takes longer than a tick.
    world.cache.faults.slow_down(Duration::from_millis(150));
    let painter = async {
        while world.gateway.calls().posts.len() < 2 {
            sleep(Duration::from_millis(1)).await;
        }
        world.cache.paint_now(&[dot(1, 1, 1)]);
    };
    let (summary, ()) = tokio::join!(world.serve(), painter);
    assert_eq!(summary.ending, Ending::Asleep);
    assert_eq!(world.updates(&id("young"), first), 1);
}
