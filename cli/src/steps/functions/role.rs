//! The role of a function, or of the schedule, with its one inline policy.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use aws_sdk_iam::types::Tag;
use aws_smithy_types::DateTime;
use place_config::Function;
use serde_json::Value;

use super::other_policies::Others;
use super::policies::{self, Scope};
use super::policy_drift::{self, PERMISSIONS, TRUST};
use super::role_key;
use crate::aws::{Answer, AwsError, AwsResult, Class};
use crate::engine::{Failure, Observed, Progress, Resource, ResourceKey, Step, Wait};
use crate::steps::drift::{self, Drift};
use crate::steps::found::FunctionRole;
use crate::steps::lost::{Creation, Made};
use crate::steps::repeat::while_answer_is;
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

/// A role.
#[derive(Debug)]
pub(crate) struct Role {
    stack: Arc<Stack>,
    holder: Holder,
}

/// What is known of a role when it is made.
struct New {
    arn: String,
    created: DateTime,
}

/// A role as IAM answers it.
struct Found {
    made: New,
    tags: Vec<Tag>,
    trust: Option<Value>,
    policy: Option<Value>,
    others: Others,
}

impl Role {
    /// The role of `holder`.
    pub(crate) fn new(stack: &Arc<Stack>, holder: Holder) -> Arc<Self> {
        Arc::new(Self {
            stack: Arc::clone(stack),
            holder,
        })
    }

    fn scope(&self) -> Scope<'_> {
        let Stack { aws, names, .. } = &*self.stack;
        Scope {
            identity: &aws.identity,
            region: &aws.region,
            names,
        }
    }

    fn trust(&self) -> Value {
        match self.holder {
            Holder::Function(_) => Scope::function_trust(),
            Holder::Scheduler => self.scope().scheduler_trust(),
        }
    }

    /// The wanted policy; a function's names the API, so without one there is none to compare.
    fn policy(&self) -> Option<Value> {
        match self.holder {
            Holder::Scheduler => Some(self.scope().scheduler()),
            Holder::Function(function) => {
                let api = self.stack.found.api.get()?;
                Some(self.scope().function_role(function, &api))
            }
        }
    }

    /// Leaves the role, or says that it is not there.
    fn leave(&self, role: Option<New>) {
        let found = &self.stack.found;
        match self.holder {
            Holder::Scheduler => found.scheduler_role.replace(role.map(|role| role.arn)),
            Holder::Function(function) => {
                let made = |role: New| FunctionRole::Made(role.created);
                found
                    .roles
                    .set(function, role.map_or(FunctionRole::Absent, made));
            }
        }
    }

    fn forget(&self) {
        match self.holder {
            Holder::Scheduler => self.stack.found.scheduler_role.clear(),
            Holder::Function(function) => self.stack.found.roles.clear(function),
        }
    }

    async fn look(&self) -> Result<Option<Found>, AwsError> {
        let (iam, name) = (&self.stack.aws.iam, self.name());
        let role = iam.get_role().role_name(&name).send();
        let policy = iam
            .get_role_policy()
            .role_name(&name)
            .policy_name(POLICY)
            .send();
        let others = Box::pin(Others::of(&self.stack, &name));
        let (role, policy, others) = tokio::join!(role, policy, others);
        let Some(role) = role
            .during("iam:GetRole")
            .absent_as_none()?
            .and_then(|got| got.role)
        else {
            return Ok(None);
        };
        let policy = policy.during("iam:GetRolePolicy").absent_as_none()?;
        let others = others?;
        Ok(Some(Found {
            trust: role
                .assume_role_policy_document
                .as_deref()
                .and_then(policies::parse),
            policy: policy.and_then(|got| policies::parse(&got.policy_document)),
            others,
            tags: role.tags.unwrap_or_default(),
            made: New {
                arn: role.arn,
                created: role.create_date,
            },
        }))
    }

    fn compare(&self, found: &Found) -> Drift {
        let mut drift = Drift::default();
        drift.tags(&self.stack, &self.key(), found.tags.as_slice());
        drift.extend(policy_drift::of_trust(found.trust.as_ref(), &self.trust()));
        drift.extend(policy_drift::of_permissions(
            found.policy.as_ref(),
            self.policy().as_ref(),
        ));
        drift.extend(found.others.difference());
        drift
    }

    /// Creates it, or finds the one that is there already.
    async fn create(&self, progress: &Progress) -> Result<Made<New, Found>, Failure> {
        let create = async || {
            let request = self.stack.aws.iam.create_role();
            let created = request
                .role_name(self.name())
                .assume_role_policy_document(self.trust().to_string())
                .description(format!("placectl: stack {}", self.stack.names.stack()))
                .set_tags(Some(self.stack.ownership.list(&self.key())))
                .send()
                .await
                .during("iam:CreateRole")
                .exists_as_none()?;
            let role = created.and_then(|created| created.role);
            Ok(role.map(|role| New {
                arn: role.arn,
                created: role.create_date,
            }))
        };
        let action = format!("creating role `{}`", self.name());
        let creation = Creation::new(&self.stack, progress, &action);
        creation.run_named(async || self.look().await, create).await
    }

    fn looking(&self) -> String {
        format!("looking at role `{}`", self.name())
    }

    /// Puts the policy on the role, which IAM may not see yet right after it made it.
    async fn put_policy(&self, progress: &Progress) -> Result<(), Failure> {
        let policy = match self.policy() {
            Some(policy) => policy.to_string(),
            None => return self.stack.found.api.require(&api::KEY).map(drop),
        };
        let name = self.name();
        let wait = Wait::new(format!("role `{name}` to be seen by IAM"), PROPAGATION).usual(0, 10);
        let action = format!("writing the policy of role `{name}`");
        let put = async || {
            let put = self
                .stack
                .aws
                .iam
                .put_role_policy()
                .role_name(&name)
                .policy_name(POLICY);
            put.policy_document(&policy)
                .send()
                .await
                .during("iam:PutRolePolicy")
        };
        let passing = [Class::Absent, Class::Conflict, Class::Throttled];
        while_answer_is(progress, wait, &passing, &action, put)
            .await
            .map(drop)
    }

    async fn repair(&self, found: &Found, progress: &Progress) -> Result<(), Failure> {
        let (iam, name) = (&self.stack.aws.iam, self.name());
        let drift = self.compare(found);
        if drift.has(drift::TAGS) {
            let tags = self.stack.ownership.list(&self.key());
            let tagged = iam
                .tag_role()
                .role_name(&name)
                .set_tags(Some(tags))
                .send()
                .await;
            tagged
                .during("iam:TagRole")
                .or_failure(|| format!("tagging role `{name}`"))?;
        }
        if drift.has(TRUST) {
            let update = iam.update_assume_role_policy().role_name(&name);
            let update = update
                .policy_document(self.trust().to_string())
                .send()
                .await;
            update
                .during("iam:UpdateAssumeRolePolicy")
                .or_failure(|| format!("updating who may assume role `{name}`"))?;
        }
        if drift.has(PERMISSIONS) {
            self.put_policy(progress).await?;
        }
        found
            .others
            .strip(&self.stack, &name)
            .await
            .or_failure(|| format!("taking other policies off role `{name}`"))
    }

    /// Deletes it, and before that whatever policy somebody added to it.
    async fn delete(&self, progress: &Progress) -> Result<(), Failure> {
        let (iam, name) = (&self.stack.aws.iam, self.name());
        let action = format!("removing role `{name}`");
        let ours = iam
            .delete_role_policy()
            .role_name(&name)
            .policy_name(POLICY)
            .send()
            .await;
        ours.during("iam:DeleteRolePolicy")
            .absent_as_none()
            .or_failure(|| action.clone())?;
        let delete = async || {
            iam.delete_role()
                .role_name(&name)
                .send()
                .await
                .during("iam:DeleteRole")
        };
        let what = format!("role `{name}` to be free of policies");
        let wait = Wait::new(what, PROPAGATION).usual(0, 10);
        let passing = [Class::Conflict, Class::Throttled];
        while_answer_is(progress, wait, &passing, &action, async || {
            match delete().await.absent_as_none() {
                Err(error) if error.class == Class::Conflict => {
                    let others = Others::of(&self.stack, &name).await?;
                    others.strip(&self.stack, &name).await?;
                    Err(error)
                }
                other => other.map(drop),
            }
        })
        .await
    }
}

