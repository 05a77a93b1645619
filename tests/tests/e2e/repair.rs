//! What somebody changed behind our back is named by `status --check` and put back by `up`.

use aws_sdk_ec2::types::{IpPermission, UserIdGroupPair};
use aws_sdk_lambda::types::Environment;
use aws_sdk_scheduler::operation::get_schedule::GetScheduleOutput;
use aws_sdk_scheduler::operation::update_schedule::builders::UpdateScheduleFluentBuilder;
use aws_sdk_scheduler::types::ScheduleState;
use aws_sdk_sqs::types::QueueAttributeName;
use place_tests::{Operator, Sdk};
use serde_json::Value;

use crate::support::Standing;

/// Keys of the resources that are not as configured.
pub(crate) fn drifted(status: &Value) -> Vec<String> {
    let steps = status["steps"].as_array().unwrap().iter();
    let resources = steps.flat_map(|step| step["resources"].as_array().unwrap().iter());
    let off = resources.filter(|r| r["state"] != "ready");
    let mut keys: Vec<_> = off.map(|r| r["key"].as_str().unwrap().to_owned()).collect();
    keys.sort();
    keys
}

/// After a change: `status --check` finds these resources, `up` mends them, and then there is
/// nothing left to do.
async fn is_found_and_mended(stack: &Standing, keys: &[&str]) {
    let check = ["status", "--check", "-o", "json"];
    let status = stack
        .operator
        .placectl()
        .args(check)
        .run()
        .await
        .expect_code(4);
    let found = drifted(&status.json());
    for key in keys {
        assert!(
            found.iter().any(|k| k == key),
            "`{key}` is not among {found:?}: {status}"
        );
    }
    let _ = stack
        .operator
        .placectl()
        .args(["up", "-o", "json"])
        .succeed()
        .await;
    let status = stack.operator.placectl().args(check).succeed().await;
    assert_eq!(drifted(&status.json()), Vec::<String>::new());
    assert!(is_idle(&stack.operator).await);
}

/// Whether one more `up` finds nothing to do.
pub(crate) async fn is_idle(operator: &Operator) -> bool {
    let again = operator
        .placectl()
        .args(["up", "-o", "json"])
        .succeed()
        .await;
    let counts = again.finished_event()["counts"].clone();
    counts.as_object().unwrap().keys().eq(["unchanged"])
}

#[tokio::test]
async fn an_application_that_was_changed() {
    let stack = Standing::up().await;
    let sdk = stack.operator.sdk();
    encrypt_queue(&sdk).await;
    disable_schedule(&sdk).await;
    widen_role(&sdk).await;
    empty_environment(&sdk).await;
    let permission = sdk
        .lambda
        .get_policy()
        .function_name("sendMessage")
        .send()
        .await
        .unwrap();
    let policy: Value = serde_json::from_str(permission.policy().unwrap()).unwrap();
    let statement = policy["Statement"][0]["Sid"].as_str().unwrap();
    let call = sdk.lambda.remove_permission().function_name("sendMessage");
    call.statement_id(statement).send().await.unwrap();
    let group = sdk
        .logs
        .put_retention_policy()
        .log_group_name("/aws/lambda/save");
    group.retention_in_days(1).send().await.unwrap();
    let keys = [
        "queue:request",
        "schedule",
        "role:save",
        "environment:placev2broadcast",
    ];
    is_found_and_mended(&stack, &keys).await;
    let mut client = stack.operator.join().await;
    client.paint(&[crate::support::red(1, 1)]).await;
    client.sees(crate::support::red(1, 1)).await;
}

