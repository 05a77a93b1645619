//! Roles and functions that let others do, or in, more than they should.

use super::application::with_api;
use super::*;

#[tokio::test(start_paused = true)]
async fn a_role_that_somebody_widened_is_said_and_narrowed() {
    let xml = |action: &str, result: &str| {
        format!("<{action}Response><{action}Result>{result}</{action}Result></{action}Response>")
    };
    let role = "<Role><Path>/</Path><RoleName>r</RoleName><RoleId>R</RoleId><Arn>arn:r</Arn>\
                <CreateDate>2026-01-01T00:00:00Z</CreateDate><Tags><member>\
                <Key>place:stack</Key><Value>place</Value></member></Tags></Role>";
    let attached = "<AttachedPolicies><member><PolicyName>Admin</PolicyName>\
                    <PolicyArn>arn:aws:iam::aws:policy/Admin</PolicyArn></member></AttachedPolicies>";
    let inline = "<PolicyNames><member>place</member><member>by-hand</member></PolicyNames>";
    let done = |action: &str| format!("<{action}Response/>");
    let script = Script::default()
        .always("GetRole", 200, &xml("GetRole", role))
        .always(
            "GetRolePolicy",
            404,
            "<ErrorResponse><Error><Code>NoSuchEntity</Code></Error></ErrorResponse>",
        )
        .always(
            "ListAttachedRolePolicies",
            200,
            &xml("ListAttachedRolePolicies", attached),
        )
        .always("ListRolePolicies", 200, &xml("ListRolePolicies", inline))
        .answer("TagRole", 200, &done("TagRole"))
        .answer(
            "UpdateAssumeRolePolicy",
            200,
            &done("UpdateAssumeRolePolicy"),
        )
        .answer("PutRolePolicy", 200, &done("PutRolePolicy"))
        .answer("DetachRolePolicy", 200, &done("DetachRolePolicy"))
        .answer("DeleteRolePolicy", 200, &done("DeleteRolePolicy"));
    let stack = with_api(&script);
    let observed = resource(&stack, "role:save").observe().await.unwrap();
    let detail = observed.detail().unwrap();
    assert!(
        detail.contains("OtherPolicies is Admin, by-hand, should be none"),
        "{detail}"
    );
    ensure(&stack, "role:save", observed).await.unwrap();
    assert_eq!(script.left(), 0);
    assert!(
        script
            .bodies("DeleteRolePolicy")
            .concat()
            .contains("by-hand")
    );
}

#[tokio::test(start_paused = true)]
async fn another_statement_in_a_functions_policy_is_said_and_removed() {
    let source = "arn:aws:execute-api:eu-west-1:123456789012:a1/production/sendMessage";
    let ours = json!({
        "Sid": "place-api", "Effect": "Allow", "Action": "lambda:InvokeFunction",
        "Principal": { "Service": "apigateway.amazonaws.com" },
        "Condition": { "ArnLike": { "AWS:SourceArn": source } },
    });
    let policy = json!({ "Statement": [ours, { "Sid": "anybody", "Principal": "*" }] });
    let policy = json!({ "Policy": policy.to_string() }).to_string();
    let path = "/2015-03-31/functions/sendMessage/policy";
    let script = Script::default()
        .always(&format!("GET {path}"), 200, &policy)
        .answer(&format!("DELETE {path}/anybody"), 204, "");
    let stack = with_api(&script);
    stack
        .found
        .functions
        .set(Function::SendMessage, "arn:f".to_owned());
    let key = "permission:sendMessage";
    let observed = resource(&stack, key).observe().await.unwrap();
    let detail = observed.detail();
    assert_eq!(
        detail.as_deref(),
        Some("OtherStatements is anybody, should be none")
    );
    ensure(&stack, key, observed).await.unwrap();
    assert_eq!(script.left(), 0);
}
