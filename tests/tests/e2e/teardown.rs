//! Taking a stack down.

use std::fs;
use std::time::Duration;

use place_canvas::store::SaveLease;
use place_canvas::{Token, png};
use place_config::stack::VpcMode;
use place_tests::inventory::difference;
use place_tests::{Finished, Operator, inventory};

use crate::support::{Standing, eventually, pixel};

async fn nothing_left(stack: &Standing) -> Vec<String> {
    difference(&stack.before, &inventory(&stack.operator.sdk()).await)
}

async fn teardown(operator: &Operator, words: &[&str]) -> Finished {
    operator
        .placectl()
        .args(["teardown"])
        .args(words)
        .run()
        .await
}

#[tokio::test]
async fn row_c_3_teardown_leaves_everything_as_it_was_before_up() {
    let stack = Standing::up().await;
    let operator = &stack.operator;
    let mut client = operator.join().await;
    client.paint(&[pixel(2, 2, [8, 8, 8])]).await;
    client.sees(pixel(2, 2, [8, 8, 8])).await;
    let canvas = operator.canvas().await;
    let _ = teardown(operator, &["--yes", "--export", "last.png"])
        .await
        .expect_code(0);
    assert_eq!(nothing_left(&stack).await, Vec::<String>::new());
    let exported = fs::read(operator.directory().join("last.png")).unwrap();
    assert_eq!(png::decode(&exported, 1_000_000).unwrap(), canvas);
    // Nothing is there any more: nothing to do, and no error.
    let _ = teardown(operator, &["--yes"]).await.expect_code(0);
    assert_eq!(nothing_left(&stack).await, Vec::<String>::new());
    // And back again, the other way round.
    operator.up().await;
    operator.join().await.close().await;
    operator.teardown().await;
    assert_eq!(nothing_left(&stack).await, Vec::<String>::new());
}

#[tokio::test]
async fn teardown_asks_first_and_takes_no_silence_for_a_yes() {
    let stack = Standing::up().await;
    let before = inventory(&stack.operator.sdk()).await;
    let refused = teardown(&stack.operator, &[]).await.expect_code(2);
    assert!(refused.stderr.contains("--yes"), "{refused}");
    assert_eq!(inventory(&stack.operator.sdk()).await, before);
}

#[tokio::test]
async fn teardown_can_keep_what_people_painted() {
    let stack = Standing::up().await;
    let operator = &stack.operator;
    let mut client = operator.join().await;
    client.paint(&[pixel(33, 3, [7, 7, 7])]).await;
    client.sees(pixel(33, 3, [7, 7, 7])).await;
    let _ = teardown(operator, &["--yes", "--keep-data", "--export", "kept.png"])
        .await
        .expect_code(0);
    let left = nothing_left(&stack).await;
    assert_eq!(
        left,
        [
            "+ dynamodb table mru_pixels",
            "+ dynamodb table pixel_history",
            "+ dynamodb table place_journal"
        ]
    );
    // The last save brought the last paint into the tables.
    let rows = operator.tables().get(&[(33, 3)]).await.unwrap();
    assert_eq!(rows[&(33, 3)].pixel, pixel(33, 3, [7, 7, 7]));
    // The next stack takes the tables over.
    operator.up().await;
    operator.teardown().await;
    assert_eq!(nothing_left(&stack).await, Vec::<String>::new());
}

/// Somebody else saves while the teardown begins: it waits, and what was painted meanwhile is in
/// the tables and in the picture.
#[tokio::test]
async fn teardown_saves_everything_even_while_another_save_runs() {
    let stack = Standing::up().await;
    let operator = &stack.operator;
    let mut client = operator.join().await;
    let store = operator.store().await;
    let (token, length) = (Token::random(), Duration::from_secs(6));
    // The schedule may be saving right now.
    eventually("the save's lease", Duration::from_secs(40), async || {
        let lease = store.take_save(&token, length).await.unwrap();
        matches!(lease, SaveLease::Taken { .. })
    })
    .await;
    client.paint(&[pixel(12, 34, [5, 6, 7])]).await;
    client.sees(pixel(12, 34, [5, 6, 7])).await;
    let words = ["--yes", "--keep-data", "--export", "last.png"];
    let finished = teardown(operator, &words).await.expect_code(0);
    assert!(finished.stderr.contains("another save"), "{finished}");
    let rows = operator.tables().get(&[(12, 34)]).await.unwrap();
    assert_eq!(rows[&(12, 34)].pixel, pixel(12, 34, [5, 6, 7]));
    let exported = fs::read(operator.directory().join("last.png")).unwrap();
    let exported = png::decode(&exported, 1_000_000).unwrap();
    assert!(exported.pixels().any(|p| p == pixel(12, 34, [5, 6, 7])));
}

/// Two stacks side by side, the second in a VPC of its own; its name begins like the first's.
#[tokio::test]
async fn teardown_leaves_another_stack_alone() {
    let stack = Standing::up().await;
    let second = Operator::with(&stack.cloud, |config| {
        config.stack = "place2".to_owned();
        config.vpc.mode = VpcMode::Dedicated;
        config.vpc.cidr = "10.20.0.0/16".to_owned();
    });
    let first_alone = inventory(&stack.operator.sdk()).await;
    second.up().await;
    assert_ne!(inventory(&stack.operator.sdk()).await, first_alone);
    second.teardown().await;
    let after = inventory(&stack.operator.sdk()).await;
    assert_eq!(difference(&first_alone, &after), Vec::<String>::new());
    let again = stack
        .operator
        .placectl()
        .args(["up", "-o", "json"])
        .succeed()
        .await;
    assert_eq!(
        again.finished_event()["counts"].as_object().unwrap().len(),
        1,
        "{again}"
    );
}

#[tokio::test]
async fn a_route_table_that_was_associated_before_comes_back() {
    let cloud = place_tests::LocalCloud::start().await;
    let operator = Operator::new(&cloud);
    let ec2 = operator.sdk().ec2;
    let table = ec2
        .create_route_table()
        .vpc_id("vpc-00000001")
        .send()
        .await
        .unwrap();
    let table = table
        .route_table()
        .unwrap()
        .route_table_id()
        .unwrap()
        .to_owned();
    for subnet in ["subnet-00000001", "subnet-00000002", "subnet-00000003"] {
        let call = ec2
            .associate_route_table()
            .route_table_id(&table)
            .subnet_id(subnet);
        call.send().await.unwrap();
    }
    let before = inventory(&operator.sdk()).await;
    operator.up().await;
    operator.teardown().await;
    let after = inventory(&operator.sdk()).await;
    assert_eq!(difference(&before, &after), Vec::<String>::new());
}
