//! Changes of the API, the functions, the roles and the schedule.

use aws_sdk_lambda::primitives::Blob;
use place_tests::Sdk;

use super::Change;
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
];

async fn api(sdk: &Sdk) -> String {
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

/// A zip archive without anything in it.
const EMPTY_ZIP: [u8; 22] = *b"PK\x05\x06\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0";

async fn replace_code(sdk: Sdk) {
    let call = sdk.lambda.update_function_code().function_name("save");
    call.zip_file(Blob::new(EMPTY_ZIP)).send().await.unwrap();
}

async fn shrink_function(sdk: Sdk) {
    let call = sdk.lambda.update_function_configuration();
    let call = call.function_name("save").memory_size(128);
    call.send().await.unwrap();
}

async fn delete_event_source(sdk: Sdk) {
    let call = sdk.lambda.list_event_source_mappings();
    let answer = call.function_name("placev2broadcast").send().await.unwrap();
    let uuid = answer.event_source_mappings()[0].uuid().unwrap();
    let call = sdk.lambda.delete_event_source_mapping();
    call.uuid(uuid).send().await.unwrap();
}

async fn shorten_logs(sdk: Sdk) {
    let call = sdk.logs.put_retention_policy();
    let call = call.log_group_name("/aws/lambda/save").retention_in_days(1);
    call.send().await.unwrap();
}
