//! The queues.

use std::sync::Mutex;
use std::time::Duration;

use place_canvas::{ConnectionId, Position};

use super::Faults;
use crate::error::Error;
use crate::event::Newcomer;
use crate::ports::{Again, Calls, Newcomers};
use crate::queues::{Call, Unserved};

/// The queues: what was sent to them.
#[derive(Default)]
pub(crate) struct FakeQueues {
    pub(crate) faults: Faults,
    /// How long a call takes.
    pub(crate) latency: Mutex<Duration>,
    pub(crate) newcomers: Mutex<Vec<ConnectionId>>,
    pub(crate) calls: Mutex<Vec<Call>>,
    pub(crate) unserved: Mutex<Vec<Unserved>>,
}

impl FakeQueues {
    async fn pause(&self) {
        let latency = *self.latency.lock().unwrap();
        if latency > Duration::ZERO {
            tokio::time::sleep(latency).await;
        }
    }
}

impl Newcomers for FakeQueues {
    async fn announce(&self, newcomer: &Newcomer) -> Result<(), Error> {
        self.faults.step().await?;
        self.pause().await;
        let newcomer = newcomer.connection.clone();
        self.newcomers.lock().unwrap().push(newcomer);
        Ok(())
    }

    async fn announce_again(&self, client: &ConnectionId, _: Position) -> Result<(), Error> {
        let (connection, from) = (client.clone(), None);
        self.announce(&Newcomer { connection, from }).await
    }
}

impl Again for FakeQueues {
    async fn again(&self, unserved: &[Unserved]) -> Result<(), Error> {
        self.faults.step().await?;
        self.pause().await;
        self.unserved.lock().unwrap().extend_from_slice(unserved);
        Ok(())
    }
}

impl Calls for FakeQueues {
    async fn call(&self, call: &Call) -> Result<(), Error> {
        self.faults.step().await?;
        self.pause().await;
        self.calls.lock().unwrap().push(call.clone());
        Ok(())
    }
}
