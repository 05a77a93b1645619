//! A serverless cache that somebody changed, or that failed, and a subnet group: put back at
//! ElastiCache's pace.

use place_config::stack::{RedisConfig, RedisMode};

use super::cache::{cache_in, cache_tags, fault, taken};
use super::*;

const DESCRIBE: &str = "DescribeServerlessCaches";

const MODIFY: &str = "ModifyServerlessCache";

/// The stack of `redis`, with its network and nothing of the other mode.
pub(super) fn standing(script: &Script, redis: &RedisConfig) -> Arc<Stack> {
    let script = script
        .clone()
        .always("ListTagsForResource", 200, &cache_tags("place", "cache"))
        .always(
            "DescribeReplicationGroups",
            404,
            &fault("ReplicationGroupNotFoundFault"),
        )
        .always(
            "DescribeCacheSubnetGroups",
            404,
            &fault("CacheSubnetGroupNotFoundFault"),
        );
    let config = StackConfig {
        redis: redis.clone(),
        ..StackConfig::default()
    };
    let stack = script.stack_of(config, Options::default());
    with_network(&stack);
    let [id, zone_id, zone] = ["subnet-a", "euw1-az1", "eu-west-1a"].map(str::to_owned);
    stack.found.public_subnet.set(Subnet { id, zone_id, zone });
    stack.found.cache_group.set("sg-2".to_owned());
    stack
}

/// Where a cache is: in the group of that id, and in the stack's subnets.
fn network(group: &str) -> String {
    let subnets = ["subnet-a", "subnet-b", "subnet-c"];
    let subnets = subnets.map(|subnet| format!("<SubnetId>{subnet}</SubnetId>"));
    format!(
        "<SecurityGroupIds><SecurityGroupId>{group}</SecurityGroupId></SecurityGroupIds>\
         <SubnetIds>{}</SubnetIds>",
        subnets.concat()
    )
}

/// What `changed` (its configuration, and its security group) is put back with, once ElastiCache
/// takes the change and shows it: one request.
async fn put_back(redis: &RedisConfig, changed: &RedisConfig, group: &str) -> String {
    let as_it_was = cache_in("available", changed, &network(group));
    let script = Script::default()
        // The survey, the look of `ensure`, its wait, and whose it is.
        .answer(DESCRIBE, 200, &as_it_was)
        .answer(DESCRIBE, 200, &as_it_was)
        .answer(DESCRIBE, 200, &as_it_was)
        .answer(DESCRIBE, 200, &as_it_was)
        // Somebody's snapshot is being made; then it takes a moment until the change begins.
        .answer(MODIFY, 400, &fault("InvalidServerlessCacheStateFault"))
        .answer(MODIFY, 400, &fault("InvalidServerlessCacheStateFault"))
        .answer(MODIFY, 200, &taken(MODIFY))
        .answer(DESCRIBE, 200, &as_it_was)
        .answer(
            DESCRIBE,
            200,
            &cache_in("modifying", changed, &network(group)),
        )
        .always(
            DESCRIBE,
            200,
            &cache_in("available", redis, &network("sg-2")),
        );
    let stack = standing(&script, redis);
    let cache = resource(&stack, "cache");
    let observed = cache.observe().await.unwrap();
    assert!(matches!(observed, Observed::Drifted { .. }), "{observed:?}");
    cache.ensure(&observed, &unwatched()).await.unwrap();
    assert_eq!(script.left(), 0);
    let second = cache.observe().await.unwrap();
    assert!(matches!(second, Observed::Ready { .. }), "{second:?}");
    let requests = script.bodies(MODIFY);
    assert_eq!(requests.len(), 3);
    requests.into_iter().next_back().unwrap()
}

