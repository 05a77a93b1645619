//! One permission at a time is taken from a role: what it was for is refused, and the function's
//! log says so.

use std::collections::BTreeSet;

use futures::future::LocalBoxFuture;
use place_config::Function;
use place_tests::{Operator, Sdk};
use serde_json::{Value, json};

use super::deeds::Rig;
use super::{strict, works};
use crate::repair::disable_schedule;
use crate::step_4_functions::decoded;

/// A permission, what needs it, and what the log says when it is missing.
pub(super) struct Loss {
    pub(super) function: Function,
    pub(super) permission: &'static str,
    pub(super) deed: for<'a> fn(&'a Rig) -> LocalBoxFuture<'a, ()>,
    pub(super) log: &'static [&'static str],
}

pub(super) const NOT_SENT: &str = "AccessDenied";
const NOT_POSTED: &str = "refused the call with status 403";

const LOSSES: &[Loss] = &[
    Loss {
        function: Function::Connect,
        permission: "sqs:SendMessage",
        deed: |rig| Box::pin(rig.is_not_let_in()),
        log: &["could not connect", NOT_SENT],
    },
    Loss {
        function: Function::Initialize,
        permission: "execute-api:ManageConnections POST",
        deed: |rig| Box::pin(rig.connects()),
        log: &["could not send the picture", NOT_POSTED],
    },
    Loss {
        function: Function::SendMessage,
        permission: "execute-api:ManageConnections POST",
        deed: |rig| Box::pin(rig.says_nonsense()),
        log: &["could not answer the sender", NOT_POSTED],
    },
    Loss {
        function: Function::SendMessage,
        permission: "sqs:SendMessage",
        deed: |rig| Box::pin(rig.hears_that_others_see_it_late()),
        log: &["could not wake the broadcast", NOT_SENT],
    },
    Loss {
        function: Function::Save,
        permission: "sqs:SendMessage",
        deed: |rig| Box::pin(rig.saves_until("could not wake the shards that lag")),
        log: &["could not wake the shards that lag", NOT_SENT],
    },
    Loss {
        function: Function::Admin,
        permission: "sqs:SendMessage",
        deed: |rig| Box::pin(rig.wakes_in_vain()),
        log: &["could not answer", NOT_SENT],
    },
    Loss {
        function: Function::Save,
        permission: "dynamodb:BatchWriteItem",
        deed: |rig| Box::pin(rig.saves_in_vain()),
        log: &["AccessDenied"],
    },
    Loss {
        function: Function::Save,
        permission: "dynamodb:BatchGetItem",
        deed: |rig| Box::pin(rig.doubts_a_row()),
        log: &["AccessDenied"],
    },
    Loss {
        function: Function::Admin,
        permission: "execute-api:ManageConnections DELETE",
        deed: |rig| Box::pin(rig.disconnects_in_vain()),
        log: &["could not answer", NOT_POSTED],
    },
    Loss {
        function: Function::Admin,
        permission: "execute-api:ManageConnections GET",
        deed: |rig| Box::pin(rig.knows_nothing_of_clients()),
        log: &[],
    },
    Loss {
        function: Function::Broadcast,
        permission: "execute-api:ManageConnections POST",
        deed: |rig| Box::pin(rig.paints_until("the loop broke")),
        log: &["the loop broke", NOT_POSTED],
    },
    Loss {
        function: Function::Broadcast,
        permission: "sqs:SendMessage",
        deed: |rig| Box::pin(rig.paints_until("could not call the next loop")),
        log: &["could not call the next loop", NOT_SENT],
    },
    Loss {
        function: Function::Save,
        permission: "dynamodb:GetItem",
        deed: |rig| Box::pin(rig.reads_no_state()),
        log: &["AccessDenied"],
    },
    Loss {
        function: Function::Save,
        permission: "dynamodb:PutItem",
        deed: |rig| Box::pin(rig.saves_in_vain()),
        log: &["AccessDenied"],
    },
    Loss {
        function: Function::Save,
        permission: "dynamodb:DescribeTable",
        deed: |rig| Box::pin(rig.saves_until("could not see whether a table was made anew")),
        log: &["could not see whether a table was made anew", NOT_SENT],
    },
    Loss {
        function: Function::Page,
        permission: "dynamodb:Query",
        deed: |rig| Box::pin(rig.asks_in_vain_who_painted()),
        log: &["could not answer", NOT_SENT],
    },
    // The last one: it leaves the canvas closed.
    Loss {
        function: Function::Save,
        permission: "dynamodb:Scan",
        deed: |rig| Box::pin(rig.opens_in_vain()),
        log: &["AccessDenied"],
    },
];

/// Permissions that nothing on the emulator needs, and why the roles have them all the same. That
/// each role has them, and no others, is checked where the policies are written.
const ON_AWS: &[(&str, &str)] = &[
    ("ec2:AssignPrivateIpAddresses", NETWORK),
    ("ec2:CreateNetworkInterface", NETWORK),
    ("ec2:DeleteNetworkInterface", NETWORK),
    ("ec2:DescribeNetworkInterfaces", NETWORK),
    ("ec2:DescribeSubnets", NETWORK),
    ("ec2:UnassignPrivateIpAddresses", NETWORK),
    ("logs:CreateLogStream", LOG),
    ("logs:PutLogEvents", LOG),
    ("sqs:DeleteMessage", POLLER),
    ("sqs:GetQueueAttributes", POLLER),
    ("sqs:ReceiveMessage", POLLER),
    (
        "lambda:InvokeFunction",
        "the emulator's scheduler asks nobody",
    ),
];

