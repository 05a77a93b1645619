//! API Gateway, Lambda, IAM and the scheduler.

use crate::sdk::Sdk;

pub(super) async fn lines(sdk: &Sdk) -> Vec<String> {
    let (apis, functions, roles, schedules) =
        tokio::join!(apis(sdk), functions(sdk), roles(sdk), schedules(sdk));
    [apis, functions, roles, schedules].concat()
}

async fn apis(sdk: &Sdk) -> Vec<String> {
    let apis = sdk.api.get_apis().send().await.expect("the list of APIs");
    let mut lines = Vec::new();
    for api in apis.items() {
        let id = api.api_id().unwrap_or("?");
        lines.push(format!("apigateway api {id} {}", api.name().unwrap_or("?")));
        lines.extend(parts_of_api(sdk, id).await);
    }
    lines
}

async fn parts_of_api(sdk: &Sdk, id: &str) -> Vec<String> {
    let api = &sdk.api;
    let routes = api
        .get_routes()
        .api_id(id)
        .send()
        .await
        .expect("the API's routes");
    let integrations = api
        .get_integrations()
        .api_id(id)
        .send()
        .await
        .expect("the integrations");
    let deployments = api
        .get_deployments()
        .api_id(id)
        .send()
        .await
        .expect("the deployments");
    let stages = api
        .get_stages()
        .api_id(id)
        .send()
        .await
        .expect("the stages");
    let mut lines = Vec::new();
    for route in routes.items() {
        lines.push(format!(
            "apigateway route {id} {}",
            route.route_key().unwrap_or("?")
        ));
    }
    for integration in integrations.items() {
        let uri = integration.integration_uri().unwrap_or("?");
        lines.push(format!("apigateway integration {id} {uri}"));
    }
    for deployment in deployments.items() {
        let deployment = deployment.deployment_id().unwrap_or("?");
        lines.push(format!("apigateway deployment {id} {deployment}"));
    }
    for stage in stages.items() {
        lines.push(format!(
            "apigateway stage {id} {}",
            stage.stage_name().unwrap_or("?")
        ));
    }
    lines
}

async fn functions(sdk: &Sdk) -> Vec<String> {
    let functions = sdk
        .lambda
        .list_functions()
        .send()
        .await
        .expect("the list of functions");
    let mappings = sdk
        .lambda
        .list_event_source_mappings()
        .send()
        .await
        .expect("the mappings");
    let mut lines = Vec::new();
    for function in functions.functions() {
        let name = function.function_name().unwrap_or("?");
        lines.push(format!("lambda function {name}"));
        // A function without any permission has no policy at all.
        if let Ok(policy) = sdk.lambda.get_policy().function_name(name).send().await {
            lines.push(format!(
                "lambda policy {name} {}",
                statements(policy.policy())
            ));
        }
    }
    for function in functions.functions() {
        let name = function.function_name().unwrap_or("?");
        let look = sdk.lambda.get_function_url_config().function_name(name);
        if look.send().await.is_ok() {
            lines.push(format!("lambda url {name}"));
        }
    }
    for mapping in mappings.event_source_mappings() {
        let function = mapping.function_arn().unwrap_or("?");
        let source = mapping.event_source_arn().unwrap_or("?");
        lines.push(format!("lambda mapping {source} -> {function}"));
    }
    lines
}

fn statements(policy: Option<&str>) -> String {
    let policy: serde_json::Value =
        serde_json::from_str(policy.unwrap_or_default()).unwrap_or_default();
    let statements = policy["Statement"].as_array().cloned().unwrap_or_default();
    let mut ids: Vec<String> = statements.iter().map(|s| s["Sid"].to_string()).collect();
    ids.sort();
    ids.join(",")
}

async fn roles(sdk: &Sdk) -> Vec<String> {
    let roles = sdk
        .iam
        .list_roles()
        .send()
        .await
        .expect("the list of roles");
    let policies = sdk
        .iam
        .list_policies()
        .scope(aws_sdk_iam::types::PolicyScopeType::Local)
        .send()
        .await
        .expect("the list of policies");
    let mut lines = Vec::new();
    for role in roles.roles() {
        let name = role.role_name();
        lines.push(format!("iam role {name}"));
        let inline = sdk.iam.list_role_policies().role_name(name).send().await;
        for policy in inline.expect("the role's inline policies").policy_names() {
            lines.push(format!("iam role-policy {name} {policy}"));
        }
        let attached = sdk
            .iam
            .list_attached_role_policies()
            .role_name(name)
            .send()
            .await;
        for policy in attached
            .expect("the role's attached policies")
            .attached_policies()
        {
            lines.push(format!(
                "iam attached {name} {}",
                policy.policy_name().unwrap_or("?")
            ));
        }
    }
    for policy in policies.policies() {
        lines.push(format!(
            "iam policy {}",
            policy.policy_name().unwrap_or("?")
        ));
    }
    lines
}

async fn schedules(sdk: &Sdk) -> Vec<String> {
    let groups = sdk
        .scheduler
        .list_schedule_groups()
        .send()
        .await
        .expect("the schedule groups");
    let schedules = sdk
        .scheduler
        .list_schedules()
        .send()
        .await
        .expect("the schedules");
    let mut lines = Vec::new();
    for group in groups.schedule_groups() {
        lines.push(format!("scheduler group {}", group.name().unwrap_or("?")));
    }
    for schedule in schedules.schedules() {
        let (group, name) = (schedule.group_name(), schedule.name());
        lines.push(format!("scheduler schedule {group:?} {name:?}"));
    }
    lines
}
