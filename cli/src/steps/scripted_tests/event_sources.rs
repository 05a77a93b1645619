//! Event source mappings that somebody changed: put back at Lambda's pace.

use super::*;

const KEY: &str = "event-source:placev2broadcast";

const MAPPINGS: &str = "/2015-03-31/event-source-mappings";

/// The mapping of the broadcast's queue, with what somebody may have changed.
fn mapping(state: &str, batch: i32) -> String {
    json!({ "EventSourceMappings": [{
        "UUID": "u-1",
        "EventSourceArn": "arn:aws:sqs:eu-west-1:123456789012:requestQueue.fifo",
        "FunctionArn": "arn:aws:lambda:eu-west-1:123456789012:function:placev2broadcast",
        "EventSourceMappingArn": "arn:m",
        "State": state,
        "BatchSize": batch,
        "FunctionResponseTypes": ["ReportBatchItemFailures"],
        "ScalingConfig": { "MaximumConcurrency": 2 },
    }] })
    .to_string()
}

fn in_use() -> String {
    let what = "Cannot update the event source mapping because it is in use.";
    error("ResourceInUseException", what)
}

fn with_tags(script: Script) -> Script {
    let ours = json!({ "Tags": tags(KEY) }).to_string();
    script.always("GET /2017-03-31/tags/arn%3Am", 200, &ours)
}

/// Lambda takes no change of a mapping while the last one is under way.
#[tokio::test(start_paused = true)]
async fn a_mapping_in_use_is_put_back_once_it_takes_changes() {
    let (list, update) = (format!("GET {MAPPINGS}"), format!("PUT {MAPPINGS}/u-1"));
    let script = Script::default()
        // The survey, and the look of `ensure`.
        .answer(&list, 200, &mapping("Disabled", 7))
        .answer(&list, 200, &mapping("Disabled", 7))
        .answer(&update, 400, &in_use())
        .answer(&update, 400, &in_use())
        .answer(&update, 202, "{}")
        .answer(&list, 200, &mapping("Updating", 7))
        .answer(&list, 200, &mapping("Enabling", 1))
        .always(&list, 200, &mapping("Enabled", 1));
    let script = with_tags(script);
    let stack = script.stack();
    let mapping = resource(&stack, KEY);
    let observed = mapping.observe().await.unwrap();
    assert!(matches!(observed, Observed::Drifted { .. }), "{observed:?}");
    mapping.ensure(&observed, &unwatched()).await.unwrap();
    assert_eq!(script.left(), 0);
    let request = script.bodies(&update).pop().unwrap();
    let request: serde_json::Value = serde_json::from_str(&request).unwrap();
    let wanted = json!({
        "BatchSize": 1, "Enabled": true,
        "FunctionResponseTypes": ["ReportBatchItemFailures"],
        "ScalingConfig": { "MaximumConcurrency": 2 },
    });
    assert_eq!(request, wanted);
    let second = mapping.observe().await.unwrap();
    assert!(matches!(second, Observed::Ready { .. }), "{second:?}");
}

#[tokio::test(start_paused = true)]
async fn a_mapping_that_never_takes_changes_ends_in_incomplete() {
    let (list, update) = (format!("GET {MAPPINGS}"), format!("PUT {MAPPINGS}/u-1"));
    let script = Script::default()
        .always(&list, 200, &mapping("Enabled", 7))
        .always(&update, 400, &in_use());
    let stack = with_tags(script).stack();
    let mapping = resource(&stack, KEY);
    let observed = mapping.observe().await.unwrap();
    let failure = mapping.ensure(&observed, &unwatched()).await.unwrap_err();
    assert_eq!(failure.kind, FailureKind::Incomplete);
}
