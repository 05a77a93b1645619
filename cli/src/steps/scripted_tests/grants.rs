//! Functions whose role was deleted and made anew under the same name.

use aws_smithy_types::DateTime;

use super::super::found::FunctionRole;
use super::functions::{NO_RETRIES, as_configured};
use super::*;

const KEY: &str = "function:save";

/// The function as it is wanted, last changed at `last`.
fn changed_at(last: &str) -> String {
    let mut function = as_configured("Active");
    function["Configuration"]["LastModified"] = last.into();
    function.to_string()
}

/// A role that was made on 2026-01-01, or as many days later.
fn made_on(day: i64) -> FunctionRole {
    FunctionRole::Made(DateTime::from_secs(1_767_225_600 + day * 24 * 60 * 60))
}

/// Lambda's grant is for the role of before, and only another role makes it write a new one.
#[tokio::test(start_paused = true)]
async fn a_function_whose_role_was_made_anew_gets_another_and_then_its_own() {
    let (look, settled) = (
        format!("GET {FUNCTION}"),
        format!("GET {FUNCTION}/configuration"),
    );
    let update = format!("PUT {FUNCTION}/configuration");
    let before = changed_at("2026-01-01T12:00:00.000+0000");
    let busy = error("ResourceConflictException", "an update is in progress");
    let resting = function("Active", "Successful");
    let script = Script::default()
        // The survey, and the look of `ensure`.
        .answer(&look, 200, &before)
        .answer(&look, 200, &before)
        .always(&look, 200, &changed_at("2026-01-02T00:01:00.000+0000"))
        .answer(&settled, 200, &resting)
        .answer(&update, 200, "{}")
        .answer(&settled, 200, &function("Active", "InProgress"))
        .answer(&settled, 200, &resting)
        .answer(&update, 409, &busy)
        .answer(&update, 200, "{}")
        .answer(&settled, 200, &resting)
        .always(&format!("GET {RETRIES}"), 200, NO_RETRIES)
        .always(&format!("GET {FUNCTION}/policy"), 404, &no_policy());
    let stack = script.stack();
    with_network(&stack);
    stack.found.roles.set(Function::Save, made_on(1));
    stack.found.roles.set(Function::Connect, made_on(0));
    let observed = resource(&stack, KEY).observe().await.unwrap();
    let detail = observed.detail().unwrap();
    let wanted = "RoleId is of a deleted role, should be of the new role";
    assert!(detail.contains(wanted), "{detail}");
    ensure(&stack, KEY, observed).await.unwrap();
    assert_eq!(script.left(), 0);
    let roles = script.bodies(&update).into_iter().map(|body| {
        let body: serde_json::Value = serde_json::from_str(&body).unwrap();
        body["Role"].as_str().unwrap().to_owned()
    });
    let roles: Vec<String> = roles.collect();
    let role = |of: &str| format!("arn:aws:iam::123456789012:role/{of}");
    let connect = role(&stack.names.role(Function::Connect));
    let save = role(&stack.names.role(Function::Save));
    assert_eq!(roles, [connect, save.clone(), save]);
    let second = resource(&stack, KEY).observe().await.unwrap();
    assert!(matches!(second, Observed::Ready { .. }), "{second:?}");
}

/// So that the run which makes the role anew mends the function too.
#[tokio::test(start_paused = true)]
async fn a_function_whose_role_is_gone_is_drift() {
    let gone = "<ErrorResponse><Error><Code>NoSuchEntity</Code></Error></ErrorResponse>";
    let empty = |action: &str| format!("<{action}Response><{action}Result/></{action}Response>");
    let script = Script::default()
        .answer("GetRole", 404, gone)
        .answer("GetRolePolicy", 404, gone)
        .always("ListAttachedRolePolicies", 404, gone)
        .always("ListRolePolicies", 200, &empty("ListRolePolicies"))
        .answer(
            &format!("GET {FUNCTION}"),
            200,
            &changed_at("2026-01-01T12:00:00.000+0000"),
        )
        .always(&format!("GET {RETRIES}"), 200, NO_RETRIES)
        .always(&format!("GET {FUNCTION}/policy"), 404, &no_policy());
    let stack = script.stack();
    with_network(&stack);
    let role = resource(&stack, "role:save").observe().await.unwrap();
    assert_eq!(role, Observed::Absent);
    let observed = resource(&stack, KEY).observe().await.unwrap();
    let detail = observed.detail().unwrap();
    assert!(detail.contains("RoleId"), "{detail}");
}
