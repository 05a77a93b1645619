//! With permissions enforced: everything works with just what our policies allow, and what a
//! policy does not allow is refused.

use std::time::Duration;

use place_config::Function;
use place_tests::{LocalCloud, Operator, Sdk};
use serde_json::{Value, json};

use crate::support::{eventually, red};

/// The emulator asks for every call whether its caller may make it.
async fn strict() -> LocalCloud {
    LocalCloud::start_with(&[("AUTH", "true")]).await
}

/// A canvas that people join, paint on, and that is saved.
async fn works(operator: &Operator) {
    let placectl = |words: &[&str]| operator.placectl().args(words);
    let mut client = operator.join().await;
    let mut other = operator.join().await;
    client.paint(&[red(7, 8)]).await;
    other.sees(red(7, 8)).await;
    let saved = placectl(&["save", "-o", "json"]).succeed().await.json();
    assert_eq!(saved["changes"], 1, "{saved}");
    let rows = operator.tables().get(&[(7, 8)]).await.unwrap();
    assert_eq!(rows[&(7, 8)].pixel, red(7, 8));
    let listed = placectl(&["clients", "list", "-o", "json"]).succeed().await;
    assert_eq!(listed.json().as_array().unwrap().len(), 2, "{listed}");
    let _ = placectl(&["canvas", "export", "a.png"]).succeed().await;
}

/// Takes an action from a function's role.
async fn forbid(sdk: &Sdk, function: Function, action: &str) {
    let role = format!("place-us-east-1-{function}");
    let names = sdk.iam.list_role_policies().role_name(&role).send().await;
    let name = names.unwrap().policy_names()[0].clone();
    let call = sdk.iam.get_role_policy().role_name(&role);
    let policy = call.policy_name(&name).send().await.unwrap();
    let text = crate::step_4_functions::decoded(policy.policy_document());
    let mut policy: Value = serde_json::from_str(&text).unwrap();
    let before = policy.clone();
    for statement in policy["Statement"].as_array_mut().unwrap() {
        let actions = statement["Action"].as_array_mut().unwrap();
        actions.retain(|allowed| allowed != action);
    }
    assert_ne!(
        policy, before,
        "`{action}` is in the policy of `{function}`"
    );
    let statements = policy["Statement"].as_array_mut().unwrap();
    statements.retain(|statement| statement["Action"] != json!([]));
    let call = sdk.iam.put_role_policy().role_name(&role);
    let call = call.policy_name(name).policy_document(policy.to_string());
    call.send().await.unwrap();
}

#[tokio::test]
async fn row_4_everything_works_with_each_functions_own_role_and_nothing_beyond_it() {
    let cloud = strict().await;
    let operator = Operator::new(&cloud);
    operator.up().await;
    works(&operator).await;

    let sdk = operator.sdk();
    let mut client = operator.join().await;
    let refusals = |action: &str| {
        let log = cloud.log().to_lowercase();
        let refused = format!("not authorized to perform: {}", action.to_lowercase());
        log.matches(&refused).count()
    };
    assert_eq!(refusals("dynamodb:BatchWriteItem"), 0);
    forbid(&sdk, Function::Save, "dynamodb:BatchWriteItem").await;
    client.paint(&[red(9, 9)]).await;
    client.sees(red(9, 9)).await;
    let save = operator.placectl().args(["save"]).run().await;
    assert_eq!(save.code, Some(1), "{save}");
    let patience = Duration::from_secs(30);
    let refused = || async { refusals("dynamodb:BatchWriteItem") > 0 };
    eventually("the save to be refused", patience, refused).await;
}
