//! EventBridge Scheduler at its own pace.

use super::*;

#[tokio::test(start_paused = true)]
async fn a_schedule_waits_for_its_role() {
    let young = "The execution role you provide must allow AWS EventBridge Scheduler to assume \
                 the role.";
    let young = error("ValidationException", young);
    let create = "POST /schedules/place-save";
    let group = "POST /schedule-groups/place";
    let script = Script::default()
        .answer(group, 200, r#"{"ScheduleGroupArn":"arn:g"}"#)
        .answer(create, 400, &young)
        .answer(create, 200, r#"{"ScheduleArn":"arn:s"}"#);
    made(&script).await;
}

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

fn unknown() -> String {
    error(
        "ResourceNotFoundException",
        "Schedule group place does not exist.",
    )
}

/// The group of the teardown before this `up`, of which the scheduler tells no tags any more.
#[tokio::test(start_paused = true)]
async fn a_group_on_its_way_out_is_waited_for_and_made_anew() {
    let look = format!("GET {GROUP}");
    let script = Script::default()
        .answer(&look, 200, &group("DELETING"))
        .answer(TAGS, 404, &unknown())
        .answer(&look, 200, &group("DELETING"))
        .answer(&look, 200, &group("DELETING"))
        .answer(&look, 404, &unknown())
        .answer(
            &format!("POST {GROUP}"),
            200,
            r#"{"ScheduleGroupArn":"arn:g"}"#,
        );
    let stack = script.stack();
    let observed = resource(&stack, "schedule-group").observe().await.unwrap();
    assert!(
        matches!(observed, Observed::Changing { .. }),
        "{observed:?}"
    );
    ensure(&stack, "schedule-group", observed).await.unwrap();
    assert_eq!(script.left(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_group_is_only_gone_when_the_scheduler_has_deleted_it() {
    let (look, delete) = (format!("GET {GROUP}"), format!("DELETE {GROUP}"));
    let ours = json!({ "Tags": [{ "Key": "place:stack", "Value": "place" }] }).to_string();
    let busy = error("ConflictException", "the group is being changed");
    let script = Script::default()
        .answer(&look, 200, &group("ACTIVE"))
        .answer(TAGS, 200, &ours)
        .answer(&delete, 409, &busy)
        .answer(&delete, 200, "{}")
        .answer(&look, 200, &group("DELETING"))
        .answer(&look, 200, &group("DELETING"))
        .answer(&look, 404, &unknown());
    let stack = script.stack();
    let group = resource(&stack, "schedule-group");
    group.remove(&unwatched()).await.unwrap();
    assert_eq!(script.left(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_group_whose_answer_got_lost_is_ours_once_it_says_so() {
    let look = format!("GET {GROUP}");
    let exists = error("ConflictException", "Schedule group place already exists.");
    let ours = json!({ "Tags": [{ "Key": "place:stack", "Value": "place" }] }).to_string();
    let script = Script::default()
        .always(&format!("POST {GROUP}"), 409, &exists)
        .always(&look, 200, &group("ACTIVE"))
        .answer(TAGS, 404, &unknown())
        .answer(TAGS, 200, r#"{"Tags":[]}"#)
        .answer(TAGS, 200, &ours)
        .answer(&TAGS.replace("GET", "POST"), 200, "{}");
    ensure(&script.stack(), "schedule-group", Observed::Absent)
        .await
        .unwrap();
    assert_eq!(script.left(), 0);
}

/// The group of the teardown before this `up`: `Get` does not know it any more, `Create` still does.
#[tokio::test(start_paused = true)]
async fn a_name_that_the_group_of_old_still_holds_is_waited_for() {
    let (look, create) = (format!("GET {GROUP}"), format!("POST {GROUP}"));
    let going = error(
        "ConflictException",
        "Schedule group place is being deleted.",
    );
    let exists = error("ConflictException", "Schedule group place already exists.");
    let script = Script::default()
        .answer(&create, 409, &going)
        .answer(&create, 409, &exists)
        .answer(&look, 404, &unknown())
        .answer(TAGS, 404, &unknown())
        .answer(&create, 409, &exists)
        .answer(&look, 200, &group("DELETING"))
        .answer(TAGS, 404, &unknown())
        .answer(&create, 200, r#"{"ScheduleGroupArn":"arn:g"}"#);
    ensure(&script.stack(), "schedule-group", Observed::Absent)
        .await
        .unwrap();
    assert_eq!(script.left(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_schedule_waits_for_its_group_to_be_known() {
    let create = "POST /schedules/place-save";
    let script = Script::default()
        .answer(
            &format!("POST {GROUP}"),
            200,
            r#"{"ScheduleGroupArn":"arn:g"}"#,
        )
        .answer(create, 404, &unknown())
        .answer(create, 200, r#"{"ScheduleArn":"arn:s"}"#);
    made(&script).await;
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

/// "`ConflictException`: updating or deleting the resource can cause an inconsistent state" passes.
#[tokio::test(start_paused = true)]
async fn a_schedule_that_is_being_changed_is_deleted_later() {
    let delete = "DELETE /schedules/place-save";
    let conflict = error("ConflictException", "A change is under way.");
    let script = Script::default()
        .answer(&format!("GET {GROUP}"), 200, &group("ACTIVE"))
        .answer(
            TAGS,
            200,
            r#"{"Tags":[{"Key":"place:stack","Value":"place"},{"Key":"place:resource","Value":"schedule-group"}]}"#,
        )
        .answer(delete, 409, &conflict)
        .answer(delete, 409, &conflict)
        .answer(delete, 200, "{}");
    // Of one plan: the schedule asks the group whether it is ours.
    let plan = plan(&script.stack());
    let of = |key: &str| plan.iter().find(|of| of.key().as_str() == key).unwrap();
    of("schedule-group").observe().await.unwrap();
    of("schedule").remove(&unwatched()).await.unwrap();
    assert_eq!((script.left(), script.times(delete)), (0, 3));
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
        .answer("GET /schedules/place-save", 200, &found.to_string())
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
