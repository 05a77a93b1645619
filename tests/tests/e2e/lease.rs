//! One operator at a time.

use std::time::Duration;

use aws_sdk_dynamodb::types::{
    AttributeDefinition, AttributeValue, BillingMode, KeySchemaElement, KeyType,
    ScalarAttributeType, Tag,
};
use place_tests::proxy::{Fault, Operation, When};
use place_tests::{LocalCloud, Operator, Proxy, inventory};

use crate::repair::encrypt_queue;
use crate::support::eventually;

const TABLE: &str = "place-operator-lease";

/// Two operators of one stack: the first works through a proxy.
async fn two() -> (LocalCloud, Proxy, Operator, Operator) {
    let cloud = LocalCloud::start().await;
    let proxy = Proxy::start(&cloud.endpoint());
    let first = Operator::with(&cloud, |c| c.endpoints.aws = Some(proxy.endpoint()));
    let second = Operator::new(&cloud);
    (cloud, proxy, first, second)
}

async fn called(proxy: &Proxy, operation: &str) {
    called_times(proxy, operation, 1).await;
}

async fn called_times(proxy: &Proxy, operation: &str, times: usize) {
    let come = async || proxy.count(operation) >= times;
    eventually(operation, Duration::from_secs(30), come).await;
}

#[tokio::test]
async fn two_at_once_one_works_and_the_other_says_who_does() {
    let (_cloud, proxy, first, second) = two().await;
    let late = Fault::Delay(Duration::from_secs(5));
    proxy.plan(When::Operation("CreateApi"), 1, late);
    let running = first.placectl().env("USER", "ann").args(["up"]).spawn();
    called(&proxy, "CreateApi").await;
    let refused = second.placectl().args(["up", "-o", "json"]).run().await;
    let refused = refused.expect_code(3);
    assert!(refused.stderr.contains("ann@"), "{refused}");
    assert!(refused.stderr.contains("--wait"), "{refused}");
    let last = refused.finished_event();
    assert_eq!(last["outcome"], "incomplete", "{refused}");
    assert!(last["error"]["message"].is_string(), "{refused}");
    let apis = second.sdk().api.get_apis().send().await.unwrap();
    assert!(apis.items().len() <= 1, "{refused}");
    let waits = second.placectl().args(["up", "--wait"]).succeed().await;
    assert!(
        waits
            .stderr
            .contains("waiting for the operator lease: ann@"),
        "{waits}"
    );
    let _ = running.finish().await.expect_code(0);
    let _ = second
        .placectl()
        .args(["status", "--check"])
        .succeed()
        .await;
}

/// Nobody takes down, or puts other code into, what somebody else is building.
#[tokio::test]
async fn teardown_and_deploy_say_who_is_at_work_and_change_nothing() {
    let (_cloud, proxy, first, second) = two().await;
    second.up().await;
    encrypt_queue(&second.sdk()).await;
    let late = Fault::Delay(Duration::from_secs(8));
    proxy.plan(When::Operation("SetQueueAttributes"), 1, late);
    let running = first.placectl().env("USER", "ann").args(["up"]).spawn();
    called(&proxy, "SetQueueAttributes").await;
    let before = inventory(&second.sdk()).await;
    for words in [&["teardown", "--yes"][..], &["deploy"]] {
        let refused = second.placectl().args(words).run().await.expect_code(3);
        assert!(refused.stderr.contains("ann@"), "{refused}");
        assert_eq!(inventory(&second.sdk()).await, before, "{refused}");
    }
    let _ = running.finish().await.expect_code(0);
}

/// A holder on another machine can't be told dead from alive: it is watched, and nobody has to ask
/// for that.
#[tokio::test]
async fn a_holder_that_died_elsewhere_blocks_nobody_for_longer_than_a_minute() {
    let (_cloud, proxy, first, second) = two().await;
    proxy.plan(When::Operation("CreateApi"), 1, Fault::KillAfter);
    let running = first.placectl().args(["up"]).spawn();
    proxy.aim_at(running.id());
    assert_eq!(running.finish().await.code, None);
    let call = second.sdk().dynamodb.update_item().table_name(TABLE);
    let call = call.key("lease", AttributeValue::S("operator".to_owned()));
    let call = call.update_expression("SET machine = :machine");
    let elsewhere = AttributeValue::S("another".to_owned());
    let call = call.expression_attribute_values(":machine", elsewhere);
    call.send().await.unwrap();
    let waited = second.placectl().args(["up"]).succeed().await;
    assert!(
        waited.stderr.contains("waiting for the operator lease: "),
        "{waited}"
    );
    assert!(waited.elapsed < Duration::from_secs(90), "{waited}");
}

