//! Policies of a role beside its own one: whatever somebody added by hand.

use aws_sdk_iam::types::AttachedPolicy;

use super::role::POLICY;
use crate::aws::{Answer, AwsError, AwsResult};
use crate::engine::outcome::Difference;
use crate::steps::Stack;

/// Policies that no role of the stack should have.
#[derive(Default)]
pub(super) struct Others {
    attached: Vec<AttachedPolicy>,
    inline: Vec<String>,
}

impl Others {
    /// Those of the role `name`.
    pub(super) async fn of(stack: &Stack, name: &str) -> Result<Self, AwsError> {
        let iam = &stack.aws.iam;
        let attached = iam.list_attached_role_policies().role_name(name).send();
        let inline = iam.list_role_policies().role_name(name).send();
        let (attached, inline) = tokio::join!(attached, inline);
        let attached = attached
            .during("iam:ListAttachedRolePolicies")
            .absent_as_none()?;
        let inline = inline.during("iam:ListRolePolicies").absent_as_none()?;
        let attached = attached.and_then(|listed| listed.attached_policies);
        let mut inline = inline.map(|listed| listed.policy_names).unwrap_or_default();
        inline.retain(|policy| policy != POLICY);
        Ok(Self {
            attached: attached.unwrap_or_default(),
            inline,
        })
    }

    /// What is to be said about them, if there are any.
    pub(super) fn difference(&self) -> Option<Difference> {
        let attached = self.attached.iter().filter_map(AttachedPolicy::policy_name);
        let inline = self.inline.iter().map(String::as_str);
        let names: Vec<&str> = attached.chain(inline).collect();
        (!names.is_empty()).then(|| Difference::new("OtherPolicies", names.join(", "), "none"))
    }

    /// Takes them off. IAM deletes no role that has any.
    pub(super) async fn strip(&self, stack: &Stack, name: &str) -> Result<(), AwsError> {
        let iam = &stack.aws.iam;
        for policy in &self.attached {
            let detach = iam.detach_role_policy().role_name(name);
            let detach = detach.set_policy_arn(policy.policy_arn.clone());
            let detached = detach.send().await.during("iam:DetachRolePolicy");
            detached.absent_as_none()?;
        }
        for policy in &self.inline {
            let delete = iam.delete_role_policy().role_name(name);
            let deleted = delete.policy_name(policy).send().await;
            deleted.during("iam:DeleteRolePolicy").absent_as_none()?;
        }
        Ok(())
    }
}
