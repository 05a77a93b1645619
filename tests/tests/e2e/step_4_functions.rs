//! Step 4: the functions, as AWS describes them. What they do is in `step_4_behaviour`.

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_lambda::types::{FunctionConfiguration, Runtime};
use place_config::{Function, FunctionEnv};
use place_tests::Sdk;
use serde_json::Value;

use crate::support::shared;

async fn functions(sdk: &Sdk) -> BTreeMap<String, FunctionConfiguration> {
    let answer = sdk.lambda.list_functions().send().await.unwrap();
    let named = |f: &FunctionConfiguration| (f.function_name().unwrap().to_owned(), f.clone());
    answer.functions().iter().map(named).collect()
}

/// The statements of every policy of a role.
async fn statements(sdk: &Sdk, role: &str) -> Vec<Value> {
    let attached = sdk
        .iam
        .list_attached_role_policies()
        .role_name(role)
        .send()
        .await
        .unwrap();
    assert!(
        attached.attached_policies().is_empty(),
        "`{role}` has policies that others share"
    );
    let names = sdk
        .iam
        .list_role_policies()
        .role_name(role)
        .send()
        .await
        .unwrap();
    let mut all = Vec::new();
    for name in names.policy_names() {
        let call = sdk.iam.get_role_policy().role_name(role).policy_name(name);
        let answer = call.send().await.unwrap();
        let document: Value = serde_json::from_str(&decoded(answer.policy_document())).unwrap();
        all.extend(document["Statement"].as_array().unwrap().clone());
    }
    all
}

/// IAM answers documents percent-encoded.
pub(crate) fn decoded(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = text.as_bytes();
    while let Some((&first, after)) = rest.split_first() {
        let hex = (first == b'%').then(|| std::str::from_utf8(&after[..2]).unwrap());
        bytes.push(hex.map_or(first, |hex| u8::from_str_radix(hex, 16).unwrap()));
        rest = if hex.is_some() { &after[2..] } else { after };
    }
    String::from_utf8(bytes).unwrap()
}

/// What an operator uploads over any line: a zip of more than 6 MB is none.
#[tokio::test]
async fn no_function_is_large() {
    let sdk = shared().await.operator.sdk();
    for (name, function) in functions(&sdk).await {
        let bytes = function.code_size();
        assert!((1..6_000_000).contains(&bytes), "`{name}`: {bytes} bytes");
    }
}

fn texts(value: &Value) -> Vec<String> {
    let list = value
        .as_array()
        .cloned()
        .unwrap_or_else(|| vec![value.clone()]);
    list.iter()
        .map(|one| one.as_str().unwrap().to_owned())
        .collect()
}

/// What a function may do beyond its logs and its place in the VPC: action and resource.
async fn permissions(sdk: &Sdk, function: Function) -> BTreeSet<(String, String)> {
    let role = format!("place-us-east-1-{function}");
    let mut pairs = BTreeSet::new();
    for statement in statements(sdk, &role).await {
        if statement["Effect"] != "Allow" {
            continue;
        }
        for action in texts(&statement["Action"]) {
            assert!(!action.contains('*'), "`{role}` allows `{action}`");
            for resource in texts(&statement["Resource"]) {
                pairs.insert((action.clone(), resource));
            }
        }
    }
    pairs
}

#[tokio::test]
async fn row_4_functions_on_the_two_private_subnets() {
    let sdk = shared().await.operator.sdk();
    let tables = sdk.ec2.describe_route_tables().send().await.unwrap();
    let through_nat = |table: &&aws_sdk_ec2::types::RouteTable| {
        table
            .routes()
            .iter()
            .any(|route| route.nat_gateway_id().is_some())
    };
    let private = tables.route_tables().iter().find(through_nat).unwrap();
    let private: BTreeSet<_> = private
        .associations()
        .iter()
        .filter_map(|a| a.subnet_id())
        .collect();
    let functions = functions(&sdk).await;
    assert_eq!(functions.len(), Function::ALL.len());
    for function in Function::ALL {
        let place = functions[function.binary()].vpc_config().unwrap();
        let subnets: BTreeSet<_> = place.subnet_ids().iter().map(String::as_str).collect();
        assert_eq!(subnets, private, "{function}");
        assert_eq!(place.security_group_ids().len(), 1, "{function}");
    }
}

