//! Killed, cut off or refused in the middle: the next run finishes.

use place_canvas::png;
use place_tests::inventory;
use place_tests::inventory::difference;
use place_tests::proxy::{Fault, When};

use crate::bench::{Bench, TEARDOWN};
use crate::support::red;

#[tokio::test]
async fn up_killed_again_and_again_after_aws_acted_comes_to_its_end() {
    let bench = Bench::start().await;
    let deaths = bench.crawls(&["up"], 12, &Fault::KillAfter).await;
    assert!(deaths >= 4, "{deaths}");
    bench.is_whole_after_up().await;
    bench.is_empty_after_teardown().await;
}

#[tokio::test]
async fn up_killed_again_and_again_before_a_call_comes_to_its_end() {
    let bench = Bench::start().await;
    let deaths = bench.crawls(&["up"], 17, &Fault::KillBefore).await;
    assert!(deaths >= 3, "{deaths}");
    bench.is_whole_after_up().await;
}

#[tokio::test]
async fn teardown_killed_again_and_again_comes_to_its_end() {
    let bench = Bench::start().await;
    bench.is_whole_after_up().await;
    let deaths = bench.crawls(&TEARDOWN, 12, &Fault::KillAfter).await;
    assert!(deaths >= 3, "{deaths}");
    bench.is_empty_after_teardown().await;
}

#[tokio::test]
async fn teardown_of_a_half_built_stack_leaves_nothing() {
    let bench = Bench::start().await;
    let when = When::Operation("CreateEventSourceMapping");
    bench.dies(&["up"], when, Fault::KillAfter).await;
    bench.is_empty_after_teardown().await;
}

/// The second run has nobody left to ask for the picture, and needs no flag to go on: the first
/// one kept it.
#[tokio::test]
async fn a_teardown_cut_off_after_the_last_picture_goes_on_without() {
    let bench = Bench::start().await;
    bench.is_whole_after_up().await;
    let mut client = bench.operator.join().await;
    client.paint(&[red(3, 4)]).await;
    client.sees(red(3, 4)).await;
    let words = ["teardown", "--yes", "--export", "last.png"];
    let when = When::Operation("DeleteServerlessCache");
    bench.dies(&words, when, Fault::KillAfter).await;
    assert!(bench.operator.directory().join("last.png").exists());
    bench.proxy.clear();
    let again = bench.run(&["teardown", "--yes"]).await.expect_code(0);
    assert!(again.stderr.contains("picture was kept"), "{again}");
    let after = inventory(&bench.operator.sdk()).await;
    assert_eq!(difference(&bench.before, &after), Vec::<String>::new());
}

/// What `up` brought back to life is saved and exported again.
#[tokio::test]
async fn a_teardown_that_was_taken_back_keeps_the_newer_picture() {
    let bench = Bench::start().await;
    bench.is_whole_after_up().await;
    let words = ["teardown", "--yes", "--export", "last.png"];
    let when = When::Operation("DeleteServerlessCache");
    bench.dies(&words, when, Fault::KillBefore).await;
    bench.is_whole_after_up().await;
    let mut client = bench.operator.join().await;
    client.paint(&[red(5, 6)]).await;
    client.sees(red(5, 6)).await;
    let _ = bench.run(&words).await.expect_code(0);
    let exported = std::fs::read(bench.operator.directory().join("last.png")).unwrap();
    let exported = png::decode(&exported, 1_000_000).unwrap();
    assert!(exported.pixels().any(|pixel| pixel == red(5, 6)));
}

#[tokio::test]
async fn lost_answers_leave_no_duplicate() {
    let bench = Bench::start().await;
    for operation in [
        "AllocateAddress",
        "CreateNatGateway",
        "CreateApi",
        "CreateSecurityGroup",
    ] {
        bench
            .proxy
            .plan(When::Operation(operation), 1, Fault::DropAnswer);
    }
    // Whether this run mends it itself or leaves it to the next one is its own affair.
    let first = bench.run(&["up"]).await;
    assert!(matches!(first.code, Some(0 | 1 | 3)), "{first}");
    assert_eq!(bench.proxy.faults(), 4, "{first}");
    bench.is_whole_after_up().await;
    bench.is_empty_after_teardown().await;
}

#[tokio::test]
async fn throttling_and_outages_are_absorbed() {
    let bench = Bench::start().await;
    bench
        .proxy
        .plan(When::Operation("CreateFunction"), 2, Fault::Status(503));
    bench
        .proxy
        .plan(When::Operation("CreateQueue"), 2, Fault::Status(500));
    bench
        .proxy
        .plan(When::Operation("CreateTable"), 1, Fault::Reset);
    let throttled = Fault::error(429, "TooManyRequestsException", "Rate exceeded");
    bench
        .proxy
        .plan(When::Operation("CreateRoute"), 2, throttled);
    let limited = Fault::error(503, "RequestLimitExceeded", "Request limit exceeded.");
    bench.proxy.plan(When::Service("ec2"), 2, limited);
    let _ = bench.run(&["up"]).await.expect_code(0);
    assert_eq!(bench.proxy.faults(), 9);
    bench.is_whole_after_up().await;
}

#[tokio::test]
async fn a_refusal_names_the_permission_and_lets_the_rest_finish() {
    let bench = Bench::start().await;
    let denied = Fault::error(
        403,
        "UnauthorizedOperation",
        "You are not authorized to perform this operation.",
    );
    bench
        .proxy
        .plan(When::Operation("CreateNatGateway"), usize::MAX, denied);
    let up = bench.run(&["up"]).await.expect_code(1);
    assert!(up.stderr.contains("ec2:CreateNatGateway"), "{up}");
    assert_eq!(
        bench.proxy.count("CreateNatGateway"),
        1,
        "a refusal is not repeated"
    );
    let sdk = bench.operator.sdk();
    let queues = sdk.sqs.list_queues().send().await.unwrap();
    assert_eq!(
        queues.queue_urls().len(),
        4,
        "the rest of the graph finishes"
    );
    bench.is_whole_after_up().await;
}
