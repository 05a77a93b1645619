//! AWS at its own pace: what no emulator does, played from a script on a paused clock.

mod already_there;
mod apis;
mod application;
mod associations;
mod cache;
mod cache_changes;
mod dedicated;
mod dedicated_subnet;
mod deployment;
mod event_sources;
mod failed_cache;
mod functions;
mod grants;
mod interfaces;
mod internet_gateway;
mod nat_gateway;
mod network;
mod paging;
mod policies;
mod queues;
mod removal_order;
mod replication;
mod replication_making;
mod routes;
mod schedule;
mod security_groups;
mod tables;
mod zones;

use std::sync::Arc;

use place_config::{Function, StackConfig};
use serde_json::json;

use super::scripted::{Script, unwatched};
use super::{Options, Stack, Subnet, api, plan};
use crate::engine::{Failure, FailureKind, Observed, Resource};

const FUNCTION: &str = "/2015-03-31/functions/save";
const RETRIES: &str = "/2019-09-25/functions/save/event-invoke-config";

/// The resource under `key` in the plan of `stack`.
fn resource(stack: &Arc<Stack>, key: &str) -> Arc<dyn Resource> {
    let mut all = plan(stack).into_iter();
    all.rfind(|resource| resource.key().as_str() == key)
        .unwrap()
}

async fn ensure(stack: &Arc<Stack>, key: &str, observed: Observed) -> Result<(), Failure> {
    resource(stack, key).ensure(&observed, &unwatched()).await
}

fn error(code: &str, message: &str) -> String {
    json!({ "__type": code, "message": message }).to_string()
}

fn tags(key: &str) -> serde_json::Value {
    json!({ "place:stack": "place", "place:resource": key })
}

/// What is there once step 1 stands.
fn with_network(stack: &Stack) {
    for (number, id) in ["subnet-b", "subnet-c"].into_iter().enumerate() {
        let [id, zone_id, zone] = [id, "euw1-az1", "eu-west-1a"].map(str::to_owned);
        stack
            .found
            .private_subnets
            .set(number, Subnet { id, zone_id, zone });
    }
    stack.found.function_group.set("sg-1".to_owned());
}

/// A stack whose binaries are ELF headers and nothing else.
fn with_binaries(script: &Script) -> (tempfile::TempDir, Arc<Stack>) {
    let mut header = [0_u8; 64];
    header[..7].copy_from_slice(b"\x7fELF\x02\x01\x01");
    (header[16], header[18], header[20], header[52]) = (3, 62, 1, 64);
    let directory = tempfile::tempdir().unwrap();
    for function in Function::ALL {
        let folder = directory.path().join(function.binary());
        std::fs::create_dir(&folder).unwrap();
        std::fs::write(folder.join("bootstrap"), header).unwrap();
    }
    let mut config = StackConfig::default();
    config.functions.artifacts = directory.path().display().to_string();
    let script = script.clone().always(&format!("PUT {RETRIES}"), 200, "{}");
    let stack = script.stack_of(config, Options::default());
    with_network(&stack);
    (directory, stack)
}

fn function(state: &str, update: &str) -> String {
    json!({
        "FunctionName": "save",
        "FunctionArn": "arn:aws:lambda:eu-west-1:123456789012:function:save",
        "State": state,
        "StateReasonCode": "SubnetOutOfIPAddresses",
        "StateReason": "no address left",
        "LastUpdateStatus": update,
        "VpcConfig": { "SubnetIds": ["subnet-b", "subnet-c"], "SecurityGroupIds": ["sg-1"] },
    })
    .to_string()
}

fn described(state: &str, tags: &serde_json::Value) -> serde_json::Value {
    let configuration: serde_json::Value =
        serde_json::from_str(&function(state, "Successful")).unwrap();
    json!({ "Configuration": configuration, "Tags": tags })
}

/// What Lambda answers where nobody was ever let in by a policy.
fn no_policy() -> String {
    error(
        "ResourceNotFoundException",
        "The resource you requested does not exist.",
    )
}

