//! How a replication group is asked for, and one that could not be made.

use super::cache::{fault, taken};
use super::replication::{DESCRIBE, standing, whole};
use super::*;

const CREATE: &str = "CreateReplicationGroup";

const DELETE: &str = "DeleteReplicationGroup";

/// ElastiCache says `create-failed` of a group and then leaves it at that.
#[tokio::test(start_paused = true)]
async fn a_group_that_could_not_be_made_is_deleted_and_made_anew() {
    let gone = fault("ReplicationGroupNotFoundFault");
    let script = Script::default()
        .answer(DESCRIBE, 200, &whole("create-failed"))
        .answer(DELETE, 400, &fault("InvalidReplicationGroupState"))
        .answer(DELETE, 200, &taken(DELETE))
        .answer(DESCRIBE, 200, &whole("create-failed"))
        .answer(DESCRIBE, 200, &whole("deleting"))
        // Until it is gone, and before the new one.
        .answer(DESCRIBE, 404, &gone)
        .answer(DESCRIBE, 404, &gone)
        .answer(CREATE, 200, &taken(CREATE))
        .answer(DESCRIBE, 200, &whole("creating"))
        .always(DESCRIBE, 200, &whole("available"));
    let stack = standing(&script);
    let observed = resource(&stack, "cache").observe().await.unwrap();
    assert!(matches!(observed, Observed::Broken { .. }), "{observed:?}");
    ensure(&stack, "cache", observed).await.unwrap();
    assert_eq!(script.left(), 0);
    let second = resource(&stack, "cache").observe().await.unwrap();
    assert!(matches!(second, Observed::Ready { .. }), "{second:?}");
}

/// Three nodes, each in a zone of its own, that follow each other and speak TLS alone.
#[tokio::test(start_paused = true)]
async fn a_group_is_asked_for_with_three_nodes_failover_and_tls() {
    let gone = fault("ReplicationGroupNotFoundFault");
    let script = Script::default()
        .answer(DESCRIBE, 404, &gone)
        .answer(CREATE, 200, &taken(CREATE))
        .always(DESCRIBE, 200, &whole("available"));
    let stack = standing(&script);
    let subnet = |id: &str, zone: &str| Subnet {
        id: id.to_owned(),
        zone_id: zone.to_owned(),
        zone: zone.to_owned(),
    };
    let found = &stack.found;
    found.public_subnet.set(subnet("subnet-a", "eu-west-1a"));
    found
        .private_subnets
        .set(0, subnet("subnet-b", "eu-west-1b"));
    found
        .private_subnets
        .set(1, subnet("subnet-c", "eu-west-1c"));
    ensure(&stack, "cache", Observed::Absent).await.unwrap();
    let request = script.bodies(CREATE).pop().unwrap();
    let parts: Vec<&str> = request.split('&').collect();
    let redis = StackConfig::default().redis;
    let node_type = format!("CacheNodeType={}", redis.node_type);
    let group = stack.names.cache_subnet_group();
    let group = format!("CacheSubnetGroupName={group}");
    for part in [
        "NumCacheClusters=3",
        "MultiAZEnabled=true",
        "AutomaticFailoverEnabled=true",
        "TransitEncryptionEnabled=true",
        "AtRestEncryptionEnabled=true",
        "PreferredCacheClusterAZs.AvailabilityZone.1=eu-west-1a",
        "PreferredCacheClusterAZs.AvailabilityZone.2=eu-west-1b",
        "PreferredCacheClusterAZs.AvailabilityZone.3=eu-west-1c",
        "SecurityGroupIds.SecurityGroupId.1=sg-2",
        node_type.as_str(),
        group.as_str(),
    ] {
        assert!(parts.contains(&part), "{part}: {request}");
    }
}
