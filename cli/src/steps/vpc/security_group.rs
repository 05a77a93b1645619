//! The two security groups: one for all functions, one for the cache.
//!
//! All functions share one, because Lambda makes one network interface for each pair of subnet and
//! set of groups, and each takes minutes to go.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use aws_sdk_ec2::types::{ResourceType, SecurityGroup as Answered};

use super::super::repeat::{doing, once_visible, until_gone};
use super::super::{Slot, Stack, keys};
use super::{STEP, look};
use crate::aws::{Answer, AwsError, AwsResult, Class, Owner};
use crate::engine::{Failure, Left, Observed, Poll, Progress, Resource, ResourceKey, Step, Wait};

/// A deleted cache may hold its network interfaces for some minutes.
const FREE_WITHIN: Duration = Duration::from_mins(20);

const GONE_WITHIN: Duration = Duration::from_mins(2);

#[derive(Clone, Copy, PartialEq, Eq)]
enum Whose {
    Functions,
    Cache,
}

/// A security group.
pub(super) struct SecurityGroup {
    stack: Arc<Stack>,
    whose: Whose,
}

impl SecurityGroup {
    /// The one that all functions share.
    pub(super) const fn of_functions(stack: Arc<Stack>) -> Self {
        Self {
            stack,
            whose: Whose::Functions,
        }
    }

    /// The one that the cache is in.
    pub(super) const fn of_cache(stack: Arc<Stack>) -> Self {
        Self {
            stack,
            whose: Whose::Cache,
        }
    }

    fn slot(&self) -> &Slot<String> {
        match self.whose {
            Whose::Functions => &self.stack.found.function_group,
            Whose::Cache => &self.stack.found.cache_group,
        }
    }

    const fn description(&self) -> &'static str {
        match self.whose {
            Whose::Functions => "Functions of a place",
            Whose::Cache => "Cache of a place",
        }
    }

    /// The group of that name in the VPC, whosever it is: names are unique in a VPC.
    async fn find(&self) -> Result<Option<Answered>, AwsError> {
        let Some(vpc) = self.stack.found.vpc.get() else {
            return Ok(None);
        };
        let name = self.name();
        let groups = look::security_groups(&self.stack, &vpc.id).await?;
        Ok(groups
            .into_iter()
            .find(|group| group.group_name() == Some(name.as_str())))
    }

    async fn find_own(&self) -> Result<Option<String>, AwsError> {
        self.stack.lookups.security_groups.forget();
        let found = self.find().await?;
        let own = found.filter(|group| self.is_own(group));
        Ok(own.and_then(|group| group.group_id))
    }

    fn is_own(&self, group: &Answered) -> bool {
        let stack = &self.stack;
        stack.ownership.owner(group.tags()) == Owner::Us
            || look::is_ours(stack, group.tags(), &self.key())
    }

    async fn create(&self, vpc: &str) -> Result<String, AwsError> {
        let tags = look::specification(&self.stack, &self.key(), ResourceType::SecurityGroup);
        let call = self
            .stack
            .aws
            .ec2
            .create_security_group()
            .group_name(self.name());
        let call = call
            .description(self.description())
            .vpc_id(vpc)
            .tag_specifications(tags);
        let answer = call
            .send()
            .await
            .during("ec2:CreateSecurityGroup")
            .exists_as_none()?;
        // The name keeps a repeated create from making a second one.
        let id = match answer {
            Some(answer) => answer.group_id,
            None => self.find_own().await?,
        };
        id.ok_or_else(|| AwsError::absent("ec2:DescribeSecurityGroups", &self.key()))
    }

    async fn tag(&self, id: &str) -> Result<(), AwsError> {
        let tags = self.stack.ownership.list(&self.key());
        let call = self
            .stack
            .aws
            .ec2
            .create_tags()
            .resources(id)
            .set_tags(Some(tags));
        call.send().await.during("ec2:CreateTags").map(drop)
    }

    /// What still uses the group, in words.
    async fn users(&self, id: &str) -> Result<String, AwsError> {
        let interfaces = look::interfaces(&self.stack, "group-id", id).await?;
        Ok(match interfaces.first() {
            Some(interface) => super::interfaces::describe(interface),
            None => "a rule of another security group".to_owned(),
        })
    }

    async fn delete(&self, id: &str, action: &str) -> Result<Poll<()>, Failure> {
        let call = self.stack.aws.ec2.delete_security_group().group_id(id);
        let answer = call
            .send()
            .await
            .during("ec2:DeleteSecurityGroup")
            .absent_as_none();
        match answer {
            Ok(_) => Ok(Poll::Ready(())),
            Err(error) if error.class == Class::Conflict => {
                Ok(Poll::Pending(self.users(id).await.or_failure(|| action)?))
            }
            Err(error) => Err(error.failure(action).left(Left::Ours)),
        }
    }
}

#[async_trait(?Send)]
impl Resource for SecurityGroup {
    fn key(&self) -> ResourceKey {
        match self.whose {
            Whose::Functions => keys::FUNCTION_GROUP,
            Whose::Cache => keys::CACHE_GROUP,
        }
    }

    fn step(&self) -> Step {
        STEP
    }

    fn kind(&self) -> &'static str {
        "security group"
    }

    fn name(&self) -> String {
        match self.whose {
            Whose::Functions => self.stack.names.function_security_group(),
            Whose::Cache => self.stack.names.cache_security_group(),
        }
    }

    fn needs(&self) -> Vec<ResourceKey> {
        vec![keys::VPC]
    }

    async fn observe(&self) -> Result<Observed, Failure> {
        let found = self
            .find()
            .await
            .or_failure(|| doing("looking for", self))?;
        let Some(group) = found else {
            self.slot().clear();
            return Ok(Observed::Absent);
        };
        let id = group.group_id().unwrap_or_default().to_owned();
        if !self.is_own(&group) {
            // Nothing may take it for ours: its rules and interfaces are somebody else's.
            self.slot().clear();
            let owner = self.stack.ownership.owner(group.tags());
            return Ok(Observed::foreign(id, owner.describe()));
        }
        self.slot().set(id.clone());
        Ok(look::compare_tags(&self.stack, group.tags(), &self.key()).verdict(id))
    }

    async fn ensure(&self, observed: &Observed, progress: &Progress) -> Result<(), Failure> {
        if let Observed::Foreign { id, .. } | Observed::Drifted { id, .. } = observed {
            let tagged = self.tag(id).await;
            tagged.or_failure(|| doing("tagging", self))?;
            self.slot().set(id.clone());
        } else {
            let action = doing("creating", self);
            let vpc = self.stack.found.vpc.require(&keys::VPC)?.id;
            let id = once_visible(progress, &action, async || self.create(&vpc).await).await?;
            self.slot().set(id);
        }
        self.stack.lookups.security_groups.forget();
        Ok(())
    }

    async fn remove(&self, progress: &Progress) -> Result<(), Failure> {
        let action = doing("removing", self);
        if let Some(id) = self.find_own().await.or_failure(|| action.clone())? {
            let wait = Wait::new(
                format!("security group `{}` to be free", self.name()),
                FREE_WITHIN,
            );
            let delete = async || self.delete(&id, &action).await;
            progress.until(wait.usual(1, 600), delete).await?;
        }
        let wait = Wait::new(
            format!("security group `{}` to be gone", self.name()),
            GONE_WITHIN,
        );
        let wait = wait.usual(0, 10);
        until_gone(progress, wait, &action, async || self.find_own().await).await?;
        self.slot().clear();
        Ok(())
    }
}
