//! SQS at its own pace.

use place_config::Queue;

use super::*;

#[tokio::test(start_paused = true)]
async fn a_queue_waits_until_its_name_is_free_again() {
    let recently = "You must wait 60 seconds after deleting a queue before you can create another \
                    with the same name.";
    let recently = error("com.amazonaws.sqs#QueueDeletedRecently", recently);
    let not_yet = error("com.amazonaws.sqs#QueueDoesNotExist", "not yet");
    let script = Script::default()
        .answer("CreateQueue", 400, &recently)
        .answer("CreateQueue", 400, &recently)
        .answer("CreateQueue", 200, r#"{"QueueUrl":"https://sqs/q"}"#)
        .answer("GetQueueAttributes", 400, &not_yet)
        .answer("GetQueueAttributes", 200, r#"{"Attributes":{}}"#);
    let stack = script.stack();
    ensure(&stack, "queue:request", Observed::Absent)
        .await
        .unwrap();
    assert_eq!(script.left(), 0);
    let found = stack
        .found
        .queues
        .get(place_config::Queue::Request)
        .unwrap();
    assert_eq!(found.url, "https://sqs/q");
}

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
async fn a_changed_queue_is_done_when_sqs_shows_it() {
    let get = "GetQueueAttributes";
    let before = attributes(true, KEPT);
    let script = Script::default()
        .always("GetQueueUrl", 200, URL)
        .always("ListQueueTags", 200, &ours())
        .answer("SetQueueAttributes", 200, "{}")
        .always(get, 200, &attributes(false, KEPT));
    // The survey, the repair, and then for as long as SQS likes.
    let script = (0..12).fold(script, |script, _| script.answer(get, 200, &before));
    let stack = script.stack();
    let began = tokio::time::Instant::now();
    let queue = resource(&stack, DEAD_LETTERS);
    let observed = queue.observe().await.unwrap();
    queue.ensure(&observed, &unwatched()).await.unwrap();
    assert_eq!(script.left(), 0);
    assert!(began.elapsed().as_secs() >= 1, "{:?}", began.elapsed());
    let second = queue.observe().await.unwrap();
    assert!(matches!(second, Observed::Ready { .. }), "{second:?}");
}

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

#[tokio::test(start_paused = true)]
async fn a_change_that_never_shows_ends_in_incomplete() {
    for (before, at_least) in [(attributes(true, KEPT), 100), (attributes(false, 60), 890)] {
        let script = Script::default()
            .always("GetQueueUrl", 200, URL)
            .always("ListQueueTags", 200, &ours())
            .answer("SetQueueAttributes", 200, "{}")
            .always("GetQueueAttributes", 200, &before);
        let stack = script.stack();
        let began = tokio::time::Instant::now();
        let queue = resource(&stack, DEAD_LETTERS);
        let observed = queue.observe().await.unwrap();
        let failure = queue.ensure(&observed, &unwatched()).await.unwrap_err();
        assert_eq!(failure.kind, FailureKind::Incomplete);
        assert_eq!(script.left(), 0);
        assert!(
            began.elapsed().as_secs() > at_least,
            "{:?}",
            began.elapsed()
        );
    }
}

/// Whatever is written into it meanwhile is lost, and its name is not free.
#[tokio::test(start_paused = true)]
async fn a_deleted_queue_is_waited_for_as_long_as_it_is_there() {
    let began = tokio::time::Instant::now();
    let script = Script::default()
        .answer("GetQueueAttributes", 200, &attributes(false, KEPT))
        .answer("ListQueueTags", 200, &ours())
        .answer("TagQueue", 200, "{}")
        .answer("DeleteQueue", 200, "{}")
        .always("GetQueueUrl", 400, &error(GONE, "gone"));
    let script = (0..40).fold(script, |script, _| script.answer("GetQueueUrl", 200, URL));
    let stack = script.stack();
    resource(&stack, DEAD_LETTERS)
        .remove(&unwatched())
        .await
        .unwrap();
    assert_eq!(script.left(), 0);
    assert!(began.elapsed().as_secs() > 30, "{:?}", began.elapsed());
    assert!(stack.found.dead_letter_queues.get(Queue::Request).is_none());
}

/// A queue that came up in the create, with other attributes, for SQS answers with the URL where
/// they are the same ones.
fn that_exists(stack: &str) -> Script {
    let marks = json!({ "place:stack": stack, "place:resource": DEAD_LETTERS });
    let exists = "A queue already exists with the same name and a different value for attribute \
                  SqsManagedSseEnabled";
    Script::default()
        .answer("CreateQueue", 400, &error("QueueNameExists", exists))
        .always("GetQueueUrl", 200, URL)
        .always("ListQueueTags", 200, &json!({ "Tags": marks }).to_string())
        .answer("GetQueueAttributes", 200, &attributes(true, KEPT))
        .always("GetQueueAttributes", 200, &attributes(false, KEPT))
}

#[tokio::test(start_paused = true)]
async fn a_queue_that_exists_with_other_attributes_is_put_right() {
    let script = that_exists("place").answer("SetQueueAttributes", 200, "{}");
    let stack = script.stack();
    ensure(&stack, DEAD_LETTERS, Observed::Absent)
        .await
        .unwrap();
    assert_eq!(script.left(), 0);
    let request = script.bodies("SetQueueAttributes").pop().unwrap();
    assert!(
        request.contains(r#""SqsManagedSseEnabled":"false""#),
        "{request}"
    );
    let found = stack.found.dead_letter_queues.get(Queue::Request);
    assert_eq!(found.unwrap().url, "https://sqs/q");
}

#[tokio::test(start_paused = true)]
async fn a_queue_of_somebody_else_that_comes_up_in_the_create_is_not_touched() {
    let script = that_exists("place2");
    let outcome = ensure(&script.stack(), DEAD_LETTERS, Observed::Absent).await;
    assert!(outcome.unwrap_err().hint.unwrap().contains("--adopt"));
    assert_eq!(script.times("SetQueueAttributes"), 0);
    assert_eq!(script.times("TagQueue"), 0);
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
    assert!(
        matches!(observed, Observed::Changing { .. }),
        "{observed:?}"
    );
    assert!(stack.found.dead_letter_queues.get(Queue::Request).is_none());
    queue.ensure(&observed, &unwatched()).await.unwrap();
    assert_eq!(script.left(), 0);
    assert!(stack.found.dead_letter_queues.get(Queue::Request).is_some());
}
