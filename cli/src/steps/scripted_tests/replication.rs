//! A replication group at ElastiCache's pace: made, changed by somebody, put back, deleted.

use place_config::stack::RedisMode;

use super::cache::{cache_tags, fault, taken};
use super::*;

pub(super) const DESCRIBE: &str = "DescribeReplicationGroups";

const NODES: &str = "DescribeCacheClusters";

const MODIFY: &str = "ModifyReplicationGroup";

/// A group as it may be found.
#[derive(Clone, Copy)]
struct Group {
    status: &'static str,
    nodes: usize,
    failover: &'static str,
    guard: &'static str,
}

const WHOLE: Group = Group {
    status: "available",
    nodes: 3,
    failover: "enabled",
    guard: "sg-2",
};

impl Group {
    fn answer(self) -> String {
        let Self {
            status, failover, ..
        } = self;
        let nodes = 1..=self.nodes;
        let nodes = nodes.map(|node| format!("<ClusterId>placev2cache-00{node}</ClusterId>"));
        let node_type = StackConfig::default().redis.node_type;
        format!(
            "<DescribeReplicationGroupsResponse><DescribeReplicationGroupsResult>\
             <ReplicationGroups><ReplicationGroup><ReplicationGroupId>placev2cache\
             </ReplicationGroupId><ARN>arn:r</ARN><Status>{status}</Status>\
             <MemberClusters>{}</MemberClusters><CacheNodeType>{node_type}</CacheNodeType>\
             <AutomaticFailover>{failover}</AutomaticFailover><MultiAZ>{failover}</MultiAZ>\
             <TransitEncryptionEnabled>true</TransitEncryptionEnabled><NodeGroups><NodeGroup>\
             <PrimaryEndpoint><Address>primary</Address><Port>6379</Port></PrimaryEndpoint>\
             </NodeGroup></NodeGroups></ReplicationGroup></ReplicationGroups>\
             </DescribeReplicationGroupsResult></DescribeReplicationGroupsResponse>",
            nodes.collect::<String>()
        )
    }

    /// What the first node says of itself.
    fn node(self, version: &str) -> String {
        let group = self.guard;
        format!(
            "<DescribeCacheClustersResponse><DescribeCacheClustersResult><CacheClusters>\
             <CacheCluster><EngineVersion>{version}</EngineVersion>\
             <CacheSubnetGroupName>{}</CacheSubnetGroupName><SecurityGroups><member>\
             <SecurityGroupId>{group}</SecurityGroupId></member></SecurityGroups></CacheCluster>\
             </CacheClusters></DescribeCacheClustersResult></DescribeCacheClustersResponse>",
            Script::default().stack().names.cache_subnet_group()
        )
    }
}

/// A group that lacks nothing but perhaps time.
pub(super) fn whole(status: &'static str) -> String {
    Group { status, ..WHOLE }.answer()
}

fn version() -> String {
    format!("{}.1.0", StackConfig::default().redis.engine_version)
}

pub(super) fn standing(script: &Script) -> Arc<Stack> {
    let script = script
        .clone()
        .always("ListTagsForResource", 200, &cache_tags("place", "cache"))
        .always(
            "DescribeServerlessCaches",
            404,
            &fault("ServerlessCacheNotFoundFault"),
        )
        .always(NODES, 200, &WHOLE.node(&version()));
    let mut config = StackConfig::default();
    config.redis.mode = RedisMode::ReplicationGroup;
    let stack = script.stack_of(config, Options::default());
    with_network(&stack);
    stack.found.cache_group.set("sg-2".to_owned());
    stack
}

/// What `changed` is put back with; ElastiCache takes `calls` in that order, each of them only when
/// it is done with whatever it was at.
async fn put_back(changed: Group, between: &[Group], calls: &[&str]) -> Script {
    let mut script = Script::default();
    // The survey, the look of `ensure`, its wait, and whose it is.
    for _ in 0..4 {
        script = script.answer(DESCRIBE, 200, &changed.answer()).answer(
            NODES,
            200,
            &changed.node(&version()),
        );
    }
    for (call, then) in calls.iter().zip(between.iter().chain([&WHOLE])) {
        let modifying = Group {
            status: "modifying",
            ..*then
        };
        script = script
            .answer(call, 400, &fault("InvalidReplicationGroupState"))
            .answer(call, 200, &taken(call));
        for group in [modifying, *then] {
            script = script.answer(DESCRIBE, 200, &group.answer()).answer(
                NODES,
                200,
                &group.node(&version()),
            );
        }
    }
    let script = script.always(DESCRIBE, 200, &WHOLE.answer());
    let stack = standing(&script);
    let cache = resource(&stack, "cache");
    let observed = cache.observe().await.unwrap();
    assert!(matches!(observed, Observed::Drifted { .. }), "{observed:?}");
    cache.ensure(&observed, &unwatched()).await.unwrap();
    assert_eq!(script.left(), 0);
    let second = cache.observe().await.unwrap();
    assert!(matches!(second, Observed::Ready { .. }), "{second:?}");
    script
}

