//! API Gateway's deployments at their own pace.

use super::*;

#[tokio::test(start_paused = true)]
async fn a_deployment_waits_for_its_turn_and_a_stage_without_it_is_repaired() {
    let throttled = error("TooManyRequestsException", "Too Many Requests");
    let deployments = "GET /v2/apis/a1/deployments";
    let stage = json!({
        "stageName": "production", "deploymentId": "d-old", "autoDeploy": false,
        "tags": tags("api-stage"),
    });
    let script = Script::default()
        .answer(deployments, 200, r#"{"items":[]}"#)
        .answer("POST /v2/apis/a1/deployments", 429, &throttled)
        .answer("POST /v2/apis/a1/deployments", 429, &throttled)
        .answer(
            "POST /v2/apis/a1/deployments",
            201,
            r#"{"deploymentId":"d-new","deploymentStatus":"DEPLOYED"}"#,
        )
        .answer("GET /v2/apis/a1/stages/production", 200, &stage.to_string())
        .answer("GET /v2/apis/a1/stages/production", 200, &stage.to_string())
        .answer("PATCH /v2/apis/a1/stages/production", 200, "{}");
    let (script, _stack, plan) = with_routes(script).await;
    let find = |key: &crate::engine::ResourceKey| {
        plan.iter().find(|resource| resource.key() == *key).unwrap()
    };
    let (deployment, stage) = (find(&api::DEPLOYMENT_KEY), find(&api::STAGE_KEY));
    let observed = deployment.observe().await.unwrap();
    assert_eq!(observed, Observed::Absent);
    deployment.ensure(&observed, &unwatched()).await.unwrap();
    let observed = stage.observe().await.unwrap();
    assert!(matches!(observed, Observed::Drifted { .. }), "{observed:?}");
    stage.ensure(&observed, &unwatched()).await.unwrap();
    assert_eq!(script.left(), 0);
}

const DEPLOYMENTS: &str = "/v2/apis/a1/deployments";

/// The API's deployments: one of these fingerprint and state.
fn deployments(fingerprint: &str, id: &str, status: &str) -> String {
    json!({ "items": [{
        "deploymentId": id, "description": fingerprint, "deploymentStatus": status,
        "deploymentStatusMessage": "no integration for route sendMessage",
    }] })
    .to_string()
}

/// Deploys; API Gateway answers that it begins, and later that `id` is in `status`.
async fn deploy(id: &str, status: &str) -> (Script, Result<(), Failure>) {
    let (create, list) = (format!("POST {DEPLOYMENTS}"), format!("GET {DEPLOYMENTS}"));
    let denied = error("AccessDeniedException", "no");
    let script = Script::default().answer(&create, 403, &denied);
    let (script, _stack, plan) = with_routes(script).await;
    let mut all = plan.iter();
    let deployment = all.find(|resource| resource.key() == api::DEPLOYMENT_KEY);
    let deploy = async || {
        deployment
            .unwrap()
            .ensure(&Observed::Absent, &unwatched())
            .await
    };
    // A refusal shows which fingerprint it is made with.
    assert_eq!(deploy().await.unwrap_err().kind, FailureKind::Denied);
    let body: serde_json::Value = serde_json::from_str(&script.bodies(&create)[0]).unwrap();
    let fingerprint = body["description"].as_str().unwrap();
    let begun = r#"{"deploymentId":"d-1","deploymentStatus":"PENDING"}"#;
    let script = script
        .answer(&create, 201, begun)
        .answer(&list, 200, &deployments(fingerprint, "d-1", "PENDING"))
        .always(&list, 200, &deployments(fingerprint, id, status));
    (script, deploy().await)
}

#[tokio::test(start_paused = true)]
async fn a_deployment_that_fails_says_why() {
    let (_, deployed) = deploy("d-1", "FAILED").await;
    let failure = deployed.unwrap_err();
    let cause = failure.cause.unwrap().to_string();
    assert!(
        cause.contains("no integration for route sendMessage"),
        "{cause}"
    );
    assert_eq!(failure.kind, FailureKind::Permanent);
}

/// The next run makes another one, and does not stumble over that of old.
#[tokio::test(start_paused = true)]
async fn a_deployment_that_failed_at_an_earlier_time_is_not_ours() {
    let (_, deployed) = deploy("d-0", "FAILED").await;
    assert_eq!(deployed.unwrap_err().kind, FailureKind::Incomplete);
    let (script, deployed) = deploy("d-1", "DEPLOYED").await;
    deployed.unwrap();
    assert_eq!(script.left(), 0);
}
