//! One permission at a time is taken from a role: what it was for is refused, and the function's
//! log says so.

use std::collections::BTreeSet;
use std::time::Duration;

use aws_sdk_lambda::primitives::Blob;
use futures::future::BoxFuture;
use place_canvas::{ConnectionId, Token};
use place_config::{Function, Names};
use place_tests::{LocalCloud, Operator, Sdk, Socket};
use redis::AsyncCommands;
use serde_json::{Value, json};

use super::{strict, works};
use crate::step_4_functions::decoded;
use crate::support::{eventually, red};

/// How long a refusal may take: a save waits for the one before it.
const PATIENCE: Duration = Duration::from_secs(40);

/// A permission, what needs it, and what the log says when it is missing.
struct Loss {
    function: Function,
    permission: &'static str,
    deed: for<'a> fn(&'a Rig) -> BoxFuture<'a, ()>,
    log: &'static [&'static str],
}

const NOT_SENT: &str = "AccessDenied";
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
        log: &["could not tell the sender", NOT_POSTED],
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
const ELSEWHERE: &[(Function, &str, &str)] = &[(
    Function::Broadcast,
    "execute-api:ManageConnections DELETE",
    "only a client whose posts fail for long is disconnected: handlers/gateway_faults.rs",
)];

const NETWORK: &str = "Lambda itself puts the function into the VPC; the emulator doesn't";
const LOG: &str = "Lambda itself writes the log; the emulator asks nobody";
const POLLER: &str = "Lambda's poller takes the messages; the emulator's asks nobody";

/// The role's only policy.
async fn policy(sdk: &Sdk, role: &str) -> (String, Value) {
    let names = sdk.iam.list_role_policies().role_name(role).send().await;
    let name = names.unwrap().policy_names()[0].clone();
    let call = sdk.iam.get_role_policy().role_name(role);
    let answer = call.policy_name(&name).send().await.unwrap();
    let text = decoded(answer.policy_document());
    (name, serde_json::from_str(&text).unwrap())
}

