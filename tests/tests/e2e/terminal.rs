//! Where `placectl` is run from: a terminal that goes away, a reader that has seen enough, an operator
//! who thinks better of it, nobody at all.

use std::time::Duration;

use place_tests::proxy::{Fault, When};
use place_tests::{LocalCloud, Operator, Placectl, Proxy, inventory};

use crate::bench::{Bench, TEARDOWN};
use crate::repair::is_idle;
use crate::support::eventually;

/// One stack for all three, one after the other.
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
    terminal.shows("Type the name of the stack").await;
    terminal.press("\x03").await;
    let (code, screen) = terminal.finish().await;
    assert_eq!(code, Some(130), "{screen}");
    let said = screen.contains("interrupted before anything was removed");
    assert!(said, "{screen}");
    assert_eq!(inventory(&operator.sdk()).await, before, "{screen}");
}

/// Where there is nobody to print to `up` does its work all the same, and its exit code says how it
/// went.
#[tokio::test]
async fn nobody_to_print_to_stops_nothing() {
    type Unheard = fn(Placectl) -> Placectl;
    let unheard: [(&str, Unheard); 5] = [
        ("stderr is closed", |up| up.redirected("2>&-")),
        ("everything is closed", |up| up.redirected("<&- >&- 2>&-")),
        ("stderr's reader goes away", Placectl::watched_for_one_line),
        ("stderr's disk is full", |up| up.redirected("2>/dev/full")),
        ("both readers go away", |up| {
            up.heard_for_one_line().watched_for_one_line()
        }),
    ];
    let bench = Bench::start().await;
    for (number, (how, unheard)) in unheard.into_iter().enumerate() {
        let output = ["text", "json"][number % 2];
        let words = ["-v", "-o", output];
        let placectl = |more: &[&str]| unheard(bench.operator.placectl().args(words).args(more));
        // What can't be made is said at the end, when nobody is there any more.
        let refused = Fault::error(400, "ValidationException", "as planned");
        let schedule = When::Operation("CreateSchedule");
        bench.proxy.plan(schedule, usize::MAX, refused);
        let up = placectl(&["up"]).run().await;
        assert_eq!(up.code, Some(1), "{how}: {up}");
        bench.proxy.clear();
        let up = placectl(&["up"]).run().await;
        assert_eq!(up.code, Some(0), "{how}: {up}");
        bench.is_whole_after_up().await;
        assert!(is_idle(&bench.operator).await, "{how}");
        let status = placectl(&["status", "--check"]).run().await;
        assert_eq!(status.code, Some(0), "{how}: {status}");
        let teardown = placectl(&TEARDOWN).run().await;
        assert_eq!(teardown.code, Some(0), "{how}: {teardown}");
        bench.is_empty_after_teardown().await;
    }
}

/// An answer that a full disk cut off must not pass for a whole one.
#[tokio::test]
async fn an_answer_that_can_t_be_written_is_a_failure() {
    let bench = Bench::start().await;
    bench.operator.up().await;
    for words in [&["status", "-o", "json"][..], &["up", "-o", "json"]] {
        let placectl = bench.operator.placectl().args(words);
        let full = placectl.redirected(">/dev/full").run().await;
        assert_eq!(full.code, Some(1), "{words:?}: {full}");
        let said = full.stderr.matches("writing to standard output").count();
        assert_eq!(said, 1, "{words:?}: {full}");
    }
    assert!(is_idle(&bench.operator).await);
}