/// Of one role alone.
const ELSEWHERE: &[(Function, &str, &str)] = &[
    (
        Function::Broadcast,
        "execute-api:ManageConnections DELETE",
        "only a client whose posts fail for long is disconnected: handlers/gateway_faults.rs",
    ),
    (
        Function::Initialize,
        "execute-api:ManageConnections DELETE",
        "only a client whose picture failed at every delivery is disconnected: initialize's tests",
    ),
    (
        Function::Initialize,
        "sqs:ChangeMessageVisibility",
        "only a picture that failed comes again sooner: handlers/newcomers.rs",
    ),
    (
        Function::Connect,
        "execute-api:ManageConnections GET",
        "only a canvas that is full looks for clients that are gone: connect's tests",
    ),
    (
        Function::Save,
        "execute-api:ManageConnections GET",
        "a client that can't be looked up stays: save's tests",
    ),
];

const NETWORK: &str = "Lambda itself puts the function into the VPC; the emulator doesn't";
const LOG: &str = "Lambda itself writes the log; the emulator asks nobody";
const POLLER: &str = "Lambda's poller takes the messages; the emulator's asks nobody";

/// The role's only policy.
pub(super) async fn policy(sdk: &Sdk, role: &str) -> (String, Value) {
    let names = sdk.iam.list_role_policies().role_name(role).send().await;
    let name = names.unwrap().policy_names()[0].clone();
    let call = sdk.iam.get_role_policy().role_name(role);
    let answer = call.policy_name(&name).send().await.unwrap();
    let text = decoded(answer.policy_document());
    (name, serde_json::from_str(&text).unwrap())
}

/// What a statement grants, posts to clients, looks at them and their removal apart.
pub(super) fn granted(statement: &Value) -> Vec<String> {
    let texts = |key: &str| {
        let all = statement[key].as_array().unwrap().clone();
        all.into_iter().map(|v| v.as_str().unwrap().to_owned())
    };
    if statement["Effect"] != "Allow" {
        return Vec::new();
    }
    if statement["Action"][0] == "execute-api:ManageConnections" {
        let method = |arn: String| arn.split('/').nth(2).unwrap().to_owned();
        let methods = texts("Resource").map(method);
        return methods
            .map(|method| format!("execute-api:ManageConnections {method}"))
            .collect();
    }
    texts("Action").collect()
}

/// `policy` without one of its permissions.
pub(super) fn without(policy: &Value, permission: &str) -> Value {
    let mut less = policy.clone();
    let (action, method) = permission.split_once(' ').unwrap_or((permission, ""));
    for statement in less["Statement"].as_array_mut().unwrap() {
        if statement["Effect"] != "Allow" {
            continue;
        }
        let actions = statement["Action"].as_array_mut().unwrap();
        if method.is_empty() {
            actions.retain(|one| one != action);
        } else if actions[0] == action {
            let part = format!("/{method}/@connections/");
            let resources = statement["Resource"].as_array_mut().unwrap();
            resources.retain(|arn| !arn.as_str().unwrap().contains(&part));
        }
    }
    assert_ne!(less, *policy, "`{permission}` is in {policy:#}");
    let statements = less["Statement"].as_array_mut().unwrap();
    statements.retain(|one| one["Action"] != json!([]) && one["Resource"] != json!([]));
    less
}

#[tokio::test]
async fn row_4_each_permission_of_each_role_is_needed_and_missed_aloud() {
    let cloud = strict().await;
    let operator = Operator::with(&cloud, |config| {
        // The shortest, so that a loop hands over soon.
        config.functions.broadcast_timeout_s = 10;
        // So long that none passes without a paint.
        config.broadcast.tick_ms = 1000;
    });
    operator.up().await;
    // Its save would take the turn of one that is to fail.
    disable_schedule(&operator.sdk()).await;
    let rig = Rig::new(cloud, operator);
    let names = rig.operator.names();

    let mut all = rig.permissions(&names).await;
    for loss in LOSSES {
        let known = (names.role(loss.function), loss.permission.to_owned());
        assert!(all.remove(&known), "{known:?} is missed once, and granted");
    }
    for (function, permission, _) in ELSEWHERE {
        let known = (names.role(*function), (*permission).to_owned());
        assert!(all.remove(&known), "{known:?} is granted");
    }
    for (permission, _) in ON_AWS {
        let before = all.len();
        all.retain(|(_, one)| one != permission);
        assert!(all.len() < before, "{permission} is granted");
    }
    assert_eq!(all, BTreeSet::new(), "nothing misses these");

    works(&rig.operator, || rig.operator.placectl()).await;
    for loss in LOSSES {
        rig.miss(loss).await;
    }
    rig.operator.up().await;
    works(&rig.operator, || rig.operator.placectl()).await;
}
