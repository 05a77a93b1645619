//! Saves while DynamoDB refuses, throttles, fails, does not answer, or does things late; and saves
//! that meet each other.

use std::time::{Duration, Instant};

use place_config::Function as Kind;
use place_tests::lambda::InvokeError;
use place_tests::proxy::{Fault, When};
use serde_json::Value;

use crate::saves::{CALLS, CHANGES, HISTORY_CALLS, PLACES, Run};

/// Calls that a fault befalls one after the other.
const STRUCK: usize = 3;
/// The second call about history, and about colours when no call was made again.
const IN_HISTORY: usize = 2;
const IN_COLOURS: usize = HISTORY_CALLS + 2;

/// A save of which some calls from each of these numbers on fare so, and which gets there.
async fn save_through(run: &mut Run, fault: &Fault, firsts: &[usize]) {
    run.paint().await;
    run.proxy.clear();
    for first in firsts {
        run.proxy.plan(When::Call(*first), STRUCK, fault.clone());
    }
    run.save().await;
    assert_eq!(run.proxy.faults(), firsts.len() * STRUCK, "{fault:?}");
    run.assert_lossless().await;
}

#[tokio::test]
async fn row_4_6_a_save_gets_through_throttling_failures_and_lost_answers() {
    let mut run = Run::new().await;
    for fault in [
        Fault::error(
            400,
            "ProvisionedThroughputExceededException",
            "The level of configured provisioned throughput for the table was exceeded.",
        ),
        Fault::error(400, "ThrottlingException", "Rate exceeded"),
        Fault::error(500, "InternalServerError", "Internal server error"),
        Fault::Status(500),
        Fault::Status(503),
        Fault::ActedThenStatus(500),
        Fault::DropAnswer,
        Fault::Reset,
    ] {
        // Those about history are made again first.
        let both = [IN_HISTORY, IN_COLOURS + STRUCK];
        save_through(&mut run, &fault, &both).await;
    }
}

#[tokio::test]
async fn row_4_6_a_save_gets_through_calls_that_hang() {
    let hung = async |first| save_through(&mut Run::new().await, &Fault::Hang, &[first]).await;
    // At once, because each takes as long as the function waits.
    tokio::join!(hung(IN_HISTORY), hung(IN_COLOURS));
}

#[tokio::test]
async fn row_4_6_a_save_writes_again_what_dynamodb_left_undone() {
    let mut run = Run::new().await;
    for nth in [5, 3, 2] {
        run.paint().await;
        run.rig.aws.leave_undone(nth);
        let before = run.rig.aws.left_undone();
        run.save().await;
        assert!(run.rig.aws.left_undone() > before);
        run.assert_lossless().await;
    }
}

/// What no repetition helps against fails the save, and the next one makes up for it.
#[tokio::test]
async fn row_4_6_a_save_that_dynamodb_refuses_loses_nothing() {
    let mut run = Run::new().await;
    let refusal = Fault::error(400, "ValidationException", "Item size has exceeded");
    for call in [1, 7, HISTORY_CALLS + 1, CALLS] {
        run.paint().await;
        run.proxy.clear();
        run.proxy.plan(When::Call(call), 1, refusal.clone());
        let failed = run.rig.function(Kind::Save).invoke("{}").await;
        assert!(
            matches!(&failed, Err(InvokeError::Failed(text)) if text.contains("ValidationException")),
            "{failed:?}"
        );
        assert!(run.drop_lease().await, "it is left to expire");
        run.save().await;
        run.assert_lossless().await;
    }
}

#[tokio::test]
async fn row_4_6_a_write_that_is_done_late_is_made_good() {
    let mut run = Run::new().await;
    run.paint().await;
    // Longer than the function waits for an answer.
    let late = Fault::Late(Duration::from_secs(8));
    run.proxy.plan(When::Call(HISTORY_CALLS + 1), 1, late);
    run.save().await;
    run.paint().await;
    run.save().await;
    run.assert_lossless().await;
    let saved = Instant::now();
    while run.wrong_colours().await == 0 {
        let waited = saved.elapsed();
        assert!(waited < Duration::from_secs(20), "the late write is done");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let mended = run.save().await;
    assert_eq!(mended["changes"], 0);
    assert_eq!(mended["pixels"], 25);
    run.assert_lossless().await;
}

#[tokio::test]
async fn row_4_6_a_save_writes_a_row_a_change_and_a_row_a_changed_pixel() {
    let mut run = Run::new().await;
    for round in 1..=3 {
        run.paint().await;
        run.proxy.clear();
        let answer = run.save().await;
        let told = (&answer["changes"], &answer["pixels"]);
        assert_eq!(told, (&CHANGES.into(), &PLACES.into()));
        let written = |table: &str| run.rig.aws.rows_written(table);
        let env = &run.rig.env;
        assert_eq!(written(&env.history_table), u64::from(CHANGES) * round);
        assert_eq!(written(&env.mru_table), u64::from(PLACES) * round);
        assert_eq!(run.proxy.calls().len(), CALLS);
    }
    run.assert_lossless().await;
}

#[tokio::test]
async fn row_4_6_of_two_saves_at_once_one_works() {
    let mut run = Run::new().await;
    run.paint().await;
    // So that whichever is the first is still there when the second begins.
    let late = Fault::Delay(Duration::from_millis(500));
    run.proxy.plan(When::Call(1), 1, late);
    let (one, other) = (run.rig.function(Kind::Save), run.rig.function(Kind::Save));
    let (one, other) = tokio::join!(one.invoke("{}"), other.invoke("{}"));
    let read = |answer: Vec<u8>| serde_json::from_slice::<Value>(&answer).unwrap();
    let mut answers = [read(one.unwrap()), read(other.unwrap())];
    answers.sort_by_key(|answer| answer["held"].as_bool());
    let [worked, held] = answers;
    assert_eq!(
        (&worked["held"], &held["held"]),
        (&false.into(), &true.into())
    );
    assert_eq!(worked["complete"], true);
    assert_eq!((&held["changes"], &held["pixels"]), (&0.into(), &0.into()));
    run.assert_lossless().await;
}

/// The cache loses the lease while old colours are on their way.
#[tokio::test]
async fn row_4_6_a_save_that_is_overtaken_leaves_no_old_colour() {
    let mut run = Run::new().await;
    run.paint().await;
    let under_way = 4;
    let late = Fault::Delay(Duration::from_secs(2));
    run.proxy
        .plan(When::Call(HISTORY_CALLS + 1), under_way, late);
    let overtaken = run.rig.function(Kind::Save);
    let asked = overtaken.begin("{}", Duration::from_mins(1));
    while run.proxy.faults() < under_way {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    assert!(run.drop_lease().await);
    run.paint().await;
    run.save().await;
    let failed = asked.answer().await;
    assert!(matches!(&failed, Err(InvokeError::Failed(_))), "{failed:?}");
    assert_eq!(run.wrong_colours().await, PLACES as usize, "they are old");
    run.save().await;
    run.assert_lossless().await;
}
