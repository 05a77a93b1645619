//! The Lambda Runtime API, as one function's process sees it: one invocation after the other.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{self, Receiver, Sender};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use thiserror::Error;
use tokio::sync::oneshot;

use super::http::{Reply, Request, Server, Service};

const PREFIX: &str = "/2018-06-01/runtime/";

/// Why an invocation has no answer.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum InvokeError {
    /// The function answered with an error.
    #[error("the function failed: {0}")]
    Failed(String),
    /// The process ended, or never got ready.
    #[error("the function's process ended")]
    Died,
}

type Answer = Result<Vec<u8>, InvokeError>;

/// An answer that is awaited.
#[derive(Debug)]
pub struct Pending(oneshot::Receiver<Answer>);

struct Invocation {
    id: String,
    deadline: SystemTime,
    event: Vec<u8>,
}

struct Shared {
    name: String,
    events: Mutex<Receiver<Invocation>>,
    pending: Mutex<HashMap<String, oneshot::Sender<Answer>>>,
    ready: Mutex<Option<Sender<Result<Instant, String>>>>,
}

/// The Runtime API of one process.
#[derive(Debug)]
pub struct RuntimeApi {
    server: Server,
    events: Sender<Invocation>,
    shared: Arc<Shared>,
    ready: Receiver<Result<Instant, String>>,
    count: AtomicU64,
}

impl std::fmt::Debug for Shared {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Shared")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

impl RuntimeApi {
    /// The API for the function of this name, which is still to be started.
    pub fn start(name: &str) -> Self {
        let (events, receiver) = mpsc::channel();
        let (ready_sender, ready) = mpsc::channel();
        let shared = Arc::new(Shared {
            name: name.to_owned(),
            events: Mutex::new(receiver),
            pending: Mutex::default(),
            ready: Mutex::new(Some(ready_sender)),
        });
        Self {
            server: Server::start(Arc::clone(&shared)),
            events,
            shared,
            ready,
            count: AtomicU64::new(0),
        }
    }

    /// The value of `AWS_LAMBDA_RUNTIME_API`.
    pub fn address(&self) -> String {
        format!("127.0.0.1:{}", self.server.port())
    }

    /// Waits until the process asks for its first event; when it did.
    ///
    /// # Panics
    /// When it says that it can't start, or doesn't say anything for `patience`.
    pub fn wait_until_ready(&self, patience: Duration) -> Instant {
        match self.ready.recv_timeout(patience) {
            Ok(Ok(at)) => at,
            Ok(Err(error)) => panic!("`{}` could not start: {error}", self.shared.name),
            Err(error) => panic!("`{}` did not get ready: {error}", self.shared.name),
        }
    }

    /// Hands the process an event, with so much time to answer.
    pub fn invoke(&self, event: impl Into<Vec<u8>>, time: Duration) -> Pending {
        let id = format!("request-{}", self.count.fetch_add(1, Ordering::Relaxed));
        let (sender, receiver) = oneshot::channel();
        self.shared.lock().insert(id.clone(), sender);
        let invocation = Invocation {
            id,
            deadline: SystemTime::now() + time,
            event: event.into(),
        };
        // Nobody listens only when the server is gone, and then the answer is `Died`.
        let _ = self.events.send(invocation);
        Pending(receiver)
    }
}

impl Pending {
    /// The answer.
    pub async fn answer(self) -> Answer {
        self.0.await.unwrap_or(Err(InvokeError::Died))
    }

    /// The same, outside of any asynchronous code.
    pub fn wait(self) -> Answer {
        self.0.blocking_recv().unwrap_or(Err(InvokeError::Died))
    }
}

impl Shared {
    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<String, oneshot::Sender<Answer>>> {
        self.pending.lock().expect("nobody panics while holding it")
    }

    fn tell_ready(&self, outcome: Result<Instant, String>) {
        let waiting = self
            .ready
            .lock()
            .expect("nobody panics while holding it")
            .take();
        if let Some(waiting) = waiting {
            let _ = waiting.send(outcome);
        }
    }

    fn next(&self) -> Reply {
        self.tell_ready(Ok(Instant::now()));
        let events = self.events.lock().expect("nobody panics while holding it");
        let Ok(invocation) = events.recv() else {
            return Reply::Close;
        };
        let deadline = invocation
            .deadline
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default();
        let Invocation { id, event, .. } = invocation;
        let headers = format!(
            "content-type: application/json\r\n\
             lambda-runtime-aws-request-id: {id}\r\n\
             lambda-runtime-deadline-ms: {}\r\n\
             lambda-runtime-trace-id: Root=1-5759e988-bd862e3fe1be46a994272793\r\n\
             lambda-runtime-invoked-function-arn: \
             arn:aws:lambda:us-east-1:000000000000:function:{}\r\n",
            deadline.as_millis(),
            self.name
        );
        Reply::Now {
            status: 200,
            headers,
            body: event,
        }
    }

    fn settle(&self, id: &str, answer: Answer) -> Reply {
        if let Some(waiting) = self.lock().remove(id) {
            // Whoever asked may have given up.
            let _ = waiting.send(answer);
        }
        Reply::status(202, "{}")
    }
}

impl Service for Shared {
    fn answer(&self, request: &Request<'_>) -> Reply {
        let path = request.path.strip_prefix(PREFIX).unwrap_or_default();
        let text = || String::from_utf8_lossy(request.body).into_owned();
        let words: Vec<&str> = path.split('/').collect();
        match (request.method, words.as_slice()) {
            ("GET", ["invocation", "next"]) => self.next(),
            ("POST", ["invocation", id, "response"]) => self.settle(id, Ok(request.body.to_vec())),
            ("POST", ["invocation", id, "error"]) => {
                self.settle(id, Err(InvokeError::Failed(text())))
            }
            ("POST", ["init", "error"]) => {
                self.tell_ready(Err(text()));
                Reply::status(202, "{}")
            }
            _ => Reply::status(404, "{}"),
        }
    }

    fn deserted(&self) {
        // The senders are dropped, and with them whoever waits is told.
        self.lock().clear();
        self.tell_ready(Err("the process ended".to_owned()));
    }
}
