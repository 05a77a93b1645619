//! SQS at its own pace.

use place_config::Queue;

use super::*;

const DEAD_LETTERS: &str = "dead-letter-queue:request";

const URL: &str = r#"{"QueueUrl":"https://sqs/q"}"#;

const GONE: &str = "com.amazonaws.sqs#QueueDoesNotExist";

/// The tags of the stack's own.
fn ours() -> String {
    json!({ "Tags": tags(DEAD_LETTERS) }).to_string()
}

/// The attributes of a dead-letter queue.
fn attributes(encrypted: bool, retention: u32) -> String {
    json!({ "Attributes": {
        "SqsManagedSseEnabled": encrypted.to_string(),
        "MessageRetentionPeriod": retention.to_string(),
        "DelaySeconds": "0",
    } })
    .to_string()
}

const KEPT: u32 = 14 * 24 * 60 * 60;

#[tokio::test(start_paused = true)]
async fn a_delay_that_somebody_set_is_drift_and_taken_off() {
    let delayed =
        attributes(false, KEPT).replace(r#""DelaySeconds":"0""#, r#""DelaySeconds":"900""#);
    let get = "GetQueueAttributes";
    let script = Script::default()
        .always("GetQueueUrl", 200, URL)
        .always("ListQueueTags", 200, &ours())
        // The survey and the repair.
        .answer(get, 200, &delayed)
        .answer(get, 200, &delayed)
        .always(get, 200, &attributes(false, KEPT))
        .answer("SetQueueAttributes", 200, "{}");
    let stack = script.stack();
    let queue = resource(&stack, DEAD_LETTERS);
    let observed = queue.observe().await.unwrap();
    let detail = observed.detail().unwrap();
    assert!(
        detail.contains("DelaySeconds is 900, should be 0"),
        "{detail}"
    );
    queue.ensure(&observed, &unwatched()).await.unwrap();
    assert_eq!(script.left(), 0);
    let request = script.bodies("SetQueueAttributes").pop().unwrap();
    assert!(request.contains(r#""DelaySeconds":"0""#), "{request}");
}

/// A teardown was killed as it deleted the queue, and SQS still answers for it.
#[tokio::test(start_paused = true)]
async fn a_queue_on_its_way_out_is_nothing_to_build_on() {
    let mut going = tags(DEAD_LETTERS);
    going["place:removing"] = json!("true");
    let script = Script::default()
        .always("GetQueueAttributes", 200, &attributes(false, KEPT))
        .always("ListQueueTags", 200, &json!({ "Tags": going }).to_string())
        .answer("DeleteQueue", 200, "{}")
        .answer(
            "CreateQueue",
            400,
            &error("com.amazonaws.sqs#QueueDeletedRecently", "wait 60 seconds"),
        )
        .answer("CreateQueue", 200, URL);
    let script = (0..4).fold(script, |script, _| script.answer("GetQueueUrl", 200, URL));
    let script = script.always("GetQueueUrl", 400, &error(GONE, "gone"));
    let stack = script.stack();
    let queue = resource(&stack, DEAD_LETTERS);
    let observed = queue.observe().await.unwrap();
    assert!(matches!(observed, Observed::Broken { .. }), "{observed:?}");
    assert!(stack.found.dead_letter_queues.get(Queue::Request).is_none());
    queue.ensure(&observed, &unwatched()).await.unwrap();
    assert_eq!(script.left(), 0);
    assert!(stack.found.dead_letter_queues.get(Queue::Request).is_some());
}
