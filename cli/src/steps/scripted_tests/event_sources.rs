//! Event source mappings at Lambda's own pace.

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

/// The mapping as it is wanted.
fn mapping_in(state: &str) -> String {
    mapping(state, 1)
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
        "ScalingConfig": { "MaximumConcurrency": 2 }, "FilterCriteria": {},
    });
    assert_eq!(request, wanted);
    let second = mapping.observe().await.unwrap();
    assert!(matches!(second, Observed::Ready { .. }), "{second:?}");
}

/// Lambda deletes whatever message a filter does not let through.
#[tokio::test(start_paused = true)]
async fn a_filter_that_somebody_set_is_drift_and_taken_off() {
    let (list, update) = (format!("GET {MAPPINGS}"), format!("PUT {MAPPINGS}/u-1"));
    let with = |filters: serde_json::Value| {
        let mut all: serde_json::Value = serde_json::from_str(&mapping_in("Enabled")).unwrap();
        all["EventSourceMappings"][0]["FilterCriteria"] = json!({ "Filters": filters });
        all.to_string()
    };
    let filtered = with(json!([{ "Pattern": r#"{"body":["x"]}"# }]));
    let script = Script::default()
        // The survey, and the look of `ensure`.
        .answer(&list, 200, &filtered)
        .answer(&list, 200, &filtered)
        .answer(&update, 202, "{}")
        .always(&list, 200, &with(json!([])));
    let script = with_tags(script);
    let stack = script.stack();
    let mapping = resource(&stack, KEY);
    let observed = mapping.observe().await.unwrap();
    let detail = observed.detail().unwrap();
    let wanted = r#"FilterCriteria is {"body":["x"]}, should be none"#;
    assert!(detail.contains(wanted), "{detail}");
    mapping.ensure(&observed, &unwatched()).await.unwrap();
    assert_eq!(script.left(), 0);
    let request = script.bodies(&update).pop().unwrap();
    assert!(request.contains(r#""FilterCriteria":{}"#), "{request}");
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

#[tokio::test(start_paused = true)]
async fn a_mapping_waits_for_the_role_and_through_every_transition() {
    let young = "The provided execution role does not have permissions to call ReceiveMessage on \
                 SQS";
    let young = error("InvalidParameterValueException", young);
    let list = format!("GET {MAPPINGS}");
    let key = "event-source:placev2broadcast";
    let ours = json!({ "Tags": tags(key) }).to_string();
    let mut script = Script::default()
        .answer(&format!("POST {MAPPINGS}"), 400, &young)
        .answer(&format!("POST {MAPPINGS}"), 202, "{}");
    for state in ["Creating", "Enabling", "Enabled", "Enabled"] {
        script = script.answer(&list, 200, &mapping_in(state));
        script = script.answer("GET /2017-03-31/tags/arn%3Am", 200, &ours);
    }
    ensure(&script.stack(), key, Observed::Absent)
        .await
        .unwrap();
    assert_eq!(script.left(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_mapping_in_transition_is_deleted_once_it_takes_calls() {
    let key = "event-source:placev2broadcast";
    let ours = json!({ "Tags": tags(key) }).to_string();
    let list = format!("GET {MAPPINGS}");
    let delete = format!("DELETE {MAPPINGS}/u-1");
    let in_use = error("ResourceInUseException", "the mapping is being updated");
    let script = Script::default()
        .answer(&list, 200, &mapping_in("Updating"))
        .answer("GET /2017-03-31/tags/arn%3Am", 200, &ours)
        .answer(&delete, 400, &in_use)
        .answer(&delete, 202, "{}")
        .answer(&list, 200, &mapping_in("Deleting"))
        .answer("GET /2017-03-31/tags/arn%3Am", 200, &ours)
        .answer(&list, 200, r#"{"EventSourceMappings":[]}"#);
    let stack = script.stack();
    resource(&stack, key).remove(&unwatched()).await.unwrap();
    assert_eq!(script.left(), 0);
}

const UNKNOWN: &str = "The resource you requested does not exist.";

/// Lambda may not know the ARN of a mapping in transition, and so not its tags.
#[tokio::test(start_paused = true)]
async fn a_mapping_that_is_being_made_is_nobody_elses() {
    let key = "event-source:placev2broadcast";
    let ours = json!({ "Tags": tags(key) }).to_string();
    let untold = error("ResourceNotFoundException", UNKNOWN);
    let (list, tags) = (format!("GET {MAPPINGS}"), "GET /2017-03-31/tags/arn%3Am");
    let script = Script::default()
        .answer(&list, 200, &mapping_in("Creating"))
        .answer(tags, 404, &untold)
        .answer(&list, 200, &mapping_in("Creating"))
        .answer(tags, 404, &untold)
        .answer(tags, 200, r#"{"Tags":{}}"#)
        .answer(tags, 200, r#"{"Tags":{}}"#)
        .always(&list, 200, &mapping_in("Enabled"))
        .always(tags, 200, &ours);
    let stack = script.stack();
    let observed = resource(&stack, key).observe().await.unwrap();
    let wanted = Observed::Changing {
        id: "u-1".to_owned(),
        state: "Creating".to_owned(),
    };
    assert_eq!(observed, wanted);
    ensure(&stack, key, observed).await.unwrap();
    assert_eq!(script.left(), 0);
    assert_eq!(script.times("POST /2017-03-31/tags/arn%3Am"), 0);
}

#[tokio::test(start_paused = true)]
async fn a_mapping_that_is_being_made_is_removed_once_it_says_that_it_is_ours() {
    let key = "event-source:placev2broadcast";
    let ours = json!({ "Tags": tags(key) }).to_string();
    let untold = error("ResourceNotFoundException", UNKNOWN);
    let (list, tags) = (format!("GET {MAPPINGS}"), "GET /2017-03-31/tags/arn%3Am");
    let script = Script::default()
        .answer(&list, 200, &mapping_in("Creating"))
        .answer(tags, 404, &untold)
        .answer(&list, 200, &mapping_in("Enabled"))
        .answer(tags, 200, &ours)
        .answer(&format!("DELETE {MAPPINGS}/u-1"), 202, "{}")
        .answer(&list, 200, &mapping_in("Deleting"))
        .answer(tags, 404, &untold)
        .answer(&list, 200, r#"{"EventSourceMappings":[]}"#);
    let stack = script.stack();
    resource(&stack, key).remove(&unwatched()).await.unwrap();
    assert_eq!(script.left(), 0);
}
