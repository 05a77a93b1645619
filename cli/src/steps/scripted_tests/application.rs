//! API Gateway, IAM, CloudWatch Logs and permissions at their own pace.

use super::*;

pub(super) fn with_api(script: &Script) -> Arc<Stack> {
    let stack = script.stack();
    stack.found.api.set("a1".to_owned());
    stack
}

/// The group of the teardown before this `up`, which CloudWatch Logs goes on listing.
#[tokio::test(start_paused = true)]
async fn a_log_group_that_is_listed_and_gone_is_nobody_elses() {
    let name = "/aws/lambda/save";
    let listed = json!({ "logGroups": [{ "logGroupName": name, "logGroupArn": "arn:l" }] });
    let gone = error(
        "ResourceNotFoundException",
        "The specified log group does not exist.",
    );
    let exists = error("ResourceAlreadyExistsException", "exists");
    let list = "ListTagsForResource";
    let script = Script::default()
        .always("DescribeLogGroups", 200, &listed.to_string())
        .answer(list, 400, &gone)
        .answer("CreateLogGroup", 400, &exists)
        .answer(list, 400, &gone)
        .answer("CreateLogGroup", 200, "{}")
        .answer("PutRetentionPolicy", 200, "{}");
    let stack = script.stack();
    let observed = resource(&stack, "log-group:save").observe().await.unwrap();
    assert_eq!(observed, Observed::Absent);
    ensure(&stack, "log-group:save", observed).await.unwrap();
    assert_eq!(script.left(), 0);
}

/// Removes the function `save`, found in `state`, whose move out of the VPC is answered by
/// `detach`; how often that was tried.
async fn remove_function(state: &str, detach: Option<(u16, &str)>) -> usize {
    let configuration = format!("{FUNCTION}/configuration");
    let gone = error("ResourceNotFoundException", "gone");
    let mut script = Script::default()
        .answer(
            &format!("GET {FUNCTION}"),
            200,
            &described(state, &tags("function:save")).to_string(),
        )
        .answer(&format!("DELETE {FUNCTION}"), 204, "")
        .answer(&format!("GET {configuration}"), 404, &gone);
    let put = format!("PUT {configuration}");
    if let Some((status, body)) = detach {
        script = script.answer(&put, status, body);
    }
    let stack = script.stack();
    let function = resource(&stack, "function:save");
    function.remove(&unwatched()).await.unwrap();
    assert_eq!(script.left(), 0);
    script.times(&put)
}

#[tokio::test(start_paused = true)]
async fn a_function_that_can_not_leave_the_vpc_goes_all_the_same() {
    assert_eq!(remove_function("Failed", None).await, 0);
    let no_role = "The role defined for the function cannot be assumed by Lambda.";
    let no_role = error("InvalidParameterValueException", no_role);
    assert_eq!(remove_function("Active", Some((400, &no_role))).await, 1);
}

#[tokio::test(start_paused = true)]
async fn broadcast_may_call_itself_and_save_is_not_repeated_by_lambda() {
    let arn = |name: &str| {
        json!({ "Configuration": { "FunctionName": name, "FunctionArn": "arn:f" },
                "Tags": tags(&format!("function:{name}")) })
        .to_string()
    };
    let script = Script::default()
        .answer(
            "GET /2015-03-31/functions/placev2broadcast",
            200,
            &arn("placev2broadcast"),
        )
        .answer(
            "GET /2024-08-31/functions/placev2broadcast/recursion-config",
            200,
            r#"{"RecursiveLoop":"Terminate"}"#,
        )
        .answer("GET /2015-03-31/functions/save", 200, &arn("save"))
        .answer(&format!("GET {FUNCTION}/policy"), 404, &no_policy())
        .answer(
            "GET /2015-03-31/functions/placev2broadcast/policy",
            404,
            &no_policy(),
        )
        .answer(
            &format!("GET {RETRIES}"),
            404,
            &error("ResourceNotFoundException", "no config"),
        );
    let stack = script.stack();
    let detail = async |key: &str| {
        let observed = resource(&stack, key).observe().await.unwrap();
        observed.detail().unwrap()
    };
    let broadcast = detail("function:placev2broadcast").await;
    let loops = "RecursiveLoop is Terminate, should be Allow";
    assert!(broadcast.contains(loops), "{broadcast}");
    let save = detail("function:save").await;
    let retries = "MaximumRetryAttempts is unset, should be 0";
    assert!(save.contains(retries), "{save}");
}
