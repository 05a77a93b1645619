//! Nothing that people painted goes before it is saved and exported, unless somebody says so.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;
use place_canvas::png;
use place_config::stack::RedisMode;
use place_tests::proxy::{Fault, When};
use place_tests::{Finished, Operator};

use crate::bench::Bench;
use crate::support::{Standing, red};

const WORDS: [&str; 4] = ["teardown", "--yes", "--export", "last.png"];

async fn painted(operator: &Operator) {
    let mut client = operator.join().await;
    client.paint(&[red(3, 4)]).await;
    client.sees(red(3, 4)).await;
}

async fn keeps_the_data(operator: &Operator, refused: &Finished) {
    let tables = operator.sdk().dynamodb.list_tables().send().await.unwrap();
    assert_eq!(tables.table_names().len(), 4, "{refused}");
    let cache = operator.sdk().elasticache.describe_serverless_caches();
    let caches = cache.send().await.unwrap();
    assert_eq!(caches.serverless_caches().len(), 1, "{refused}");
}

fn says_how_to_go_on(refused: &Finished) {
    let said = "teardown --no-export";
    assert!(refused.stderr.contains(said), "{refused}");
}

fn last_picture_shows_it(operator: &Operator) {
    let exported = std::fs::read(operator.directory().join("last.png")).unwrap();
    let exported = png::decode(&exported, 1_000_000).unwrap();
    assert!(exported.pixels().any(|pixel| pixel == red(3, 4)));
}

async fn delete_admin(operator: &Operator) {
    let call = operator.sdk().lambda.delete_function();
    call.function_name("placev2admin").send().await.unwrap();
}

async fn delete_schedule(operator: &Operator) {
    let names = operator.names();
    let call = operator.sdk().scheduler.delete_schedule();
    let call = call
        .name(names.schedule())
        .group_name(names.schedule_group());
    call.send().await.unwrap();
}

fn mark() -> HashMap<String, AttributeValue> {
    let name = AttributeValue::S("farewell".to_owned());
    HashMap::from([("lease".to_owned(), name)])
}

/// How far the stack came by the row beside its lease.
async fn marked(operator: &Operator) -> Option<String> {
    let call = operator.sdk().dynamodb.get_item();
    let call = call.table_name(operator.names().lease_table());
    let answer = call.set_key(Some(mark())).send().await.unwrap();
    let state = answer.item?.remove("state")?;
    Some(state.as_s().unwrap().clone())
}

/// The first teardown closed the stack, which then looks like one that was never whole.
#[tokio::test]
async fn a_teardown_whose_last_save_failed_asks_for_it_again() {
    let bench = Bench::start().await;
    bench.is_whole_after_up().await;
    let operator = &bench.operator;
    painted(operator).await;
    let asleep = Fault::error(
        409,
        "ResourceConflictException",
        "The operation cannot be performed at this time. The function is currently in the \
         following state: Pending",
    );
    bench
        .proxy
        .plan(When::Operation("Invoke"), usize::MAX, asleep);
    let first = bench.run(&WORDS).await.expect_code(3);
    assert!(first.stderr.contains("same command again"), "{first}");
    keeps_the_data(operator, &first).await;
    let schedules = operator.sdk().scheduler.list_schedules().send().await;
    assert_eq!(schedules.unwrap().schedules().len(), 0, "it is closed");
    bench.proxy.clear();
    delete_admin(operator).await;
    let second = bench.run(&WORDS).await.expect_code(1);
    says_how_to_go_on(&second);
    assert!(second.stderr.contains("function:placev2admin"), "{second}");
    keeps_the_data(operator, &second).await;
    let _ = bench.run(&["up"]).await.expect_code(0);
    let _ = bench.run(&WORDS).await.expect_code(0);
    last_picture_shows_it(operator);
}

/// A wrong path is said before anything is closed.
#[tokio::test]
async fn a_picture_that_cant_be_written_stops_a_teardown_before_its_first_change() {
    let bench = Bench::start().await;
    bench.is_whole_after_up().await;
    painted(&bench.operator).await;
    bench.proxy.clear();
    let words = ["teardown", "--yes", "--export", "nowhere/last.png"];
    let refused = bench.run(&words).await.expect_code(1);
    assert!(refused.stderr.contains("nowhere/last.png"), "{refused}");
    assert!(!refused.stderr.contains("deploy"), "{refused}");
    let _ = bench.run(&["status", "--check"]).await.expect_code(0);
}

