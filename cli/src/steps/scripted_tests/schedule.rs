//! EventBridge Scheduler at its own pace.

use super::*;

/// Makes the group and the schedule. Of one plan: the schedule asks the group whether it is ours.
async fn made(script: &Script) {
    let plan = plan(&script.stack());
    for key in ["schedule-group", "schedule"] {
        let resource = plan.iter().find(|of| of.key().as_str() == key).unwrap();
        let ensured = resource.ensure(&Observed::Absent, &unwatched()).await;
        ensured.unwrap();
    }
    assert_eq!(script.left(), 0);
}

const GROUP: &str = "/schedule-groups/place";

const TAGS: &str =
    "GET /tags/arn%3Aaws%3Ascheduler%3Aeu-west-1%3A123456789012%3Aschedule-group%2Fplace";

fn group(state: &str) -> String {
    json!({ "Name": "place", "State": state }).to_string()
}

/// Made by a call whose answer got lost, or by a run that was killed: whatever it says, it is
/// brought to say all that is wanted.
#[tokio::test(start_paused = true)]
async fn a_schedule_that_exists_already_is_updated() {
    let (create, update) = ("POST /schedules/place-save", "PUT /schedules/place-save");
    let exists = error("ConflictException", "Schedule place-save already exists.");
    let script = Script::default()
        .answer(
            &format!("POST {GROUP}"),
            200,
            r#"{"ScheduleGroupArn":"arn:g"}"#,
        )
        .answer(create, 409, &exists)
        .always("GET /schedules/place-save", 200, "{}")
        .answer(update, 200, r#"{"ScheduleArn":"arn:s"}"#);
    made(&script).await;
    let parse = |of: &str| -> serde_json::Value {
        let mut body: serde_json::Value =
            serde_json::from_str(&script.bodies(of).pop().unwrap()).unwrap();
        // A token of its own for each call.
        body.as_object_mut().unwrap().remove("ClientToken");
        body
    };
    // What an update leaves out goes back to its default.
    assert_eq!(parse(update), parse(create));
    assert_eq!(parse(update)["State"], "ENABLED");
}

/// Outside of its dates a schedule does nothing, and is "enabled" all the same.
#[tokio::test(start_paused = true)]
async fn dates_that_somebody_set_are_drift_and_taken_off() {
    let update = "PUT /schedules/place-save";
    let ours = json!({ "Tags": [
        { "Key": "place:stack", "Value": "place" },
        { "Key": "place:resource", "Value": "schedule-group" },
    ] });
    let found = json!({
        "Name": "place-save", "StartDate": 4_102_444_800_u64, "EndDate": 946_684_800,
    });
    let script = Script::default()
        .answer(&format!("GET {GROUP}"), 200, &group("ACTIVE"))
        .answer(TAGS, 200, &ours.to_string())
        .always("GET /schedules/place-save", 200, &found.to_string())
        .answer(update, 200, r#"{"ScheduleArn":"arn:s"}"#);
    // Of one plan: the schedule asks the group whether it is ours.
    let plan = plan(&script.stack());
    let of = |key: &str| plan.iter().find(|of| of.key().as_str() == key).unwrap();
    of("schedule-group").observe().await.unwrap();
    let observed = of("schedule").observe().await.unwrap();
    let detail = observed.detail().unwrap();
    for wanted in [
        "StartDate is 2100-01-01T00:00:00Z, should be none",
        "EndDate is 2000-01-01T00:00:00Z, should be none",
    ] {
        assert!(detail.contains(wanted), "{detail}");
    }
    let ensured = of("schedule").ensure(&observed, &unwatched()).await;
    ensured.unwrap();
    assert_eq!(script.left(), 0);
    // What an update leaves out goes back to its default.
    let request = script.bodies(update).pop().unwrap();
    assert!(!request.contains("Date"), "{request}");
}
