//! A user of the emulator's IAM who may do what `placectl doctor --print-policy` prints, and
//! nothing else.

use serde_json::{Value, json};

use crate::operator::Operator;
use crate::placectl::Placectl;
use crate::sdk::Sdk;

/// Conditions on keys that the emulator does not know.
const UNKNOWN_KEYS: [&str; 3] = ["aws:ResourceTag/", "ec2:CreateAction", "lambda:FunctionArn"];

/// Actions that the emulator checks on `*`, or on another resource than AWS does, although the
/// call names one: `GetSchedule` on the default group, `CreateFunction` on everything.
const MISPLACED: [&str; 20] = [
    "dynamodb:ListTagsOfResource",
    "dynamodb:TagResource",
    "elasticache:AddTagsToResource",
    "elasticache:CreateCacheSubnetGroup",
    "elasticache:CreateServerlessCache",
    "elasticache:DeleteCacheSubnetGroup",
    "elasticache:DeleteServerlessCache",
    "elasticache:ListTagsForResource",
    "elasticache:ModifyCacheSubnetGroup",
    "elasticache:ModifyServerlessCache",
    "lambda:CreateFunction",
    "scheduler:CreateSchedule",
    "scheduler:CreateScheduleGroup",
    "scheduler:DeleteSchedule",
    "scheduler:DeleteScheduleGroup",
    "scheduler:GetSchedule",
    "scheduler:GetScheduleGroup",
    "scheduler:ListTagsForResource",
    "scheduler:TagResource",
    "scheduler:UpdateSchedule",
];

/// An action of AWS's, and the one that the emulator takes its call for.
const MISTAKEN: (&str, &str) = (
    "lambda:DeleteFunctionConcurrency",
    "lambda:PutFunctionConcurrency",
);

/// The three parts of the policy that `placectl` prints for whoever runs it.
pub async fn printed_policies(placectl: impl Fn() -> Placectl) -> Vec<Value> {
    let mut parts = Vec::new();
    for part in ["infrastructure", "functions", "roles"] {
        let words = ["doctor".to_owned(), format!("--print-policy={part}")];
        let printed = placectl().args(words).succeed().await;
        parts.push(printed.json());
    }
    parts
}

/// The statements of `policies`.
pub fn statements(policies: &[Value]) -> impl Iterator<Item = &Value> {
    let all = policies.iter().filter_map(|p| p["Statement"].as_array());
    all.flatten()
}

/// The actions that a statement names.
pub fn actions(statement: &Value) -> impl Iterator<Item = &str> {
    let listed = statement["Action"].as_array().into_iter().flatten();
    listed.filter_map(Value::as_str)
}

/// Somebody with an access key.
#[derive(Clone, Debug)]
pub struct User {
    name: String,
    key: String,
    secret: String,
}

impl User {
    /// A new user without any permission.
    ///
    /// # Panics
    /// When there is one of that name.
    pub async fn create(sdk: &Sdk, name: &str) -> Self {
        let created = sdk.iam.create_user().user_name(name).send().await;
        created.expect("a new user");
        let answer = sdk.iam.create_access_key().user_name(name).send().await;
        let key = answer.expect("a new key").access_key;
        let key = key.expect("an answer with a key");
        Self {
            name: name.to_owned(),
            key: key.access_key_id,
            secret: key.secret_access_key,
        }
    }

    /// Gives the user these policies in place of earlier ones, and what the emulator needs to read
    /// them as AWS does: nothing that they do not allow on AWS.
    ///
    /// # Panics
    /// When the emulator does not take them.
    pub async fn may(&self, sdk: &Sdk, policies: &[Value]) {
        let beside = beside(policies);
        for (number, policy) in policies.iter().chain(&beside).enumerate() {
            let call = sdk.iam.put_user_policy().user_name(&self.name);
            let call = call.policy_name(format!("part-{number}"));
            let put = call.policy_document(policy.to_string()).send().await;
            put.expect("a policy that is taken");
        }
    }

    /// `placectl` of `operator`, with this user's key.
    pub fn placectl(&self, operator: &Operator) -> Placectl {
        let command = operator.placectl();
        command
            .env("AWS_ACCESS_KEY_ID", &self.key)
            .env("AWS_SECRET_ACCESS_KEY", &self.secret)
    }
}

/// What the emulator must be told beside `policies`, if anything.
fn beside(policies: &[Value]) -> Option<Value> {
    let allow = |actions: Vec<&str>, resources: &Value| json!({ "Effect": "Allow", "Action": actions, "Resource": resources });
    let unknown = statements(policies).filter(|statement| {
        let conditions = statement["Condition"].as_object().into_iter().flatten();
        let mut keys = conditions
            .filter_map(|(_, keys)| keys.as_object())
            .flatten();
        keys.any(|(key, _)| UNKNOWN_KEYS.iter().any(|start| key.starts_with(start)))
    });
    let mut all: Vec<Value> = unknown
        .map(|statement| allow(actions(statement).collect(), &statement["Resource"]))
        .collect();
    let named = statements(policies).flat_map(actions);
    let named: Vec<&str> = named.collect();
    let mistaken = named.contains(&MISTAKEN.0).then_some(MISTAKEN.1);
    let misplaced = named.into_iter().filter(|one| MISPLACED.contains(one));
    all.push(allow(misplaced.chain(mistaken).collect(), &json!("*")));
    // The emulator takes an empty list of actions for all of them.
    all.retain(|statement| actions(statement).next().is_some());
    let policy = json!({ "Version": "2012-10-17", "Statement": all });
    (!all.is_empty()).then_some(policy)
}
