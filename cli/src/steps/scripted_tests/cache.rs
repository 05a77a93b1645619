//! ElastiCache at its own pace.

use super::*;

/// ElastiCache's answer to a call that it takes.
pub(super) fn taken(call: &str) -> String {
    format!("<{call}Response><{call}Result/></{call}Response>")
}

pub(super) fn fault(code: &str) -> String {
    format!("<ErrorResponse><Error><Code>{code}</Code><Message>m</Message></Error></ErrorResponse>")
}

fn cache(status: &str) -> String {
    cache_in(status, &StackConfig::default().redis, "")
}

/// A cache with the limits and the version of `redis`.
pub(super) fn cache_in(
    status: &str,
    redis: &place_config::stack::RedisConfig,
    more: &str,
) -> String {
    let limits = format!(
        "<Engine>{}</Engine><MajorEngineVersion>{}</MajorEngineVersion><CacheUsageLimits>\
         <DataStorage><Maximum>{}</Maximum><Unit>GB</Unit></DataStorage>\
         <ECPUPerSecond><Maximum>{}</Maximum></ECPUPerSecond></CacheUsageLimits>",
        redis.engine.as_str(),
        redis.engine_version,
        redis.max_storage_gb,
        redis.max_ecpu_per_second,
    );
    format!(
        "<DescribeServerlessCachesResponse><DescribeServerlessCachesResult><ServerlessCaches>\
         <member><ServerlessCacheName>placev2cache</ServerlessCacheName><ARN>arn:c</ARN>\
         <Status>{status}</Status>{limits}{more}</member></ServerlessCaches></DescribeServerlessCachesResult>\
         </DescribeServerlessCachesResponse>"
    )
}

pub(super) fn cache_tags(stack: &str, key: &str) -> String {
    format!(
        "<ListTagsForResourceResponse><ListTagsForResourceResult><TagList><Tag>\
         <Key>place:stack</Key><Value>{stack}</Value></Tag><Tag>\
         <Key>place:resource</Key><Value>{key}</Value></Tag></TagList>\
         </ListTagsForResourceResult></ListTagsForResourceResponse>"
    )
}

#[tokio::test(start_paused = true)]
async fn a_cache_is_not_deleted_before_it_is_known_whose_it_is() {
    let busy = fault("InvalidServerlessCacheStateFault");
    let script = Script::default()
        .answer("DescribeServerlessCaches", 200, &cache("CREATING"))
        .answer("DescribeServerlessCaches", 200, &cache("creating"))
        .always("DescribeServerlessCaches", 200, &cache("AVAILABLE"))
        .answer("ListTagsForResource", 400, &busy)
        .answer("ListTagsForResource", 400, &busy)
        .always("ListTagsForResource", 200, &cache_tags("place2", "cache"))
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
    let stack = script.stack();
    resource(&stack, "cache")
        .remove(&unwatched())
        .await
        .unwrap();
    assert_eq!(script.times("DeleteServerlessCache"), 0);
    assert_eq!(script.left(), 0);
}

#[tokio::test(start_paused = true)]
async fn an_account_without_elasticaches_role_is_told_how_to_make_it() {
    let script = Script::default()
        .always(
            "DescribeServerlessCaches",
            404,
            &fault("ServerlessCacheNotFoundFault"),
        )
        .always(
            "DescribeReplicationGroups",
            404,
            &fault("ReplicationGroupNotFoundFault"),
        )
        .answer(
            "CreateServerlessCache",
            400,
            &fault("ServiceLinkedRoleNotFoundFault"),
        );
    let stack = script.stack();
    let failure = ensure(&stack, "cache", Observed::Absent).await.unwrap_err();
    let hint = failure.hint.unwrap();
    assert!(hint.contains("create-service-linked-role"), "{hint}");
}

#[tokio::test(start_paused = true)]
async fn a_cache_is_ready_in_whichever_case_it_says_so() {
    let script = Script::default()
        .answer("DescribeServerlessCaches", 200, &cache("CREATING"))
        .answer("DescribeServerlessCaches", 200, &cache("creating"))
        .answer("DescribeServerlessCaches", 200, &cache("AVAILABLE"))
        .always("DescribeServerlessCaches", 200, &cache("available"))
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
    let stack = script.stack();
    let creating = Observed::Changing {
        id: "placev2cache".to_owned(),
        state: "creating".to_owned(),
    };
    ensure(&stack, "cache", creating).await.unwrap();
    assert_eq!(script.left(), 0);
    let observed = resource(&stack, "cache").observe().await.unwrap();
    assert!(matches!(observed, Observed::Ready { .. }), "{observed:?}");
}

/// The stack's subnet group, as the tags say.
fn with_subnet_group(script: Script) -> Script {
    let group = "<DescribeCacheSubnetGroupsResponse><DescribeCacheSubnetGroupsResult>\
                 <CacheSubnetGroups><CacheSubnetGroup><ARN>arn:g</ARN></CacheSubnetGroup>\
                 </CacheSubnetGroups></DescribeCacheSubnetGroupsResult>\
                 </DescribeCacheSubnetGroupsResponse>";
    script
        .always("DescribeCacheSubnetGroups", 200, group)
        .always(
            "ListTagsForResource",
            200,
            &cache_tags("place", "cache-subnet-group"),
        )
}

