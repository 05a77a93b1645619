//! A replication group: one primary, two replicas, one in each of the three zones, with automatic
//! failover and TLS.

use std::time::Duration;

use async_trait::async_trait;
use aws_sdk_elasticache::types::ReplicationGroup as Answered;
use aws_sdk_elasticache::types::{AutomaticFailoverStatus, CacheCluster, MultiAzStatus};

use super::super::drift::Drift;
use super::super::{Stack, Subnet, keys};
use super::mode::{Found, Mode, State, Times, compare_ids, description, endpoint};
use crate::aws::{Answer, AwsError, AwsResult};
use crate::engine::outcome::Difference;

/// One primary and two replicas.
const NODES: i32 = 3;

/// The version that a bare major number stands for: ElastiCache wants both for node groups.
const LATEST_MINOR: &str = ".1";

const NODE_COUNT: &str = "NumCacheClusters";
const NODE_TYPE: &str = "CacheNodeType";
const FAILOVER: &str = "AutomaticFailover";
const MULTI_AZ: &str = "MultiAZ";
const SECURITY_GROUPS: &str = "SecurityGroupIds";
const VERSION: &str = "EngineVersion";

/// `CreateReplicationGroup` and its kin.
pub(super) struct Replication;

#[async_trait(?Send)]
impl Mode for Replication {
    fn kind(&self) -> &'static str {
        "replication group"
    }

    fn times(&self) -> Times {
        Times {
            usual: (600, 1200),
            limit: Duration::from_hours(1),
        }
    }

    async fn find(&self, stack: &Stack) -> Result<Option<Found>, AwsError> {
        let call = stack.aws.elasticache.describe_replication_groups();
        let answer = call.replication_group_id(stack.names.cache()).send().await;
        let answer = answer
            .during("elasticache:DescribeReplicationGroups")
            .absent_as_none()?;
        let groups = answer
            .and_then(|answer| answer.replication_groups)
            .unwrap_or_default();
        let Some(group) = groups.first() else {
            return Ok(None);
        };
        let node = first_node(stack, group).await?;
        Ok(Some(found(stack, group, node.as_ref())))
    }

    async fn create(&self, stack: &Stack) -> Result<(), AwsError> {
        let config = &stack.config.redis;
        let call = stack.aws.elasticache.create_replication_group();
        let call = call.replication_group_id(stack.names.cache());
        let call = call.replication_group_description(description(stack));
        let call = call
            .engine(config.engine.as_str())
            .engine_version(wanted_version(stack));
        let call = call
            .cache_node_type(&config.node_type)
            .num_cache_clusters(NODES);
        let call = call.automatic_failover_enabled(true).multi_az_enabled(true);
        let call = call
            .transit_encryption_enabled(true)
            .at_rest_encryption_enabled(true);
        let call = call.cache_subnet_group_name(stack.names.cache_subnet_group());
        let call = call.set_security_group_ids(security_groups(stack));
        let call = call.set_preferred_cache_cluster_azs(zones(stack));
        let call = call.set_tags(Some(stack.ownership.list(&keys::CACHE)));
        let answer = call
            .send()
            .await
            .during("elasticache:CreateReplicationGroup");
        answer.exists_as_none().map(drop)
    }

    async fn modify(&self, stack: &Stack, differences: &[Difference]) -> Result<(), AwsError> {
        let differs = |attribute| differences.iter().any(|d| d.attribute == attribute);
        if differs(NODE_COUNT) {
            // One change at a time: what else differs is put back when this is done.
            return set_node_count(stack, differences).await;
        }
        let call = stack.aws.elasticache.modify_replication_group();
        let mut call = call
            .replication_group_id(stack.names.cache())
            .apply_immediately(true);
        if differs(NODE_TYPE) {
            call = call.cache_node_type(&stack.config.redis.node_type);
        }
        if differs(FAILOVER) || differs(MULTI_AZ) {
            call = call.automatic_failover_enabled(true).multi_az_enabled(true);
        }
        if differs(SECURITY_GROUPS) {
            call = call.set_security_group_ids(security_groups(stack));
        }
        if differs(VERSION) {
            call = call.engine_version(wanted_version(stack));
        }
        call.send()
            .await
            .during("elasticache:ModifyReplicationGroup")
            .map(drop)
    }

    async fn delete(&self, stack: &Stack) -> Result<(), AwsError> {
        let call = stack.aws.elasticache.delete_replication_group();
        let answer = call.replication_group_id(stack.names.cache()).send().await;
        answer
            .during("elasticache:DeleteReplicationGroup")
            .absent_as_none()
            .map(drop)
    }
}

/// A group does not say in which security groups it is, and which version it runs: its nodes do.
async fn first_node(stack: &Stack, group: &Answered) -> Result<Option<CacheCluster>, AwsError> {
    let Some(node) = group.member_clusters().first() else {
        return Ok(None);
    };
    let call = stack
        .aws
        .elasticache
        .describe_cache_clusters()
        .cache_cluster_id(node);
    let answer = call
        .send()
        .await
        .during("elasticache:DescribeCacheClusters");
    let clusters = answer
        .absent_as_none()?
        .and_then(|answer| answer.cache_clusters);
    Ok(clusters.and_then(|clusters| clusters.into_iter().next()))
}