#[tokio::test(start_paused = true)]
async fn other_limits_are_put_back_and_nothing_else_is_said() {
    let redis = StackConfig::default().redis;
    let changed = RedisConfig {
        max_storage_gb: redis.max_storage_gb + 1,
        ..redis.clone()
    };
    let request = put_back(&redis, &changed, "sg-2").await;
    let limit = format!(
        "CacheUsageLimits.DataStorage.Maximum={}",
        redis.max_storage_gb
    );
    assert!(request.contains(&limit), "{request}");
    for other in ["MajorEngineVersion", "SecurityGroupIds"] {
        assert!(!request.contains(other), "{request}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_version_is_raised_and_a_security_group_put_back() {
    let redis = RedisConfig {
        engine_version: "8".to_owned(),
        ..StackConfig::default().redis
    };
    let changed = RedisConfig {
        engine_version: "7".to_owned(),
        ..redis.clone()
    };
    let request = put_back(&redis, &changed, "sg-9").await;
    assert!(request.contains("MajorEngineVersion=8"), "{request}");
    assert!(request.contains("=sg-2"), "{request}");
    assert!(!request.contains("CacheUsageLimits"), "{request}");
}

#[tokio::test(start_paused = true)]
async fn a_cache_that_never_takes_the_change_ends_in_incomplete() {
    let redis = StackConfig::default().redis;
    let changed = RedisConfig {
        max_storage_gb: redis.max_storage_gb + 1,
        ..redis.clone()
    };
    let began = tokio::time::Instant::now();
    let script = Script::default()
        .always(
            DESCRIBE,
            200,
            &cache_in("available", &changed, &network("sg-2")),
        )
        .always(MODIFY, 400, &fault("InvalidServerlessCacheStateFault"));
    let stack = standing(&script, &redis);
    let cache = resource(&stack, "cache");
    let observed = cache.observe().await.unwrap();
    let failure = cache.ensure(&observed, &unwatched()).await.unwrap_err();
    assert_eq!(failure.kind, FailureKind::Incomplete);
    let minutes = began.elapsed().as_secs() / 60;
    assert!((35..=45).contains(&minutes), "{minutes}");
}

#[tokio::test(start_paused = true)]
async fn the_subnets_of_a_subnet_group_are_put_back() {
    let group = |subnets: &[&str]| {
        let subnet =
            |id: &&str| format!("<Subnet><SubnetIdentifier>{id}</SubnetIdentifier></Subnet>");
        let subnets: String = subnets.iter().map(subnet).collect();
        format!(
            "<DescribeCacheSubnetGroupsResponse><DescribeCacheSubnetGroupsResult>\
             <CacheSubnetGroups><CacheSubnetGroup><ARN>arn:g</ARN><Subnets>{subnets}</Subnets>\
             </CacheSubnetGroup></CacheSubnetGroups></DescribeCacheSubnetGroupsResult>\
             </DescribeCacheSubnetGroupsResponse>"
        )
    };
    let (key, describe) = ("cache-subnet-group", "DescribeCacheSubnetGroups");
    let modify = "ModifyCacheSubnetGroup";
    let two = group(&["subnet-a", "subnet-b"]);
    let script = Script::default()
        .answer(describe, 200, &two)
        .answer(describe, 200, &two)
        .always(describe, 200, &group(&["subnet-c", "subnet-b", "subnet-a"]))
        .always("ListTagsForResource", 200, &cache_tags("place", key))
        .answer(modify, 400, &fault("CacheSubnetGroupInUse"))
        .answer(modify, 200, &taken(modify));
    let redis = RedisConfig {
        mode: RedisMode::ReplicationGroup,
        ..StackConfig::default().redis
    };
    let stack = standing(&script, &redis);
    let subnets = resource(&stack, key);
    let observed = subnets.observe().await.unwrap();
    let detail = observed.detail().unwrap();
    assert!(
        detail.contains("should be subnet-a, subnet-b, subnet-c"),
        "{detail}"
    );
    subnets.ensure(&observed, &unwatched()).await.unwrap();
    assert_eq!(script.left(), 0);
    let request = script.bodies(modify).pop().unwrap();
    for subnet in ["=subnet-a", "=subnet-b", "=subnet-c"] {
        assert!(request.contains(subnet), "{request}");
    }
    let second = subnets.observe().await.unwrap();
    assert!(matches!(second, Observed::Ready { .. }), "{second:?}");
}

/// ElastiCache says `create-failed` of a cache and then leaves it at that.
#[tokio::test(start_paused = true)]
async fn a_cache_that_could_not_be_made_is_deleted_and_made_anew() {
    let (create, delete) = ("CreateServerlessCache", "DeleteServerlessCache");
    let redis = StackConfig::default().redis;
    let cache = |status| cache_in(status, &redis, &network("sg-2"));
    let gone = fault("ServerlessCacheNotFoundFault");
    let script = Script::default()
        .answer(DESCRIBE, 200, &cache("CREATE-FAILED"))
        .answer(delete, 400, &fault("InvalidServerlessCacheStateFault"))
        .answer(delete, 200, &taken(delete))
        .answer(DESCRIBE, 200, &cache("create-failed"))
        .answer(DESCRIBE, 200, &cache("deleting"))
        // Until it is gone, and before the new one.
        .answer(DESCRIBE, 404, &gone)
        .answer(DESCRIBE, 404, &gone)
        .answer(create, 200, &taken(create))
        .answer(DESCRIBE, 200, &cache("creating"))
        .always(DESCRIBE, 200, &cache("available"));
    let stack = standing(&script, &redis);
    let observed = resource(&stack, "cache").observe().await.unwrap();
    assert!(matches!(observed, Observed::Broken { .. }), "{observed:?}");
    ensure(&stack, "cache", observed).await.unwrap();
    assert_eq!(script.left(), 0);
    let request = script.bodies(create).pop().unwrap();
    let storage = redis.max_storage_gb;
    let storage = format!("CacheUsageLimits.DataStorage.Maximum={storage}");
    for part in [
        "SecurityGroupIds.SecurityGroupId.1=sg-2",
        "SubnetIds.SubnetId.3=subnet-c",
        &storage,
    ] {
        assert!(request.split('&').any(|of| of == part), "{part}: {request}");
    }
    let second = resource(&stack, "cache").observe().await.unwrap();
    assert!(matches!(second, Observed::Ready { .. }), "{second:?}");
}
