//! The role of a function, or of the schedule, with its one inline policy.

use std::time::Duration;

use async_trait::async_trait;
use aws_sdk_iam::types::{Role as Answered, Tag};
use aws_smithy_types::DateTime;
use place_config::Function;
use serde_json::Value;

use super::other_policies::Others;
use super::policies::{self, Scope};
use super::policy_drift::{self, PERMISSIONS, TRUST};
use super::role_key;
use crate::aws::{Answer, AwsError, AwsResult, Class};
use crate::steps::drift::Drift;
use crate::steps::found::FunctionRole;
use crate::steps::lifecycle::{Card, Kind, Reading, Trouble};
use crate::steps::{Stack, api, keys};

/// Name of the inline policy.
pub(super) const POLICY: &str = "place";

/// How long IAM may take to let a new role be seen everywhere; usually some seconds.
const PROPAGATION: Duration = Duration::from_mins(2);

/// Whose role it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Holder {
    /// A function's.
    Function(Function),
    /// The schedule's.
    Scheduler,
}

/// The role of a holder.
pub(crate) struct Role(pub(crate) Holder);

/// A role as IAM answers it.
pub(crate) struct Found {
    arn: String,
    made: DateTime,
    tags: Vec<Tag>,
    trust: Option<Value>,
    policy: Option<Value>,
    others: Others,
}

impl Found {
    fn new(role: Answered, policy: Option<&str>, others: Others) -> Self {
        let trust = role.assume_role_policy_document.as_deref();
        Self {
            trust: trust.and_then(policies::parse),
            policy: policy.and_then(policies::parse),
            others,
            tags: role.tags.unwrap_or_default(),
            arn: role.arn,
            made: role.create_date,
        }
    }
}

fn scope(stack: &Stack) -> Scope<'_> {
    Scope {
        identity: &stack.aws.identity,
        region: &stack.aws.region,
        names: &stack.names,
    }
}

impl Role {
    fn name(&self, stack: &Stack) -> String {
        match self.0 {
            Holder::Function(function) => stack.names.role(function),
            Holder::Scheduler => stack.names.scheduler_role(),
        }
    }

    fn trust(&self, stack: &Stack) -> Value {
        match self.0 {
            Holder::Function(_) => Scope::function_trust(),
            Holder::Scheduler => scope(stack).scheduler_trust(),
        }
    }

    /// The wanted policy; a function's names the API, so without one there is none to compare.
    fn policy(&self, stack: &Stack) -> Option<Value> {
        match self.0 {
            Holder::Scheduler => Some(scope(stack).scheduler()),
            Holder::Function(function) => {
                let api = stack.found.api.get()?;
                Some(scope(stack).function_role(function, &api))
            }
        }
    }

    /// Puts the policy on the role, which IAM may not see yet right after it made it.
    async fn put_policy(&self, stack: &Stack) -> Result<(), Trouble> {
        let Some(policy) = self.policy(stack) else {
            return Ok(stack.found.api.require(&api::KEY).map(drop)?);
        };
        let put = stack.aws.iam.put_role_policy().role_name(self.name(stack));
        let put = put.policy_name(POLICY).policy_document(policy.to_string());
        Ok(put.send().await.during("iam:PutRolePolicy").map(drop)?)
    }

    async fn delete_policy(&self, stack: &Stack) -> Result<(), AwsError> {
        let iam = &stack.aws.iam;
        let delete = iam.delete_role_policy().role_name(self.name(stack));
        let deleted = delete.policy_name(POLICY).send().await;
        let deleted = deleted.during("iam:DeleteRolePolicy");
        deleted.absent_as_none().map(drop)
    }
}

#[async_trait(?Send)]
impl Kind for Role {
    type Found = Found;

    fn card(&self, stack: &Stack) -> Card {
        let step = if self.0 == Holder::Scheduler { 7 } else { 4 };
        let card = Card::new(step, role_key(self.0), "IAM role", self.name(stack));
        // A new role is not assumable everywhere at once.
        let card = card.patience(PROPAGATION).makes(5, 15);
        match self.0 {
            // Lambda deletes a function's network interfaces with the function's role, so the role
            // stays until they are gone.
            Holder::Function(function) => card
                .needs([api::KEY])
                .removed_after([keys::function(function), keys::INTERFACES]),
            Holder::Scheduler => card,
        }
    }