#[tokio::test]
async fn row_4_functions_run_our_binaries_with_a_whole_environment() {
    let sdk = shared().await.operator.sdk();
    let functions = functions(&sdk).await;
    for function in Function::ALL {
        let found = &functions[function.binary()];
        assert_eq!(
            found.runtime(),
            Some(&Runtime::Providedal2023),
            "{function}"
        );
        let name = function.binary();
        let answer = sdk
            .lambda
            .get_function_configuration()
            .function_name(name)
            .send()
            .await;
        let answer = answer.unwrap();
        let variables = answer.environment().unwrap().variables().unwrap();
        let environment = FunctionEnv::from_variables(|name| variables.get(name).cloned());
        assert_eq!(environment.unwrap().stack, "place", "{function}");
    }
}

#[tokio::test]
async fn row_4_each_function_has_a_role_of_its_own() {
    let sdk = shared().await.operator.sdk();
    let functions = functions(&sdk).await;
    let roles: BTreeSet<_> = Function::ALL
        .iter()
        .map(|f| functions[f.binary()].role().unwrap())
        .collect();
    assert_eq!(roles.len(), Function::ALL.len());
    for function in Function::ALL {
        let role = format!("place-us-east-1-{function}");
        assert!(
            functions[function.binary()]
                .role()
                .unwrap()
                .ends_with(&format!(":role/{role}"))
        );
        let answer = sdk.iam.get_role().role_name(&role).send().await.unwrap();
        let trust = answer
            .role()
            .unwrap()
            .assume_role_policy_document()
            .unwrap()
            .to_owned();
        assert!(decoded(&trust).contains("lambda.amazonaws.com"), "{trust}");
    }
}

/// What Lambda itself needs to log for a function and to give it an address in the VPC.
const COMMON: [&str; 8] = [
    "ec2:AssignPrivateIpAddresses",
    "ec2:CreateNetworkInterface",
    "ec2:DeleteNetworkInterface",
    "ec2:DescribeNetworkInterfaces",
    "ec2:DescribeSubnets",
    "ec2:UnassignPrivateIpAddresses",
    "logs:CreateLogStream",
    "logs:PutLogEvents",
];

const CONSUME: [&str; 3] = [
    "sqs:DeleteMessage",
    "sqs:GetQueueAttributes",
    "sqs:ReceiveMessage",
];

/// What each row of step 4 says that the function needs, action by action: neither one more is
/// allowed to it, nor one less.
#[tokio::test]
async fn row_4_each_role_has_just_the_permissions_that_it_needs() {
    let sdk = shared().await.operator.sdk();
    let (send, post) = ("sqs:SendMessage", "execute-api:ManageConnections");
    for (function, needed) in [
        (Function::Connect, vec![send, post]),
        (Function::Disconnect, vec![]),
        (Function::SendMessage, vec![send, post]),
        (Function::Broadcast, [&[send, post], &CONSUME[..]].concat()),
        (
            Function::Initialize,
            [&[post, "sqs:ChangeMessageVisibility"], &CONSUME[..]].concat(),
        ),
        (
            Function::Save,
            vec![
                send,
                post,
                "dynamodb:BatchGetItem",
                "dynamodb:BatchWriteItem",
                "dynamodb:DescribeTable",
                "dynamodb:GetItem",
                "dynamodb:PutItem",
                "dynamodb:Scan",
            ],
        ),
        (Function::Admin, vec![send, post]),
        (Function::Page, vec!["dynamodb:Query"]),
    ] {
        let permissions = permissions(&sdk, function).await;
        let allowed: BTreeSet<_> = permissions
            .iter()
            .map(|(action, _)| action.as_str())
            .collect();
        let needed: BTreeSet<_> = needed.into_iter().chain(COMMON).collect();
        assert_eq!(allowed, needed, "{function}");
        for (action, resource) in &permissions {
            // EC2 knows no narrower resource for the network interfaces that Lambda makes.
            let narrow = resource != "*" || action.starts_with("ec2:");
            assert!(narrow, "{function} may {action} on everything");
        }
    }
}

