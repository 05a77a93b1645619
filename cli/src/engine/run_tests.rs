use std::time::Duration;

use tokio::sync::watch;
use tokio::time::Instant;

use super::super::report::{Report, Verdict};
use super::super::world::{Moment, Standing, Thing, World, diamond, outcomes, thing};
use super::*;

async fn up(world: &World, things: &[Thing]) -> Report {
    up_with(world, things, Allowed::default()).await
}

async fn up_with(world: &World, things: &[Thing], allowed: Allowed) -> Report {
    let runner = world.runner(things);
    let survey = runner.survey().await;
    runner.up(&survey, allowed).await
}

fn all(things: &[Thing], outcome: Outcome) -> Vec<(String, Outcome)> {
    things
        .iter()
        .map(|thing| (thing.key.to_owned(), outcome))
        .collect()
}

#[tokio::test(start_paused = true)]
async fn what_cant_be_made_stops_the_run_before_the_first_change() {
    let things = [thing("free"), thing("third")];
    let world = World::default();
    world.put("third", Standing::Impossible);
    let runner = world.runner(&things);
    let survey = runner.survey().await;
    for adopt in [false, true] {
        let allowed = Allowed {
            adopt,
            ..Allowed::default()
        };
        assert!(runner.refuses(&survey, allowed));
        let report = runner.up(&survey, allowed).await;
        let problem = report.entries[1].problem.as_ref().unwrap();
        assert_eq!(problem.hint.as_deref(), Some("make room"));
    }
    assert_eq!(world.log(), Vec::<String>::new());
    assert_eq!(runner.objections(&survey, Allowed::default()).len(), 1);
}

#[tokio::test(start_paused = true)]
async fn up_takes_as_long_as_the_critical_path() {
    let (world, things) = (World::default(), diamond());
    let began = Instant::now();
    let report = up(&world, &things).await;
    assert_eq!(outcomes(&report), all(&things, Outcome::Created));
    assert_eq!(report.verdict, Verdict::Done);
    let critical = Duration::from_secs(60 + 5);
    assert!(began.elapsed() >= critical);
    assert!(
        began.elapsed() <= critical.mul_f64(1.05),
        "{:?}",
        began.elapsed()
    );
}

#[tokio::test(start_paused = true)]
async fn a_second_up_changes_nothing() {
    let (world, things) = (World::default(), diamond());
    up(&world, &things).await;
    world.log();
    let began = Instant::now();
    let report = up(&world, &things).await;
    assert_eq!(outcomes(&report), all(&things, Outcome::Unchanged));
    assert_eq!(world.log(), Vec::<String>::new());
    assert_eq!(began.elapsed(), Duration::ZERO);
}