#[async_trait(?Send)]
impl Resource for Role {
    fn key(&self) -> ResourceKey {
        role_key(self.holder)
    }

    fn step(&self) -> Step {
        match self.holder {
            Holder::Function(_) => Step(4),
            Holder::Scheduler => Step(7),
        }
    }

    fn kind(&self) -> &'static str {
        "IAM role"
    }

    fn name(&self) -> String {
        match self.holder {
            Holder::Function(function) => self.stack.names.role(function),
            Holder::Scheduler => self.stack.names.scheduler_role(),
        }
    }

    fn needs(&self) -> Vec<ResourceKey> {
        match self.holder {
            Holder::Function(_) => vec![api::KEY],
            Holder::Scheduler => Vec::new(),
        }
    }

    /// Lambda deletes a function's network interfaces with the function's role, so the role stays
    /// until they are gone.
    fn removed_after(&self) -> Option<Vec<ResourceKey>> {
        match self.holder {
            Holder::Function(function) => Some(vec![keys::function(function), keys::INTERFACES]),
            Holder::Scheduler => None,
        }
    }

    async fn observe(&self) -> Result<Observed, Failure> {
        self.forget();
        let found = self.look().await.or_failure(|| self.looking())?;
        let Some(found) = found else {
            self.leave(None);
            return Ok(Observed::Absent);
        };
        if let Some(foreign) =
            drift::foreign(&self.stack, self.name(), &self.key(), found.tags.as_slice())
        {
            return Ok(foreign);
        }
        let observed = self.compare(&found).verdict(self.name());
        self.leave(Some(found.made));
        Ok(observed)
    }

    async fn ensure(&self, observed: &Observed, progress: &Progress) -> Result<(), Failure> {
        let found = match observed {
            Observed::Absent => None,
            _ => self.look().await.or_failure(|| self.looking())?,
        };
        let found = match found {
            Some(found) => found,
            None => match self.create(progress).await? {
                Made::Now(role) => {
                    self.put_policy(progress).await?;
                    self.leave(Some(role));
                    return Ok(());
                }
                Made::Before(found) => found,
            },
        };
        drift::refuse_foreign(
            &self.stack,
            &format!("role `{}`", self.name()),
            &self.key(),
            found.tags.as_slice(),
        )?;
        self.repair(&found, progress).await?;
        self.leave(Some(found.made));
        Ok(())
    }

    async fn remove(&self, progress: &Progress) -> Result<(), Failure> {
        let action = || format!("removing role `{}`", self.name());
        let found = self.look().await.or_failure(action)?;
        let ownership = &self.stack.ownership;
        let ours = |found: &Found| ownership.owns(&self.key(), found.tags.as_slice());
        if found.as_ref().is_some_and(ours) {
            self.delete(progress).await?;
        }
        self.forget();
        Ok(())
    }
}
