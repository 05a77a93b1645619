//! Step 3: the WebSocket API.

use std::collections::BTreeMap;

use aws_sdk_apigatewayv2::types::{Api, ProtocolType};
use place_config::Function;
use place_tests::Sdk;

use crate::support::shared;

async fn api(sdk: &Sdk) -> Api {
    let answer = sdk.api.get_apis().send().await.unwrap();
    assert_eq!(answer.items().len(), 1);
    answer.items()[0].clone()
}

/// Targets of the routes: `$connect` to the integration's address.
async fn targets(sdk: &Sdk, id: &str) -> BTreeMap<String, String> {
    let routes = sdk.api.get_routes().api_id(id).send().await.unwrap();
    let integrations = sdk.api.get_integrations().api_id(id).send().await.unwrap();
    let uri = |target: &str| {
        let wanted = target.strip_prefix("integrations/").unwrap();
        let found = integrations
            .items()
            .iter()
            .find(|i| i.integration_id() == Some(wanted));
        found.unwrap().integration_uri().unwrap().to_owned()
    };
    let pair = |route: &aws_sdk_apigatewayv2::types::Route| {
        (
            route.route_key().unwrap().to_owned(),
            uri(route.target().unwrap()),
        )
    };
    routes.items().iter().map(pair).collect()
}

#[tokio::test]
async fn row_3_1_websocket_api_with_three_routes() {
    let sdk = shared().await.operator.sdk();
    let api = api(&sdk).await;
    assert_eq!(api.name(), Some("place"));
    assert_eq!(api.protocol_type(), Some(&ProtocolType::Websocket));
    assert_eq!(
        api.route_selection_expression(),
        Some("$request.body.action")
    );
    let routes: Vec<_> = targets(&sdk, api.api_id().unwrap())
        .await
        .into_keys()
        .collect();
    assert_eq!(routes, ["$connect", "$disconnect", "sendMessage"]);
}

#[tokio::test]
async fn row_3_2_each_route_points_at_its_function() {
    let sdk = shared().await.operator.sdk();
    let targets = targets(&sdk, api(&sdk).await.api_id().unwrap()).await;
    for (function, route) in Function::ALL.iter().filter_map(|f| Some((f, f.route()?))) {
        let name = function.binary();
        let answer = sdk
            .lambda
            .get_function_configuration()
            .function_name(name)
            .send()
            .await;
        let arn = answer.unwrap().function_arn().unwrap().to_owned();
        let wanted = format!(
            "arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/{arn}/invocations"
        );
        assert_eq!(targets[route], wanted);
    }
}

#[tokio::test]
async fn row_3_2_a_deployed_stage_serves_the_routes() {
    let shared = shared().await;
    let sdk = shared.operator.sdk();
    let api = api(&sdk).await;
    let id = api.api_id().unwrap();
    let stages = sdk.api.get_stages().api_id(id).send().await.unwrap();
    assert_eq!(stages.items().len(), 1);
    assert_eq!(stages.items()[0].stage_name(), Some("production"));
    let deployed = stages.items()[0].deployment_id().unwrap();
    let deployments = sdk.api.get_deployments().api_id(id).send().await.unwrap();
    assert!(
        deployments
            .items()
            .iter()
            .any(|d| d.deployment_id() == Some(deployed))
    );
    let _joined = shared.operator.join().await;
}