    async fn find(&self, stack: &Stack) -> Result<Vec<Found>, Trouble> {
        let (iam, name) = (&stack.aws.iam, self.name(stack));
        let role = iam.get_role().role_name(&name).send();
        let policy = iam.get_role_policy().role_name(&name);
        let policy = policy.policy_name(POLICY).send();
        let others = Box::pin(Others::of(stack, &name));
        let (role, policy, others) = tokio::join!(role, policy, others);
        let role = role.during("iam:GetRole").absent_as_none()?;
        let Some(role) = role.and_then(|got| got.role) else {
            return Ok(Vec::new());
        };
        let policy = policy.during("iam:GetRolePolicy").absent_as_none()?;
        let policy = policy.as_ref().map(|got| got.policy_document.as_str());
        Ok(vec![Found::new(role, policy, others?)])
    }

    fn read(&self, stack: &Stack, found: &Found) -> Reading {
        Reading::tagged(self.name(stack), &found.tags)
    }

    fn compare(&self, stack: &Stack, found: &Found, drift: &mut Drift) {
        let (trust, policy) = (self.trust(stack), self.policy(stack));
        drift.extend(policy_drift::of_trust(found.trust.as_ref(), &trust));
        let permissions = policy_drift::of_permissions(found.policy.as_ref(), policy.as_ref());
        drift.extend(permissions);
        drift.extend(found.others.difference());
    }

    async fn create(&self, stack: &Stack) -> Result<Found, Trouble> {
        let tags = stack.ownership.list(&role_key(self.0));
        let create = stack.aws.iam.create_role().role_name(self.name(stack));
        let created = create
            .assume_role_policy_document(self.trust(stack).to_string())
            .description(format!("placectl: stack {}", stack.names.stack()))
            .set_tags(Some(tags))
            .send()
            .await;
        let role = created.during("iam:CreateRole")?.role;
        let role = role.ok_or_else(|| AwsError::empty("iam:CreateRole"))?;
        Ok(Found::new(role, None, Others::default()))
    }

    async fn finish(&self, stack: &Stack, _: &Found) -> Result<(), Trouble> {
        self.put_policy(stack).await
    }

    async fn tag(&self, stack: &Stack, _: &Found) -> Result<(), Trouble> {
        let tag = stack.aws.iam.tag_role().role_name(self.name(stack));
        let tag = tag.set_tags(Some(stack.ownership.list(&role_key(self.0))));
        Ok(tag.send().await.during("iam:TagRole").map(drop)?)
    }

    async fn mend(&self, stack: &Stack, found: &Found, drift: &Drift) -> Result<(), Trouble> {
        if drift.has(TRUST) {
            let update = stack.aws.iam.update_assume_role_policy();
            let update = update.role_name(self.name(stack));
            let update = update.policy_document(self.trust(stack).to_string());
            update.send().await.during("iam:UpdateAssumeRolePolicy")?;
        }
        if drift.has(PERMISSIONS) {
            self.put_policy(stack).await?;
        }
        Ok(found.others.strip(stack, &self.name(stack)).await?)
    }

    /// Deletes it, and before that its policy. IAM refuses as long as there is another one, which
    /// somebody may have added.
    async fn delete(&self, stack: &Stack, _: &Found) -> Result<(), Trouble> {
        let name = self.name(stack);
        self.delete_policy(stack).await?;
        let deleted = stack.aws.iam.delete_role().role_name(&name).send().await;
        let deleted = deleted.during("iam:DeleteRole");
        if deleted
            .as_ref()
            .is_err_and(|error| error.class == Class::Conflict)
        {
            Others::of(stack, &name).await?.strip(stack, &name).await?;
        }
        Ok(deleted.map(drop)?)
    }

    fn leave(&self, stack: &Stack, found: Option<&Found>) {
        match self.0 {
            Holder::Scheduler => {
                let arn = found.map(|found| found.arn.clone());
                stack.found.scheduler_role.replace(arn);
            }
            Holder::Function(function) => {
                let made = found.map(|found| FunctionRole::Made(found.made));
                let made = made.unwrap_or(FunctionRole::Absent);
                stack.found.roles.set(function, made);
            }
        }
    }

    fn forget(&self, stack: &Stack) {
        match self.0 {
            Holder::Scheduler => stack.found.scheduler_role.clear(),
            Holder::Function(function) => stack.found.roles.clear(function),
        }
    }
}
