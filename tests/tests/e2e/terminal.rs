//! Where `placectl` is run from: a terminal that goes away, a reader that has seen enough, an operator
//! who thinks better of it. One stack for all three, one after the other.

use std::time::Duration;

use place_tests::proxy::{Fault, When};
use place_tests::{LocalCloud, Operator, Proxy, inventory};

use crate::support::eventually;

#[tokio::test]
async fn a_terminal_goes_away_a_reader_goes_away_and_an_operator_changes_her_mind() {
    let cloud = LocalCloud::start().await;
    let proxy = Proxy::start(&cloud.endpoint());
    let operator = Operator::with(&cloud, |c| c.endpoints.aws = Some(proxy.endpoint()));
    a_terminal_that_goes_away_is_an_interrupt(&proxy, &operator).await;
    a_reader_that_goes_away_stops_nothing(&operator).await;
    ctrl_c_at_the_question_removes_nothing(&operator).await;
}

/// The call in flight is finished, what it made is found again, and nothing new begins.
async fn a_terminal_that_goes_away_is_an_interrupt(proxy: &Proxy, operator: &Operator) {
    let late = Fault::Delay(Duration::from_secs(3));
    proxy.plan(When::Operation("CreateApi"), 1, late);
    let mut terminal = operator.placectl().args(["up"]).in_terminal();
    let asked = async || proxy.count("CreateApi") > 0;
    eventually("CreateApi", Duration::from_secs(30), asked).await;
    terminal.goes_away();
    let (code, screen) = terminal.finish().await;
    assert_eq!(code, Some(130), "{screen}");
    assert!(!screen.contains("panicked"), "{screen}");
    let apis = operator.sdk().api.get_apis().send().await.unwrap();
    assert_eq!(apis.items().len(), 1, "{screen}");
    assert_eq!(proxy.count("CreateIntegration"), 0, "{screen}");
    proxy.clear();
}

/// `placectl up -o json | head -1`
async fn a_reader_that_goes_away_stops_nothing(operator: &Operator) {
    let up = operator.placectl().args(["up", "-o", "json"]);
    let up = up.heard_for_one_line().run().await.expect_code(0);
    assert_eq!(up.json_lines().len(), 1, "{up}");
    assert!(!up.stderr.contains("panicked"), "{up}");
    let check = operator.placectl().args(["status", "--check"]);
    let _ = check.succeed().await;
}

async fn ctrl_c_at_the_question_removes_nothing(operator: &Operator) {
    let before = inventory(&operator.sdk()).await;
    let mut terminal = operator.placectl().args(["teardown"]).in_terminal();
    terminal.shows("type its name to go on").await;
    terminal.press("\x03").await;
    let (code, screen) = terminal.finish().await;
    assert_eq!(code, Some(130), "{screen}");
    let said = screen.contains("interrupted before anything was removed");
    assert!(said, "{screen}");
    assert_eq!(inventory(&operator.sdk()).await, before, "{screen}");
}