#[tokio::test(start_paused = true)]
async fn a_subnet_group_of_the_other_mode_is_not_forgotten() {
    let script = with_subnet_group(Script::default())
        .always(
            "DescribeServerlessCaches",
            404,
            &fault("ServerlessCacheNotFoundFault"),
        )
        .always(
            "DescribeReplicationGroups",
            404,
            &fault("ReplicationGroupNotFoundFault"),
        )
        .answer(
            "DeleteCacheSubnetGroup",
            200,
            "<DeleteCacheSubnetGroupResponse/>",
        );
    let stack = script.stack();
    let observed = resource(&stack, "cache").observe().await.unwrap();
    let detail = observed.detail().unwrap();
    assert!(detail.contains("CacheSubnetGroup"), "{detail}");
    resource(&stack, "cache")
        .remove(&unwatched())
        .await
        .unwrap();
    assert_eq!(script.left(), 0);
}

/// AWS may still be taking the endpoints of a cache apart, or be at something else.
#[tokio::test(start_paused = true)]
async fn a_cache_that_can_not_be_deleted_yet_is_deleted_later() {
    let (delete, describe) = ("DeleteServerlessCache", "DescribeServerlessCaches");
    let script = Script::default()
        .answer(describe, 200, &cache("modifying"))
        .answer(delete, 400, &fault("InvalidServerlessCacheStateFault"))
        .answer(delete, 400, &fault("DependencyViolation"))
        .answer(delete, 200, &taken(delete))
        .answer(describe, 200, &cache("deleting"))
        .answer(describe, 200, &cache("DELETING"))
        .always(describe, 404, &fault("ServerlessCacheNotFoundFault"))
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
    let cache = resource(&script.stack(), "cache");
    cache.remove(&unwatched()).await.unwrap();
    assert_eq!(script.left(), 0);
    assert_eq!(script.times(delete), 3);
}

#[tokio::test(start_paused = true)]
async fn a_cache_that_is_never_deletable_ends_in_incomplete() {
    let script = Script::default()
        .always("DescribeServerlessCaches", 200, &cache("modifying"))
        .always("DeleteServerlessCache", 400, &fault("DependencyViolation"))
        .always("ListTagsForResource", 200, &cache_tags("place", "cache"));
    let cache = resource(&script.stack(), "cache");
    let failure = cache.remove(&unwatched()).await.unwrap_err();
    let wanted = (FailureKind::Incomplete, crate::engine::Left::Ours);
    assert_eq!((failure.kind, failure.left), wanted);
}

/// A replication group of the stack's name.
fn group(status: &str) -> String {
    format!(
        "<DescribeReplicationGroupsResponse><DescribeReplicationGroupsResult><ReplicationGroups>\
         <ReplicationGroup><ReplicationGroupId>placev2cache</ReplicationGroupId><ARN>arn:r</ARN>\
         <Status>{status}</Status></ReplicationGroup></ReplicationGroups>\
         </DescribeReplicationGroupsResult></DescribeReplicationGroupsResponse>"
    )
}

const GROUPS: &str = "DescribeReplicationGroups";

const DELETE_GROUP: &str = "DeleteReplicationGroup";

/// The mode was switched to serverless while the replication group was being created; ElastiCache
/// does not tell its tags for the first `untold` times. The subnet group went with another run.
fn switched(script: Script, untold: usize) -> Script {
    let busy = fault("InvalidReplicationGroupState");
    let script = (0..untold).fold(script, |script, _| {
        script.answer("ListTagsForResource", 400, &busy)
    });
    script
        .always("ListTagsForResource", 200, &cache_tags("place", "cache"))
        .always(
            "DescribeCacheClusters",
            404,
            &fault("CacheClusterNotFoundFault"),
        )
        .always(
            "DescribeCacheSubnetGroups",
            404,
            &fault("CacheSubnetGroupNotFoundFault"),
        )
}

fn no_serverless(script: Script) -> Script {
    script.always(
        "DescribeServerlessCaches",
        404,
        &fault("ServerlessCacheNotFoundFault"),
    )
}

#[tokio::test(start_paused = true)]
async fn a_second_cache_is_not_built_beside_one_that_is_being_created_in_the_other_mode() {
    let script = Script::default().always(GROUPS, 200, &group("creating"));
    let script = switched(no_serverless(script), 3);
    let stack = script.stack();
    let observed = resource(&stack, "cache").observe().await.unwrap();
    assert!(
        matches!(observed, Observed::Changing { .. }),
        "{observed:?}"
    );
    let failure = ensure(&stack, "cache", observed).await.unwrap_err();
    assert_eq!(script.times("CreateServerlessCache"), 0);
    assert!(failure.hint.unwrap().contains("--replace"));
    assert_eq!(script.left(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_cache_that_is_being_created_in_the_other_mode_is_removed_with_the_stack() {
    let script = Script::default()
        .answer(GROUPS, 200, &group("creating"))
        .answer(GROUPS, 200, &group("creating"))
        .answer(GROUPS, 200, &group("available"))
        .always(GROUPS, 404, &fault("ReplicationGroupNotFoundFault"))
        .answer(DELETE_GROUP, 200, &taken(DELETE_GROUP));
    let script = switched(no_serverless(script), 2);
    let cache = resource(&script.stack(), "cache");
    cache.remove(&unwatched()).await.unwrap();
    assert_eq!(script.left(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_cache_of_the_other_mode_is_seen_beside_the_one_that_stands_and_goes() {
    let script = Script::default()
        .always("DescribeServerlessCaches", 200, &cache("available"))
        .answer(GROUPS, 200, &group("available"))
        .answer(GROUPS, 200, &group("available"))
        .always(GROUPS, 404, &fault("ReplicationGroupNotFoundFault"))
        .answer(DELETE_GROUP, 200, &taken(DELETE_GROUP));
    let script = switched(script, 0);
    let stack = script.stack();
    let observed = resource(&stack, "cache").observe().await.unwrap();
    let detail = observed.detail().unwrap();
    assert!(detail.contains("replication group"), "{detail}");
    ensure(&stack, "cache", observed).await.unwrap();
    assert_eq!(script.left(), 0);
}
