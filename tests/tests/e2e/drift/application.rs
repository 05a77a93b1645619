//! Changes of the API, the functions, the roles and the schedule.

use aws_sdk_lambda::primitives::Blob;
use aws_sdk_lambda::types::FunctionUrlAuthType;
use place_tests::Sdk;

use super::{Change, tags};
use crate::repair::{disable_schedule, widen_role};

pub(super) const CHANGES: &[Change] = &[
    (
        "integration pointed elsewhere",
        |sdk| Box::pin(repoint_integration(sdk)),
        &["integration:sendMessage"],
    ),
    (
        "stage pointed elsewhere",
        |sdk| Box::pin(repoint_stage(sdk)),
        &["api-stage"],
    ),
    (
        "route deleted",
        |sdk| Box::pin(delete_route(sdk)),
        // What was deployed has a route that is not there.
        &["api-deployment", "api-stage", "route:sendMessage"],
    ),
    (
        "permission removed",
        |sdk| Box::pin(remove_permission(sdk)),
        &["permission:sendMessage"],
    ),
    (
        "page shut",
        |sdk| Box::pin(shut_page(sdk)),
        &["permission:placev2page"],
    ),
    (
        "page asks for a signature",
        |sdk| Box::pin(sign_page(sdk)),
        &["function-url"],
    ),
    (
        "address of the page deleted",
        |sdk| Box::pin(delete_address(sdk)),
        &["function-url"],
    ),
    (
        "code replaced",
        |sdk| Box::pin(replace_code(sdk)),
        &["function:save"],
    ),
    (
        "memory changed",
        |sdk| Box::pin(shrink_function(sdk)),
        &["function:save"],
    ),
    (
        "role widened",
        |sdk| Box::pin(async move { widen_role(&sdk).await }),
        &["role:save"],
    ),
    (
        "policy attached",
        |sdk| Box::pin(attach_policy(sdk)),
        &["role:save"],
    ),
    (
        "role deleted",
        |sdk| Box::pin(delete_role(sdk)),
        // Lambda's grant is for the role that is gone.
        &["function:save", "role:save"],
    ),
    (
        "somebody let in by a function without a route",
        |sdk| Box::pin(let_in(sdk, "save")),
        &["function:save"],
    ),
    (
        "somebody let in by a function with a route",
        |sdk| Box::pin(let_in(sdk, "sendMessage")),
        &["permission:sendMessage"],
    ),
    ("API deleted", |sdk| Box::pin(delete_api(sdk)), WITHOUT_API),
    (
        "event source deleted",
        |sdk| Box::pin(delete_event_source(sdk)),
        &["event-source:placev2broadcast"],
    ),
    (
        "logs kept for a day",
        |sdk| Box::pin(shorten_logs(sdk)),
        &["log-group:save"],
    ),
    (
        "schedule disabled",
        |sdk| Box::pin(async move { disable_schedule(&sdk).await }),
        &["schedule"],
    ),
    (
        "stack's tags taken off",
        |sdk| Box::pin(tags::taken_off_application(sdk)),
        WITH_TAGS,
    ),
];

/// The API with all its parts, and what names it.
const WITHOUT_API: &[&str] = &[
    "api",
    "api-deployment",
    "api-stage",
    "environment:initializeConnection",
    "environment:placev2admin",
    "environment:placev2broadcast",
    "environment:placev2disconnect",
    "environment:placev2handler",
    "environment:placev2page",
    "environment:save",
    "environment:sendMessage",
    "integration:placev2disconnect",
    "integration:placev2handler",
    "integration:sendMessage",
    "permission:placev2disconnect",
    "permission:placev2handler",
    "permission:sendMessage",
    "role:initializeConnection",
    "role:placev2admin",
    "role:placev2broadcast",
    "role:placev2disconnect",
    "role:placev2handler",
    "role:placev2page",
    "role:save",
    "role:sendMessage",
    "route:placev2disconnect",
    "route:placev2handler",
    "route:sendMessage",
];

/// What carries tags.
const WITH_TAGS: &[&str] = &[
    "api",
    "api-stage",
    "event-source:initializeConnection",
    "event-source:placev2broadcast",
    "function:initializeConnection",
    "function:placev2admin",
    "function:placev2broadcast",
    "function:placev2disconnect",
    "function:placev2handler",
    "function:placev2page",
    "function:save",
    "function:sendMessage",
    "log-group:initializeConnection",
    "log-group:placev2admin",
    "log-group:placev2broadcast",
    "log-group:placev2disconnect",
    "log-group:placev2handler",
    "log-group:placev2page",
    "log-group:save",
    "log-group:sendMessage",
    "role:initializeConnection",
    "role:placev2admin",
    "role:placev2broadcast",
    "role:placev2disconnect",
    "role:placev2handler",
    "role:placev2page",
    "role:save",
    "role:scheduler",
    "role:sendMessage",
    "schedule-group",
];

