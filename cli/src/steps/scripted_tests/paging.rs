//! Lists of API Gateway that take more than one page.

use super::*;

/// Page one, where nothing is ours, and page two with `items`.
fn two_pages(script: Script, list: &str, items: &[serde_json::Value]) -> Script {
    let first = json!({ "items": [], "nextToken": "t-2" }).to_string();
    let second = json!({ "items": items }).to_string();
    script.answer(list, 200, &first).answer(list, 200, &second)
}

/// Fails unless the second page was asked for with what the first one said, and no third one.
fn both_were_asked_for(script: &Script, list: &str) {
    let queries = script.queries(list);
    assert_eq!(queries.len(), 2, "{queries:?}");
    assert!(!queries[0].contains("nextToken"), "{queries:?}");
    assert!(queries[1].contains("nextToken=t-2"), "{queries:?}");
}

/// An API that is missed would be made a second time by `up`, and outlive `teardown`.
#[tokio::test(start_paused = true)]
async fn an_api_on_the_second_page_is_found() {
    let list = "GET /v2/apis";
    let ours = json!({
        "apiId": "a1", "name": "place", "protocolType": "WEBSOCKET",
        "routeSelectionExpression": "$request.body.action", "tags": tags("api"),
    });
    let script = two_pages(Script::default(), list, &[ours]);
    let stack = script.stack();
    let observed = resource(&stack, "api").observe().await.unwrap();
    assert_eq!(observed.id(), Some("a1"));
    both_were_asked_for(&script, list);
}

#[tokio::test(start_paused = true)]
async fn an_integration_and_a_route_on_the_second_page_are_found() {
    let integration = json!({ "integrationId": "i-1", "description": "integration:sendMessage" });
    let route = json!({ "routeId": "r-1", "routeKey": Function::SendMessage.route() });
    for (key, list, item, id) in [
        (
            "integration:sendMessage",
            "integrations",
            integration,
            "i-1",
        ),
        ("route:sendMessage", "routes", route, "r-1"),
    ] {
        let list = format!("GET /v2/apis/a1/{list}");
        let script = two_pages(Script::default(), &list, &[item]);
        let stack = script.stack();
        stack.found.api.set("a1".to_owned());
        let observed = resource(&stack, key).observe().await.unwrap();
        assert_eq!(observed.id(), Some(id), "{key}");
        both_were_asked_for(&script, &list);
    }
}

#[tokio::test(start_paused = true)]
async fn a_deployment_on_the_second_page_is_found() {
    let path = "/v2/apis/a1/deployments";
    let (create, list) = (format!("POST {path}"), format!("GET {path}"));
    let denied = error("AccessDeniedException", "no");
    let script = Script::default().answer(&create, 403, &denied);
    let (script, _stack, plan) = with_routes(script).await;
    let mut all = plan.iter();
    let deployment = all.find(|resource| resource.key() == api::DEPLOYMENT_KEY);
    let deployment = deployment.unwrap();
    // A refusal shows which fingerprint it is made with.
    let refused = deployment.ensure(&Observed::Absent, &unwatched()).await;
    refused.unwrap_err();
    let body: serde_json::Value = serde_json::from_str(&script.bodies(&create)[0]).unwrap();
    let ours = json!({
        "deploymentId": "d-1", "description": body["description"],
        "deploymentStatus": "DEPLOYED",
    });
    let script = two_pages(script, &list, &[ours]);
    let observed = deployment.observe().await.unwrap();
    assert_eq!(observed, Observed::ready("d-1"));
    both_were_asked_for(&script, &list);
}

/// An empty token says as much as none: asking with it would begin again, and never end.
#[tokio::test(start_paused = true)]
async fn an_empty_token_is_the_end_of_a_list() {
    let list = "GET /v2/apis";
    let script = Script::default().answer(list, 200, r#"{"items":[],"nextToken":""}"#);
    let observed = resource(&script.stack(), "api").observe().await.unwrap();
    assert_eq!(observed, Observed::Absent);
    assert_eq!(script.times(list), 1);
}
