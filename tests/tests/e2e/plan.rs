//! What `up` would do, and when.

use place_tests::{LocalCloud, Operator};
use serde_json::Value;

use crate::support::shared;

fn number(of: &Value, name: &str) -> u64 {
    of[name]
        .as_u64()
        .unwrap_or_else(|| panic!("`{name}` in {of:#}"))
}

#[tokio::test]
async fn a_plan_says_when_each_step_comes_and_what_the_whole_time_hangs_on() {
    let cloud = LocalCloud::start().await;
    let operator = Operator::new(&cloud);
    let words = ["plan", "--timing", "-o", "json"];
    let plan = operator.placectl().args(words).succeed().await.json();
    let timing = &plan["timing"];
    let (total, one_by_one) = (number(timing, "total_s"), number(timing, "one_by_one_s"));
    // A cache and a NAT gateway take minutes, and not one after the other.
    assert!(
        (60..3600).contains(&total) && total < one_by_one,
        "{timing:#}"
    );
    let spans = timing["spans"].as_array().unwrap();
    assert_eq!(spans.len(), plan["changes"].as_array().unwrap().len());
    for step in 1..=7 {
        let there = spans.iter().any(|span| span["step"] == step);
        assert!(there, "step {step} in {timing:#}");
    }
    let end = |span: &Value| number(span, "start_s") + number(span, "length_s");
    assert!(
        spans.iter().all(|span| end(span) <= total + 1),
        "{timing:#}"
    );
    let critical = spans.iter().filter(|span| span["critical"] == true);
    let mut critical: Vec<&Value> = critical.collect();
    critical.sort_by_key(|span| number(span, "start_s"));
    assert_eq!(number(critical[0], "start_s"), 0, "{timing:#}");
    assert!(end(critical[critical.len() - 1]) + 1 >= total, "{timing:#}");
    assert!(
        critical.iter().any(|span| span["key"] == "cache"),
        "{timing:#}"
    );
    let text = operator.placectl().args(["plan", "--timing"]);
    let text = text.succeed().await;
    for said in [
        "About ",
        "one after the other: ",
        "serverless cache",
        "━",
        "  * ",
    ] {
        assert!(text.stdout.contains(said), "`{said}` in {text}");
    }
    let short = operator.placectl().args(["plan"]).succeed().await;
    assert!(!short.stdout.contains("one after the other"), "{short}");
}

#[tokio::test]
async fn a_plan_for_what_stands_takes_no_time() {
    let operator = &shared().await.operator;
    let words = ["plan", "--timing", "-o", "json"];
    let plan = operator.placectl().args(words).succeed().await.json();
    assert_eq!(number(&plan["timing"], "total_s"), 0, "{plan:#}");
    assert_eq!(plan["timing"]["spans"], serde_json::json!([]));
}
