//! A wait that ends without what it waited for is no success, and says what is left.

use place_tests::inventory;
use place_tests::inventory::difference;
use place_tests::proxy::{Fault, Operation, When};

use crate::bench::{Bench, TEARDOWN};

const GROUP: &str = r#"{"logGroups":[{"logGroupName":"/aws/lambda/save"}]}"#;

const TAGS: &str = r#"{"tags":{"place:stack":"place","place:resource":"log-group:save"}}"#;

#[tokio::test]
async fn what_is_listed_long_after_its_removal_is_named_and_nobody_says_that_it_is_gone() {
    let bench = Bench::start().await;
    bench.is_whole_after_up().await;
    let listed = When::After("DeleteLogGroup", "DescribeLogGroups");
    let plan = |when, answer| bench.proxy.plan(when, usize::MAX, Fault::Answer(answer));
    plan(listed, GROUP);
    let asked = Operation::new("logs", "ListTagsForResource");
    plan(When::Nth(asked, 1), TAGS);
    let teardown = bench.run(&TEARDOWN).await.expect_code(3);
    for said in [
        "waiting for AWS to stop listing removed resources: still listed: log-group:save",
        "checking that log group `/aws/lambda/save` is removed",
        "run `placectl teardown` again",
    ] {
        assert!(teardown.stderr.contains(said), "`{said}` in {teardown}");
    }
    bench.proxy.clear();
    let _ = bench.run(&TEARDOWN).await.expect_code(0);
    let after = inventory(&bench.operator.sdk()).await;
    assert_eq!(difference(&bench.before, &after), Vec::<String>::new());
}
