//! The rule that lets the functions into the cache: TCP 6379 (reads and writes) and 6380 (reads
//! from replicas of a serverless cache), from the functions' security group.

use async_trait::async_trait;
use aws_sdk_ec2::types::{IpPermission, ResourceType, UserIdGroupPair};

use super::super::drift::Drift;
use super::super::lifecycle::{Card, Kind, Reading, Trouble, Whose};
use super::super::{Stack, keys};
use super::look;
use crate::aws::{Answer, AwsError, AwsResult};

const PORTS: (i32, i32) = (6379, 6380);

/// The rule. A node of its own, because neither group can go while it names the other.
pub(super) struct CacheIngress;

/// What may come into the cache's group.
pub(super) struct Rules {
    /// Its id.
    group: String,
    /// From the functions' group.
    ours: Vec<IpPermission>,
    /// From anywhere else: nothing else is to reach the cache.
    others: Vec<IpPermission>,
}

impl Rules {
    fn is_right(&self) -> bool {
        self.others.is_empty() && matches!(self.ours.as_slice(), [only] if is_right(only))
    }
}

async fn authorize(stack: &Stack, cache: &str) -> Result<(), Trouble> {
    let functions = stack.found.function_group.require(&keys::FUNCTION_GROUP)?;
    let kind = ResourceType::SecurityGroupRule;
    let tags = look::specification(stack, &keys::CACHE_INGRESS, kind);
    let call = stack.aws.ec2.authorize_security_group_ingress();
    let call = call.group_id(cache).ip_permissions(rule(&functions));
    let answer = call.tag_specifications(tags).send().await;
    let answer = answer.during("ec2:AuthorizeSecurityGroupIngress");
    Ok(answer.exists_as_none().map(drop)?)
}

async fn revoke(stack: &Stack, cache: &str, rules: Vec<IpPermission>) -> Result<(), AwsError> {
    if rules.is_empty() {
        return Ok(());
    }
    let call = stack.aws.ec2.revoke_security_group_ingress();
    let answer = call
        .group_id(cache)
        .set_ip_permissions(Some(rules))
        .send()
        .await;
    let answer = answer.during("ec2:RevokeSecurityGroupIngress");
    answer.absent_as_none().map(drop)
}

#[async_trait(?Send)]
impl Kind for CacheIngress {
    type Found = Rules;

    fn card(&self, _: &Stack) -> Card {
        let name = format!("functions to cache, {}-{}", PORTS.0, PORTS.1);
        let card = Card::new(1, keys::CACHE_INGRESS, "security group rule", name);
        card.needs([keys::CACHE_GROUP, keys::FUNCTION_GROUP])
    }

    /// The rules in the cache's group.
    async fn find(&self, stack: &Stack) -> Result<Vec<Rules>, Trouble> {
        let found = &stack.found;
        let (Some(vpc), Some(cache)) = (found.vpc.get(), found.cache_group.get()) else {
            return Ok(Vec::new());
        };
        let mut groups = look::security_groups(stack, &vpc.id).await?.into_iter();
        let group = groups.find(|group| group.group_id() == Some(&cache));
        let all = group
            .and_then(|group| group.ip_permissions)
            .unwrap_or_default();
        let functions = found.function_group.get();
        let functions = functions.as_deref();
        let ours = all.iter().filter_map(|rule| about(rule, functions?));
        let rules = Rules {
            group: cache,
            ours: ours.collect(),
            others: all.iter().filter_map(|of| beside(of, functions)).collect(),
        };
        let none = rules.ours.is_empty() && rules.others.is_empty();
        Ok((!none).then_some(rules).into_iter().collect())
    }

    fn read(&self, _: &Stack, found: &Rules) -> Reading {
        Reading::new(&found.group, Whose::Parents)
    }

    fn compare(&self, _: &Stack, found: &Rules, drift: &mut Drift) {
        let wanted = format!("tcp {}-{}", PORTS.0, PORTS.1);
        if found.is_right() {
            return;
        }
        let others = found.others.iter().map(describe);
        let others = others.map(|rule| format!("{rule} from other sources"));
        let described: Vec<String> = found.ours.iter().map(describe).chain(others).collect();
        drift.compare("IpPermissions", described.join(", "), wanted);
    }

    async fn create(&self, stack: &Stack) -> Result<Rules, Trouble> {
        let group = stack.found.cache_group.require(&keys::CACHE_GROUP)?;
        authorize(stack, &group).await?;
        let (ours, others) = (Vec::new(), Vec::new());
        Ok(Rules {
            group,
            ours,
            others,
        })
    }

    async fn mend(&self, stack: &Stack, found: &Rules, _: &Drift) -> Result<(), Trouble> {
        let (right, wrong): (Vec<_>, Vec<_>) = found.ours.iter().cloned().partition(is_right);
        if right.is_empty() {
            authorize(stack, &found.group).await?;
        }
        let wrong = wrong.into_iter().chain(found.others.clone()).collect();
        Ok(revoke(stack, &found.group, wrong).await?)
    }

    async fn delete(&self, stack: &Stack, found: &Rules) -> Result<(), Trouble> {
        Ok(revoke(stack, &found.group, found.ours.clone()).await?)
    }

    fn refresh(&self, stack: &Stack) {
        stack.lookups.security_groups.forget();
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
