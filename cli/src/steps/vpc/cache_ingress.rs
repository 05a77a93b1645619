//! The rule that lets the functions into the cache: TCP 6379 (reads and writes) and 6380 (reads
//! from replicas of a serverless cache), from the functions' security group.

use std::sync::Arc;

use async_trait::async_trait;
use aws_sdk_ec2::types::{IpPermission, ResourceType, UserIdGroupPair};

use super::super::repeat::{doing, once_visible};
use super::super::{Stack, keys};
use super::{STEP, look};
use crate::aws::{Answer, AwsError, AwsResult};
use crate::engine::outcome::Difference;
use crate::engine::{Failure, Observed, Progress, Resource, ResourceKey, Step};

const PORTS: (i32, i32) = (6379, 6380);

/// What may come into the cache's group.
struct Rules {
    /// Its id.
    group: String,
    /// From the functions' group.
    ours: Vec<IpPermission>,
    /// From anywhere else: nothing else is to reach the cache.
    others: Vec<IpPermission>,
}

/// The rule. A node of its own, because neither group can go while it names the other.
pub(super) struct CacheIngress {
    stack: Arc<Stack>,
}

impl CacheIngress {
    pub(super) const fn new(stack: Arc<Stack>) -> Self {
        Self { stack }
    }

    /// The cache's group, and the rules in it.
    async fn find(&self) -> Result<Option<Rules>, AwsError> {
        let found = &self.stack.found;
        let (Some(vpc), Some(cache)) = (found.vpc.get(), found.cache_group.get()) else {
            return Ok(None);
        };
        let groups = look::security_groups(&self.stack, &vpc.id).await?;
        let group = groups
            .into_iter()
            .find(|group| group.group_id() == Some(cache.as_str()));
        let functions = found.function_group.get();
        Ok(group.map(|group| {
            let all = group.ip_permissions.unwrap_or_default();
            let functions = functions.as_deref();
            let ours = all.iter().filter_map(|rule| about(rule, functions?));
            Rules {
                group: cache,
                ours: ours.collect(),
                others: all.iter().filter_map(|of| beside(of, functions)).collect(),
            }
        }))
    }

    async fn authorize(&self, cache: &str, functions: &str) -> Result<(), AwsError> {
        let key = ResourceType::SecurityGroupRule;
        let tags = look::specification(&self.stack, &keys::CACHE_INGRESS, key);
        let call = self
            .stack
            .aws
            .ec2
            .authorize_security_group_ingress()
            .group_id(cache);
        let call = call
            .ip_permissions(rule(functions))
            .tag_specifications(tags);
        let answer = call
            .send()
            .await
            .during("ec2:AuthorizeSecurityGroupIngress");
        answer.exists_as_none().map(drop)
    }

    async fn revoke(&self, cache: &str, rules: Vec<IpPermission>) -> Result<(), AwsError> {
        if rules.is_empty() {
            return Ok(());
        }
        let call = self
            .stack
            .aws
            .ec2
            .revoke_security_group_ingress()
            .group_id(cache);
        let answer = call.set_ip_permissions(Some(rules)).send().await;
        answer
            .during("ec2:RevokeSecurityGroupIngress")
            .absent_as_none()
            .map(drop)
    }
}

#[async_trait(?Send)]
impl Resource for CacheIngress {
    fn key(&self) -> ResourceKey {
        keys::CACHE_INGRESS
    }

    fn step(&self) -> Step {
        STEP
    }