/// What somebody removed behind our back does not tell that nobody ever painted.
#[tokio::test]
async fn a_whole_stack_without_its_schedule_is_saved_all_the_same() {
    let bench = Bench::start().await;
    bench.is_whole_after_up().await;
    painted(&bench.operator).await;
    delete_schedule(&bench.operator).await;
    delete_admin(&bench.operator).await;
    let refused = bench.run(&WORDS).await.expect_code(1);
    says_how_to_go_on(&refused);
    keeps_the_data(&bench.operator, &refused).await;
    let _ = bench.run(&["up"]).await.expect_code(0);
    let _ = bench.run(&WORDS).await.expect_code(0);
    last_picture_shows_it(&bench.operator);
}

/// An `up` that was cut off at its end left what AWS then finished by itself.
#[tokio::test]
async fn a_stack_that_stands_is_called_whole_by_the_next_up() {
    let bench = Bench::start().await;
    bench.is_whole_after_up().await;
    let call = bench.operator.sdk().dynamodb.delete_item();
    let call = call.table_name(bench.operator.names().lease_table());
    call.set_key(Some(mark())).send().await.unwrap();
    let idle = bench.run(&["up"]).await.expect_code(0);
    assert!(idle.stderr.contains("nothing to do"), "{idle}");
    assert_eq!(marked(&bench.operator).await.as_deref(), Some("whole"));
    let before = bench.proxy.calls().len();
    let _ = bench.run(&["up"]).await.expect_code(0);
    let calls = bench.proxy.calls().split_off(before);
    let writes = calls.iter().any(|call| call.operation.name() == "PutItem");
    assert!(!writes, "once is enough");
}

/// A teardown that kept the picture was cut off, and an `up` after it: people paint again.
#[tokio::test]
async fn a_picture_that_was_kept_is_not_the_last_one_of_a_stack_that_opens_again() {
    let bench = Bench::start().await;
    bench.is_whole_after_up().await;
    let call = bench.operator.sdk().dynamodb.put_item();
    let call = call.table_name(bench.operator.names().lease_table());
    let kept = AttributeValue::S("kept".to_owned());
    let call = call.set_item(Some(mark())).item("state", kept);
    call.send().await.unwrap();
    delete_schedule(&bench.operator).await;
    let denied = Fault::error(403, "AccessDeniedException", "not authorized to schedule");
    let when = When::Operation("CreateSchedule");
    bench.proxy.plan(when, usize::MAX, denied);
    let _ = bench.run(&["up"]).await.expect_code(1);
    assert_eq!(marked(&bench.operator).await.as_deref(), Some("begun"));
}

/// What can't be seen may hold what nobody saved.
#[tokio::test]
async fn a_cache_that_cant_be_looked_at_is_no_leave_to_remove_the_tables() {
    let bench = Bench::start().await;
    bench.is_whole_after_up().await;
    painted(&bench.operator).await;
    let denied = Fault::error(403, "AccessDenied", "not authorized to look");
    let when = When::Operation("DescribeServerlessCaches");
    bench.proxy.plan(when, usize::MAX, denied);
    let refused = bench.run(&WORDS).await.expect_code(1);
    says_how_to_go_on(&refused);
    keeps_the_data(&bench.operator, &refused).await;
    let schedules = bench.operator.sdk().scheduler.list_schedules().send().await;
    assert_eq!(
        schedules.unwrap().schedules().len(),
        1,
        "nothing is changed"
    );
    bench.proxy.clear();
    let _ = bench.run(&WORDS).await.expect_code(0);
    last_picture_shows_it(&bench.operator);
}

/// Whom nobody can ask for the picture can't have kept it.
#[tokio::test]
async fn a_cache_is_not_replaced_where_it_cant_be_saved_unless_somebody_says_so() {
    let stack = Standing::up().await;
    painted(&stack.operator).await;
    let changed = Operator::with(&stack.cloud, |config| {
        config.redis.mode = RedisMode::ReplicationGroup;
    });
    delete_admin(&changed).await;
    let replaces = ["up", "--replace"];
    let refused = changed.placectl().args(replaces).run().await;
    let refused = refused.expect_code(1);
    assert!(
        refused.stderr.contains("up --replace --no-export"),
        "{refused}"
    );
    keeps_the_data(&changed, &refused).await;
    let replaces = ["up", "--replace", "--no-export"];
    let _ = changed.placectl().args(replaces).succeed().await;
}