#[tokio::test]
async fn things_that_were_deleted() {
    let stack = Standing::up().await;
    let sdk = stack.operator.sdk();
    let mappings = sdk
        .lambda
        .list_event_source_mappings()
        .send()
        .await
        .unwrap();
    let uuid = mappings.event_source_mappings()[0].uuid().unwrap();
    sdk.lambda
        .delete_event_source_mapping()
        .uuid(uuid)
        .send()
        .await
        .unwrap();
    sdk.lambda
        .delete_function()
        .function_name("placev2handler")
        .send()
        .await
        .unwrap();
    let url = sdk
        .sqs
        .get_queue_url()
        .queue_name("requestQueue.fifo")
        .send()
        .await
        .unwrap();
    sdk.sqs
        .delete_queue()
        .queue_url(url.queue_url().unwrap())
        .send()
        .await
        .unwrap();
    let apis = sdk.api.get_apis().send().await.unwrap();
    let api = apis.items()[0].api_id().unwrap();
    let routes = sdk.api.get_routes().api_id(api).send().await.unwrap();
    let route = routes.items()[0].route_id().unwrap();
    sdk.api
        .delete_route()
        .api_id(api)
        .route_id(route)
        .send()
        .await
        .unwrap();
    is_found_and_mended(&stack, &["function:placev2handler", "queue:request"]).await;
    let mut client = stack.operator.join().await;
    client.paint(&[crate::support::red(2, 1)]).await;
    client.sees(crate::support::red(2, 1)).await;
}

/// Takes the rule away that lets the functions into the cache.
pub(crate) async fn close_cache(sdk: &Sdk) {
    let groups = sdk.ec2.describe_security_groups().send().await.unwrap();
    let named = |name: &str| {
        let found = groups
            .security_groups()
            .iter()
            .find(|g| g.group_name() == Some(name));
        found.unwrap().group_id().unwrap()
    };
    let functions = UserIdGroupPair::builder()
        .group_id(named("place-functions"))
        .build();
    let rule = IpPermission::builder()
        .ip_protocol("tcp")
        .from_port(6379)
        .to_port(6380)
        .user_id_group_pairs(functions)
        .build();
    let call = sdk
        .ec2
        .revoke_security_group_ingress()
        .group_id(named("place-cache"));
    call.ip_permissions(rule).send().await.unwrap();
}

pub(crate) async fn encrypt_queue(sdk: &Sdk) {
    let encrypted = QueueAttributeName::SqsManagedSseEnabled;
    set_queue(sdk, "requestQueue.fifo", encrypted, "true").await;
}

/// Gives the queue of that name another value of an attribute.
pub(crate) async fn set_queue(sdk: &Sdk, name: &str, attribute: QueueAttributeName, value: &str) {
    let answer = sdk.sqs.get_queue_url().queue_name(name).send().await;
    let call = sdk.sqs.set_queue_attributes();
    let call = call.queue_url(answer.unwrap().queue_url().unwrap());
    call.attributes(attribute, value).send().await.unwrap();
}

pub(crate) async fn disable_schedule(sdk: &Sdk) {
    let call = same_schedule(sdk, &schedule(sdk).await);
    call.state(ScheduleState::Disabled).send().await.unwrap();
}

pub(crate) async fn schedule(sdk: &Sdk) -> GetScheduleOutput {
    let call = sdk.scheduler.get_schedule().group_name("place");
    call.name("place-save").send().await.unwrap()
}

/// The call that leaves the schedule as it is, for a change of one part.
pub(crate) fn same_schedule(
    sdk: &Sdk,
    as_it_is: &GetScheduleOutput,
) -> UpdateScheduleFluentBuilder {
    let call = sdk.scheduler.update_schedule().group_name("place");
    let call = call.name("place-save");
    call.set_schedule_expression(as_it_is.schedule_expression().map(str::to_owned))
        .set_flexible_time_window(as_it_is.flexible_time_window().cloned())
        .set_target(as_it_is.target().cloned())
        .set_state(as_it_is.state().cloned())
}

/// How the names of the stack's roles begin.
pub(crate) const PLACE_ROLES: &str = "place-us-east-1-";

pub(crate) async fn widen_role(sdk: &Sdk) {
    let role = "place-us-east-1-save";
    let names = sdk
        .iam
        .list_role_policies()
        .role_name(role)
        .send()
        .await
        .unwrap();
    let all =
        r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}"#;
    let call = sdk
        .iam
        .put_role_policy()
        .role_name(role)
        .policy_name(&names.policy_names()[0]);
    call.policy_document(all).send().await.unwrap();
}

pub(crate) async fn empty_environment(sdk: &Sdk) {
    let call = sdk
        .lambda
        .update_function_configuration()
        .function_name("placev2broadcast");
    call.environment(Environment::builder().build())
        .send()
        .await
        .unwrap();
}