#[tokio::test(start_paused = true)]
async fn a_failure_blocks_its_dependants_and_nothing_else() {
    let (world, mut things) = (World::default(), diamond());
    things.push(thing("above").needs(&["top"]));
    world.fail("short", Moment::BeforeEffect);
    let report = up(&world, &things).await;
    assert_eq!(report.verdict, Verdict::Failed);
    let found: Vec<Outcome> = report.entries.iter().map(|entry| entry.outcome).collect();
    let [created, failed, blocked] = [Outcome::Created, Outcome::Failed, Outcome::Blocked];
    assert_eq!(found, [created, created, failed, blocked, blocked]);
    let events = world.events();
    assert!(
        events.contains(&"blocked above by short".to_owned()),
        "{events:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn every_failure_resumes() {
    let things = diamond();
    for failing in &things {
        for moment in [Moment::Observing, Moment::BeforeEffect, Moment::AfterEffect] {
            let world = World::default();
            world.fail(failing.key, moment);
            assert_eq!(up(&world, &things).await.verdict, Verdict::Failed);
            world.mend();
            assert_eq!(up(&world, &things).await.verdict, Verdict::Done);
            let log = world.log();
            let created = |thing: &Thing| {
                let line = format!("create {}", thing.key);
                log.iter().filter(|logged| **logged == line).count()
            };
            let counts: Vec<usize> = things.iter().map(created).collect();
            assert_eq!(counts, [1; 4], "{} {moment:?}: {log:?}", failing.key);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_failed_look_blocks_what_depends_on_it() {
    let (world, things) = (World::default(), diamond());
    world.fail("long", Moment::Observing);
    let runner = world.runner(&things);
    let survey = runner.survey().await;
    let labels: Vec<_> = survey
        .sightings()
        .iter()
        .map(|sighting| sighting.look.label())
        .collect();
    assert_eq!(labels, ["absent", "unknown", "absent", "unknown"]);
    let report = runner.up(&survey, Allowed::default()).await;
    assert_eq!(report.entries[1].outcome, Outcome::Failed);
    assert_eq!(report.entries[3].outcome, Outcome::Blocked);
}

#[tokio::test(start_paused = true)]
async fn every_conflict_is_found_before_the_first_change() {
    let (world, things) = (World::default(), diamond());
    world.put("long", Standing::Foreign);
    world.put("top", Standing::Foreign);
    let report = up(&world, &things).await;
    assert_eq!(report.verdict, Verdict::Failed);
    assert_eq!(world.log(), Vec::<String>::new());
    assert_eq!(world.events(), ["failed long", "failed top"]);
    let adopting = Allowed {
        adopt: true,
        ..Allowed::default()
    };
    assert_eq!(
        up_with(&world, &things, adopting).await.verdict,
        Verdict::Done
    );
    assert_eq!(
        world.log().len(),
        4 + 2,
        "four ensured, two of them created"
    );
}

#[tokio::test(start_paused = true)]
async fn what_adopting_does_not_mend_is_said_before_the_first_change_all_the_same() {
    let (world, things) = (World::default(), diamond());
    world.put("long", Standing::Forbidden);
    world.put("top", Standing::Foreign);
    let adopting = Allowed {
        adopt: true,
        ..Allowed::default()
    };
    let report = up_with(&world, &things, adopting).await;
    assert_eq!(report.verdict, Verdict::Failed);
    assert_eq!(world.log(), Vec::<String>::new());
    assert_eq!(world.events(), ["failed long"]);
    let problems = report.entries.iter();
    let hints: Vec<_> = problems
        .filter_map(|entry| entry.problem.as_ref()?.hint.clone())
        .collect();
    assert_eq!(hints, ["`--allow-it`"]);
}

#[tokio::test(start_paused = true)]
async fn drift_is_repaired_in_place_and_replaced_only_on_request() {
    let (world, things) = (World::default(), diamond());
    up(&world, &things).await;
    world.put("long", Standing::Drifted);
    let report = up(&world, &things).await;
    assert_eq!(report.entries[1].outcome, Outcome::Repaired);
    assert_eq!(report.entries[3].outcome, Outcome::Unchanged);
    world.put("long", Standing::Fixed);
    let report = up(&world, &things).await;
    assert_eq!(report.entries[1].outcome, Outcome::Failed);
    let problem = report.entries[1].problem.as_ref().unwrap();
    assert_eq!(problem.causes, ["size is 1, should be 2"]);
    assert_eq!(report.entries[3].outcome, Outcome::Blocked);
    let replacing = Allowed {
        replace: true,
        ..Allowed::default()
    };
    assert_eq!(
        up_with(&world, &things, replacing).await.verdict,
        Verdict::Done
    );
}

#[tokio::test(start_paused = true)]
async fn an_interrupt_starts_nothing_new_and_a_second_run_goes_on() {
    let (world, things) = (World::default(), diamond());
    let (stop, interrupted) = watch::channel(false);
    let runner = world.runner_with(&things, interrupted);
    let survey = runner.survey().await;
    let began = Instant::now();
    let press = async {
        tokio::time::sleep(Duration::from_secs(30)).await;
        stop.send(true).unwrap();
    };
    let (report, ()) = tokio::join!(runner.up(&survey, Allowed::default()), press);
    assert_eq!(report.verdict, Verdict::Interrupted);
    let found: Vec<Outcome> = report.entries.iter().map(|entry| entry.outcome).collect();
    let [created, stopped] = [Outcome::Created, Outcome::Interrupted];
    assert_eq!(found, [created, stopped, created, stopped]);
    assert_eq!(
        began.elapsed(),
        Duration::from_secs(30),
        "a wait ends with the interrupt"
    );
    assert_eq!(up(&world, &things).await.verdict, Verdict::Done);
    assert_eq!(world.standing(), ["long", "root", "short", "top"]);
}

#[tokio::test(start_paused = true)]
async fn an_interrupt_after_the_last_change_is_none() {
    let (world, things) = (World::default(), diamond());
    up(&world, &things).await;
    let (stop, interrupted) = watch::channel(false);
    let runner = world.runner_with(&things, interrupted);
    let survey = runner.survey().await;
    stop.send(true).unwrap();
    let report = runner.up(&survey, Allowed::default()).await;
    assert_eq!(report.verdict, Verdict::Interrupted);
}
