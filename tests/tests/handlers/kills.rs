//! A save that is killed, at a call to DynamoDB before or after it took effect or at any moment,
//! and then repeated: history holds each change exactly once, and the table of current colours is
//! the canvas.

use std::time::Duration;

use place_config::Function as Kind;
use place_tests::lambda::InvokeError;
use place_tests::proxy::{Fault, When};

use crate::saves::{CALLS, HISTORY_CALLS, Run};

/// Between one moment of death and the next.
const STEP: Duration = Duration::from_millis(1);
/// Saves that die at about each moment: where they stand then is never quite the same.
const DEATHS: usize = 3;
/// Moments after which a save must have ended by itself.
const MOMENTS: u32 = 1000;

/// A save that dies at the call of this number.
async fn killed_save(run: &Run, call: usize, fault: Fault) {
    run.proxy.clear();
    run.proxy.plan(When::Call(call), 1, fault);
    let save = run.rig.function(Kind::Save);
    run.proxy.aim_at(save.id());
    assert_eq!(
        save.invoke("{}").await,
        Err(InvokeError::Died),
        "killed at call {call}"
    );
    assert_eq!(run.proxy.kills(), 1);
    run.proxy.clear();
    assert!(run.drop_lease().await, "the dead save held the lease");
}

async fn killed_everywhere(fault: Fault) {
    let mut run = Run::new().await;
    for call in 1..=CALLS {
        run.paint().await;
        killed_save(&run, call, fault.clone()).await;
        run.save().await;
        run.assert_lossless().await;
    }
}

#[tokio::test]
async fn row_4_6_a_save_killed_before_a_call_loses_nothing() {
    killed_everywhere(Fault::KillBefore).await;
}

#[tokio::test]
async fn row_4_6_a_save_killed_after_a_call_took_effect_loses_nothing() {
    killed_everywhere(Fault::KillAfter).await;
}

#[tokio::test]
async fn row_4_6_a_save_killed_again_and_again_gets_there() {
    let mut run = Run::new().await;
    run.paint().await;
    for call in [CALLS - 3, 3, CALLS, HISTORY_CALLS] {
        killed_save(&run, call, Fault::KillAfter).await;
    }
    run.save().await;
    run.assert_lossless().await;
}

/// A save that is killed so long after it was asked for; whether it had the lease, and whether it
/// had answered before.
async fn save_killed_after(run: &Run, time: Duration) -> (bool, bool) {
    let save = run.rig.function(Kind::Save);
    let asked = save.begin("{}", Duration::from_mins(1));
    tokio::time::sleep(time).await;
    save.kill();
    let answer = asked.answer().await;
    (run.drop_lease().await, answer.is_ok())
}

/// Its calls to Redis are among these moments.
#[tokio::test]
async fn row_4_6_a_save_killed_at_any_moment_loses_nothing() {
    let mut run = Run::new().await;
    let mut amid = 0;
    for moment in 0..MOMENTS {
        let mut ended = 0;
        for _ in 0..DEATHS {
            run.paint().await;
            let (had_lease, answered) = save_killed_after(&run, STEP * moment).await;
            amid += u32::from(had_lease);
            ended += usize::from(answered);
            run.save().await;
            run.assert_lossless().await;
        }
        if ended == DEATHS {
            assert!(amid > 2, "{amid} saves died with their lease");
            return;
        }
    }
    panic!("a save does not end in {MOMENTS} times {STEP:?}");
}
