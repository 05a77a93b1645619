//! What would stop `up`, said before it is tried.

use place_tests::{LocalCloud, Operator, inventory};
use serde_json::Value;

use crate::support::shared;

fn check<'a>(diagnosis: &'a Value, name: &str) -> &'a Value {
    let checks = diagnosis["checks"].as_array().unwrap();
    let check = checks.iter().find(|check| check["name"] == name);
    check.unwrap_or_else(|| panic!("no `{name}` in {diagnosis:#}"))
}

#[tokio::test]
async fn a_stack_that_stands_is_well() {
    let operator = &shared().await.operator;
    let doctor = operator.placectl().args(["doctor", "-o", "json"]);
    let doctor = doctor.succeed().await.json();
    assert_eq!(doctor["ok"], true, "{doctor:#}");
    for name in [
        "credentials",
        "binaries",
        "addresses",
        "gateways",
        "resources",
    ] {
        assert_eq!(check(&doctor, name)["state"], "ok", "{doctor:#}");
    }
    let text = operator.placectl().args(["doctor"]).succeed().await;
    assert!(text.stdout.contains("nothing would stop"), "{text}");
}

#[tokio::test]
async fn what_would_stop_up_is_said_at_once_and_nothing_is_changed() {
    let cloud = LocalCloud::start().await;
    let operator = Operator::with(&cloud, |c| c.functions.artifacts = "nowhere".to_owned());
    let sdk = operator.sdk();
    let group = sdk
        .logs
        .create_log_group()
        .log_group_name("/aws/lambda/save");
    group.send().await.unwrap();
    for _ in 0..5 {
        sdk.ec2.allocate_address().send().await.unwrap();
    }
    let before = inventory(&sdk).await;
    let doctor = operator
        .placectl()
        .args(["doctor", "-o", "json"])
        .run()
        .await;
    let doctor = doctor.expect_code(1).json();
    assert_eq!(doctor["ok"], false, "{doctor:#}");
    for (name, said) in [
        ("binaries", "nowhere"),
        ("addresses", "5 of 5"),
        ("resources", "/aws/lambda/save"),
    ] {
        let check = check(&doctor, name);
        assert_eq!(check["state"], "problem", "{doctor:#}");
        assert!(check["detail"].as_str().unwrap().contains(said), "{check}");
        assert!(check["hint"].is_string(), "{check}");
    }
    assert_eq!(inventory(&sdk).await, before);
}

#[tokio::test]
async fn the_policy_names_this_stacks_own_things() {
    let operator = &shared().await.operator;
    let words = ["doctor", "--print-policy"];
    let policy = operator.placectl().args(words).succeed().await.json();
    assert_eq!(policy["Version"], "2012-10-17");
    let text = policy.to_string();
    for part in ["table/mru_pixels", "iam:PassRole", "sqs:CreateQueue"] {
        assert!(text.contains(part), "`{part}` in {policy:#}");
    }
}
