//! The operator stops a command in the middle.

use std::time::Duration;

use place_tests::inventory::difference;
use place_tests::placectl::Running;
use place_tests::proxy::{Fault, When};
use place_tests::{Finished, LocalCloud, Operator, Proxy, inventory};

use crate::support::eventually;

/// An operator whose `CreateApi` is late, so that there is a middle to be stopped in.
async fn slow() -> (LocalCloud, Proxy, Operator) {
    let cloud = LocalCloud::start().await;
    let proxy = Proxy::start(&cloud.endpoint());
    let operator = Operator::with(&cloud, |c| c.endpoints.aws = Some(proxy.endpoint()));
    let late = Fault::Delay(Duration::from_secs(3));
    proxy.plan(When::Operation("CreateApi"), 1, late);
    (cloud, proxy, operator)
}

async fn called(proxy: &Proxy, operation: &str) {
    let come = async || proxy.count(operation) > 0;
    eventually(operation, Duration::from_secs(30), come).await;
}

/// An `up` that waits for the answer to its `CreateApi`.
async fn in_the_middle(proxy: &Proxy, operator: &Operator) -> Running {
    let running = operator.placectl().args(["up", "-o", "json"]).spawn();
    called(proxy, "CreateApi").await;
    running
}

async fn stopped_once(signal: &str) -> (Finished, Operator) {
    let (cloud, proxy, operator) = slow().await;
    let running = in_the_middle(&proxy, &operator).await;
    running.signal(signal);
    let finished = running.finish().await.expect_code(130);
    assert_eq!(finished.finished_event()["outcome"], "interrupted");
    // The call in flight was waited for: what it made is known, and stays the only one.
    let apis = operator.sdk().api.get_apis().send().await.unwrap();
    assert_eq!(apis.items().len(), 1, "{finished}");
    operator.up().await;
    let apis = operator.sdk().api.get_apis().send().await.unwrap();
    assert_eq!(apis.items().len(), 1);
    let _ = operator
        .placectl()
        .args(["status", "--check"])
        .succeed()
        .await;
    drop(cloud);
    (finished, operator)
}

#[tokio::test]
async fn one_interrupt_finishes_the_call_in_flight_and_the_next_up_goes_on() {
    let (finished, _) = stopped_once("INT").await;
    assert!(finished.stderr.contains("again to stop now"), "{finished}");
}

#[tokio::test]
async fn a_request_to_terminate_and_a_hangup_are_interrupts() {
    let _ = stopped_once("TERM").await;
    let _ = stopped_once("HUP").await;
}

#[tokio::test]
async fn a_second_interrupt_stops_at_once() {
    let (_cloud, proxy, operator) = slow().await;
    let running = in_the_middle(&proxy, &operator).await;
    running.signal("INT");
    tokio::time::sleep(Duration::from_millis(200)).await;
    let pressed = std::time::Instant::now();
    running.signal("INT");
    let finished = running.finish().await.expect_code(130);
    assert!(pressed.elapsed() < Duration::from_secs(1), "{finished}");
}

/// The kernel and the shell may both tell of a terminal that goes away.
#[tokio::test]
async fn a_hangup_that_is_told_twice_is_one_interrupt() {
    let (_cloud, proxy, operator) = slow().await;
    let running = in_the_middle(&proxy, &operator).await;
    running.signal("HUP");
    tokio::time::sleep(Duration::from_millis(200)).await;
    running.signal("HUP");
    let finished = running.finish().await.expect_code(130);
    assert_eq!(finished.finished_event()["outcome"], "interrupted");
}

/// `nohup placectl up &` is meant to outlive the terminal.
#[tokio::test]
async fn a_hangup_stops_nothing_that_nohup_started() {
    let (_cloud, proxy, operator) = slow().await;
    let command = operator.placectl().args(["up", "-o", "json"]);
    let running = command.under_nohup().spawn();
    called(&proxy, "CreateApi").await;
    running.signal("HUP");
    let finished = running.finish().await.expect_code(0);
    assert_eq!(finished.finished_event()["outcome"], "done");
}

#[tokio::test]
async fn an_interrupt_while_looking_changes_nothing() {
    let cloud = LocalCloud::start().await;
    let proxy = Proxy::start(&cloud.endpoint());
    let operator = Operator::with(&cloud, |c| c.endpoints.aws = Some(proxy.endpoint()));
    let before = inventory(&operator.sdk()).await;
    let late = Fault::Delay(Duration::from_secs(2));
    proxy.plan(When::Operation("GetApis"), 1, late);
    let running = operator.placectl().args(["up", "-o", "json"]).spawn();
    called(&proxy, "GetApis").await;
    running.signal("INT");
    let finished = running.finish().await.expect_code(130);
    assert_eq!(finished.finished_event()["outcome"], "interrupted");
    assert_eq!(inventory(&operator.sdk()).await, before);
    assert_eq!(proxy.changes(), Vec::<String>::new());
}

/// In the middle of the last save, and in the middle of the removal.
#[tokio::test]
async fn a_teardown_that_is_interrupted_goes_on_later() {
    let (cloud, proxy, operator) = slow().await;
    let before = inventory(&operator.sdk()).await;
    operator.up().await;
    let tables = async || {
        let tables = operator.sdk().dynamodb.list_tables().send().await;
        tables.unwrap().table_names().len()
    };
    for during in ["Invoke", "DeleteServerlessCache"] {
        proxy.clear();
        let late = Fault::Delay(Duration::from_secs(3));
        proxy.plan(When::Operation(during), 1, late);
        let words = ["teardown", "--yes", "-o", "json"];
        let running = operator.placectl().args(words).spawn();
        called(&proxy, during).await;
        running.signal("INT");
        let finished = running.finish().await.expect_code(130);
        assert_eq!(finished.finished_event()["outcome"], "interrupted");
        assert!(tables().await > 0, "{finished}");
    }
    proxy.clear();
    let words = ["teardown", "--yes"];
    let _ = operator.placectl().args(words).succeed().await;
    let after = inventory(&operator.sdk()).await;
    assert_eq!(difference(&before, &after), Vec::<String>::new());
    drop(cloud);
}

/// What has nothing to finish does not wait for an answer.
#[tokio::test]
async fn a_command_that_only_asks_ends_at_once() {
    let cloud = LocalCloud::start().await;
    let proxy = Proxy::start(&cloud.endpoint());
    let operator = Operator::with(&cloud, |c| c.endpoints.aws = Some(proxy.endpoint()));
    proxy.plan(When::Operation("Invoke"), 1, Fault::Hang);
    let running = operator.placectl().args(["clients", "list"]).spawn();
    called(&proxy, "Invoke").await;
    running.signal("INT");
    let finished = running.finish().await.expect_code(130);
    assert!(finished.stderr.contains("interrupted"), "{finished}");
}