/// The statements of a function's own policy: who may invoke it.
async fn invokers(sdk: &Sdk, function: Function) -> Vec<Value> {
    // AWS answers "not found" for a function without any statement, MiniStack an empty policy.
    let answer = sdk
        .lambda
        .get_policy()
        .function_name(function.binary())
        .send()
        .await;
    let Ok(answer) = answer else {
        return Vec::new();
    };
    let policy: Value = serde_json::from_str(answer.policy().unwrap()).unwrap();
    policy["Statement"].as_array().unwrap().clone()
}

#[tokio::test]
async fn row_4_7_the_api_may_invoke_the_functions_of_its_routes_and_nobody_else_may() {
    let sdk = shared().await.operator.sdk();
    let apis = sdk.api.get_apis().send().await.unwrap();
    let api = apis.items()[0].api_id().unwrap();
    for (function, route) in Function::ALL.iter().filter_map(|f| Some((*f, f.route()?))) {
        let statements = invokers(&sdk, function).await;
        assert_eq!(statements.len(), 1, "{statements:?}");
        assert_eq!(
            statements[0]["Principal"]["Service"],
            "apigateway.amazonaws.com"
        );
        let source = statements[0]["Condition"]["ArnLike"]["AWS:SourceArn"]
            .as_str()
            .unwrap();
        assert!(source.contains(&format!(":{api}/")), "{source}");
        assert!(source.ends_with(route), "{source}");
    }
}

#[tokio::test]
async fn row_4_7_queues_and_schedule_trigger_their_functions() {
    let sdk = shared().await.operator.sdk();
    for (function, queue) in Function::ALL.iter().filter_map(|f| Some((*f, f.queue()?))) {
        let name = shared().await.operator.names().queue(queue);
        let call = sdk
            .lambda
            .list_event_source_mappings()
            .function_name(function.binary());
        let answer = call.send().await.unwrap();
        let mapping = &answer.event_source_mappings()[0];
        assert_eq!(mapping.state(), Some("Enabled"), "{function}");
        assert!(
            mapping
                .event_source_arn()
                .unwrap()
                .ends_with(&format!(":{name}")),
            "{function}"
        );
    }
    let role = statements(&sdk, "place-us-east-1-scheduler").await;
    assert_eq!(role.len(), 1, "{role:?}");
    assert_eq!(texts(&role[0]["Action"]), ["lambda:InvokeFunction"]);
    assert!(texts(&role[0]["Resource"])[0].ends_with(":function:save"));
}

#[tokio::test]
async fn row_4_7_no_function_is_triggered_by_anything_else() {
    let sdk = shared().await.operator.sdk();
    let mappings = sdk
        .lambda
        .list_event_source_mappings()
        .send()
        .await
        .unwrap();
    assert_eq!(mappings.event_source_mappings().len(), 2);
    let silent = Function::ALL.into_iter().filter(|f| !f.has_callers());
    for function in silent {
        assert_eq!(
            invokers(&sdk, function).await,
            Vec::<Value>::new(),
            "{function}"
        );
    }
}

#[tokio::test]
async fn row_4_each_log_group_forgets_after_two_weeks() {
    let sdk = shared().await.operator.sdk();
    let answer = sdk.logs.describe_log_groups().send().await.unwrap();
    for function in Function::ALL {
        let name = format!("/aws/lambda/{function}");
        let group = answer
            .log_groups()
            .iter()
            .find(|g| g.log_group_name() == Some(&name));
        assert_eq!(group.unwrap().retention_in_days(), Some(14), "{name}");
    }
}
