//! Whoever lacks one permission of the printed policy hears which one, from every command that
//! needs it: exit code 1, since no second try would help (design, sections 7 and 8).

use std::fs;
use std::path::Path;

use place_config::Function;
use place_tests::inventory::difference;
use place_tests::user::{actions, printed_policies, statements};
use place_tests::{Finished, LocalCloud, Operator, User, inventory};
use serde_json::Value;

use super::roles::without;
use super::strict;
use crate::drift::application::{replace_code, shrink_function};
use crate::repair::encrypt_queue;

/// What an operator runs that asks a function.
const ASKING: &[&[&str]] = &[
    &["save"],
    &["clients", "list"],
    &["canvas", "export", "a.png"],
    &["canvas", "snapshot"],
];

/// Somebody with the printed policy, or with all of it but one action.
struct Rig {
    _cloud: LocalCloud,
    operator: Operator,
    user: User,
    policies: Vec<Value>,
}

impl Rig {
    async fn new() -> Self {
        let cloud = strict().await;
        let operator = Operator::new(&cloud);
        let user = User::create(&operator.sdk(), "ann").await;
        let policies = printed_policies(|| user.placectl(&operator)).await;
        Self {
            _cloud: cloud,
            operator,
            user,
            policies,
        }
    }

    /// Runs a command without one permission, which then fails; the user has all of them again.
    async fn fails(&self, words: &[&str], action: &str) -> Finished {
        let sdk = self.operator.sdk();
        let mut rest = self.policies.clone();
        for policy in &mut rest {
            if allows(policy, action) {
                *policy = without(policy, action);
            }
        }
        assert_ne!(rest, self.policies, "`{action}` is in the policy");
        self.user.may(&sdk, &rest).await;
        let run = self.user.placectl(&self.operator).args(words).run().await;
        self.user.may(&sdk, &self.policies).await;
        run.expect_code(1)
    }

    /// The same of a command that advises to get the permission: placectl's own words, whatever
    /// AWS's are.
    async fn misses(&self, words: &[&str], action: &str) {
        let run = self.fails(words, action).await;
        let advice = format!("need the permission `{action}`");
        assert!(run.stderr.contains(&advice), "`{advice}` in {run}");
    }

    async fn succeeds(&self, words: &[&str]) {
        let placectl = self.user.placectl(&self.operator);
        let _ = placectl.args(words).succeed().await;
    }
}

/// Whether a policy lists the action.
fn allows(policy: &Value, action: &str) -> bool {
    let mut listed = statements(std::slice::from_ref(policy)).flat_map(actions);
    listed.any(|one| one == action)
}

/// One stack for all of them, from its first `up` to its last `teardown`: each goes on where the one
/// before stopped.
#[tokio::test]
async fn a_permission_that_a_command_misses_is_named_by_it() {
    let rig = Rig::new().await;
    let sdk = rig.operator.sdk();
    let empty = inventory(&sdk).await;
    rig.misses(&["up"], "scheduler:CreateScheduleGroup").await;
    rig.misses(&["up"], "ec2:DescribeVpcs").await;
    rig.succeeds(&["up"]).await;
    // What can't be looked at is part of what these two print.
    for words in [&["plan"][..], &["status", "--check"]] {
        let run = rig.fails(words, "ec2:DescribeRouteTables").await;
        let said = run.stdout.contains("ec2:DescribeRouteTables");
        assert!(said && run.stdout.contains("unknown"), "{run}");
    }
    for words in ASKING {
        rig.misses(words, "lambda:InvokeFunction").await;
    }
    let words = ["canvas", "export", "b.png", "--from", "tables"];
    rig.misses(&words, "dynamodb:Scan").await;
    let pictures = || pictures(rig.operator.directory());
    assert_eq!(pictures(), [""; 0], "what can't be read leaves no picture");
    // What somebody changed, and who repairs it may not.
    encrypt_queue(&sdk).await;
    rig.misses(&["up"], "sqs:SetQueueAttributes").await;
    shrink_function(sdk.clone()).await;
    rig.misses(&["up"], "lambda:UpdateFunctionConfiguration")
        .await;
    replace_code(sdk.clone()).await;
    rig.misses(&["deploy"], "lambda:UpdateFunctionCode").await;
    rig.misses(&["deploy"], "dynamodb:PutItem").await;
    rig.succeeds(&["deploy"]).await;
    rig.succeeds(&["up"]).await;
    rig.succeeds(&["status", "--check"]).await;
    let whole = inventory(&sdk).await;
    // Nobody comes in any more, and what was painted waits for a save that may be made.
    rig.misses(&["teardown", "--yes"], "lambda:InvokeFunction")
        .await;
    let gone = difference(&whole, &inventory(&sdk).await);
    let door =
        |line: &String| line.starts_with("- apigateway ") || line.starts_with("- scheduler ");
    assert!(gone.iter().all(door), "{gone:?}");
    let words = ["teardown", "--yes", "--no-export"];
    rig.misses(&words, "dynamodb:DeleteTable").await;
    let left = inventory(&sdk).await;
    let table = rig.operator.names().history_table();
    assert!(
        left.contains(&format!("dynamodb table {table}")),
        "{left:?}"
    );
    for function in Function::ALL {
        let name = rig.operator.names().function(function);
        let gone = !left.iter().any(|line| line.contains(&name));
        assert!(gone, "`{name}` in {left:?}");
    }
    rig.succeeds(&words).await;
    assert_eq!(difference(&empty, &inventory(&sdk).await), [""; 0]);
}

fn pictures(directory: &Path) -> Vec<String> {
    let files = fs::read_dir(directory).unwrap();
    let names = files.map(|file| file.unwrap().file_name().to_string_lossy().into_owned());
    names.filter(|name| name.contains(".png")).collect()
}
