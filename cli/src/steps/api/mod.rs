//! Step 3: the WebSocket API, its three integrations and routes, a deployment and the stage.

mod deployment;
mod integration;
mod list;
mod route;
mod stage;
mod tags;
mod web_socket;

use std::sync::Arc;

use place_config::Function;

use super::found::Slots;
use super::{Slot, Stack, lifecycle};
use crate::engine::{Resource, ResourceKey};

use deployment::Deployment;
use integration::Integration;
use route::Route;
use stage::Stage;
use web_socket::WebSocketApi;

/// The API.
pub(crate) const KEY: ResourceKey = ResourceKey::new("api");

/// A deployment of the routes as they are configured.
pub(crate) const DEPLOYMENT_KEY: ResourceKey = ResourceKey::new("api-deployment");

/// The stage that serves the deployment.
pub(crate) const STAGE_KEY: ResourceKey = ResourceKey::new("api-stage");

/// The integration with a function.
pub(crate) fn integration_key(function: Function) -> ResourceKey {
    ResourceKey::of("integration", function)
}

/// The route to a function.
pub(crate) fn route_key(function: Function) -> ResourceKey {
    ResourceKey::of("route", function)
}

/// Functions behind a route.
const ROUTED: [Function; 3] = [
    Function::Connect,
    Function::Disconnect,
    Function::SendMessage,
];

/// What the API's resources leave for each other.
#[derive(Debug, Default)]
struct Parts {
    /// Ids of the routes.
    routes: Slots<Function, String>,
    /// Id of the deployment.
    deployment: Slot<String>,
}

/// The resources of step 3.
pub(crate) fn resources(stack: &Arc<Stack>) -> Vec<Arc<dyn Resource>> {
    let parts = Arc::new(Parts::default());
    let mut resources = vec![lifecycle::resource(stack, WebSocketApi)];
    for function in ROUTED {
        let route = Route::new(function, &parts);
        resources.push(lifecycle::resource(stack, Integration(function)));
        resources.push(lifecycle::resource(stack, route));
    }
    resources.push(lifecycle::resource(stack, Deployment::new(&parts)));
    resources.push(lifecycle::resource(stack, Stage { parts }));
    resources
}

/// Where clients connect, once the API is there.
pub(crate) fn websocket_url(stack: &Stack) -> Option<String> {
    let api = stack.found.api.get()?;
    Some(address(
        stack,
        &api,
        "wss",
        stack.config.endpoints.websocket.as_deref(),
    ))
}

/// Where handlers post to clients of the API of that id.
pub(crate) fn gateway_url(stack: &Stack, api: &str) -> String {
    address(
        stack,
        api,
        "https",
        stack.config.endpoints.gateway.as_deref(),
    )
}

fn address(stack: &Stack, api: &str, scheme: &str, template: Option<&str>) -> String {
    let stage = stack.names.stage();
    if let Some(template) = template {
        return template.replace("{api}", api).replace("{stage}", stage);
    }
    let region = &stack.aws.region;
    let domain = domain(&stack.aws.identity.partition);
    format!("{scheme}://{api}.execute-api.{region}.{domain}/{stage}")
}

/// The domain of a partition's services.
fn domain(partition: &str) -> &'static str {
    if partition == "aws-cn" {
        "amazonaws.com.cn"
    } else {
        "amazonaws.com"
    }
}

/// For creates that API Gateway takes no token for: the SDK must not repeat them by itself,
/// because a repetition makes a second one.
fn no_retries() -> aws_sdk_apigatewayv2::config::Builder {
    let retries = aws_sdk_apigatewayv2::config::retry::RetryConfig::disabled();
    aws_sdk_apigatewayv2::config::Builder::new().retry_config(retries)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_routed_function_has_its_route() {
        let routed = Function::ALL
            .into_iter()
            .filter(|function| function.route().is_some());
        assert_eq!(routed.collect::<Vec<_>>(), ROUTED);
    }

    #[test]
    fn china_has_a_domain_of_its_own() {
        assert_eq!(domain("aws-cn"), "amazonaws.com.cn");
        assert_eq!(domain("aws-us-gov"), "amazonaws.com");
    }
}
