//! API Gateway, Lambda, IAM and the scheduler, beyond what the inventory says of them.

use aws_sdk_lambda::types::{EventSourceMappingConfiguration, FunctionConfiguration};

use super::{document, sorted};
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
        let (name, kind) = (api.name(), api.protocol_type());
        let (selection, tags) = (api.route_selection_expression(), sorted(api.tags()));
        lines.push(format!("api {name:?} {kind:?} {selection:?} {tags:?}"));
        lines.extend(parts(sdk, api.api_id().unwrap_or("?")).await);
    }
    lines
}

async fn parts(sdk: &Sdk, id: &str) -> Vec<String> {
    let routes = sdk.api.get_routes().api_id(id).send().await;
    let integrations = sdk.api.get_integrations().api_id(id).send().await;
    let stages = sdk.api.get_stages().api_id(id).send().await;
    let (routes, stages) = (routes.expect("routes"), stages.expect("stages"));
    let integrations = integrations.expect("integrations");
    let routes = routes.items().iter().map(|route| {
        let (key, target) = (route.route_key(), route.target());
        format!(
            "route {key:?} -> {target:?} {:?}",
            route.authorization_type()
        )
    });
    let integrations = integrations.items().iter().map(|one| {
        let (kind, uri) = (one.integration_type(), one.integration_uri());
        format!("integration {kind:?} {uri:?} {:?}", one.timeout_in_millis())
    });
    let stages = stages.items().iter().map(|stage| {
        let (name, deployment) = (stage.stage_name(), stage.deployment_id());
        let (settings, tags) = (stage.default_route_settings(), sorted(stage.tags()));
        format!("stage {name:?} {deployment:?} {settings:?} {tags:?}")
    });
    routes.chain(integrations).chain(stages).collect()
}

async fn functions(sdk: &Sdk) -> Vec<String> {
    let functions = sdk.lambda.list_functions().send().await;
    let mappings = sdk.lambda.list_event_source_mappings().send().await;
    let (functions, mappings) = (functions.expect("functions"), mappings.expect("mappings"));
    let mut lines = Vec::new();
    for function in functions.functions() {
        lines.push(configuration(function));
        let name = function.function_name().unwrap_or("?");
        // A function without any permission has no policy at all.
        if let Ok(policy) = sdk.lambda.get_policy().function_name(name).send().await {
            lines.push(format!("invokers of {name} {}", document(policy.policy())));
        }
        let tags = sdk.lambda.list_tags();
        let tags = tags.set_resource(function.function_arn().map(str::to_owned));
        let tags = tags.send().await.expect("the function's tags");
        lines.push(format!("tags of {name} {:?}", sorted(tags.tags())));
    }
    lines.extend(mappings.event_source_mappings().iter().map(mapping));
    lines
}

fn configuration(function: &FunctionConfiguration) -> String {
    let place = function.vpc_config().map(|place| {
        let mut subnets = place.subnet_ids().to_vec();
        subnets.sort();
        (subnets, place.security_group_ids().to_vec())
    });
    let variables = function.environment().and_then(|found| found.variables());
    format!(
        "function {:?} {:?} {:?} {:?} {:?} {:?} s {:?} MB {place:?} {:?} {:?}",
        function.function_name(),
        function.runtime(),
        function.architectures(),
        function.role(),
        function.code_sha256(),
        function.timeout(),
        function.memory_size(),
        function.logging_config(),
        sorted(variables),
    )
}

fn mapping(mapping: &EventSourceMappingConfiguration) -> String {
    format!(
        "mapping {:?} -> {:?} {:?} {:?} {:?} {:?}",
        mapping.event_source_arn(),
        mapping.function_arn(),
        mapping.state(),
        mapping.batch_size(),
        mapping.function_response_types(),
        mapping.scaling_config(),
    )
}

async fn roles(sdk: &Sdk) -> Vec<String> {
    let roles = sdk.iam.list_roles().send().await.expect("the roles");
    let mut lines = Vec::new();
    for role in roles.roles() {
        let name = role.role_name();
        let trust = document(role.assume_role_policy_document());
        lines.push(format!("trust of {name} {trust}"));
        let policies = sdk.iam.list_role_policies().role_name(name).send().await;
        for policy in policies.expect("the role's policies").policy_names() {
            let call = sdk.iam.get_role_policy().role_name(name);
            let answer = call.policy_name(policy).send().await.expect("the policy");
            let text = document(Some(answer.policy_document()));
            lines.push(format!("policy of {name} {policy} {text}"));
        }
        let tags = sdk.iam.list_role_tags().role_name(name).send().await;
        let tags = tags.expect("the role's tags");
        let mut tags: Vec<_> = tags.tags().iter().map(|t| (t.key(), t.value())).collect();
        tags.sort_unstable();
        lines.push(format!("tags of role {name} {tags:?}"));
    }
    lines
}

async fn schedules(sdk: &Sdk) -> Vec<String> {
    let schedules = sdk.scheduler.list_schedules().send().await;
    let mut lines = Vec::new();
    for found in schedules.expect("the schedules").schedules() {
        let call = sdk.scheduler.get_schedule();
        let call = call.set_group_name(found.group_name().map(str::to_owned));
        let call = call.set_name(found.name().map(str::to_owned));
        let schedule = call.send().await.expect("the schedule");
        lines.push(format!(
            "schedule {:?} {:?} {:?} {:?} {:?}",
            schedule.name(),
            schedule.schedule_expression(),
            schedule.state(),
            schedule.flexible_time_window(),
            schedule.target(),
        ));
    }
    lines
}
