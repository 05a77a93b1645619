//! Log groups that CloudWatch Logs still works on.

use super::*;

const KEY: &str = "log-group:save";

const DELETE: &str = "DeleteLogGroup";

fn standing() -> Script {
    let name = "/aws/lambda/save";
    let groups = json!({ "logGroups": [{ "logGroupName": name, "logGroupArn": "arn:l" }] });
    Script::default()
        .answer("DescribeLogGroups", 200, &groups.to_string())
        .answer(
            "ListTagsForResource",
            200,
            &json!({ "tags": tags(KEY) }).to_string(),
        )
}

fn busy() -> String {
    error(
        "OperationAbortedException",
        "A conflicting operation is currently in progress against this resource. Please try again.",
    )
}

/// A function that was deleted a moment ago may still be writing its last lines.
#[tokio::test(start_paused = true)]
async fn a_log_group_that_is_being_worked_on_is_deleted_later() {
    let script = standing()
        .answer(DELETE, 400, &busy())
        .answer(DELETE, 400, &busy())
        .answer(DELETE, 200, "{}");
    let stack = script.stack();
    resource(&stack, KEY).remove(&unwatched()).await.unwrap();
    assert_eq!(script.left(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_log_group_that_is_always_worked_on_ends_in_incomplete() {
    let script = standing().always(DELETE, 400, &busy());
    let removed = resource(&script.stack(), KEY).remove(&unwatched()).await;
    assert_eq!(removed.unwrap_err().kind, FailureKind::Incomplete);
}

/// Somebody was faster: what is wanted is that it is gone.
#[tokio::test(start_paused = true)]
async fn a_log_group_that_somebody_deleted_meanwhile_is_gone() {
    let gone = "The specified log group does not exist.";
    let gone = error("ResourceNotFoundException", gone);
    let script = standing().answer(DELETE, 400, &gone);
    let stack = script.stack();
    resource(&stack, KEY).remove(&unwatched()).await.unwrap();
    assert_eq!(script.left(), 0);
}
