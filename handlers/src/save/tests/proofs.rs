//! Whatever goes wrong with the saves: in the end history holds each accepted change exactly once,
//! and the table of current colours shows the canvas.

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::*;

/// Milliseconds that a call about a table takes.
const LATENCY: u64 = 5;

/// What happens next.
#[derive(Clone, Debug)]
enum Step {
    /// So many messages.
    Paint(u16),
    /// A save that nothing happens to.
    Save,
    /// Two at once.
    Twice,
    /// A save that is killed at this step; what it had under way is done so many seconds later.
    Killed(usize, u64),
    /// A save at this step of which a call fails, and is done later all the same.
    Failing(usize, u64),
    /// A save whose lease is lost after so many milliseconds.
    Robbed(u64),
    /// A save whose lease is lost after so many milliseconds, when things are painted and saved by
    /// another save that has no such trouble.
    Overtaken(u64),
    /// A save that has so many seconds.
    Hurried(u64),
    /// The next calls about colours are not answered at first, and done once more so many seconds
    /// later; with zero they are simply done.
    Weather(Vec<u64>),
    /// So many seconds.
    Wait(u64),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let late = 0_u64..290;
    let step = prop_oneof![
        4 => (1_u16..60).prop_map(Step::Paint),
        3 => Just(Step::Save),
        1 => Just(Step::Twice),
        3 => (1_usize..60, late.clone()).prop_map(|(step, late)| Step::Killed(step, late)),
        2 => (1_usize..60, late.clone()).prop_map(|(step, late)| Step::Failing(step, late)),
        1 => (0_u64..300).prop_map(Step::Robbed),
        2 => (0_u64..60).prop_map(Step::Overtaken),
        1 => (1_u64..4).prop_map(Step::Hurried),
        3 => proptest::collection::vec(late, 1..6).prop_map(Step::Weather),
        2 => (1_u64..120).prop_map(Step::Wait),
    ];
    proptest::collection::vec(step, 1..30)
}

impl World {
    async fn go(&self, step: Step) {
        match step {
            Step::Paint(messages) => self.paint(messages),
            Step::Save => drop(self.save(ORDINARY, 60).await),
            Step::Twice => drop(tokio::join!(
                self.save(ORDINARY, 60),
                self.save(ORDINARY, 60)
            )),
            Step::Killed(step, late) => {
                self.cache.faults.kill_at(step);
                let faults = self.cache.faults.clone();
                faults.run(self.save(ORDINARY, 60)).await;
                self.recover(late);
            }
            Step::Failing(step, late) => {
                self.cache.faults.fail_at(step);
                let _ = self.save(ORDINARY, 60).await;
                self.recover(late);
            }
            Step::Robbed(ms) => {
                let robber = async {
                    sleep_until(Instant::now() + Duration::from_millis(ms)).await;
                    self.cache.drop_leases();
                };
                let _ = tokio::join!(self.save(ORDINARY, 60), robber);
                self.recover(ms);
            }
            Step::Overtaken(ms) => {
                let overtaking = async {
                    sleep_until(Instant::now() + Duration::from_millis(ms)).await;
                    self.cache.drop_leases();
                    self.paint(20);
                    // Faster than what the other one has under way.
                    self.tables.take(0);
                    let _ = self.save(ORDINARY, 60).await;
                    self.tables.take(LATENCY);
                };
                let _ = tokio::join!(self.save(ORDINARY, 60), overtaking);
                self.recover(ms);
            }
            Step::Hurried(seconds) => {
                let _ = self.save(ORDINARY, seconds).await;
                self.recover(seconds);
            }
            Step::Weather(delays) => {
                let weather = |late: u64| match late {
                    0 => Weather::Fair,
                    late => Weather::Late(Duration::from_secs(late)),
                };
                let coming = delays.into_iter().map(weather);
                self.tables.weather.lock().unwrap().extend(coming);
            }
            Step::Wait(seconds) => sleep_until(Instant::now() + Duration::from_secs(seconds)).await,
        }
    }

    fn recover(&self, late: u64) {
        self.cache.faults.heal();
        self.tables.abandon(Duration::from_secs(late));
    }

    /// Nothing goes wrong any more.
    async fn calm(&self) {
        self.tables.weather.lock().unwrap().clear();
        sleep_until(Instant::now() + LEASE).await;
        assert!(self.save(ORDINARY, 300).await.unwrap().complete);
        sleep_until(Instant::now() + colours::DOUBT).await;
        assert!(self.save(ORDINARY, 300).await.unwrap().complete);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    #[test]
    fn whatever_happens_nothing_is_lost_and_nothing_doubled(steps in steps()) {
        let mut builder = tokio::runtime::Builder::new_current_thread();
        let runtime = builder.enable_time().start_paused(true).build().unwrap();
        runtime.block_on(async {
            let world = World::new();
            world.tables.take(LATENCY);
            for step in steps {
                world.go(step).await;
            }
            world.calm().await;
            world.assert_saved();
            assert!(world.cache.state().doubts.is_empty());
        });
    }
}

/// Five minutes at the load of 2017: the tables are written what changed, and little else.
#[tokio::test(start_paused = true)]
async fn the_tables_cost_a_row_a_change_and_a_row_a_changed_pixel() {
    let world = World::new();
    let (mut changes, mut touched) = (0_u64, 0_u64);
    for _ in 0..5 {
        let mut places = BTreeSet::new();
        for number in 0..333 * 60_u32 {
            let [_, _, high, low] = (number * 7919).to_be_bytes();
            let pixel = dot(u16::from(low % 20), u16::from(high % 10), low);
            world.cache.paint_now(&[pixel]);
            places.insert((pixel.x, pixel.y));
        }
        changes += 333 * 60;
        touched += places.len() as u64;
        sleep_until(Instant::now() + Duration::from_mins(1)).await;
        world.save(ORDINARY, 300).await.unwrap();
    }
    assert_eq!(world.cache.state().unsaved, 0);
    let written = *world.tables.written.lock().unwrap();
    assert!(
        written <= (changes + touched) * 101 / 100,
        "{written} rows for {changes} changes of {touched} pixels"
    );
    assert_eq!(*world.tables.coloured.lock().unwrap(), touched);
}

/// A table that refuses everything for hours does not fill the cache with doubts.
#[tokio::test(start_paused = true)]
async fn doubts_about_a_table_that_refuses_for_hours_do_not_add_up() {
    let world = World::new();
    for _ in 0..3 * colours::MOST_DOUBTS {
        world.paint(3);
        world
            .tables
            .weather
            .lock()
            .unwrap()
            .push_back(Weather::Refused);
        world.save(ORDINARY, 60).await.unwrap_err();
        assert!(world.cache.state().doubts.len() as u64 <= colours::MOST_DOUBTS + 1);
        sleep_until(Instant::now() + LEASE).await;
    }
    assert!(world.tables.rows().is_empty());
    world.save(ORDINARY, 60).await.unwrap();
    world.assert_saved();
    sleep_until(Instant::now() + colours::DOUBT).await;
    world.save(ORDINARY, 60).await.unwrap();
    assert!(world.cache.state().doubts.is_empty());
}
