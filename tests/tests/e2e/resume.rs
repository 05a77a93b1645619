//! Killed, cut off or refused in the middle: the next run finishes.

use std::collections::BTreeMap;

use place_canvas::png;
use place_tests::inventory::difference;
use place_tests::proxy::{Fault, When};
use place_tests::{Finished, LocalCloud, Operator, Proxy, inventory};

use crate::support::{red, shared};

/// How many there are of each kind of thing: `ec2 route` 7, `lambda function` 7.
fn census(inventory: &[String]) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    for line in inventory {
        let kind = line.split(' ').take(2).collect::<Vec<_>>().join(" ");
        *counts.entry(kind).or_default() += 1;
    }
    counts
}

/// A cloud, a proxy before it, and an operator who works through the proxy.
struct Bench {
    operator: Operator,
    proxy: Proxy,
    before: Vec<String>,
    _cloud: LocalCloud,
}

impl Bench {
    async fn start() -> Self {
        let cloud = LocalCloud::start().await;
        let proxy = Proxy::start(&cloud.endpoint());
        let operator = Operator::with(&cloud, |c| c.endpoints.aws = Some(proxy.endpoint()));
        let before = inventory(&operator.sdk()).await;
        Self {
            operator,
            proxy,
            before,
            _cloud: cloud,
        }
    }

    /// Runs a command through the proxy, in whose sights it is.
    async fn run(&self, words: &[&str]) -> Finished {
        let running = self.operator.placectl().args(words).spawn();
        self.proxy.aim_at(running.id());
        running.finish().await
    }

    /// Runs a command that dies.
    async fn dies(&self, words: &[&str], when: When, fault: Fault) {
        self.proxy.clear();
        self.proxy.plan(when.clone(), 1, fault);
        let finished = self.run(words).await;
        assert_eq!(self.proxy.kills(), 1, "{when:?} never came: {finished}");
        assert_eq!(finished.code, None, "{finished}");
    }

    /// Runs a command again and again; each run dies at its `n`th change, until one has fewer
    /// changes to make. How many died.
    async fn crawls(&self, words: &[&str], n: usize, fault: &Fault) -> usize {
        for deaths in 0..100 {
            self.proxy.clear();
            self.proxy.plan(When::Change(n), 1, fault.clone());
            let finished = self.run(words).await;
            if self.proxy.kills() == 0 {
                let _ = finished.expect_code(0);
                return deaths;
            }
        }
        panic!("{words:?} never comes to its end");
    }

    /// An undisturbed `up` succeeds and leaves exactly what a clean one leaves.
    async fn is_whole_after_up(&self) {
        self.proxy.clear();
        let _ = self.run(&["up"]).await.expect_code(0);
        let found = census(&inventory(&self.operator.sdk()).await);
        let clean = census(&inventory(&shared().await.operator.sdk()).await);
        assert_eq!(found, clean);
    }

    async fn is_empty_after_teardown(&self) {
        self.proxy.clear();
        let _ = self.run(&TEARDOWN).await.expect_code(0);
        let after = inventory(&self.operator.sdk()).await;
        assert_eq!(difference(&self.before, &after), Vec::<String>::new());
    }
}

const TEARDOWN: [&str; 3] = ["teardown", "--yes", "--no-export"];

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