    fn kind(&self) -> &'static str {
        "security group rule"
    }

    fn name(&self) -> String {
        format!("functions to cache, {}-{}", PORTS.0, PORTS.1)
    }

    fn needs(&self) -> Vec<ResourceKey> {
        vec![keys::CACHE_GROUP, keys::FUNCTION_GROUP]
    }

    async fn observe(&self) -> Result<Observed, Failure> {
        let found = self
            .find()
            .await
            .or_failure(|| doing("looking for", self))?;
        let some = |rules: &Rules| !rules.ours.is_empty() || !rules.others.is_empty();
        let Some(rules) = found.filter(some) else {
            return Ok(Observed::Absent);
        };
        let cache = rules.group;
        if let ([only], []) = (rules.ours.as_slice(), rules.others.as_slice())
            && is_right(only)
        {
            return Ok(Observed::ready(cache));
        }
        let others = rules.others.iter().map(describe);
        let others = others.map(|rule| format!("{rule} for others"));
        let described: Vec<String> = rules.ours.iter().map(describe).chain(others).collect();
        let wanted = format!("tcp {}-{}", PORTS.0, PORTS.1);
        let differences = vec![Difference::new(
            "IpPermissions",
            described.join(", "),
            wanted,
        )];
        Ok(Observed::Drifted {
            id: cache,
            differences,
        })
    }

    async fn ensure(&self, observed: &Observed, progress: &Progress) -> Result<(), Failure> {
        let created = *observed == Observed::Absent;
        let action = doing(if created { "creating" } else { "repairing" }, self);
        let cache = self.stack.found.cache_group.require(&keys::CACHE_GROUP)?;
        let functions = self
            .stack
            .found
            .function_group
            .require(&keys::FUNCTION_GROUP)?;
        let authorize = async || self.authorize(&cache, &functions).await;
        once_visible(progress, &action, authorize).await?;
        if !created {
            self.stack.lookups.security_groups.forget();
            let found = self.find().await.or_failure(|| action.clone())?;
            let (ours, others) = found
                .map(|rules| (rules.ours, rules.others))
                .unwrap_or_default();
            let wrong = ours.into_iter().filter(|rule| !is_right(rule));
            let wrong = wrong.chain(others).collect();
            self.revoke(&cache, wrong).await.or_failure(|| action)?;
        }
        self.stack.lookups.security_groups.forget();
        Ok(())
    }

    async fn remove(&self, _: &Progress) -> Result<(), Failure> {
        let action = doing("removing", self);
        self.stack.lookups.security_groups.forget();
        if let Some(rules) = self.find().await.or_failure(|| action.clone())? {
            let revoked = self.revoke(&rules.group, rules.ours).await;
            revoked.or_failure(|| action)?;
            self.stack.lookups.security_groups.forget();
        }
        Ok(())
    }
}

fn rule(functions: &str) -> IpPermission {
    IpPermission::builder()
        .ip_protocol("tcp")
        .from_port(PORTS.0)
        .to_port(PORTS.1)
        .user_id_group_pairs(UserIdGroupPair::builder().group_id(functions).build())
        .build()
}

/// The part of a rule that is about the group `functions`: what EC2 takes to revoke just that.
fn about(rule: &IpPermission, functions: &str) -> Option<IpPermission> {
    let mut pairs = rule.user_id_group_pairs().iter();
    pairs.find(|pair| pair.group_id() == Some(functions))?;
    Some(
        IpPermission::builder()
            .set_ip_protocol(rule.ip_protocol.clone())
            .set_from_port(rule.from_port)
            .set_to_port(rule.to_port)
            .user_id_group_pairs(UserIdGroupPair::builder().group_id(functions).build())
            .build(),
    )
}

/// The part of a rule that is about anything but the group `functions`.
fn beside(rule: &IpPermission, functions: Option<&str>) -> Option<IpPermission> {
    let pairs = rule.user_id_group_pairs().iter();
    let pairs = pairs.filter(|pair| functions.is_none() || pair.group_id() != functions);
    let pairs: Vec<UserIdGroupPair> = pairs.cloned().collect();
    let empty = pairs.is_empty()
        && rule.ip_ranges().is_empty()
        && rule.ipv6_ranges().is_empty()
        && rule.prefix_list_ids().is_empty();
    let mut rule = rule.clone();
    rule.user_id_group_pairs = Some(pairs);
    (!empty).then_some(rule)
}

fn is_right(rule: &IpPermission) -> bool {
    rule.ip_protocol() == Some("tcp")
        && (rule.from_port(), rule.to_port()) == (Some(PORTS.0), Some(PORTS.1))
}

/// Protocol and ports of a rule, in words.
pub(super) fn describe(rule: &IpPermission) -> String {
    let protocol = rule.ip_protocol().unwrap_or_default();
    match (rule.from_port(), rule.to_port()) {
        (Some(from), Some(to)) => format!("{protocol} {from}-{to}"),
        _ => format!("{protocol} all ports"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rule_about_another_group_is_none_of_ours() {
        assert!(about(&rule("sg-other"), "sg-functions").is_none());
    }

    #[test]
    fn a_rule_that_lets_others_in_too_is_split() {
        let mut both = rule("sg-functions");
        assert!(beside(&both, Some("sg-functions")).is_none());
        let everybody = aws_sdk_ec2::types::IpRange::builder().cidr_ip("0.0.0.0/0");
        both.ip_ranges = Some(vec![everybody.build()]);
        let others = beside(&both, Some("sg-functions")).unwrap();
        assert_eq!(others.ip_ranges().len(), 1);
        assert!(others.user_id_group_pairs().is_empty());
    }

    #[test]
    fn ports_are_compared() {
        let mut found = about(&rule("sg-functions"), "sg-functions").unwrap();
        assert!(is_right(&found));
        found.to_port = Some(6379);
        assert!(!is_right(&found));
        assert_eq!(describe(&found), "tcp 6379-6379");
    }
}
