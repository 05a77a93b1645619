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

const NO_MARKS: &str = r#"{"Tags":[]}"#;

fn unknown() -> String {
    let what = "Requested resource not found: ResourceArn: table/mru_pixels not found";
    error("ResourceNotFoundException", what)
}

/// A run that was killed right after `CreateTable` left it so.
#[tokio::test(start_paused = true)]
async fn a_table_that_is_being_made_is_nobody_elses() {
    for (status, untold) in [(400, unknown().as_str()), (200, NO_MARKS)] {
        let script = Script::default()
            .answer(DESCRIBE, 200, &table("CREATING"))
            .answer(LIST, status, untold);
        let observed = resource(&script.stack(), KEY).observe().await.unwrap();
        let (id, state) = ("mru_pixels".to_owned(), "CREATING".to_owned());
        assert_eq!(observed, Observed::Changing { id, state });
    }
}