pub(super) async fn api(sdk: &Sdk) -> String {
    let apis = sdk.api.get_apis().send().await.unwrap();
    apis.items()[0].api_id().unwrap().to_owned()
}

async fn repoint_integration(sdk: Sdk) {
    let api = api(&sdk).await;
    let all = sdk.api.get_integrations().api_id(&api).send().await;
    let all = all.unwrap();
    let uri = |name: &str| {
        let part = format!("function:{name}/");
        let mut all = all.items().iter();
        all.find(|one| one.integration_uri().unwrap().contains(&part))
            .unwrap()
    };
    let (one, other) = (uri("sendMessage"), uri("placev2handler"));
    let call = sdk.api.update_integration().api_id(&api);
    let call = call.integration_id(one.integration_id().unwrap());
    let call = call.integration_uri(other.integration_uri().unwrap());
    call.send().await.unwrap();
}

async fn repoint_stage(sdk: Sdk) {
    let api = api(&sdk).await;
    let deployment = sdk.api.create_deployment().api_id(&api).send().await;
    let call = sdk.api.update_stage().api_id(&api).stage_name("production");
    let call = call.deployment_id(deployment.unwrap().deployment_id().unwrap());
    call.send().await.unwrap();
}

async fn delete_route(sdk: Sdk) {
    let api = api(&sdk).await;
    let routes = sdk.api.get_routes().api_id(&api).send().await.unwrap();
    let mut routes = routes.items().iter();
    let route = routes.find(|route| route.route_key() == Some("sendMessage"));
    let call = sdk.api.delete_route().api_id(&api);
    let call = call.route_id(route.unwrap().route_id().unwrap());
    call.send().await.unwrap();
}

async fn remove_permission(sdk: Sdk) {
    let call = sdk.lambda.remove_permission().function_name("sendMessage");
    call.statement_id("place-api").send().await.unwrap();
}

const PAGE: &str = "placev2page";

async fn shut_page(sdk: Sdk) {
    let call = sdk.lambda.remove_permission().function_name(PAGE);
    let call = call.statement_id("place-page-invoke");
    call.send().await.unwrap();
}

async fn sign_page(sdk: Sdk) {
    let call = sdk.lambda.update_function_url_config();
    let call = call
        .function_name(PAGE)
        .auth_type(FunctionUrlAuthType::AwsIam);
    call.send().await.unwrap();
}

async fn delete_address(sdk: Sdk) {
    let call = sdk.lambda.delete_function_url_config();
    call.function_name(PAGE).send().await.unwrap();
}

const ROLE: &str = "place-us-east-1-save";

pub(crate) async fn attach_policy(sdk: Sdk) {
    let call = sdk.iam.attach_role_policy().role_name(ROLE);
    let call = call.policy_arn("arn:aws:iam::aws:policy/AdministratorAccess");
    call.send().await.unwrap();
}

async fn delete_role(sdk: Sdk) {
    let call = sdk.iam.delete_role_policy().role_name(ROLE);
    call.policy_name("place").send().await.unwrap();
    let call = sdk.iam.delete_role().role_name(ROLE);
    call.send().await.unwrap();
}

async fn let_in(sdk: Sdk, function: &str) {
    let call = sdk.lambda.add_permission().function_name(function);
    let call = call.statement_id("by-hand").action("lambda:InvokeFunction");
    let call = call.principal("s3.amazonaws.com");
    call.send().await.unwrap();
}

async fn delete_api(sdk: Sdk) {
    let api = api(&sdk).await;
    sdk.api.delete_api().api_id(api).send().await.unwrap();
}

/// A zip archive without anything in it.
pub(crate) const EMPTY_ZIP: [u8; 22] = *b"PK\x05\x06\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0";

pub(crate) async fn replace_code(sdk: Sdk) {
    let call = sdk.lambda.update_function_code().function_name("save");
    call.zip_file(Blob::new(EMPTY_ZIP)).send().await.unwrap();
}

pub(crate) async fn shrink_function(sdk: Sdk) {
    let call = sdk.lambda.update_function_configuration();
    let call = call.function_name("save").memory_size(128);
    call.send().await.unwrap();
}

async fn delete_event_source(sdk: Sdk) {
    let call = sdk.lambda.delete_event_source_mapping();
    let call = call.uuid(event_source(&sdk, "placev2broadcast").await);
    call.send().await.unwrap();
}

/// The id of what feeds `function`.
pub(super) async fn event_source(sdk: &Sdk, function: &str) -> String {
    let call = sdk.lambda.list_event_source_mappings();
    let answer = call.function_name(function).send().await.unwrap();
    let first = answer.event_source_mappings()[0].uuid();
    first.unwrap().to_owned()
}

async fn shorten_logs(sdk: Sdk) {
    let call = sdk.logs.put_retention_policy();
    let call = call.log_group_name("/aws/lambda/save").retention_in_days(1);
    call.send().await.unwrap();
}