/// What a statement grants, posts to clients, looks at them and their removal apart.
fn granted(statement: &Value) -> Vec<String> {
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
fn without(policy: &Value, permission: &str) -> Value {
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

/// A stack on which permissions are missed.
struct Rig {
    _cloud: LocalCloud,
    operator: Operator,
    sdk: Sdk,
}

impl Rig {
    /// Lines of a function's log with each of `parts`.
    async fn said(&self, function: Function, parts: &[&str]) -> usize {
        let group = self.operator.names().log_group(function);
        let call = self.sdk.logs.filter_log_events().log_group_name(group);
        let pages: Result<Vec<_>, _> = call.into_paginator().send().collect().await;
        let pages = pages.unwrap();
        let events = pages.iter().flat_map(|page| page.events());
        let lines = events.filter_map(|event| event.message());
        let has = |line: &&str| parts.iter().all(|part| line.contains(part));
        lines.filter(has).count()
    }

    async fn put(&self, role: &str, name: &str, policy: &Value) {
        let call = self.sdk.iam.put_role_policy().role_name(role);
        let call = call.policy_name(name).policy_document(policy.to_string());
        call.send().await.unwrap();
    }

    /// Misses the permission, and gives it back.
    async fn miss(&self, loss: &Loss) {
        let role = self.operator.names().role(loss.function);
        let (name, whole) = policy(&self.sdk, &role).await;
        let before = self.said(loss.function, loss.log).await;
        self.put(&role, &name, &without(&whole, loss.permission))
            .await;
        (loss.deed)(self).await;
        let what = format!("{} to miss `{}`", loss.function, loss.permission);
        if !loss.log.is_empty() {
            eventually(&what, PATIENCE, async || {
                self.said(loss.function, loss.log).await > before
            })
            .await;
        }
        self.put(&role, &name, &whole).await;
    }

    async fn ask(&self, request: Value) -> Value {
        let function = self.operator.names().function(Function::Admin);
        let call = self.sdk.lambda.invoke().function_name(function);
        let payload = Blob::new(request.to_string());
        let answer = call.payload(payload).send().await.unwrap();
        serde_json::from_slice(answer.payload().unwrap().as_ref()).unwrap()
    }

    async fn is_not_let_in(&self) {
        let url = self.operator.websocket_url().await;
        let refused = tokio_tungstenite::connect_async(url).await;
        assert!(refused.is_err(), "{refused:?}");
    }

    async fn connects(&self) {
        let url = self.operator.websocket_url().await;
        Socket::connect(&url).await.close().await;
    }

    async fn says_nonsense(&self) {
        let mut client = self.operator.join().await;
        client.send(r#"{"action":"sendMessage","data":7}"#).await;
    }

    async fn hears_that_others_see_it_late(&self) {
        let mut client = self.operator.join().await;
        client.paint(&[red(1, 1)]).await;
        assert_eq!(client.rejection().await, "UNAVAILABLE");
    }

    /// Paints past the function that would wake anybody.
    async fn paints_silently(&self) {
        let store = self.operator.store().await;
        let nobody = ConnectionId::new("nobody=").unwrap();
        let painted = store.paint(&nobody, "203.0.113.1", &[red(3, 3)]).await;
        painted.unwrap();
    }

    /// Paints so often that the loop which the first paint wakes never falls asleep.
    async fn paints_until(&self, said: &str) {
        let mut client = self.operator.join().await;
        let before = self.said(Function::Broadcast, &[said]).await;
        // Nobody was called a moment ago, so this paint calls.
        self.forget("awake:*").await;
        let store = self.operator.store().await;
        let newest = store.newest().await.unwrap();
        client.paint(&[red(4, 4)]).await;
        let painted = async || store.newest().await.unwrap() != newest;
        eventually("a paint", PATIENCE, painted).await;
        let check = async || {
            for _ in 0..5 {
                self.paints_silently().await;
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
            self.said(Function::Broadcast, &[said]).await > before
        };
        eventually(said, PATIENCE, check).await;
    }

    async fn saves_until(&self, said: &str) {
        let _client = self.operator.join().await;
        let before = self.said(Function::Save, &[said]).await;
        self.paints_silently().await;
        let check = async || {
            let _ = self.operator.placectl().args(["save"]).succeed().await;
            self.said(Function::Save, &[said]).await > before
        };
        eventually(said, PATIENCE, check).await;
    }

    async fn wakes_in_vain(&self) {
        let _client = self.operator.join().await;
        self.paints_silently().await;
        let refused = async || {
            let answer = self.ask(json!({ "request": "wake" })).await;
            answer.to_string().contains(NOT_SENT)
        };
        eventually("a wake-up to be refused", PATIENCE, refused).await;
    }

    async fn saves_in_vain(&self) {
        self.paints_silently().await;
        self.fails_to_save().await;
    }

    /// A save that failed keeps its lease for half a minute: nobody waits for it here.
    async fn fails_to_save(&self) {
        let save = self.operator.placectl().args(["save"]).run().await;
        assert_eq!(save.code, Some(1), "{save}");
        assert_eq!(self.forget("saving").await, 1, "the lease of a save");
    }

    /// Deletes keys of the store; how many.
    async fn forget(&self, pattern: &str) -> u64 {
        let url = self.operator.config().endpoints.redis.as_deref();
        let client = redis::Client::open(url.unwrap()).unwrap();
        let mut connection = client.get_multiplexed_async_connection().await.unwrap();
        let pattern = format!("{{place:place}}:{pattern}");
        let keys: Vec<String> = connection.keys(pattern).await.unwrap();
        if keys.is_empty() {
            return 0;
        }
        connection.del(keys).await.unwrap()
    }

    /// Leaves a row in doubt, as a save that was killed does.
    async fn doubts_a_row(&self) {
        let store = self.operator.store().await;
        let noted = store.note_doubt(&Token::random(), &[(5, 5)]).await;
        noted.unwrap();
        self.fails_to_save().await;
    }

    async fn disconnects_in_vain(&self) {
        let _client = self.operator.join().await;
        let listed = self.ask(json!({ "request": "clients" })).await;
        let id = &listed["rows"][0]["id"];
        assert!(id.is_string(), "{listed}");
        let _ = self
            .ask(json!({ "request": "disconnect", "ids": [id] }))
            .await;
    }

    async fn knows_nothing_of_clients(&self) {
        let _client = self.operator.join().await;
        let listed = self.ask(json!({ "request": "clients" })).await;
        let rows = listed["rows"].as_array().unwrap();
        assert!(!rows.is_empty(), "{listed}");
        for row in rows {
            assert!(row["connected_at"].is_null(), "{listed}");
        }
    }

    /// Every permission of every role, that of the scheduler under no function.
    async fn permissions(&self, names: &Names) -> BTreeSet<(String, String)> {
        let functions = Function::ALL.map(|function| names.role(function));
        let mut all = BTreeSet::new();
        for role in functions.into_iter().chain([names.scheduler_role()]) {
            let (_, policy) = policy(&self.sdk, &role).await;
            let statements = policy["Statement"].as_array().unwrap();
            let each = statements.iter().flat_map(granted);
            all.extend(each.map(|permission| (role.clone(), permission)));
        }
        all
    }
}

#[tokio::test]
async fn row_4_each_permission_of_each_role_is_needed_and_missed_aloud() {
    let cloud = strict().await;
    // The shortest, so that a loop hands over soon.
    let operator = Operator::with(&cloud, |c| c.functions.broadcast_timeout_s = 10);
    operator.up().await;
    let sdk = operator.sdk();
    let rig = Rig {
        _cloud: cloud,
        operator,
        sdk,
    };
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
    works(&rig.operator, || rig.operator.placectl()).await;
}