/// The first renewal tells that it lives.
#[tokio::test]
async fn a_holder_that_lives_elsewhere_is_told_after_its_next_renewal() {
    let (_cloud, proxy, first, second) = two().await;
    let late = Fault::Delay(Duration::from_secs(25));
    proxy.plan(When::Operation("CreateApi"), 1, late);
    let running = first.placectl().args(["up"]).spawn();
    called(&proxy, "CreateApi").await;
    let call = second.sdk().dynamodb.update_item().table_name(TABLE);
    let call = call.key("lease", AttributeValue::S("operator".to_owned()));
    let call = call.update_expression("SET machine = :machine");
    let elsewhere = AttributeValue::S("another".to_owned());
    let call = call.expression_attribute_values(":machine", elsewhere);
    call.send().await.unwrap();
    let refused = second.placectl().args(["up"]).run().await.expect_code(3);
    assert!(
        refused.stderr.contains("waiting for the operator lease: "),
        "{refused}"
    );
    let _ = running.finish().await.expect_code(0);
}

/// Nobody holds the lease when it is asked for, and yet nothing is as it was seen a moment ago.
#[tokio::test]
async fn a_lease_that_was_held_and_given_back_meanwhile_has_everything_looked_at_again() {
    let (_cloud, proxy, first, second) = two().await;
    second.up().await;
    encrypt_queue(&second.sdk()).await;
    // The stack's three tables are looked at, then the lease's.
    let asks = When::Nth(Operation::new("dynamodb", "DescribeTable"), 4);
    proxy.plan(asks, 1, Fault::Delay(Duration::from_secs(6)));
    let running = first.placectl().args(["up", "--wait"]).spawn();
    called_times(&proxy, "DescribeTable", 4).await;
    second.teardown().await;
    let up = running.finish().await.expect_code(0);
    assert!(proxy.count("CreateServerlessCache") == 1, "{up}");
    let _ = second
        .placectl()
        .args(["status", "--check"])
        .succeed()
        .await;
}

#[tokio::test]
async fn a_stack_without_a_lease_can_be_taken_down() {
    let (_cloud, _proxy, _first, second) = two().await;
    second.up().await;
    let delete = second.sdk().dynamodb.delete_table().table_name(TABLE);
    delete.send().await.unwrap();
    second.teardown().await;
    let tables = second.sdk().dynamodb.list_tables().send().await.unwrap();
    assert_eq!(tables.table_names(), Vec::<String>::new());
}

/// The table that a run made before it was killed: with the stack's tags, and no row.
async fn orphan(operator: &Operator, stack: &str) {
    let tags = [("place:stack", stack), ("place:resource", "operator-lease")];
    let tags = tags.map(|(key, value)| Tag::builder().key(key).value(value).build().unwrap());
    let attribute = AttributeDefinition::builder().attribute_name("lease");
    let attribute = attribute.attribute_type(ScalarAttributeType::S).build();
    let key = KeySchemaElement::builder().attribute_name("lease");
    let key = key.key_type(KeyType::Hash).build();
    let call = operator.sdk().dynamodb.create_table().table_name(TABLE);
    let call = call.attribute_definitions(attribute.unwrap());
    let call = call.key_schema(key.unwrap()).set_tags(Some(tags.into()));
    let call = call.billing_mode(BillingMode::PayPerRequest);
    call.send().await.unwrap();
}

async fn tables(operator: &Operator) -> Vec<String> {
    let tables = operator.sdk().dynamodb.list_tables().send().await;
    tables.unwrap().table_names().to_vec()
}

const NOT_YET: Fault = Fault::error(400, "ResourceNotFoundException", "not found");

/// A table as young as that may be unknown to every call but the one that describes it.
#[tokio::test]
async fn a_lease_table_that_takes_no_row_yet_goes_with_the_teardown_all_the_same() {
    for (unknown, times) in [("PutItem", 1), ("ListTagsOfResource", 3), ("PutItem", 9)] {
        let (_cloud, proxy, first, _second) = two().await;
        orphan(&first, "place").await;
        proxy.plan(When::Operation(unknown), times, NOT_YET);
        let torn_down = first.placectl().args(["teardown", "--yes"]).run().await;
        let torn_down = torn_down.expect_code(0);
        assert_eq!(tables(&first).await, Vec::<String>::new(), "{torn_down}");
    }
}

/// Whoever had the lease while a teardown without one was at work may have built the stack anew.
#[tokio::test]
async fn a_teardown_without_a_lease_leaves_the_table_of_whoever_had_one_meanwhile() {
    let (_cloud, proxy, first, second) = two().await;
    orphan(&first, "place").await;
    proxy.plan(When::Operation("PutItem"), 1, NOT_YET);
    let again = When::After("PutItem", "GetApis");
    proxy.plan(again, 1, Fault::Delay(Duration::from_secs(3)));
    let running = first.placectl().args(["teardown", "--yes"]).spawn();
    called(&proxy, "PutItem").await;
    let text = |text: &str| AttributeValue::S(text.to_owned());
    let row = second.sdk().dynamodb.put_item().table_name(TABLE);
    let row = row.item("lease", text("operator"));
    let row = row.item("token", text("theirs"));
    let row = row.item("released", AttributeValue::Bool(true));
    row.send().await.unwrap();
    let torn_down = running.finish().await.expect_code(0);
    assert_eq!(tables(&first).await, [TABLE], "{torn_down}");
    assert_eq!(proxy.count("DeleteTable"), 0, "{torn_down}");
}
