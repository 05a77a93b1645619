//! The same `placectl` against another emulator: up, status, up again, teardown.

use place_config::stack::RedisMode;
use place_tests::inventory::difference;
use place_tests::{Moto, Operator, inventory};

#[tokio::test]
async fn a_stack_comes_stays_and_goes_on_moto() {
    let moto = Moto::start().await;
    let operator = Operator::at(&moto.endpoint(), |config| {
        // It has no serverless caches.
        config.redis.mode = RedisMode::ReplicationGroup;
    });
    let before = inventory(&operator.sdk()).await;
    operator.up().await;
    let check = ["status", "--check", "-o", "json"];
    let status = operator.placectl().args(check).succeed().await.json();
    assert_eq!(status["healthy"], true, "{status}");
    let again = operator
        .placectl()
        .args(["up", "-o", "json"])
        .succeed()
        .await;
    let counts = again.finished_event()["counts"].clone();
    let words: Vec<_> = counts.as_object().unwrap().keys().collect();
    assert_eq!(words, ["unchanged"], "{again}");
    operator.teardown().await;
    let after = inventory(&operator.sdk()).await;
    assert_eq!(difference(&before, &after), Vec::<String>::new());
}
