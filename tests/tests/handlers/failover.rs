//! The real binaries while the cache moves to another node: every paint that was accepted is there
//! once, and everybody who watches gets it.

use std::time::Duration;

use place_canvas::testing::TestPair;
use place_canvas::{Position, Shard};
use place_config::Function as Kind;
use place_tests::lambda::{Memory, Rig};
use tokio::time::sleep;

use crate::support::{Painter, feed};

const PAINTS: u32 = 300;
/// When the old primary hands over, and how long the name still stands for it.
const BEFORE: Duration = Duration::from_millis(500);
const DNS: Duration = Duration::from_secs(1);
const PAUSE: Duration = Duration::from_millis(10);
const CLIENTS: usize = 5;

#[tokio::test]
async fn functions_go_on_when_the_cache_fails_over() {
    let mut pair = TestPair::start().unwrap();
    let url = pair.name.url();
    let rig = Rig::with(Memory::Count, |env| env.redis_url = url).await;
    rig.join(CLIENTS).await;
    let store = rig.store().await;
    let start = store.newest().await.unwrap();
    let painter = Painter::new(&rig);
    let loops = [rig.function(Kind::Broadcast)];
    let painting = async {
        for number in 0..PAINTS {
            painter.paint(number).await;
            sleep(PAUSE).await;
        }
    };
    let failing_over = async {
        sleep(BEFORE).await;
        pair.fail_over().unwrap();
        sleep(DNS).await;
        pair.move_name();
    };
    let work = async { tokio::join!(painting, failing_over) };
    feed(&rig, &loops, work).await;

    let history = store.read_after(start, 1000).await.unwrap();
    let paints = history.iter().filter(|entry| !entry.pixels.is_empty());
    assert_eq!(paints.count(), usize::try_from(PAINTS).unwrap());
    let newest = store.newest().await.unwrap();
    let stats = store.stats().await.unwrap();
    let behind: Vec<(Shard, Option<Position>)> = stats
        .shards
        .iter()
        .filter(|shard| shard.clients > 0 && shard.cursor != Some(newest))
        .map(|shard| (shard.shard, shard.cursor))
        .collect();
    assert_eq!(behind, [], "clients have not been sent what was painted");
    let posts = rig.gateway.posts();
    assert!(posts >= CLIENTS as u64, "{posts} posts");

    // A save, too, which notices that another node is the primary.
    let save = rig.function(Kind::Save);
    let answer = save.invoke("{}").await.unwrap();
    let answer: serde_json::Value = serde_json::from_slice(&answer).unwrap();
    assert_eq!(answer["changes"], PAINTS, "{answer}");
    assert_eq!(answer["opened"], true, "{answer}");
}
