//! `placectl` itself, run by somebody who has the printed policy and nothing else.

use std::collections::BTreeSet;

use place_config::StackConfig;
use place_config::stack::{RedisMode, VpcMode};
use place_tests::inventory::difference;
use place_tests::proxy::Operation;
use place_tests::user::{actions, printed_policies, statements};
use place_tests::{LocalCloud, Operator, Placectl, Proxy, User, inventory};
use serde_json::json;

use super::{strict, works};
use crate::drift::everything_at_once;

/// What an operator runs beside `up` and `teardown`.
const COMMANDS: &[&[&str]] = &[
    &["doctor"],
    &["plan"],
    &["status"],
    &["canvas", "export", "a.png"],
    &["canvas", "export", "b.png", "--from", "tables"],
    &["canvas", "snapshot"],
    &["deploy"],
];

/// Actions that are in the policy although no command here is seen to need them.
const NOT_SEEN: &[(&str, &str)] = &[
    ("apigateway:TagResource", BESIDE),
    ("ec2:CreateDefaultSubnet", BARE),
    ("ec2:CreateDefaultVpc", BARE),
    ("ec2:CreateNetworkInterface", NODES),
    ("ec2:DeleteNetworkInterface", LINGERING),
    ("ec2:DescribeTags", ENDPOINTS),
    ("ec2:ModifyVpcEndpoint", ENDPOINT),
    ("elasticache:AddTagsToResource", BESIDE),
    ("elasticache:DecreaseReplicaCount", CACHE),
    ("elasticache:IncreaseReplicaCount", CACHE),
    ("elasticache:ModifyCacheSubnetGroup", CACHE),
    ("elasticache:ModifyReplicationGroup", CACHE),
    ("elasticache:ModifyServerlessCache", CACHE),
    ("iam:CreateServiceLinkedRole", BESIDE),
    ("iam:PassRole", BESIDE),
    ("lambda:DeleteFunctionUrlConfig", PAGE),
    ("lambda:PutFunctionConcurrency", PAGE),
];

const BESIDE: &str = "AWS asks for it beside the call that makes the thing";
const ENDPOINT: &str = "an endpoint that somebody took off its route table is put back";
const PAGE: &str = "only where the page is switched off or limited: page.rs";
const BARE: &str = "only in an account without them: step_1_vpc.rs";
const NODES: &str = "ElastiCache puts its nodes into the VPC with the caller's permissions";
const ENDPOINTS: &str = "ElastiCache reaches a serverless cache with the caller's permissions";
const LINGERING: &str = "only AWS leaves network interfaces of functions behind";
const CACHE: &str = "a changed cache is mended in scripted tests: AWS needs minutes for it";

/// The permission that a call needs: its own name, but for API Gateway's, which are HTTP's methods.
fn permission(operation: &Operation) -> Option<String> {
    let name = operation.name();
    let name = match operation.service() {
        // Everybody may ask who they are.
        "sts" => return None,
        "apigateway" => {
            let methods = [
                ("Get", "GET"),
                ("Create", "POST"),
                ("Tag", "POST"),
                ("Update", "PATCH"),
                ("Delete", "DELETE"),
            ];
            let method = methods.iter().find(|(verb, _)| name.starts_with(verb));
            method.expect("a verb that API Gateway has").1
        }
        "lambda" if name == "Invoke" => "InvokeFunction",
        _ => name,
    };
    Some(format!("{}:{name}", operation.service()))
}

/// Somebody with a stack, whose calls are written down.
struct Rig {
    _cloud: LocalCloud,
    proxy: Proxy,
    operator: Operator,
    user: User,
}

impl Rig {
    async fn new(edit: impl FnOnce(&mut StackConfig)) -> Self {
        let cloud = strict().await;
        let proxy = Proxy::start(&cloud.endpoint());
        let operator = Operator::with(&cloud, |config| {
            config.endpoints.aws = Some(proxy.endpoint());
            edit(config);
        });
        let user = User::create(&operator.sdk(), "ann").await;
        Self {
            _cloud: cloud,
            proxy,
            operator,
            user,
        }
    }

    fn placectl(&self) -> Placectl {
        self.user.placectl(&self.operator)
    }

    async fn succeeds(&self, words: &[&str]) {
        let _ = self.placectl().args(words).succeed().await;
    }