#[tokio::test(start_paused = true)]
async fn failover_and_security_groups_are_put_back_at_once() {
    let changed = Group {
        failover: "disabled",
        guard: "sg-9",
        ..WHOLE
    };
    let script = put_back(changed, &[], &[MODIFY]).await;
    let request = script.bodies(MODIFY).pop().unwrap();
    for part in [
        "AutomaticFailoverEnabled=true",
        "MultiAZEnabled=true",
        ".1=sg-2",
        "ApplyImmediately=true",
    ] {
        assert!(request.contains(part), "{part}: {request}");
    }
    assert!(!request.contains("EngineVersion"), "{request}");
}

#[tokio::test(start_paused = true)]
async fn nodes_come_back_first_and_then_the_failover() {
    let changed = Group {
        nodes: 1,
        failover: "disabled",
        ..WHOLE
    };
    let between = Group {
        nodes: 3,
        ..changed
    };
    let calls = ["IncreaseReplicaCount", MODIFY];
    let script = put_back(changed, &[between], &calls).await;
    let request = script.bodies("IncreaseReplicaCount").pop().unwrap();
    assert!(request.contains("NewReplicaCount=2"), "{request}");
}

#[tokio::test(start_paused = true)]
async fn nodes_that_somebody_added_go_again() {
    let changed = Group { nodes: 5, ..WHOLE };
    let script = put_back(changed, &[], &["DecreaseReplicaCount"]).await;
    let request = script.bodies("DecreaseReplicaCount").pop().unwrap();
    assert!(request.contains("NewReplicaCount=2"), "{request}");
    assert_eq!(script.times(MODIFY), 0);
}

#[tokio::test(start_paused = true)]
async fn a_group_is_made_in_its_own_time() {
    let gone = fault("ReplicationGroupNotFoundFault");
    let group = |status| Group { status, ..WHOLE }.answer();
    let mut script = Script::default()
        .answer(DESCRIBE, 404, &gone)
        .answer(
            "CreateReplicationGroup",
            400,
            &fault("CacheSubnetGroupNotFoundFault"),
        )
        .answer(
            "CreateReplicationGroup",
            200,
            &taken("CreateReplicationGroup"),
        )
        .answer(DESCRIBE, 404, &gone);
    for _ in 0..200 {
        script = script.answer(DESCRIBE, 200, &group("creating"));
    }
    let script = script
        .answer(DESCRIBE, 200, &group("modifying"))
        .answer(DESCRIBE, 200, &group("snapshotting"))
        .always(DESCRIBE, 200, &group("available"));
    let stack = standing(&script);
    let began = tokio::time::Instant::now();
    ensure(&stack, "cache", Observed::Absent).await.unwrap();
    assert_eq!(script.left(), 0);
    assert!(began.elapsed().as_secs() > 600, "{:?}", began.elapsed());
    let endpoint = stack.found.cache.get().unwrap();
    assert_eq!(endpoint.url, "rediss://primary:6379");
}

#[tokio::test(start_paused = true)]
async fn a_group_that_could_not_be_made_is_broken_and_says_so() {
    let failed = Group {
        status: "create-failed",
        ..WHOLE
    };
    let script = Script::default().always(DESCRIBE, 200, &failed.answer());
    let stack = standing(&script);
    let observed = resource(&stack, "cache").observe().await.unwrap();
    let wanted = Observed::Broken {
        id: "placev2cache".to_owned(),
        reason: "create-failed".to_owned(),
    };
    assert_eq!(observed, wanted);
}

#[tokio::test(start_paused = true)]
async fn a_group_is_deleted_once_it_takes_the_call_and_then_waited_for() {
    let (delete, gone) = (
        "DeleteReplicationGroup",
        fault("ReplicationGroupNotFoundFault"),
    );
    let group = |status| Group { status, ..WHOLE }.answer();
    let mut script = Script::default()
        .answer(DESCRIBE, 200, &group("snapshotting"))
        .answer(delete, 400, &fault("InvalidReplicationGroupState"))
        .answer(delete, 400, &fault("InvalidReplicationGroupState"))
        .answer(delete, 200, &taken(delete));
    for _ in 0..150 {
        script = script.answer(DESCRIBE, 200, &group("deleting"));
    }
    let script = script.always(DESCRIBE, 404, &gone);
    let stack = standing(&script);
    let began = tokio::time::Instant::now();
    resource(&stack, "cache")
        .remove(&unwatched())
        .await
        .unwrap();
    assert_eq!(script.left(), 0);
    assert!(began.elapsed().as_secs() > 300, "{:?}", began.elapsed());
    assert!(stack.found.cache.get().is_none());
}
