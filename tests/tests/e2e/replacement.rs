//! What can't be changed in place is replaced on request, and what people painted is kept before.

use place_canvas::png;
use place_config::stack::RedisMode;
use place_tests::Operator;

use crate::repair::is_idle;
use crate::support::{Standing, pixel};

/// Nobody says that what was painted may go: it is in the tables and in a file before the cache is
/// touched.
#[tokio::test]
async fn a_cache_is_replaced_on_request_and_the_canvas_is_saved_and_exported_before() {
    let stack = Standing::up().await;
    let painted = pixel(21, 12, [1, 2, 3]);
    let mut client = stack.operator.join().await;
    client.paint(&[painted]).await;
    client.sees(painted).await;
    let changed = Operator::with(&stack.cloud, |config| {
        config.redis.mode = RedisMode::ReplicationGroup;
    });
    let refused = changed.placectl().args(["up"]).run().await.expect_code(1);
    assert!(refused.stderr.contains("--replace"), "{refused}");
    assert_eq!(pictures(&changed), Vec::<Vec<u8>>::new(), "{refused}");
    let up = changed.placectl().args(["up", "--replace"]).succeed().await;
    let rows = changed.tables().get(&[(21, 12)]).await.unwrap();
    assert_eq!(rows[&(21, 12)].pixel, painted, "{up}");
    let pictures = pictures(&changed);
    assert_eq!(pictures.len(), 1, "{up}");
    let picture = png::decode(&pictures[0], 1_000_000).unwrap();
    assert!(picture.pixels().any(|pixel| pixel == painted), "{up}");
    assert!(up.stderr.contains("the last picture is in"), "{up}");
    let sdk = changed.sdk();
    let old = sdk.elasticache.describe_serverless_caches().send().await;
    assert_eq!(old.unwrap().serverless_caches().len(), 0, "{up}");
    assert!(is_idle(&changed).await);
}

/// The pictures in the operator's directory.
fn pictures(operator: &Operator) -> Vec<Vec<u8>> {
    let files = std::fs::read_dir(operator.directory()).unwrap();
    let files = files.map(|file| file.unwrap().path());
    let pictures = files.filter(|path| path.extension().is_some_and(|end| end == "png"));
    pictures.map(|path| std::fs::read(path).unwrap()).collect()
}
