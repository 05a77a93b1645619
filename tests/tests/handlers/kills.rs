//! A save that is killed, at a call to DynamoDB before or after it took effect or at any moment,
//! and then repeated: history holds each change exactly once, and the table of current colours is
//! the canvas.

use std::time::Duration;

use place_config::Function as Kind;
use place_tests::lambda::InvokeError;
use place_tests::proxy::{Fault, When};

use crate::saves::{CALLS, HISTORY_CALLS, Run};

/// Between one moment of death and the next, and how many there are. A save takes a few steps, and
/// one that has doubts to look at more.
const STEP: Duration = Duration::from_millis(1);
const MOMENTS: u32 = 20;

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

/// Its calls to Redis are among these moments.
#[tokio::test]
async fn row_4_6_a_save_killed_at_any_moment_loses_nothing() {
    let mut run = Run::new().await;
    let mut amid = 0;
    for moment in 0..MOMENTS {
        run.paint().await;
        let save = run.rig.function(Kind::Save);
        // Nobody waits for its answer.
        let _asked = save.begin("{}", Duration::from_mins(1));
        tokio::time::sleep(STEP * moment).await;
        save.kill();
        amid += u32::from(run.drop_lease().await);
        run.save().await;
        run.assert_lossless().await;
    }
    assert!(amid > 2, "{amid} saves died with their lease");
}
