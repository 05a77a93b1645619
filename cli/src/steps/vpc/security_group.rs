//! The two security groups: one for all functions, one for the cache.
//!
//! All functions share one, because Lambda makes one network interface for each pair of subnet and
//! set of groups, and each takes minutes to go.

use std::time::Duration;

use async_trait::async_trait;
use aws_sdk_ec2::types::{IpPermission, IpRange, ResourceType, SecurityGroup as Answered};

use super::super::drift::Drift;
use super::super::lifecycle::{Card, Kind, Reading, Trouble};
use super::super::{Stack, keys};
use super::{cache_ingress, interfaces, look};
use crate::aws::{Answer, AwsError, AwsResult, Class};
use crate::engine::ResourceKey;
use crate::engine::outcome::Difference;

/// A deleted cache may hold its network interfaces for some minutes.
const PATIENCE: Duration = Duration::from_mins(20);

/// Every address.
const ANYWHERE: &str = "0.0.0.0/0";

/// Every protocol.
const ANYTHING: &str = "-1";

/// A security group.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum SecurityGroup {
    /// The one that all functions share.
    OfFunctions,
    /// The one that the cache is in.
    OfCache,
}

impl SecurityGroup {
    const fn key(self) -> ResourceKey {
        match self {
            Self::OfFunctions => keys::FUNCTION_GROUP,
            Self::OfCache => keys::CACHE_GROUP,
        }
    }

    fn name(self, stack: &Stack) -> String {
        match self {
            Self::OfFunctions => stack.names.function_security_group(),
            Self::OfCache => stack.names.cache_security_group(),
        }
    }

    const fn description(self) -> &'static str {
        match self {
            Self::OfFunctions => "Functions of a place",
            Self::OfCache => "Cache of a place",
        }
    }
}

/// What still uses a group, in words.
async fn users(stack: &Stack, id: &str) -> Result<String, AwsError> {
    let found = look::interfaces(stack, "group-id", id).await?;
    Ok(match found.first() {
        Some(interface) => interfaces::describe(interface),
        None => "a rule of another security group".to_owned(),
    })
}

#[async_trait(?Send)]
impl Kind for SecurityGroup {
    type Found = Answered;

    fn card(&self, stack: &Stack) -> Card {
        let card = Card::new(1, self.key(), "security group", self.name(stack));
        let card = card.needs([keys::VPC]).patience(PATIENCE);
        card.seen_off(1, 600)
    }

    /// The group of that name in the VPC, whosever it is: names are unique in a VPC.
    async fn find(&self, stack: &Stack) -> Result<Vec<Answered>, Trouble> {
        let Some(vpc) = stack.found.vpc.get() else {
            return Ok(Vec::new());
        };
        let (name, mut groups) = (
            self.name(stack),
            look::security_groups(stack, &vpc.id).await?,
        );
        groups.retain(|group| group.group_name() == Some(&name));
        Ok(groups)
    }

    fn read(&self, _: &Stack, found: &Answered) -> Reading {
        Reading::tagged(found.group_id().unwrap_or_default(), found.tags())
    }

    /// The functions reach the cache, the queues, the tables and the gateway: nothing that EC2 lets
    /// out of a new group may be missing. What answers the functions goes out of the cache's group
    /// by itself.
    fn compare(&self, _: &Stack, found: &Answered, drift: &mut Drift) {
        if *self == Self::OfCache || lets_all_out(found) {
            return;
        }
        let rules = found.ip_permissions_egress().iter();
        let rules: Vec<String> = rules.map(cache_ingress::describe).collect();
        let rules = if rules.is_empty() {
            "none".to_owned()
        } else {
            rules.join(", ")
        };
        let wanted = format!("all to {ANYWHERE}");
        drift.note(Difference::new("IpPermissionsEgress", rules, wanted));
    }

    async fn create(&self, stack: &Stack) -> Result<Answered, Trouble> {
        let tags = look::specification(stack, &self.key(), ResourceType::SecurityGroup);
        let call = stack.aws.ec2.create_security_group();
        let call = call
            .group_name(self.name(stack))
            .description(self.description())
            .vpc_id(stack.found.vpc.require(&keys::VPC)?.id)
            .tag_specifications(tags);
        let answer = call.send().await.during("ec2:CreateSecurityGroup")?;
        Ok(Answered::builder().set_group_id(answer.group_id).build())
    }

    async fn tag(&self, stack: &Stack, found: &Answered) -> Result<(), Trouble> {
        let id = found.group_id().unwrap_or_default();
        Ok(look::put_tags(stack, id, &self.key()).await?)
    }

    /// Lets the functions out again.
    async fn mend(&self, stack: &Stack, found: &Answered, _: &Drift) -> Result<(), Trouble> {
        let call = stack.aws.ec2.authorize_security_group_egress();
        let call = call.set_group_id(found.group_id.clone());
        let answer = call.ip_permissions(all_out()).send().await;
        let answer = answer.during("ec2:AuthorizeSecurityGroupEgress");
        Ok(answer.exists_as_none().map(drop)?)
    }

    async fn delete(&self, stack: &Stack, found: &Answered) -> Result<(), Trouble> {
        let id = found.group_id().unwrap_or_default();
        let deleted = stack
            .aws
            .ec2
            .delete_security_group()
            .group_id(id)
            .send()
            .await;
        match deleted.during("ec2:DeleteSecurityGroup") {
            Err(error) if error.class == Class::Conflict => {
                let message = format!("in use by {}", users(stack, id).await?);
                Err(AwsError { message, ..error }.into())
            }
            deleted => Ok(deleted.map(drop)?),
        }
    }

    fn leave(&self, stack: &Stack, found: Option<&Answered>) {
        let slot = match self {
            Self::OfFunctions => &stack.found.function_group,
            Self::OfCache => &stack.found.cache_group,
        };
        slot.replace(found.and_then(|group| group.group_id.clone()));
    }

    fn refresh(&self, stack: &Stack) {
        stack.lookups.security_groups.forget();
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
