use std::time::Duration;

use tokio::sync::watch;
use tokio::time::Instant;

use super::super::report::{Report, Verdict};
use super::super::run::Allowed;
use super::super::world::{
    Moment, Standing, Thing, World, diamond, failure_kinds, outcomes, thing,
};
use super::*;

async fn standing(things: &[Thing]) -> World {
    let world = World::default();
    let runner = world.runner(things);
    let survey = runner.survey().await;
    runner.up(&survey, Allowed::default()).await;
    world.log();
    world.events();
    world
}

async fn teardown(world: &World, things: &[Thing]) -> Report {
    let runner = world.runner(things);
    let survey = runner.survey().await;
    runner
        .teardown(&survey, Spared::default(), Begun::default())
        .await
}

#[tokio::test(start_paused = true)]
async fn everything_goes_in_the_reverse_order_and_in_parallel() {
    let things = diamond();
    let world = standing(&things).await;
    let began = Instant::now();
    let report = teardown(&world, &things).await;
    assert_eq!(report.verdict, Verdict::Done);
    assert_eq!(
        world.log(),
        ["remove top", "remove short", "remove long", "remove root"]
    );
    assert_eq!(world.standing(), Vec::<&str>::new());
    assert!(
        began.elapsed() <= Duration::from_secs(65).mul_f64(1.05),
        "{:?}",
        began.elapsed()
    );
}

#[tokio::test(start_paused = true)]
async fn nothing_to_remove_is_no_work() {
    let (world, things) = (World::default(), diamond());
    let report = teardown(&world, &things).await;
    assert_eq!(report.verdict, Verdict::Done);
    assert!(
        outcomes(&report)
            .iter()
            .all(|(_, outcome)| *outcome == Outcome::Absent)
    );
}

