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
