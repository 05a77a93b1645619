//! One loop serves a shard at a time: it holds the lease, hands it over, loses it, dies with it.

use super::*;

#[tokio::test(start_paused = true)]
async fn a_loop_that_breaks_calls_the_next_one() {
    let world = World::new(3);
    world.cache.paint_now(&[dot(0, 0, 0)]);
    let breaking = async {
        sleep(Duration::from_millis(50)).await;
        world.cache.faults.fail_from(1);
        world.cache.paint_now(&[dot(1, 1, 1)]);
    };
    let (summary, ()) = tokio::join!(world.serve_for(600), breaking);
    assert_eq!(summary.unwrap().ending, Ending::Broke);
    world.cache.faults.heal();
    let call = world.queues.calls.lock().unwrap().pop().unwrap();
    assert_eq!(call.reason, Reason::Broke("r".into()));
    sleep(Duration::from_secs(5)).await;
    world.serve().await;
    world.updates(&client(0), Position::ZERO);
}

#[tokio::test(start_paused = true)]
async fn a_loop_that_is_killed_anywhere_is_made_good_by_the_next() {
    let steps = {
        let world = World::new(3);
        world.cache.paint_now(&[dot(0, 0, 0)]);
        world.serve().await;
        world.cache.faults.steps()
    };
    assert!(steps > 4);
    for step in 1..=steps {
        let world = World::new(3);
        world.cache.paint_now(&[dot(0, 0, 0)]);
        world.cache.faults.kill_at(step);
        assert!(
            world.cache.faults.run(world.serve()).await.is_none(),
            "step {step}"
        );
        world.cache.faults.heal();
        sleep(Duration::from_secs(6)).await;
        let wake = world.cache.paint_now(&[dot(1, 1, 1)]).wake;
        assert_eq!(wake, [Shard(0)], "the next paint calls again");
        world.serve().await;
        for number in 0..3 {
            world.updates(&client(number), Position::ZERO);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn before_its_time_is_up_a_loop_hands_over() {
    let world = World::new(3);
    world.cache.paint_now(&[dot(0, 0, 0)]);
    let painter = async {
        for grey in 0..200 {
            sleep(Duration::from_millis(50)).await;
            world.cache.paint_now(&[dot(2, 2, grey)]);
        }
    };
    let serving = async {
        let first = world.serve_for(8).await.unwrap();
        let call = world.queues.calls.lock().unwrap().pop().unwrap();
        assert_eq!((first.ending, call.shard), (Ending::HandedOver, Shard(0)));
        assert_eq!(call.reason, Reason::HandOver("r".into()));
        assert!(first.elapsed < Duration::from_secs(6));
        world.serve().await
    };
    let (last, ()) = tokio::join!(serving, painter);
    assert_eq!(last.ending, Ending::Asleep);
    world.updates(&client(1), Position::ZERO);
}

#[tokio::test(start_paused = true)]
async fn a_duplicate_wake_up_finds_the_shard_held() {
    let world = World::new(3);
    world.cache.paint_now(&[dot(0, 0, 0)]);
    let (first, second) = tokio::join!(world.serve(), world.serve());
    assert_eq!(
        (first.ending, second.ending),
        (Ending::Asleep, Ending::Held)
    );
    assert_eq!(world.gateway.calls().posts.len(), 3);
}

#[tokio::test(start_paused = true)]
async fn without_the_lease_a_duplicate_wake_up_would_post_everything_twice() {
    let mut world = World::new(3);
    world.cache.flaw = Some(Flaw::SharesShards);
    world.cache.paint_now(&[dot(0, 0, 0)]);
    tokio::join!(world.serve(), world.serve());
    assert_eq!(world.gateway.calls().posts.len(), 6);
}

#[tokio::test(start_paused = true)]
async fn a_loop_that_lost_its_lease_stops() {
    let world = World::new(300);
    world.cache.paint_now(&[dot(0, 0, 0)]);
    let painter = async {
        for grey in 0..100 {
            sleep(Duration::from_millis(50)).await;
            world.cache.paint_now(&[dot(2, 2, grey)]);
            if grey == 30 {
                world.cache.drop_leases();
            }
        }
    };
    let (summary, ()) = tokio::join!(world.serve(), painter);
    assert_eq!(summary.ending, Ending::Lost);
    sleep(Duration::from_secs(3)).await;
    world.serve().await;
    world.updates(&client(1), Position::ZERO);
}
