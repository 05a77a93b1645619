//! Faults at chosen steps: each call to the fake world passes two steps, one before it takes
//! effect and one after.

use std::future::pending;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use place_canvas::StoreError;
use tokio::sync::Notify;
use tokio::time::sleep;

use crate::error::Error;

#[derive(Debug, Default)]
struct Plan {
    steps: usize,
    kill_at: Option<usize>,
    fail_at: Option<usize>,
    fail_from: Option<usize>,
}

/// What goes wrong, and when. Clones share it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Faults {
    plan: Arc<Mutex<Plan>>,
    /// How long a step takes.
    pace: Arc<Mutex<Duration>>,
    killed: Arc<Notify>,
}

impl Faults {
    /// From now on the process dies at step `step`.
    pub(crate) fn kill_at(&self, step: usize) {
        *self.plan.lock().unwrap() = Plan {
            kill_at: Some(step),
            ..Plan::default()
        };
    }

    /// From now on step `step` fails.
    pub(crate) fn fail_at(&self, step: usize) {
        *self.plan.lock().unwrap() = Plan {
            fail_at: Some(step),
            ..Plan::default()
        };
    }

    /// From now on a step takes so long.
    pub(crate) fn slow_down(&self, pace: Duration) {
        *self.pace.lock().unwrap() = pace;
    }

    /// From now on every step from `step` on fails.
    pub(crate) fn fail_from(&self, step: usize) {
        *self.plan.lock().unwrap() = Plan {
            fail_from: Some(step),
            ..Plan::default()
        };
    }

    /// From now on nothing goes wrong.
    pub(crate) fn heal(&self) {
        *self.plan.lock().unwrap() = Plan::default();
    }

    /// Steps that were passed since the plan was made.
    pub(crate) fn steps(&self) -> usize {
        self.plan.lock().unwrap().steps
    }

    /// Runs `process` until it ends or is killed: then it is `None`, and everything that it had
    /// under way is gone.
    pub(crate) async fn run<T>(&self, process: impl Future<Output = T>) -> Option<T> {
        tokio::select! {
            biased;
            () = self.killed.notified() => None,
            done = process => Some(done),
        }
    }

    /// One step.
    pub(crate) async fn step(&self) -> Result<(), Error> {
        let pace = *self.pace.lock().unwrap();
        if pace > Duration::ZERO {
            sleep(pace).await;
        }
        let (killed, failed) = {
            let mut plan = self.plan.lock().unwrap();
            plan.steps += 1;
            (
                plan.kill_at == Some(plan.steps),
                plan.fail_at == Some(plan.steps)
                    || plan.fail_from.is_some_and(|from| from <= plan.steps),
            )
        };
        if killed {
            self.killed.notify_one();
            pending::<()>().await;
        }
        if failed {
            let detail = "as the test wants it".to_owned();
            return Err(StoreError::Answer {
                doing: "failing",
                detail,
            }
            .into());
        }
        Ok(())
    }
}