#[tokio::test(start_paused = true)]
async fn every_remove_repeats_harmlessly() {
    let things = diamond();
    for failing in &things {
        for moment in [Moment::Observing, Moment::BeforeEffect, Moment::AfterEffect] {
            let world = standing(&things).await;
            world.fail(failing.key, moment);
            assert_eq!(teardown(&world, &things).await.verdict, Verdict::Failed);
            world.mend();
            assert_eq!(teardown(&world, &things).await.verdict, Verdict::Done);
            assert_eq!(world.standing(), Vec::<&str>::new());
            assert_eq!(world.log().len(), things.len(), "each is removed once");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_failure_leaves_what_it_stands_on_and_takes_the_rest() {
    let things = diamond();
    let world = standing(&things).await;
    world.fail("long", Moment::BeforeEffect);
    let report = teardown(&world, &things).await;
    assert_eq!(world.standing(), ["long", "root"]);
    assert_eq!(report.entries[0].outcome, Outcome::Blocked);
    assert_eq!(report.entries[2].outcome, Outcome::Removed);
}

#[tokio::test(start_paused = true)]
async fn what_could_not_be_looked_at_stays() {
    let things = diamond();
    let world = standing(&things).await;
    world.fail("root", Moment::Observing);
    let report = teardown(&world, &things).await;
    assert_eq!(report.verdict, Verdict::Failed);
    assert_eq!(report.entries[0].outcome, Outcome::Failed);
    assert_eq!(report.entries[3].outcome, Outcome::Blocked);
    assert_eq!(world.log(), Vec::<String>::new());
}

#[tokio::test(start_paused = true)]
async fn what_still_stands_is_a_failure_whatever_its_removal_said() {
    let mut things = diamond();
    things[1].billable = true;
    let world = standing(&things).await;
    world.linger("long");
    let report = teardown(&world, &things).await;
    assert_eq!(report.verdict, Verdict::Incomplete);
    assert_eq!(failure_kinds(&report), [FailureKind::Incomplete]);
    assert_eq!(report.entries[1].outcome, Outcome::Failed);
    assert_eq!(report.costly(), ["thing `long`"]);
}

#[tokio::test(start_paused = true)]
async fn what_is_listed_for_some_seconds_more_is_gone_all_the_same() {
    let things = diamond();
    let world = standing(&things).await;
    world.fade("root", 3);
    let report = teardown(&world, &things).await;
    assert_eq!(report.verdict, Verdict::Done);
    assert_eq!(world.standing(), Vec::<&str>::new());
}

#[tokio::test(start_paused = true)]
async fn data_stays_when_it_is_spared() {
    let mut things = diamond();
    things[3].data = true;
    things[3].needs = vec![];
    let world = standing(&things).await;
    let runner = world.runner(&things);
    let survey = runner.survey().await;
    let report = runner
        .teardown(&survey, Spared { data: true }, Begun::default())
        .await;
    assert_eq!(report.verdict, Verdict::Done);
    assert_eq!(report.entries[3].outcome, Outcome::Kept);
    assert_eq!(world.standing(), ["top"]);
}

#[tokio::test(start_paused = true)]
async fn what_is_not_ours_is_left_alone() {
    let mut things = diamond();
    things[0].used_only = true;
    let world = standing(&things).await;
    world.put("short", Standing::Foreign);
    let report = teardown(&world, &things).await;
    assert_eq!(report.verdict, Verdict::Done);
    assert_eq!(world.standing(), ["root", "short"]);
    let keys: Vec<String> = outcomes(&report).into_iter().map(|(key, _)| key).collect();
    assert_eq!(keys, ["long", "top"]);
}

#[tokio::test(start_paused = true)]
async fn an_interrupted_teardown_goes_on_later() {
    let things = vec![thing("a").takes(50), thing("b").needs(&["a"]).takes(50)];
    let world = standing(&things).await;
    let (stop, interrupted) = watch::channel(false);
    let runner = world.runner_with(&things, interrupted);
    let survey = runner.survey().await;
    let press = async {
        tokio::time::sleep(Duration::from_secs(70)).await;
        stop.send(true).unwrap();
    };
    let (report, ()) = tokio::join!(
        runner.teardown(&survey, Spared::default(), Begun::default()),
        press
    );
    assert_eq!(report.verdict, Verdict::Interrupted);
    assert_eq!(world.standing(), ["a"]);
    assert_eq!(teardown(&world, &things).await.verdict, Verdict::Done);
}

/// What was never there costs nothing, and is not said to.
#[tokio::test(start_paused = true)]
async fn an_interrupted_teardown_names_no_cost_of_what_is_not_there() {
    let mut things = vec![thing("a"), thing("b")];
    things[0].billable = true;
    let world = World::default();
    world.put("b", Standing::Ready);
    let (stop, interrupted) = watch::channel(false);
    let runner = world.runner_with(&things, interrupted);
    let survey = runner.survey().await;
    stop.send(true).unwrap();
    let report = runner.teardown(&survey, Spared::default(), Begun::default());
    let report = report.await;
    assert_eq!(report.verdict, Verdict::Interrupted);
    assert_eq!(report.costly(), Vec::<String>::new());
}

#[tokio::test(start_paused = true)]
async fn what_goes_first_is_gone_before_anything_else_begins() {
    let things = [thing("door").removed_after(&[]), thing("hall")];
    let world = standing(&things).await;
    let runner = world.runner(&things);
    let survey = runner.survey().await;
    let begun = runner
        .teardown_first(&survey, &[ResourceKey::new("door")])
        .await;
    assert!(!begun.is_stuck());
    assert_eq!(world.standing(), ["hall"]);
    let report = runner.teardown(&survey, Spared::default(), begun).await;
    assert_eq!(report.verdict, Verdict::Done);
    assert_eq!(world.log(), ["remove door", "remove hall"], "each once");
    let removed = |(_, outcome): &(String, Outcome)| *outcome == Outcome::Removed;
    assert!(outcomes(&report).iter().all(removed));
}

#[tokio::test(start_paused = true)]
async fn everything_stays_where_what_goes_first_is_stuck() {
    let things = [thing("door").removed_after(&[]), thing("hall")];
    let world = standing(&things).await;
    world.fail("door", Moment::BeforeEffect);
    let runner = world.runner(&things);
    let survey = runner.survey().await;
    let begun = runner
        .teardown_first(&survey, &[ResourceKey::new("door")])
        .await;
    assert!(begun.is_stuck());
    let report = runner.teardown(&survey, Spared::default(), begun).await;
    assert_eq!(report.verdict, Verdict::Failed);
    assert_eq!(world.standing(), ["door", "hall"]);
}

#[tokio::test(start_paused = true)]
async fn what_came_after_the_survey_is_no_success() {
    let things = diamond();
    let world = World::default();
    let runner = world.runner(&things);
    let survey = runner.survey().await;
    world.put("root", Standing::Ready);
    let report = runner
        .teardown(&survey, Spared::default(), Begun::default())
        .await;
    assert_eq!(report.verdict, Verdict::Incomplete);
}
