//! The two security groups: one for all functions, one for the cache.
//!
//! All functions share one, because Lambda makes one network interface for each pair of subnet and
//! set of groups, and each takes minutes to go.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use aws_sdk_ec2::types::{IpPermission, IpRange, ResourceType, SecurityGroup as Answered};

use super::super::drift::Drift;
use super::super::repeat::{doing, once_visible, until_gone};
use super::super::{Slot, Stack, keys};
use super::{STEP, cache_ingress, look};
use crate::aws::{Answer, AwsError, AwsResult, Class};
use crate::engine::outcome::Difference;
use crate::engine::{Failure, Left, Observed, Poll, Progress, Resource, ResourceKey, Step, Wait};

/// A deleted cache may hold its network interfaces for some minutes.
const FREE_WITHIN: Duration = Duration::from_mins(20);

const GONE_WITHIN: Duration = Duration::from_mins(2);

/// Attribute as differences name it.
const EGRESS: &str = "IpPermissionsEgress";

/// Every address.
const ANYWHERE: &str = "0.0.0.0/0";

/// Every protocol.
const ANYTHING: &str = "-1";

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
        self.stack.ownership.owns(&self.key(), group.tags())
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

    /// The functions reach the cache, the queues, the tables and the gateway: nothing that EC2 lets
    /// out of a new group may be missing. What answers the functions goes out of the cache's group
    /// by itself.
    fn compare(&self, group: &Answered) -> Drift {
        let mut drift = look::compare_tags(&self.stack, group.tags(), &self.key());
        if self.whose == Whose::Functions && !lets_all_out(group) {
            let rules = group.ip_permissions_egress().iter();
            let found: Vec<String> = rules.map(cache_ingress::describe).collect();
            let found = if found.is_empty() {
                "none".to_owned()
            } else {
                found.join(", ")
            };
            drift.note(Difference::new(EGRESS, found, format!("all to {ANYWHERE}")));
        }
        drift
    }

    /// Lets the functions out again.
    async fn open(&self, id: &str, progress: &Progress) -> Result<(), Failure> {
        let action = doing("repairing", self);
        let open = async || {
            self.stack.lookups.security_groups.forget();
            let found = self.find().await?;
            let shut = found.is_some_and(|group| self.compare(&group).has(EGRESS));
            if !shut {
                return Ok(());
            }
            let call = self.stack.aws.ec2.authorize_security_group_egress();
            let answer = call.group_id(id).ip_permissions(all_out()).send().await;
            let answer = answer.during("ec2:AuthorizeSecurityGroupEgress");
            answer.exists_as_none().map(drop)
        };
        once_visible(progress, &action, open).await
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
            let owner = self.stack.ownership.owner(&self.key(), group.tags());
            return Ok(Observed::foreign(id, owner.describe()));
        }
        self.slot().set(id.clone());
        Ok(self.compare(&group).verdict(id))
    }

    async fn ensure(&self, observed: &Observed, progress: &Progress) -> Result<(), Failure> {
        if let Observed::Foreign { id, .. } | Observed::Drifted { id, .. } = observed {
            let tagged = self.tag(id).await;
            tagged.or_failure(|| doing("tagging", self))?;
            self.open(id, progress).await?;
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

/// The rule that EC2 puts into every new group.
fn all_out() -> IpPermission {
    IpPermission::builder()
        .ip_protocol(ANYTHING)
        .ip_ranges(IpRange::builder().cidr_ip(ANYWHERE).build())
        .build()
}

fn lets_all_out(group: &Answered) -> bool {
    let anywhere = |range: &IpRange| range.cidr_ip() == Some(ANYWHERE);
    let mut rules = group.ip_permissions_egress().iter();
    rules.any(|rule| rule.ip_protocol() == Some(ANYTHING) && rule.ip_ranges().iter().any(anywhere))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn group(rules: Vec<IpPermission>) -> Answered {
        let group = Answered::builder().set_ip_permissions_egress(Some(rules));
        group.build()
    }

    #[test]
    fn only_a_rule_for_anything_to_anywhere_lets_all_out() {
        assert!(lets_all_out(&group(vec![all_out()])));
        assert!(!lets_all_out(&group(Vec::new())));
        let mut narrow = all_out();
        narrow.ip_protocol = Some("tcp".to_owned());
        assert!(!lets_all_out(&group(vec![narrow])));
        let mut near = all_out();
        near.ip_ranges = Some(vec![IpRange::builder().cidr_ip("10.0.0.0/8").build()]);
        assert!(!lets_all_out(&group(vec![near])));
    }
}
