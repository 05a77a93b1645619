//! The connection to the cache: one node, or the cluster protocol.
//!
//! # A cache that fails over
//!
//! The name of a replication group moves to another node. The node that had it goes on answering
//! whoever is connected to it: `READONLY` to what writes, and old news to what only reads. Or it
//! hangs, or it is gone. So everything that is sent goes through [`Link::patiently`]: an answer that
//! tells of such a change, or none at all, ends the connection. The name is resolved again, and the
//! request is sent again, in pauses, until the patience ends. Hence whatever is sent must do no harm
//! when it is done twice.
//!
//! A node can't serve what it must not: a replica refuses all scripts and all reads of this store,
//! see [`super::script`].

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use redis::aio::ConnectionLike;
use redis::{Cmd, Pipeline, RedisError, RedisFuture, RedisResult, Value};
use tokio::time::{Instant, sleep, timeout_at};

use super::StoreError;
use super::pauses::Pauses;
use super::server::{Connection, Server};
use super::verdict::{Verdict, verdict};

/// How long one call asks again, in all: a failover that is prepared takes less, and a client that
/// paints still hears within its route's time-out that nothing came of it.
const PATIENCE: Duration = Duration::from_secs(7);
/// The same while the cache is down, so after a call for which all patience was in vain: calls that
/// wait hold functions, of which an account has a limited number.
const PATIENCE_WHEN_DOWN: Duration = Duration::from_secs(1);
/// How long one answer may take. A node that hangs takes its connections with it.
const ANSWER: Duration = Duration::from_secs(2);
/// The same of an answer of up to 512 MiB.
const LARGE_ANSWER: Duration = Duration::from_secs(5);

/// A connection that is shared by all clones and mends itself.
#[derive(Clone)]
pub(super) struct Link {
    shared: Arc<Shared>,
    answer: Duration,
    /// When the patience ends, if it is that of one call.
    until: Option<Instant>,
}

struct Shared {
    server: Server,
    held: Mutex<Held>,
    /// Whoever connects holds it, so that all others wait for that one connection.
    connecting: tokio::sync::Mutex<()>,
    /// Whether the last call's patience was in vain.
    down: AtomicBool,
}

/// The connection, and how many there were before.
#[derive(Default)]
struct Held {
    number: u64,
    connection: Option<Connection>,
}

impl Link {
    /// A link that connects when it is used.
    pub(super) fn new(url: &str, cluster: bool) -> Result<Self, StoreError> {
        let server = Server::new(url, cluster).map_err(StoreError::Address)?;
        let shared = Shared {
            server,
            held: Mutex::default(),
            connecting: tokio::sync::Mutex::default(),
            down: AtomicBool::new(false),
        };
        Ok(Self {
            shared: Arc::new(shared),
            answer: ANSWER,
            until: None,
        })
    }

    /// Connects, patiently.
    pub(super) async fn connect(&self) -> Result<(), StoreError> {
        let connected = self.patiently(async |_| Ok(())).await;
        connected.map_err(StoreError::Connect)
    }

    /// The same link for requests that share one call's patience, which begins now.
    pub(super) fn for_one_call(&self) -> Self {
        Self {
            until: Some(self.end_of_patience()),
            ..self.clone()
        }
    }

    /// The same link for an answer of many megabytes.
    pub(super) fn for_a_large_answer(&self) -> Self {
        Self {
            answer: LARGE_ANSWER,
            ..self.clone()
        }
    }

    fn end_of_patience(&self) -> Instant {
        let patience = if self.shared.down.load(Ordering::Relaxed) {
            PATIENCE_WHEN_DOWN
        } else {
            PATIENCE
        };
        self.until.unwrap_or_else(|| Instant::now() + patience)
    }

    /// Sends a request until it is answered, as long as sending it again may help and the patience
    /// lasts.
    async fn patiently<T, F>(&self, request: impl Fn(Connection) -> F) -> RedisResult<T>
    where
        F: Future<Output = RedisResult<T>>,
    {
        let until = self.end_of_patience();
        let mut pauses = Pauses::default();
        loop {
            let error = match self.once(until, &request).await {
                Err(error) if verdict(&error) != Verdict::Final => error,
                answer => {
                    self.shared.down.store(false, Ordering::Relaxed);
                    return answer;
                }
            };
            let pause = pauses.next(verdict(&error));
            if Instant::now() + pause >= until {
                self.shared.down.store(true, Ordering::Relaxed);
                return Err(error);
            }
            sleep(pause).await;
        }
    }

    async fn once<T, F>(&self, until: Instant, request: impl Fn(Connection) -> F) -> RedisResult<T>
    where
        F: Future<Output = RedisResult<T>>,
    {
        let connected = timeout_at(until, self.shared.connection()).await;
        let (number, connection) = connected.unwrap_or_else(|_| Err(no_answer()))?;
        let answer_by = until.min(Instant::now() + self.answer);
        let answered = timeout_at(answer_by, request(connection)).await;
        let answered = answered.unwrap_or_else(|_| Err(no_answer()));
        if let Err(error) = &answered
            && verdict(error) != Verdict::Final
        {
            self.shared.leave(number);
        }
        answered
    }
}

impl Shared {
    async fn connection(&self) -> RedisResult<(u64, Connection)> {
        if let Some(connected) = self.connected() {
            return Ok(connected);
        }
        let _turn = self.connecting.lock().await;
        if let Some(connected) = self.connected() {
            return Ok(connected);
        }
        let connection = self.server.connect().await?;
        let mut held = self.held();
        held.number += 1;
        held.connection = Some(connection.clone());
        Ok((held.number, connection))
    }

    fn connected(&self) -> Option<(u64, Connection)> {
        let held = self.held();
        Some((held.number, held.connection.clone()?))
    }

    /// Drops the connection `number`, unless that has been done.
    fn leave(&self, number: u64) {
        let mut held = self.held();
        if held.number == number {
            held.connection = None;
        }
    }

    fn held(&self) -> MutexGuard<'_, Held> {
        // What is behind it is whole between any two statements.
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn no_answer() -> RedisError {
    std::io::Error::new(std::io::ErrorKind::TimedOut, "the cache did not answer").into()
}

impl ConnectionLike for Link {
    fn req_packed_command<'a>(&'a mut self, cmd: &'a Cmd) -> RedisFuture<'a, Value> {
        let request = move |mut connection: Connection| async move {
            match connection.req_packed_command(cmd).await? {
                Value::ServerError(error) => Err(error.into()),
                answer => Ok(answer),
            }
        };
        Box::pin(self.patiently(request))
    }

    fn req_packed_commands<'a>(
        &'a mut self,
        pipeline: &'a Pipeline,
        offset: usize,
        count: usize,
    ) -> RedisFuture<'a, Vec<Value>> {
        let request = move |mut connection: Connection| async move {
            let answers = connection.req_packed_commands(pipeline, offset, count);
            let answers = answers.await?;
            let passing = answers.iter().find_map(passing);
            passing.map_or(Ok(answers), Err)
        };
        Box::pin(self.patiently(request))
    }

    fn get_db(&self) -> i64 {
        self.shared.server.database()
    }
}

/// The error that one answer of a pipeline is, if sending the pipeline again may help.
fn passing(answer: &Value) -> Option<RedisError> {
    let Value::ServerError(error) = answer else {
        return None;
    };
    let error = RedisError::from(error.clone());
    (verdict(&error) != Verdict::Final).then_some(error)
}
