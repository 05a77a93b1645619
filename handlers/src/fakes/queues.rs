//! The queues.

use std::sync::Mutex;

use place_canvas::ConnectionId;

use super::Faults;
use crate::error::Error;
use crate::ports::{Calls, Newcomers};
use crate::queues::Call;

/// The queues: what was sent to them.
#[derive(Default)]
pub(crate) struct FakeQueues {
    pub(crate) faults: Faults,
    pub(crate) newcomers: Mutex<Vec<ConnectionId>>,
    pub(crate) calls: Mutex<Vec<Call>>,
}

impl Newcomers for FakeQueues {
    async fn announce(&self, newcomer: &ConnectionId) -> Result<(), Error> {
        self.faults.step().await?;
        self.newcomers.lock().unwrap().push(newcomer.clone());
        Ok(())
    }
}

impl Calls for FakeQueues {
    async fn call(&self, call: &Call) -> Result<(), Error> {
        self.faults.step().await?;
        self.calls.lock().unwrap().push(call.clone());
        Ok(())
    }
}
