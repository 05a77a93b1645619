//! The WebSocket API and its parts, made and deleted at API Gateway's pace.

use super::*;

const LIST: &str = "GET /v2/apis";

/// An integration as it is wanted, under any id.
fn integration(id: &str) -> serde_json::Value {
    json!({
        "integrationId": id, "description": "integration:sendMessage",
        "integrationType": "AWS_PROXY", "integrationMethod": "POST", "timeoutInMillis": 29_000,
        "integrationUri": "arn:aws:apigateway:eu-west-1:lambda:path/2015-03-31/functions/\
                           arn:aws:lambda:eu-west-1:123456789012:function:sendMessage/invocations",
    })
}

/// The ids are random, so the copy that the route leads to may be any of them.
#[tokio::test(start_paused = true)]
async fn of_two_integrations_the_one_that_a_route_leads_to_stays() {
    let integrations = "/v2/apis/a1/integrations";
    let list = format!("GET {integrations}");
    let all = json!({ "items": [integration("i-1"), integration("i-2")] }).to_string();
    let one = json!({ "items": [integration("i-2")] }).to_string();
    let routes = json!({ "items": [
        { "routeId": "r-0", "routeKey": "$connect", "target": "integrations/i-0" },
        { "routeId": "r-1", "routeKey": "sendMessage", "target": "integrations/i-2" },
    ] });
    let referenced = "Cannot delete Integration because it is referenced by the following Routes: \
                      r-1";
    let script = Script::default()
        // The survey, and the look of `ensure`.
        .answer(&list, 200, &all)
        .answer(&list, 200, &all)
        .always(&list, 200, &one)
        .always("GET /v2/apis/a1/routes", 200, &routes.to_string())
        .always(
            &format!("DELETE {integrations}/i-2"),
            409,
            &error("ConflictException", referenced),
        )
        .answer(&format!("DELETE {integrations}/i-1"), 204, "");
    let stack = script.stack();
    stack.found.api.set("a1".to_owned());
    let key = "integration:sendMessage";
    let observed = resource(&stack, key).observe().await.unwrap();
    let detail = observed.detail().unwrap();
    assert!(detail.contains("copies is 1, should be 0"), "{detail}");
    ensure(&stack, key, observed).await.unwrap();
    assert_eq!(script.left(), 0);
    let left = || stack.found.integrations.get(Function::SendMessage);
    assert_eq!(left().as_deref(), Some("i-2"));
    // Without copies nobody asks for the routes.
    let second = resource(&stack, key).observe().await.unwrap();
    assert!(matches!(second, Observed::Ready { .. }), "{second:?}");
    assert_eq!(script.times("GET /v2/apis/a1/routes"), 2);
}

/// Then the API's own address answers nobody.
#[tokio::test(start_paused = true)]
async fn an_address_that_somebody_switched_off_is_drift_and_switched_on() {
    let answered = |off: bool| {
        json!({ "items": [{
            "apiId": "a1", "name": "place", "protocolType": "WEBSOCKET", "tags": tags("api"),
            "routeSelectionExpression": "$request.body.action", "disableExecuteApiEndpoint": off,
        }] })
        .to_string()
    };
    let update = "PATCH /v2/apis/a1";
    let script = Script::default()
        // The survey, and the look of `ensure`.
        .answer(LIST, 200, &answered(true))
        .answer(LIST, 200, &answered(true))
        .always(LIST, 200, &answered(false))
        .answer(update, 200, "{}");
    let stack = script.stack();
    let observed = resource(&stack, "api").observe().await.unwrap();
    let detail = observed.detail().unwrap();
    let wanted = "DisableExecuteApiEndpoint is true, should be false";
    assert!(detail.contains(wanted), "{detail}");
    ensure(&stack, "api", observed).await.unwrap();
    assert_eq!(script.left(), 0);
    let request = script.bodies(update).pop().unwrap();
    assert!(
        request.contains(r#""disableExecuteApiEndpoint":false"#),
        "{request}"
    );
    let second = resource(&stack, "api").observe().await.unwrap();
    assert!(matches!(second, Observed::Ready { .. }), "{second:?}");
}
