//! DynamoDB's tables at their own pace.

use super::*;

#[tokio::test(start_paused = true)]
async fn a_table_with_other_keys_and_rows_is_never_replaced() {
    let table = json!({ "Table": {
        "TableName": "mru_pixels",
        "TableArn": "arn:aws:dynamodb:eu-west-1:123456789012:table/mru_pixels",
        "TableStatus": "ACTIVE",
        "KeySchema": [{ "AttributeName": "id", "KeyType": "HASH" }],
        "AttributeDefinitions": [{ "AttributeName": "id", "AttributeType": "S" }],
    } })
    .to_string();
    let pair = |key: &str, value: &str| json!({ "Key": key, "Value": value });
    let tags = [
        pair("place:stack", "place"),
        pair("place:resource", "table:mru"),
    ];
    let tags = json!({ "Tags": tags }).to_string();
    let with_rows = Script::default()
        .answer("DescribeTable", 200, &table)
        .answer("DescribeTable", 200, &table)
        .answer("ListTagsOfResource", 200, &tags)
        .answer("Scan", 200, r#"{"Count":1,"ScannedCount":1}"#);
    let stack = with_rows.stack_with(Options {
        replace: true,
        ..Options::default()
    });
    let drifted = Observed::Drifted {
        id: "mru_pixels".to_owned(),
        differences: Vec::new(),
    };
    let failure = ensure(&stack, "table:mru", drifted).await.unwrap_err();
    assert!(failure.hint.unwrap().contains("place.toml"));
    assert_eq!(with_rows.left(), 0);
    assert!(!with_rows.asked().contains(&"DeleteTable".to_owned()));
}

const KEY: &str = "table:mru";

const DESCRIBE: &str = "DescribeTable";

const LIST: &str = "ListTagsOfResource";

/// The table of current colours, as it should be.
fn table(status: &str) -> String {
    json!({ "Table": {
        "TableName": "mru_pixels",
        "TableArn": "arn:aws:dynamodb:eu-west-1:123456789012:table/mru_pixels",
        "TableStatus": status,
        "KeySchema": [{ "AttributeName": "pixel", "KeyType": "HASH" }],
        "AttributeDefinitions": [{ "AttributeName": "pixel", "AttributeType": "S" }],
        "BillingModeSummary": { "BillingMode": "PAY_PER_REQUEST" },
    } })
    .to_string()
}

fn marks(stack: &str) -> String {
    let pair = |key: &str, value: &str| json!({ "Key": key, "Value": value });
    let pairs = [pair("place:stack", stack), pair("place:resource", KEY)];
    json!({ "Tags": pairs }).to_string()
}

const NO_MARKS: &str = r#"{"Tags":[]}"#;

fn unknown() -> String {
    let what = "Requested resource not found: ResourceArn: table/mru_pixels not found";
    error("ResourceNotFoundException", what)
}

fn changing(state: &str) -> Observed {
    Observed::Changing {
        id: "mru_pixels".to_owned(),
        state: state.to_owned(),
    }
}

async fn observe(stack: &Arc<Stack>) -> Observed {
    resource(stack, KEY).observe().await.unwrap()
}

/// A run that was killed right after `CreateTable` left it so.
#[tokio::test(start_paused = true)]
async fn a_table_that_is_being_made_is_nobody_elses() {
    for (status, untold) in [(400, unknown().as_str()), (200, NO_MARKS)] {
        let script = Script::default()
            .answer(DESCRIBE, 200, &table("CREATING"))
            .answer(DESCRIBE, 200, &table("CREATING"))
            .answer(DESCRIBE, 200, &table("CREATING"))
            .always(DESCRIBE, 200, &table("ACTIVE"))
            .answer(LIST, status, untold)
            .answer(LIST, status, untold)
            .answer(LIST, 200, NO_MARKS)
            .always(LIST, 200, &marks("place"));
        let stack = script.stack();
        let observed = observe(&stack).await;
        assert_eq!(observed, changing("CREATING"));
        ensure(&stack, KEY, observed).await.unwrap();
        assert_eq!(script.left(), 0);
        assert_eq!(script.times("CreateTable"), 0);
        assert_eq!(script.times("TagResource"), 0);
    }
}

#[tokio::test(start_paused = true)]
async fn a_table_that_is_being_made_is_removed_once_it_says_that_it_is_ours() {
    let script = Script::default()
        .answer(DESCRIBE, 200, &table("CREATING"))
        .answer(LIST, 400, &unknown())
        .answer(DESCRIBE, 200, &table("CREATING"))
        .answer(LIST, 400, &unknown())
        .answer(DESCRIBE, 200, &table("ACTIVE"))
        .answer(LIST, 200, NO_MARKS)
        .answer(DESCRIBE, 200, &table("ACTIVE"))
        .answer(LIST, 200, &marks("place"))
        .answer("DeleteTable", 200, "{}")
        .answer(DESCRIBE, 200, &table("DELETING"))
        .answer(DESCRIBE, 400, &unknown());
    resource(&script.stack(), KEY)
        .remove(&unwatched())
        .await
        .unwrap();
    assert_eq!(script.left(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_table_that_somebody_else_is_making_is_left_to_them() {
    let script = Script::default()
        .answer(DESCRIBE, 200, &table("CREATING"))
        .answer(DESCRIBE, 200, &table("CREATING"))
        .always(DESCRIBE, 200, &table("ACTIVE"))
        .answer(LIST, 400, &unknown())
        .answer(LIST, 400, &unknown())
        .always(LIST, 200, &marks("place2"));
    let stack = script.stack();
    let observed = observe(&stack).await;
    assert_eq!(observed, changing("CREATING"));
    resource(&stack, KEY).remove(&unwatched()).await.unwrap();
    let failure = ensure(&stack, KEY, observed).await.unwrap_err();
    assert!(failure.hint.unwrap().contains("--adopt"));
    assert_eq!(script.times("DeleteTable"), 0);
    assert_eq!(script.times("TagResource"), 0);
    assert_eq!(script.left(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_table_on_its_way_out_is_waited_for_and_made_anew() {
    let script = Script::default()
        .answer(DESCRIBE, 200, &table("DELETING"))
        .answer(LIST, 400, &unknown())
        .answer(DESCRIBE, 200, &table("DELETING"))
        .answer(DESCRIBE, 200, &table("DELETING"))
        .answer(DESCRIBE, 400, &unknown())
        .answer("CreateTable", 200, "{}")
        .answer(DESCRIBE, 200, &table("CREATING"))
        .always(DESCRIBE, 200, &table("ACTIVE"))
        .always(LIST, 200, &marks("place"));
    let stack = script.stack();
    let observed = observe(&stack).await;
    assert_eq!(observed, changing("DELETING"));
    ensure(&stack, KEY, observed).await.unwrap();
    assert_eq!(script.left(), 0);
    assert_eq!(script.times("DeleteTable"), 0);
}

#[tokio::test(start_paused = true)]
async fn a_table_on_its_way_out_is_only_seen_off() {
    let script = Script::default()
        .answer(DESCRIBE, 200, &table("DELETING"))
        .answer(LIST, 400, &unknown())
        .answer(DESCRIBE, 200, &table("DELETING"))
        .answer(LIST, 400, &unknown())
        .answer(DESCRIBE, 400, &unknown());
    resource(&script.stack(), KEY)
        .remove(&unwatched())
        .await
        .unwrap();
    assert_eq!(script.left(), 0);
}

/// Nobody but this run can have made it, whatever DynamoDB tells of it so far.
#[tokio::test(start_paused = true)]
async fn a_table_that_this_run_made_is_its_own_without_a_tag_to_say_so() {
    let script = Script::default()
        .answer("CreateTable", 200, "{}")
        .always(DESCRIBE, 200, &table("ACTIVE"))
        .always(LIST, 200, NO_MARKS)
        .answer("TagResource", 200, "{}");
    ensure(&script.stack(), KEY, Observed::Absent)
        .await
        .unwrap();
    assert_eq!(script.left(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_table_without_tags_that_came_up_in_the_create_is_not_touched() {
    let exists = error("ResourceInUseException", "Table already exists: mru_pixels");
    let script = Script::default()
        .answer("CreateTable", 400, &exists)
        .always(DESCRIBE, 200, &table("ACTIVE"))
        .always(LIST, 200, NO_MARKS);
    let made = ensure(&script.stack(), KEY, Observed::Absent).await;
    assert!(made.unwrap_err().hint.unwrap().contains("--adopt"));
    assert_eq!(script.left(), 0);
}

/// DynamoDB deletes no table that it is changing, and says so with the code that it uses for names
/// that are taken as well.
#[tokio::test(start_paused = true)]
async fn a_table_that_is_being_changed_is_deleted_later() {
    let (delete, code) = ("DeleteTable", "ResourceInUseException");
    let what = "Attempt to change a resource which is still in use: Table is being updated: \
                mru_pixels";
    let script = Script::default()
        .answer(DESCRIBE, 200, &table("UPDATING"))
        .answer(LIST, 200, &marks("place"))
        .answer(delete, 400, &error(code, what))
        .answer(delete, 400, &error(code, what))
        .answer(delete, 200, "{}")
        .answer(DESCRIBE, 200, &table("DELETING"))
        .answer(DESCRIBE, 400, &unknown());
    resource(&script.stack(), KEY)
        .remove(&unwatched())
        .await
        .unwrap();
    assert_eq!(script.left(), 0);
}
