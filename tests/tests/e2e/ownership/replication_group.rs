//! In the mode `replication_group` a cache has a group of subnets beside it (row 2.1): both may be
//! somebody's (design, invariant 4).

use place_config::stack::RedisMode;
use place_tests::inventory::difference;
use place_tests::{LocalCloud, Operator, Proxy, Sdk, inventory};

use super::SUBNETS;
use crate::repair::is_idle;

/// A replication group of the stack's name with its subnets and its security group, none of them
/// with a tag: made like the stack's own, since the emulator changes neither a group's encryption nor
/// its security groups afterwards.
async fn strangers_group(sdk: &Sdk, operator: &Operator) {
    let names = operator.names();
    let group = sdk.elasticache.create_cache_subnet_group();
    let group = group.cache_subnet_group_name(names.cache_subnet_group());
    let group = group.cache_subnet_group_description("somebody's");
    let group = group.set_subnet_ids(Some(SUBNETS.map(str::to_owned).into()));
    group.send().await.unwrap();
    let group = sdk.ec2.create_security_group();
    let group = group.group_name(names.cache_security_group());
    let group = group.description("somebody's").vpc_id("vpc-00000001");
    let security_group = group.send().await.unwrap().group_id.unwrap();
    let cache = sdk.elasticache.create_replication_group();
    let cache = cache.replication_group_id(names.cache());
    let cache = cache.replication_group_description("somebody's");
    let cache = cache.cache_subnet_group_name(names.cache_subnet_group());
    let cache = cache.engine("redis").num_cache_clusters(3);
    let cache = cache
        .engine_version("7.1")
        .security_group_ids(security_group);
    let cache = cache.cache_node_type(&operator.config().redis.node_type);
    let cache = cache
        .automatic_failover_enabled(true)
        .multi_az_enabled(true);
    let cache = cache.transit_encryption_enabled(true);
    let cache = cache.at_rest_encryption_enabled(true);
    cache.send().await.unwrap();
}

/// Keys and values of the tags of a replication group.
async fn tags(sdk: &Sdk, name: &str) -> Vec<(String, String)> {
    let groups = sdk.elasticache.describe_replication_groups();
    let groups = groups.replication_group_id(name).send().await.unwrap();
    let arn = groups.replication_groups()[0].arn().unwrap();
    let tags = sdk.elasticache.list_tags_for_resource().resource_name(arn);
    let tags = tags.send().await.unwrap();
    let pair = |tag: &aws_sdk_elasticache::types::Tag| {
        let text = |part: Option<&str>| part.unwrap_or_default().to_owned();
        (text(tag.key()), text(tag.value()))
    };
    tags.tag_list().iter().map(pair).collect()
}

#[tokio::test]
async fn another_peoples_replication_group_and_its_subnets_are_listed_and_adopted_on_request() {
    let cloud = LocalCloud::start().await;
    let proxy = Proxy::start(&cloud.endpoint());
    let operator = Operator::with(&cloud, |config| {
        config.redis.mode = RedisMode::ReplicationGroup;
        config.endpoints.aws = Some(proxy.endpoint());
    });
    let sdk = Sdk::new(&cloud.endpoint());
    let empty = inventory(&sdk).await;
    let names = operator.names();
    strangers_group(&sdk, &operator).await;
    let before = inventory(&sdk).await;
    let up = operator.placectl().args(["up"]).run().await.expect_code(1);
    for name in [
        names.cache_subnet_group(),
        names.cache(),
        names.cache_security_group(),
    ] {
        assert!(up.stderr.contains(&format!("`{name}`")), "`{name}` in {up}");
    }
    assert!(up.stderr.contains("--adopt"), "{up}");
    assert_eq!(proxy.changes(), Vec::<String>::new(), "{up}");
    assert_eq!(inventory(&sdk).await, before);
    assert_eq!(tags(&sdk, &names.cache()).await, []);
    // Nor does the teardown of a stack that never was take it for its own.
    operator.teardown().await;
    assert_eq!(
        difference(&before, &inventory(&sdk).await),
        Vec::<String>::new()
    );
    proxy.clear();
    let words = ["up", "--adopt"];
    let up = operator.placectl().args(words).succeed().await;
    for call in ["CreateReplicationGroup", "CreateCacheSubnetGroup"] {
        assert_eq!(proxy.count(call), 0, "it is taken over as it stands: {up}");
    }
    let owned = ("place:stack".to_owned(), operator.config().stack.clone());
    let tagged = tags(&sdk, &names.cache()).await;
    assert!(tagged.contains(&owned), "{tagged:?}");
    assert!(is_idle(&operator).await);
    operator.join().await.close().await;
    // What was adopted is ours, and goes with the rest.
    operator.teardown().await;
    let after = inventory(&sdk).await;
    assert_eq!(difference(&empty, &after), Vec::<String>::new());
}
