//! The daily commands (rows C.2 to C.7) and an `up` that repairs (design, invariant 3) wait out
//! what passes, wherever it comes.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use place_canvas::png;
use place_tests::proxy::{Fault, Operation, When};
use place_tests::{Finished, Operator, inventory};

use crate::bench::{Bench, census};
use crate::drift::application::replace_code;
use crate::drift::everything_at_once;
use crate::repair::is_idle;
use crate::support::red;

const PASSING: [Fault; 3] = [Fault::Status(500), Fault::Status(429), Fault::Reset];

/// Runs a command with `fault` at the first call of each of its operations, `needed` among them.
async fn absorbs(bench: &Bench, fault: &Fault, words: &[&str], needed: &str) -> Finished {
    bench.proxy.clear();
    bench
        .proxy
        .plan(When::FirstOfEach, usize::MAX, fault.clone());
    let finished = bench.run(words).await;
    assert_eq!(finished.code, Some(0), "{fault:?}: {finished}");
    let calls = bench.proxy.calls();
    let all: BTreeSet<&Operation> = calls.iter().map(|call| &call.operation).collect();
    assert_eq!(bench.proxy.faults(), all.len(), "{fault:?}: {finished}");
    let came = all.iter().any(|operation| operation.name() == needed);
    assert!(came, "{needed} is not in {all:?}: {finished}");
    // Each of them came once more: nothing was done without an answer.
    for operation in all {
        let count = calls.iter().filter(|call| call.operation == *operation);
        assert!(count.count() > 1, "{fault:?}, {operation}: {finished}");
    }
    finished
}

/// How many there are of each kind of thing. Somebody who changes an API deploys it, and so does
/// the repair: how many deployments there have been says nothing.
async fn kinds(bench: &Bench) -> BTreeMap<String, usize> {
    let mut kinds = census(&inventory(&bench.operator.sdk()).await);
    kinds.remove("apigateway deployment");
    kinds
}

fn picture(operator: &Operator, file: &str) -> place_canvas::Picture {
    let bytes = fs::read(operator.directory().join(file)).unwrap();
    png::decode(&bytes, 1_000_000).unwrap()
}

#[tokio::test]
async fn rows_c_2_to_c_7_absorb_what_passes_at_every_operation() {
    let bench = Bench::start().await;
    let operator = &bench.operator;
    operator.up().await;
    for (number, fault) in PASSING.iter().enumerate() {
        let run = async |words: &[&str], needed| absorbs(&bench, fault, words, needed).await;
        let mut client = operator.join().await;
        let pixel = red(u16::try_from(number).unwrap(), 1);
        client.paint(&[pixel]).await;
        client.sees(pixel).await;
        let status = run(&["status", "--check"], "Invoke").await;
        let url = operator.websocket_url().await;
        assert!(status.stdout.contains(&url), "{fault:?}: {status}");
        let listed = run(&["clients", "list"], "Invoke").await;
        assert!(listed.stdout.contains("127.0.0.1"), "{fault:?}: {listed}");
        let _ = run(&["save"], "Invoke").await;
        let rows = operator.tables().get(&[(pixel.x, pixel.y)]).await.unwrap();
        assert_eq!(rows[&(pixel.x, pixel.y)].pixel, pixel, "{fault:?}");
        let _ = run(&["save", "--full"], "Invoke").await;
        let canvas = operator.canvas().await;
        let file = format!("now-{number}.png");
        let _ = run(&["canvas", "export", &file], "Invoke").await;
        assert_eq!(picture(operator, &file), canvas, "{fault:?}");
        let file = format!("saved-{number}.png");
        let words = ["canvas", "export", &file, "--from", "tables"];
        let _ = run(&words, "Scan").await;
        assert_eq!(picture(operator, &file), canvas, "{fault:?}");
        let _ = run(&["canvas", "snapshot"], "Invoke").await;
        let _ = run(&["plan", "--check"], "DescribeRouteTables").await;
        replace_code(operator.sdk()).await;
        let _ = run(&["deploy"], "UpdateFunctionCode").await;
        assert!(is_idle(operator).await, "{fault:?}");
        client.close().await;
    }
}

/// What a program reads of a command that answers at its end is that answer and nothing else
/// (design, section 10).
#[tokio::test]
async fn one_document_is_the_answer_whatever_passes() {
    let bench = Bench::start().await;
    bench.operator.up().await;
    let commands: [&[&str]; 5] = [
        &["status", "--check"],
        &["plan"],
        &["clients", "list"],
        &["save"],
        &["canvas", "snapshot"],
    ];
    for words in commands {
        bench.proxy.clear();
        let throttled = Fault::Status(429);
        bench.proxy.plan(When::FirstOfEach, usize::MAX, throttled);
        let words = [words, &["-v", "-o", "json"]].concat();
        let finished = bench.run(&words).await.expect_code(0);
        assert!(bench.proxy.faults() > 0, "{finished}");
        assert!(finished.stderr.contains("HTTP status 429"), "{finished}");
        let _ = finished.json();
    }
}

#[tokio::test]
async fn an_up_that_repairs_absorbs_what_passes_at_every_operation() {
    let bench = Bench::start().await;
    bench.operator.up().await;
    let whole = kinds(&bench).await;
    for fault in PASSING {
        everything_at_once(&bench.operator.sdk()).await;
        let _ = absorbs(&bench, &fault, &["up"], "ReplaceRouteTableAssociation").await;
        assert!(is_idle(&bench.operator).await, "{fault:?}");
        assert_eq!(kinds(&bench).await, whole, "{fault:?}");
    }
    bench.operator.join().await.close().await;
    bench.is_empty_after_teardown().await;
}

/// AWS did what was asked, and nobody heard of it: a repair that is made twice leaves no second one
/// of anything (design, invariant 1).
#[tokio::test]
async fn a_repair_whose_answers_get_lost_leaves_no_duplicate() {
    let bench = Bench::start().await;
    bench.operator.up().await;
    let whole = kinds(&bench).await;
    for fault in [Fault::DropAnswer, Fault::ActedThenStatus(500)] {
        everything_at_once(&bench.operator.sdk()).await;
        bench.proxy.clear();
        bench
            .proxy
            .plan(When::FirstOfEach, usize::MAX, fault.clone());
        // Whether this run mends it itself or leaves it to the next one is its own affair.
        let up = bench.run(&["up"]).await;
        assert!(matches!(up.code, Some(0 | 1 | 3)), "{fault:?}: {up}");
        assert!(bench.proxy.faults() > 30, "{fault:?}: {up}");
        bench.proxy.clear();
        let _ = bench.run(&["up"]).await.expect_code(0);
        assert_eq!(kinds(&bench).await, whole, "{fault:?}");
        assert!(is_idle(&bench.operator).await, "{fault:?}");
    }
    bench.is_empty_after_teardown().await;
}