async fn set_node_count(stack: &Stack, differences: &[Difference]) -> Result<(), AwsError> {
    let found = differences
        .iter()
        .find(|difference| difference.attribute == NODE_COUNT);
    let found: i32 = found
        .and_then(|difference| difference.found.parse().ok())
        .unwrap_or(NODES);
    let elasticache = &stack.aws.elasticache;
    let name = stack.names.cache();
    if found < NODES {
        let call = elasticache
            .increase_replica_count()
            .replication_group_id(name);
        let call = call.new_replica_count(NODES - 1).apply_immediately(true);
        return call
            .send()
            .await
            .during("elasticache:IncreaseReplicaCount")
            .map(drop);
    }
    let call = elasticache
        .decrease_replica_count()
        .replication_group_id(name);
    let call = call.new_replica_count(NODES - 1).apply_immediately(true);
    call.send()
        .await
        .during("elasticache:DecreaseReplicaCount")
        .map(drop)
}

fn found(stack: &Stack, group: &Answered, node: Option<&CacheCluster>) -> Found {
    let name = format!("replicationgroup:{}", stack.names.cache());
    let primary = group
        .node_groups()
        .first()
        .and_then(|shard| shard.primary_endpoint());
    Found {
        arn: group
            .arn
            .clone()
            .unwrap_or_else(|| stack.aws.arn("elasticache", &name)),
        description: group.description().unwrap_or_default().to_owned(),
        state: State::of(group.status()),
        endpoint: endpoint(stack, primary, false),
        differences: differences(stack, group, node),
    }
}

fn differences(stack: &Stack, group: &Answered, node: Option<&CacheCluster>) -> Vec<Difference> {
    let mut drift = Drift::default();
    drift.compare(NODE_COUNT, group.member_clusters().len(), NODES);
    drift.compare(
        NODE_TYPE,
        group.cache_node_type().unwrap_or_default(),
        &stack.config.redis.node_type,
    );
    if group.automatic_failover() != Some(&AutomaticFailoverStatus::Enabled) {
        drift.note(Difference::new(FAILOVER, "not enabled", "enabled"));
    }
    if group.multi_az() != Some(&MultiAzStatus::Enabled) {
        drift.note(Difference::new(MULTI_AZ, "not enabled", "enabled"));
    }
    if group.transit_encryption_enabled() != Some(true) {
        let difference = Difference::new("TransitEncryptionEnabled", "false", "true");
        drift.note(difference.needs_replacement());
    }
    if let Some(node) = node {
        drift.note_all(of_node(stack, node));
    }
    drift.into_differences()
}

fn of_node(stack: &Stack, node: &CacheCluster) -> Vec<Difference> {
    let version = version(
        node.engine_version().unwrap_or_default(),
        &wanted_version(stack),
    );
    let groups = node.security_groups().iter();
    let groups = groups
        .filter_map(|group| group.security_group_id.clone())
        .collect();
    let groups = compare_ids(SECURITY_GROUPS, groups, security_groups(stack));
    let subnets = node.cache_subnet_group_name().unwrap_or_default();
    let wanted = stack.names.cache_subnet_group();
    let subnets = (subnets != wanted)
        .then(|| Difference::new("CacheSubnetGroupName", subnets, wanted).needs_replacement());
    version.into_iter().chain(groups).chain(subnets).collect()
}

/// `ElastiCache` raises a version in place, of minor ones also by itself (`AutoMinorVersionUpgrade`),
/// and never lowers one.
fn version(found: &str, wanted: &str) -> Option<Difference> {
    if found == wanted {
        return None;
    }
    let difference = Difference::new(VERSION, found, wanted);
    let (Some(has), Some(wants)) = (number(found), number(wanted)) else {
        return Some(difference);
    };
    if has < wants {
        return Some(difference);
    }
    (has.0 > wants.0).then(|| difference.needs_replacement())
}

/// Major and minor version.
fn number(version: &str) -> Option<(u32, u32)> {
    let mut parts = version.split('.').map(|part| part.parse().ok());
    Some((parts.next()??, parts.next()??))
}

fn wanted_version(stack: &Stack) -> String {
    full_version(&stack.config.redis.engine_version)
}

fn full_version(version: &str) -> String {
    if version.contains('.') {
        version.to_owned()
    } else {
        format!("{version}{LATEST_MINOR}")
    }
}

fn security_groups(stack: &Stack) -> Option<Vec<String>> {
    stack.found.cache_group.get().map(|group| vec![group])
}

/// The three zones, the first one for the primary.
fn zones(stack: &Stack) -> Option<Vec<String>> {
    let found = &stack.found;
    let subnets: [Option<Subnet>; 3] = [
        found.public_subnet.get(),
        found.private_subnets.get(0),
        found.private_subnets.get(1),
    ];
    subnets
        .into_iter()
        .map(|subnet| subnet.map(|subnet| subnet.zone))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_is_raised_in_place_and_lowered_by_replacement_only() {
        let replaced = |found, wanted| version(found, wanted).map(|of| of.needs_replacement);
        assert_eq!(replaced("7.0.7", "7.1"), Some(false));
        assert_eq!(replaced("6.2.6", "7.1"), Some(false));
        for same in ["7.1.0", "7.1", "7.2.1"] {
            assert_eq!(replaced(same, "7.1"), None, "{same}");
        }
        assert_eq!(replaced("8.0.1", "7.1"), Some(true));
        assert_eq!(replaced("odd", "7.1"), Some(false));
        assert_eq!(replaced("odd", "odd"), None);
    }

    #[test]
    fn a_bare_major_version_is_completed() {
        assert_eq!(full_version("7"), "7.1");
        assert_eq!(full_version("7.0"), "7.0");
    }
}