    /// Permissions that the calls so far needed.
    fn used(&self) -> BTreeSet<String> {
        let calls = self.proxy.calls();
        let needed = calls.iter().filter_map(|call| permission(&call.operation));
        needed.collect()
    }

    /// The whole life of a stack; what was printed and what was used.
    async fn live(self) -> (BTreeSet<String>, BTreeSet<String>) {
        let sdk = self.operator.sdk();
        let before = inventory(&sdk).await;
        let policies = printed_policies(|| self.placectl()).await;
        self.user.may(&sdk, &policies).await;
        self.succeeds(&["up"]).await;
        works(&self.operator, || self.placectl()).await;
        for words in COMMANDS {
            self.succeeds(words).await;
        }
        everything_at_once(&sdk).await;
        self.succeeds(&["up"]).await;
        self.succeeds(&["status", "--check"]).await;
        self.succeeds(&["teardown", "--yes"]).await;
        self.succeeds(&["up"]).await;
        self.succeeds(&["teardown", "--yes", "--no-export"]).await;
        let after = inventory(&sdk).await;
        assert_eq!(difference(&before, &after), Vec::<String>::new());
        let printed = statements(&policies).flat_map(actions);
        (printed.map(str::to_owned).collect(), self.used())
    }
}

#[tokio::test]
async fn the_printed_policy_is_enough_for_every_command_and_holds_nothing_else() {
    let one = Rig::new(|_| ()).await.live();
    let other = Rig::new(|config| {
        config.redis.mode = RedisMode::ReplicationGroup;
        config.vpc.mode = VpcMode::Dedicated;
    });
    let other = async { other.await.live().await };
    let ((mut printed, mut used), (more_printed, more_used)) = tokio::join!(one, other);
    printed.extend(more_printed);
    used.extend(more_used);
    let missing: Vec<_> = used.difference(&printed).collect();
    assert_eq!(
        missing,
        Vec::<&String>::new(),
        "used, and not in the policy"
    );
    let unused: BTreeSet<&str> = printed.difference(&used).map(String::as_str).collect();
    let known: BTreeSet<&str> = NOT_SEEN.iter().map(|(action, _)| *action).collect();
    assert_eq!(unused, known, "in the policy, and not seen to be needed");
}

/// Permissions that what a command said names as missing.
fn refused(said: &str) -> BTreeSet<String> {
    let named = said.split("not authorized to perform: ").skip(1);
    let action = |rest: &str| rest.split([' ', '"']).next().unwrap_or_default().to_owned();
    named.map(action).collect()
}

/// Runs `words` again and again with what it named as missing, until nothing is.
async fn grow(rig: &Rig, granted: &mut BTreeSet<String>, words: &[&str]) {
    let sdk = rig.operator.sdk();
    loop {
        // The emulator takes an empty list of actions for all of them.
        let known = granted.iter().map(String::as_str);
        let known: Vec<&str> = known.chain(["sts:GetCallerIdentity"]).collect();
        let policy = json!({ "Version": "2012-10-17", "Statement": [
            { "Effect": "Allow", "Action": known, "Resource": "*" }
        ]});
        rig.user.may(&sdk, &[policy]).await;
        let run = rig.placectl().args(words).run().await;
        let missing = refused(&format!("{}{}", run.stdout, run.stderr));
        if missing.is_empty() {
            assert_eq!(run.code, Some(0), "{run}");
            return;
        }
        let before = granted.len();
        granted.extend(missing);
        assert!(
            granted.len() > before,
            "more is missing than is named: {run}"
        );
    }
}

/// Reads of the stack that the emulator takes for another, `lambda:GetFunction`.
const TAKEN_FOR_ANOTHER: [&str; 2] = [
    "lambda:GetFunctionEventInvokeConfig",
    "lambda:GetFunctionRecursionConfig",
];

#[tokio::test]
async fn each_permission_that_status_misses_is_named_by_it() {
    let rig = Rig::new(|_| ()).await;
    rig.operator.up().await;
    rig.proxy.clear();
    let mut granted = BTreeSet::new();
    grow(&rig, &mut granted, &["status"]).await;
    let used = rig.used();
    let unasked: Vec<&String> = used.difference(&granted).collect();
    assert_eq!(unasked, TAKEN_FOR_ANOTHER);
    assert!(granted.is_subset(&used), "{granted:?}");
    assert!(granted.len() > 20, "{granted:?}");
}
