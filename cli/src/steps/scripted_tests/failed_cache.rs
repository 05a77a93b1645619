//! Caches that ElastiCache could not make, and of which it may never tell the tags: "If the cluster
//! is not in the available state, `ListTagsForResource` returns an error".

use super::cache::{cache_in, fault, taken};
use super::replication::{DESCRIBE as DESCRIBE_GROUPS, standing, whole};
use super::*;
use crate::steps::scripted::unwatched;

const OURS: &str = "Cache of the place `place`";
const DESCRIBE: &str = "DescribeServerlessCaches";

/// Who is asked for the tags of what is `not` available answers with this.
fn untold(not: &str) -> Script {
    Script::default().always("ListTagsForResource", 400, &fault(not))
}

fn group(status: &'static str, description: &str) -> String {
    let end = "</ReplicationGroup>";
    let description = format!("<Description>{description}</Description>{end}");
    whole(status).replace(end, &description)
}

fn groups(description: &str) -> Script {
    untold("InvalidReplicationGroupState").always(
        DESCRIBE_GROUPS,
        200,
        &group("create-failed", description),
    )
}

#[tokio::test(start_paused = true)]
async fn a_failed_cache_whose_tags_are_untold_is_known_by_its_description() {
    let stack = standing(&groups(OURS));
    let observed = resource(&stack, "cache").observe().await.unwrap();
    assert!(matches!(observed, Observed::Broken { .. }), "{observed:?}");
    let redis = StackConfig::default().redis;
    let description = format!("<Description>{OURS}</Description>");
    let answer = cache_in("create-failed", &redis, &description);
    let script = untold("InvalidServerlessCacheStateFault").always(DESCRIBE, 200, &answer);
    let observed = resource(&cache_changes::standing(&script, &redis), "cache")
        .observe()
        .await
        .unwrap();
    assert!(matches!(observed, Observed::Broken { .. }), "{observed:?}");
}

#[tokio::test(start_paused = true)]
async fn somebody_else_s_failed_cache_is_theirs_at_once() {
    for theirs in ["", "Cache of the place `place2`", "sessions"] {
        let stack = standing(&groups(theirs));
        let cache = resource(&stack, "cache");
        let observed = cache.observe().await.unwrap();
        assert!(matches!(observed, Observed::Foreign { .. }), "{observed:?}");
        // Nobody asks for its deletion.
        cache.remove(&unwatched()).await.unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn a_failed_cache_whose_tags_are_untold_is_removed() {
    let (delete, gone) = ("DeleteReplicationGroup", "ReplicationGroupNotFoundFault");
    let script = untold("InvalidReplicationGroupState")
        .answer(DESCRIBE_GROUPS, 200, &group("create-failed", OURS))
        .answer(delete, 200, &taken(delete))
        .always(DESCRIBE_GROUPS, 404, &fault(gone));
    let stack = standing(&script);
    resource(&stack, "cache")
        .remove(&unwatched())
        .await
        .unwrap();
    assert_eq!((script.left(), script.times(delete)), (0, 1));
}

/// The name of the one that was removed a moment ago is still held, though nothing is listed.
#[tokio::test(start_paused = true)]
async fn a_cache_whose_name_is_still_held_is_asked_for_again() {
    let (create, gone) = ("CreateReplicationGroup", "ReplicationGroupNotFoundFault");
    let exists = fault("ReplicationGroupAlreadyExists");
    let script = Script::default()
        .answer(create, 400, &exists)
        .answer(create, 400, &exists)
        .answer(create, 200, &taken(create))
        .always(DESCRIBE_GROUPS, 404, &fault(gone));
    let stack = standing(&script);
    let (cache, progress) = (resource(&stack, "cache"), unwatched());
    let making = cache.ensure(&Observed::Absent, &progress);
    let listed = async {
        while script.left() > 0 {
            tokio::time::sleep(std::time::Duration::from_secs(1)).await;
        }
    };
    tokio::select! {
        made = making => panic!("nothing is listed yet: {made:?}"),
        () = listed => {}
    }
    assert_eq!(script.times(create), 3);
}
