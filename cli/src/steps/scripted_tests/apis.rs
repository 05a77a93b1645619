//! The WebSocket API itself, made and deleted at API Gateway's pace.

use super::*;

const LIST: &str = "GET /v2/apis";

fn ours() -> String {
    json!({ "items": [{
        "apiId": "a1", "name": "place", "protocolType": "WEBSOCKET", "tags": tags("api"),
    }] })
    .to_string()
}

/// API Gateway takes no token, and lets two APIs have one name.
#[tokio::test(start_paused = true)]
async fn an_api_whose_answer_got_lost_is_not_made_twice() {
    let create = "POST /v2/apis";
    let throttled = error("TooManyRequestsException", "Too Many Requests");
    let script = Script::default()
        .answer(create, 429, &throttled)
        .answer(create, 0, "")
        .answer(LIST, 200, r#"{"items":[]}"#)
        .answer(LIST, 200, r#"{"items":[]}"#)
        .answer(LIST, 200, &ours());
    let stack = script.stack();
    ensure(&stack, "api", Observed::Absent).await.unwrap();
    assert_eq!((script.left(), script.times(create)), (0, 2));
    assert_eq!(stack.found.api.get().as_deref(), Some("a1"));
}

/// API Gateway throttles an account's calls, whoever makes them.
#[tokio::test(start_paused = true)]
async fn an_api_waits_for_its_turn_to_be_deleted() {
    let delete = "DELETE /v2/apis/a1";
    let throttled = error("TooManyRequestsException", "Too Many Requests");
    let script = Script::default().answer(LIST, 200, &ours());
    // More often than the SDK repeats a call by itself.
    let script = (0..7).fold(script, |script, _| script.answer(delete, 429, &throttled));
    let script = script.answer(delete, 204, "");
    let stack = script.stack();
    stack.found.api.set("a1".to_owned());
    resource(&stack, "api").remove(&unwatched()).await.unwrap();
    assert_eq!(script.left(), 0);
    assert!(stack.found.api.get().is_none());
}
