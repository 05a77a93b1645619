//! What a queue should be like, and how what it is like differs.

use std::collections::{BTreeMap, HashMap};

use aws_sdk_sqs::types::QueueAttributeName;
use serde_json::{Value, json};

use crate::steps::drift::Drift;

/// How long a dead letter is kept: 14 days, the longest that SQS allows.
const DEAD_LETTERS_KEPT_S: u32 = 14 * 24 * 60 * 60;

/// Who else may use a queue.
const POLICY: &str = "Policy";

/// Attributes that no queue of ours has: its users' own roles let them in, and it isn't encrypted.
const FOREIGN: [&str; 2] = ["KmsMasterKeyId", POLICY];

/// Attributes by SQS's names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Attributes(BTreeMap<&'static str, String>);

impl Attributes {
    /// Of a dead-letter queue. That of a FIFO queue must be one too.
    pub(super) fn dead_letters() -> Self {
        let mut attributes = Self::of_any();
        attributes
            .0
            .insert("MessageRetentionPeriod", DEAD_LETTERS_KEPT_S.to_string());
        attributes
    }

    /// Of a queue that a function consumes; `visibility` in seconds.
    pub(super) fn messages(visibility: u32, dead_letters: &str, receives: u32) -> Self {
        let redrive = json!({ "deadLetterTargetArn": dead_letters, "maxReceiveCount": receives });
        let mut attributes = Self::of_any();
        attributes.0.extend([
            ("VisibilityTimeout", visibility.to_string()),
            ("RedrivePolicy", redrive.to_string()),
            // Only these two together make SQS count its limits for each group alone, instead of
            // 300 calls a second for the whole queue.
            ("DeduplicationScope", "messageGroup".to_owned()),
            ("FifoThroughputLimit", "perMessageGroupId".to_owned()),
        ]);
        attributes
    }

    /// SQS encrypts every queue that doesn't say otherwise. The delay is its default, named so that
    /// another one is seen: it holds back every paint.
    fn of_any() -> Self {
        let all = [("SqsManagedSseEnabled", "false"), ("DelaySeconds", "0")];
        Self(all.map(|(name, value)| (name, value.to_owned())).into())
    }

    /// For a create call.
    pub(super) fn to_create(&self) -> HashMap<QueueAttributeName, String> {
        let mut attributes = self.named();
        attributes.insert(QueueAttributeName::FifoQueue, "true".to_owned());
        attributes
    }

    /// For a call that changes them: a key and a policy, which only somebody else can have put
    /// there, go.
    pub(super) fn to_change(&self) -> HashMap<QueueAttributeName, String> {
        let mut attributes = self.named();
        for name in FOREIGN {
            attributes.insert(QueueAttributeName::from(name), String::new());
        }
        attributes
    }

    fn named(&self) -> HashMap<QueueAttributeName, String> {
        let named = self.0.iter();
        named
            .map(|(name, value)| (QueueAttributeName::from(*name), value.clone()))
            .collect()
    }

    /// Notes every difference.
    pub(super) fn compare(&self, found: &HashMap<QueueAttributeName, String>, drift: &mut Drift) {
        let value = |name: &str| {
            found
                .get(&QueueAttributeName::from(name))
                .map(String::as_str)
        };
        for (name, wanted) in &self.0 {
            let found = value(name).unwrap_or("unset");
            if *name != "RedrivePolicy" || redrive(found) != redrive(wanted) {
                drift.compare(name, found, wanted);
            }
        }
        for name in FOREIGN {
            let foreign = value(name).filter(|value| !value.is_empty());
            drift.compare(
                name,
                foreign.map_or("none", |value| shown(name, value)),
                "none",
            );
        }
    }
}

/// How the value of one of `FOREIGN` is told: a policy is too long for a line.
fn shown<'a>(name: &str, value: &'a str) -> &'a str {
    if name == POLICY { "set" } else { value }
}

/// A redrive policy's target and count, which SQS may answer in another order, or as a text.
fn redrive(policy: &str) -> Option<(String, u64)> {
    let policy: Value = serde_json::from_str(policy).ok()?;
    let target = policy["deadLetterTargetArn"].as_str()?.to_owned();
    let count = &policy["maxReceiveCount"];
    let count = count.as_u64().or_else(|| count.as_str()?.parse().ok())?;
    Some((target, count))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wanted() -> Attributes {
        Attributes::messages(360, "arn:dlq", 5)
    }

    fn drift_of(found: &HashMap<QueueAttributeName, String>) -> Drift {
        let mut drift = Drift::default();
        wanted().compare(found, &mut drift);
        drift
    }

    #[test]
    fn what_was_created_has_no_drift_however_sqs_writes_it() {
        let mut found = wanted().to_create();
        assert_eq!(drift_of(&found), Drift::default());
        let other = r#"{"maxReceiveCount":"5","deadLetterTargetArn":"arn:dlq"}"#;
        found.insert(QueueAttributeName::RedrivePolicy, other.to_owned());
        found.insert(QueueAttributeName::KmsMasterKeyId, String::new());
        assert_eq!(drift_of(&found), Drift::default());
    }

    #[test]
    fn encryption_of_either_kind_is_drift() {
        let mut found = wanted().to_create();
        found.insert(QueueAttributeName::SqsManagedSseEnabled, "true".to_owned());
        assert!(drift_of(&found).has("SqsManagedSseEnabled"));
        found.insert(
            QueueAttributeName::KmsMasterKeyId,
            "alias/aws/sqs".to_owned(),
        );
        assert!(drift_of(&found).has("KmsMasterKeyId"));
        assert_eq!(
            wanted().to_change()[&QueueAttributeName::KmsMasterKeyId],
            ""
        );
    }

    #[test]
    fn a_policy_that_lets_others_in_is_drift_and_goes() {
        let mut found = wanted().to_create();
        found.insert(QueueAttributeName::Policy, String::new());
        assert_eq!(drift_of(&found), Drift::default());
        let open = r#"{"Statement":[{"Effect":"Allow","Principal":"*","Action":"sqs:*"}]}"#;
        found.insert(QueueAttributeName::Policy, open.to_owned());
        assert!(drift_of(&found).has("Policy"));
        assert_eq!(wanted().to_change()[&QueueAttributeName::Policy], "");
    }

    #[test]
    fn a_missing_attribute_is_drift() {
        let drift = drift_of(&HashMap::new());
        for name in ["VisibilityTimeout", "RedrivePolicy", "DeduplicationScope"] {
            assert!(drift.has(name), "{name}");
        }
    }
}
