//! API Gateway, IAM, CloudWatch Logs and permissions at their own pace.

use super::*;

const BUSY: &str = "Unable to complete operation due to concurrent modification. Please try again \
                    later.";

pub(super) fn with_api(script: &Script) -> Arc<Stack> {
    let stack = script.stack();
    stack.found.api.set("a1".to_owned());
    stack
}

#[tokio::test(start_paused = true)]
async fn parts_of_one_api_wait_for_each_other() {
    let integrations = "POST /v2/apis/a1/integrations";
    let busy = error("ConflictException", BUSY);
    let script = Script::default()
        .answer(integrations, 409, &busy)
        .answer(
            integrations,
            404,
            &error("NotFoundException", "Invalid API identifier"),
        )
        .answer(integrations, 409, &busy)
        .answer(integrations, 201, r#"{"integrationId":"i-1"}"#);
    let stack = with_api(&script);
    ensure(&stack, "integration:sendMessage", Observed::Absent)
        .await
        .unwrap();
    assert_eq!(script.left(), 0);
}

#[tokio::test(start_paused = true)]
async fn an_integration_whose_answer_got_lost_is_not_made_twice() {
    let list = "GET /v2/apis/a1/integrations";
    let found = json!({ "items": [
        { "integrationId": "i-1", "description": "integration:sendMessage" },
    ] });
    let script = Script::default()
        .answer("POST /v2/apis/a1/integrations", 0, "")
        .answer(list, 200, r#"{"items":[]}"#)
        .answer(list, 200, r#"{"items":[]}"#)
        .answer(list, 200, &found.to_string());
    let stack = with_api(&script);
    ensure(&stack, "integration:sendMessage", Observed::Absent)
        .await
        .unwrap();
    assert_eq!(script.left(), 0);
    let left = stack.found.integrations.get(Function::SendMessage);
    assert_eq!(left.as_deref(), Some("i-1"));
}

#[tokio::test(start_paused = true)]
async fn a_stage_is_only_done_when_it_is_there() {
    let deployments = "POST /v2/apis/a1/deployments";
    let deployed = r#"{"deploymentId":"d-1","deploymentStatus":"DEPLOYED"}"#;
    let look = "GET /v2/apis/a1/stages/production";
    let create = "POST /v2/apis/a1/stages";
    let missing = error("NotFoundException", "Invalid stage identifier specified");
    let script = Script::default()
        .answer(deployments, 409, &error("ConflictException", BUSY))
        .answer(deployments, 201, deployed)
        .always(look, 404, &missing)
        .answer(create, 409, &error("ConflictException", BUSY))
        .answer(create, 409, &error("ConflictException", BUSY))
        .answer(create, 201, r#"{"stageName":"production"}"#);
    let (script, _stack, plan) = with_routes(script).await;
    for key in [&api::DEPLOYMENT_KEY, &api::STAGE_KEY] {
        let resource = plan.iter().find(|resource| resource.key() == *key).unwrap();
        let made = resource.ensure(&Observed::Absent, &unwatched()).await;
        made.unwrap();
    }
    assert_eq!(script.left(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_log_group_takes_its_retention_once_it_is_known() {
    let busy = "A conflicting operation is currently in progress against this resource.";
    let put = "PutRetentionPolicy";
    let script = Script::default()
        .answer(
            "CreateLogGroup",
            400,
            &error("OperationAbortedException", busy),
        )
        .answer("CreateLogGroup", 200, "{}")
        .answer(
            put,
            400,
            &error("ResourceNotFoundException", "no such group"),
        )
        .answer(put, 400, &error("OperationAbortedException", busy))
        .answer(put, 200, "{}");
    let stack = script.stack();
    ensure(&stack, "log-group:save", Observed::Absent)
        .await
        .unwrap();
    assert_eq!(script.left(), 0);
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

#[tokio::test(start_paused = true)]
async fn a_permission_waits_for_its_function() {
    let policy = "POST /2015-03-31/functions/sendMessage/policy";
    let script = Script::default()
        .answer(
            policy,
            404,
            &error("ResourceNotFoundException", "Function not found"),
        )
        .answer(
            policy,
            409,
            &error("ResourceConflictException", "an update is in progress"),
        )
        .answer(policy, 201, "{}");
    let stack = with_api(&script);
    ensure(&stack, "permission:sendMessage", Observed::Absent)
        .await
        .unwrap();
    assert_eq!(script.left(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_role_that_exists_and_is_not_seen_yet_is_looked_for() {
    let fault = |code: &str| {
        format!(
            "<ErrorResponse><Error><Code>{code}</Code><Message>m</Message></Error></ErrorResponse>"
        )
    };
    let role = "<GetRoleResponse><GetRoleResult><Role><Path>/</Path><RoleName>r</RoleName>\
                <RoleId>R</RoleId><Arn>arn:r</Arn><CreateDate>2026-01-01T00:00:00Z</CreateDate>\
                <Tags><member><Key>place:stack</Key><Value>place</Value></member></Tags></Role>\
                </GetRoleResult></GetRoleResponse>";
    let empty = |action: &str| format!("<{action}Response><{action}Result/></{action}Response>");
    let script = Script::default()
        .always("CreateRole", 409, &fault("EntityAlreadyExists"))
        .answer("GetRole", 404, &fault("NoSuchEntity"))
        .answer("GetRole", 404, &fault("NoSuchEntity"))
        .always("GetRole", 200, role)
        .always("GetRolePolicy", 404, &fault("NoSuchEntity"))
        .always(
            "ListAttachedRolePolicies",
            200,
            &empty("ListAttachedRolePolicies"),
        )
        .always("ListRolePolicies", 200, &empty("ListRolePolicies"))
        .answer("TagRole", 200, &empty("TagRole"))
        .answer(
            "UpdateAssumeRolePolicy",
            200,
            &empty("UpdateAssumeRolePolicy"),
        )
        .answer("PutRolePolicy", 200, &empty("PutRolePolicy"));
    let stack = with_api(&script);
    ensure(&stack, "role:save", Observed::Absent).await.unwrap();
    assert_eq!(script.left(), 0);
    assert_eq!(script.times("CreateRole"), 3);
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
