//! Convergence: whatever happens, in whatever order, every client that stays connected ends with
//! the server's canvas.
//!
//! The functions run as they do on AWS, fed by their queues; only the gateway, the queues and the
//! tables are fakes. The clients are model clients behind that gateway. Paints, newcomers,
//! departures and saves come at random moments, and what the queues deliver fares at random: it is
//! delivered twice, its function is killed at any moment, its time is up, it is lost. At last
//! nothing goes wrong any more, and what the minute's save does for shards that lag is all the help
//! that there is.

mod losses;
mod script;
mod world;

use std::time::Duration;

use place_canvas::testing::TestRedis;
use place_canvas::{ConnectionId, StoreConfig};
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;

use self::script::{Script, Step, script, without_faults, without_losses};
use self::world::{Calm, World};
use crate::adapters::Cache;
use crate::fakes::{FakeCache, Flaw, geometry};

const SHARDS: u16 = 2;

/// Runs a script on a fake cache. Leases of loops that died expire by themselves: in five seconds
/// at most.
fn run(
    script: &Script,
    prepare: impl FnOnce(&mut World<FakeCache>),
    saves: bool,
) -> Result<(), Vec<ConnectionId>> {
    let mut builder = tokio::runtime::Builder::new_current_thread();
    let runtime = builder.enable_time().start_paused(true).build().unwrap();
    runtime.block_on(async {
        let mut world = World::new(FakeCache::new(SHARDS), script);
        // So that anything may come between two calls of the cache.
        world.cache.faults.slow_down(Duration::from_millis(1));
        prepare(&mut world);
        let calm = Calm {
            pause: Duration::from_secs(3),
            expire: &|| {},
            saves,
        };
        world.converges(&script.steps, calm).await
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 250, ..ProptestConfig::default() })]

    #[test]
    fn every_client_ends_with_the_canvas(script in script()) {
        prop_assert_eq!(run(&script, |_| {}, true), Ok(()));
    }

    #[test]
    fn without_faults_every_client_ends_with_the_canvas_before_any_save(script in script()) {
        prop_assert_eq!(run(&without_faults(script), |_| {}, false), Ok(()));
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 500, ..ProptestConfig::default() })]

    /// Where no update is lost behind the gateway, nobody ever meets a gap, or misses the last
    /// update: neither newcomers nor those who are throttled.
    #[test]
    fn without_faults_nobody_needs_to_connect_anew(script in script()) {
        let content = |world: &mut World<FakeCache>| {
            world.reconnects = false;
            world.paints_at_last = false;
        };
        let script = without_losses(without_faults(script));
        prop_assert_eq!(run(&script, content, false), Ok(()));
    }
}

/// Whether some of many scripts don't converge.
fn some_go_astray(fails: impl Fn(Script) -> bool) -> bool {
    let mut runner = TestRunner::deterministic();
    (0..5000).any(|_| fails(script().new_tree(&mut runner).unwrap().current()))
}

#[test]
fn a_loop_must_look_once_more_before_it_sleeps() {
    let unchecked = |world: &mut World<FakeCache>| world.cache.flaw = Some(Flaw::SleepsUnchecked);
    assert!(some_go_astray(|script| {
        run(&without_faults(script), unchecked, false).is_err()
    }));
}

#[test]
fn the_cursor_must_not_move_before_the_posts_arrived() {
    let early = |world: &mut World<FakeCache>| world.cache.flaw = Some(Flaw::MovesEarly);
    assert!(some_go_astray(|script| run(&script, early, true).is_err()));
}

#[test]
fn a_loop_whose_time_is_up_must_call_the_next_one() {
    let silent = |world: &mut World<FakeCache>| world.hands_over = false;
    assert!(some_go_astray(|script| {
        run(&without_faults(script), silent, false).is_err()
    }));
}

#[test]
fn a_client_that_missed_an_update_must_connect_anew() {
    let stubborn = |world: &mut World<FakeCache>| world.reconnects = false;
    assert!(some_go_astray(
        |script| run(&script, stubborn, true).is_err()
    ));
}

#[test]
fn what_died_must_be_called_by_somebody() {
    assert!(some_go_astray(|script| {
        let steps = script.steps.into_iter();
        let steps = steps.filter(|step| !matches!(step, Step::Save)).collect();
        run(&Script { steps, ..script }, |_| {}, false).is_err()
    }));
}

/// The same on a real cache that keeps no history longer than it must.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_client_ends_with_the_canvas_of_a_real_cache() {
    let mut runner = TestRunner::default();
    let case = |script: Script| async move {
        let redis = TestRedis::start().unwrap();
        let config = StoreConfig {
            shards: SHARDS,
            retain: Duration::ZERO,
            ..StoreConfig::new("test", geometry())
        };
        let cache = Cache::new(redis.url(), config);
        cache.store().await.unwrap().open_blank().await.unwrap();
        let world = World::new(cache, &script);
        let calm = Calm {
            pause: Duration::from_millis(150),
            expire: &|| redis.expire_leases("test", SHARDS).unwrap(),
            saves: true,
        };
        let ended = world.converges(&script.steps, calm).await;
        assert_eq!(ended, Ok(()), "{script:?}");
    };
    let scripts = (0..12).map(|_| script().new_tree(&mut runner).unwrap().current());
    futures::future::join_all(scripts.map(case)).await;
}
