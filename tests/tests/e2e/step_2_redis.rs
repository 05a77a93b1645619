//! Step 2: the cache.

use aws_sdk_ec2::types::{Filter, SecurityGroup};
use place_config::stack::RedisMode;
use place_tests::{LocalCloud, Operator, Sdk};

use crate::support::shared;

async fn security_group(sdk: &Sdk, id: &str) -> SecurityGroup {
    let answer = sdk
        .ec2
        .describe_security_groups()
        .group_ids(id)
        .send()
        .await
        .unwrap();
    answer.security_groups()[0].clone()
}

async fn all_default_subnets(sdk: &Sdk) -> Vec<String> {
    let filter = Filter::builder()
        .name("default-for-az")
        .values("true")
        .build();
    let answer = sdk
        .ec2
        .describe_subnets()
        .filters(filter)
        .send()
        .await
        .unwrap();
    let mut ids: Vec<_> = answer
        .subnets()
        .iter()
        .filter_map(|s| s.subnet_id().map(str::to_owned))
        .collect();
    ids.sort();
    ids
}

/// The cache's group lets the functions' group in at 6379 (primary) and 6380 (reader), and
/// nobody else.
async fn assert_only_functions_come_in(sdk: &Sdk, group: &str) {
    let group = security_group(sdk, group).await;
    let rules = group.ip_permissions();
    assert_eq!(rules.len(), 1, "{rules:#?}");
    assert_eq!(
        (rules[0].from_port(), rules[0].to_port()),
        (Some(6379), Some(6380))
    );
    assert_eq!(rules[0].ip_protocol(), Some("tcp"));
    assert!(rules[0].ip_ranges().is_empty(), "{rules:#?}");
    assert_eq!(rules[0].user_id_group_pairs().len(), 1, "{rules:#?}");
    let source = rules[0].user_id_group_pairs()[0].group_id().unwrap();
    let source = security_group(sdk, source).await;
    assert_eq!(source.group_name(), Some("place-functions"));
}

#[tokio::test]
async fn row_2_1_serverless_cache_over_all_three_zones() {
    let shared = shared().await;
    let sdk = shared.operator.sdk();
    let answer = sdk
        .elasticache
        .describe_serverless_caches()
        .send()
        .await
        .unwrap();
    assert_eq!(answer.serverless_caches().len(), 1);
    let cache = &answer.serverless_caches()[0];
    assert_eq!(cache.serverless_cache_name(), Some("placev2cache"));
    assert_eq!(cache.engine(), Some("redis"));
    assert!(cache.status().unwrap().eq_ignore_ascii_case("available"));
    let mut subnets = cache.subnet_ids().to_vec();
    subnets.sort();
    assert_eq!(subnets, all_default_subnets(&sdk).await);
    assert_eq!(cache.security_group_ids().len(), 1);
    assert_only_functions_come_in(&sdk, &cache.security_group_ids()[0]).await;
    let limits = cache.cache_usage_limits().unwrap();
    assert!(
        limits.data_storage().unwrap().maximum().is_some(),
        "a cap on cost"
    );
}

#[tokio::test]
async fn row_2_1_replication_group_of_three_nodes() {
    let cloud = LocalCloud::start().await;
    let operator = Operator::with(&cloud, |config| {
        config.redis.mode = RedisMode::ReplicationGroup;
    });
    operator.up().await;
    let sdk = operator.sdk();
    let answer = sdk
        .elasticache
        .describe_replication_groups()
        .send()
        .await
        .unwrap();
    assert_eq!(answer.replication_groups().len(), 1);
    let group = &answer.replication_groups()[0];
    assert_eq!(group.replication_group_id(), Some("placev2cache"));
    assert_eq!(group.status(), Some("available"));
    assert_eq!(group.member_clusters().len(), 3, "{group:#?}");
    assert_eq!(group.multi_az().unwrap().as_str(), "enabled");
    assert_eq!(group.automatic_failover().unwrap().as_str(), "enabled");
    let answer = sdk
        .elasticache
        .describe_cache_subnet_groups()
        .send()
        .await
        .unwrap();
    let named = |g: &&aws_sdk_elasticache::types::CacheSubnetGroup| {
        g.cache_subnet_group_name() == Some("placev2cache-subnets")
    };
    let subnets = answer.cache_subnet_groups().iter().find(named).unwrap();
    assert_eq!(subnets.subnets().len(), 3);
    let again = operator
        .placectl()
        .args(["up", "-o", "json"])
        .succeed()
        .await
        .finished_event();
    assert_eq!(again["counts"].as_object().unwrap().len(), 1, "{again}");
    operator.teardown().await;
}