/// A stack with an API, its integrations and its routes.
async fn with_routes(script: Script) -> (Script, Arc<Stack>, Vec<Arc<dyn Resource>>) {
    let stack = script.stack();
    stack.found.api.set("a1".to_owned());
    let plan = plan(&stack);
    let uri = |name: &str| {
        format!(
            "arn:aws:apigateway:eu-west-1:lambda:path/2015-03-31/functions/\
             arn:aws:lambda:eu-west-1:123456789012:function:{name}/invocations"
        )
    };
    let all = Function::ALL.into_iter();
    let functions: Vec<_> = all.filter_map(|f| Some((f.binary(), f.route()?))).collect();
    let integrations = functions.iter().map(|(name, _)| {
        json!({
            "integrationId": format!("i-{name}"), "description": format!("integration:{name}"),
            "integrationType": "AWS_PROXY", "integrationMethod": "POST",
            "integrationUri": uri(name), "timeoutInMillis": 29_000,
        })
    });
    let integrations = json!({ "items": integrations.collect::<Vec<_>>() }).to_string();
    let routes = functions.iter().map(|(name, route)| {
        json!({
            "routeId": format!("r-{name}"), "routeKey": route,
            "target": format!("integrations/i-{name}"), "authorizationType": "NONE",
        })
    });
    let routes = json!({ "items": routes.collect::<Vec<_>>() }).to_string();
    let mut script = script;
    for _ in &functions {
        script = script
            .answer("GET /v2/apis/a1/integrations", 200, &integrations)
            .answer("GET /v2/apis/a1/routes", 200, &routes);
    }
    for resource in &plan {
        let key = resource.key().to_string();
        if key.starts_with("integration:")
            || key.starts_with("route:place")
            || key == "route:sendMessage"
        {
            let observed = resource.observe().await.unwrap();
            assert!(
                matches!(observed, Observed::Ready { .. }),
                "{key}: {observed:?}"
            );
        }
    }
    (script, stack, plan)
}

#[tokio::test(start_paused = true)]
async fn a_role_that_somebody_added_a_policy_to_is_stripped_before_it_goes() {
    let xml = |action: &str, result: &str| {
        format!("<{action}Response><{action}Result>{result}</{action}Result></{action}Response>")
    };
    let fault = |code: &str| {
        format!(
            "<ErrorResponse><Error><Code>{code}</Code><Message>m</Message></Error></ErrorResponse>"
        )
    };
    let role = "<Role><Path>/</Path><RoleName>place-eu-west-1-save</RoleName><RoleId>R</RoleId>\
                <Arn>arn:r</Arn><CreateDate>2026-01-01T00:00:00Z</CreateDate><Tags><member>\
                <Key>place:stack</Key><Value>place</Value></member></Tags></Role>";
    let attached = "<AttachedPolicies><member><PolicyName>Admin</PolicyName>\
                    <PolicyArn>arn:aws:iam::aws:policy/Admin</PolicyArn></member></AttachedPolicies>";
    let inline = "<PolicyNames><member>by-hand</member></PolicyNames>";
    let script = Script::default()
        .answer("GetRole", 200, &xml("GetRole", role))
        .answer("GetRolePolicy", 404, &fault("NoSuchEntity"))
        .answer("DeleteRolePolicy", 404, &fault("NoSuchEntity"))
        .answer("DeleteRole", 409, &fault("DeleteConflict"))
        .always(
            "ListAttachedRolePolicies",
            200,
            &xml("ListAttachedRolePolicies", attached),
        )
        .answer("DetachRolePolicy", 200, "<DetachRolePolicyResponse/>")
        .always("ListRolePolicies", 200, &xml("ListRolePolicies", inline))
        .answer("DeleteRolePolicy", 200, "<DeleteRolePolicyResponse/>")
        .always("DeleteRolePolicy", 404, &fault("NoSuchEntity"))
        .answer("DeleteRole", 200, "<DeleteRoleResponse/>");
    let stack = script.stack();
    resource(&stack, "role:save")
        .remove(&unwatched())
        .await
        .unwrap();
    assert_eq!(script.left(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_missing_permission_ends_it_at_once_and_is_named() {
    let denied = error("AccessDeniedException", "User is not authorized");
    let script = Script::default().answer("CreateLogGroup", 400, &denied);
    let failure = ensure(&script.stack(), "log-group:save", Observed::Absent)
        .await
        .unwrap_err();
    assert_eq!(failure.kind, FailureKind::Denied);
    assert!(failure.hint.unwrap().contains("logs:CreateLogGroup"));
    assert_eq!(script.asked().len(), 1);
}
