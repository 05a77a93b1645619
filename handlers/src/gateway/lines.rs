//! Kept connections to the gateway: HTTP/1.1, one call at a time on each.
//!
//! A connection has no task of its own: the call that uses it drives it, and nobody does while it
//! is idle. A broadcast makes thousands of calls a second, and waking one task for the connection
//! and another for the call, mostly on another thread, cost more than the call itself.

use std::collections::VecDeque;
use std::pin::{Pin, pin};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use bytes::Bytes;
use futures::future::poll_fn;
use http::{Request, StatusCode, Uri};
use http_body_util::{BodyExt, Full, Limited};
use hyper::client::conn::http1::{self, Connection, SendRequest};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder, MaybeHttpsStream};
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::time::Instant;
use tower_service::Service;

use super::GatewayError;
use crate::error::chain;

/// Largest answer that is read; API Gateway's own have a few hundred bytes.
const MAX_ANSWER_BYTES: usize = 64 * 1024;
/// How long a connection may take to open.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);
/// How long an unused connection is kept; API Gateway closes idle ones itself after about a minute.
const IDLE_TIMEOUT: Duration = Duration::from_secs(50);

type Stream = MaybeHttpsStream<TokioIo<TcpStream>>;

/// The connections to one address.
pub(super) struct Lines {
    connector: HttpsConnector<HttpConnector>,
    to: Uri,
    most_idle: usize,
    /// Those that wait for a call, the one that was used last at the end.
    idle: Mutex<VecDeque<(Instant, Line)>>,
}

impl Lines {
    /// No connection yet to the server of `to`; later up to `most_idle` unused ones.
    ///
    /// Reads the trusted certificates, which is the dearest part of a start.
    pub(super) fn new(to: Uri, most_idle: usize) -> Self {
        let mut tcp = HttpConnector::new();
        tcp.enforce_http(false);
        tcp.set_nodelay(true);
        tcp.set_connect_timeout(Some(CONNECT_TIMEOUT));
        Self {
            connector: over_tls(tcp, to.scheme_str() == Some("https")),
            to,
            most_idle,
            idle: Mutex::default(),
        }
    }

    /// Sends what `request` makes, and reads the answer.
    ///
    /// A kept connection may be closed by the server at the moment in which it is used again. Then
    /// the request goes out once more, on a new connection: it may arrive twice, and every call to
    /// the gateway can bear that.
    pub(super) async fn call(
        &self,
        request: impl Fn() -> Result<Request<Full<Bytes>>, GatewayError>,
    ) -> Result<(StatusCode, Bytes), GatewayError> {
        if let Some(kept) = self.kept() {
            match kept.call(request()?).await {
                Ok(answered) => return Ok(self.done(answered)),
                Err(LineError::Closed(_)) => {}
                Err(LineError::Broken(error)) => return Err(error),
            }
        }
        match self.open().await?.call(request()?).await {
            Ok(answered) => Ok(self.done(answered)),
            Err(LineError::Closed(error)) => Err(unanswered(&error)),
            Err(LineError::Broken(error)) => Err(error),
        }
    }

    /// The connection that was used last, if it is still open: the others may then grow too old.
    fn kept(&self) -> Option<Line> {
        let now = Instant::now();
        let mut idle = self.idle();
        while idle
            .front()
            .is_some_and(|(since, _)| now.duration_since(*since) >= IDLE_TIMEOUT)
        {
            idle.pop_front();
        }
        while let Some((_, mut line)) = idle.pop_back() {
            if line.is_open() {
                return Some(line);
            }
        }
        None
    }

    async fn open(&self) -> Result<Line, GatewayError> {
        let mut connector = self.connector.clone();
        let failed = |reason: String| GatewayError::Unreachable(format!("connecting: {reason}"));
        poll_fn(|context| connector.poll_ready(context))
            .await
            .map_err(|error| failed(error.to_string()))?;
        let stream = connector.call(self.to.clone()).await;
        let stream = stream.map_err(|error| failed(chain(error.as_ref())))?;
        let line = http1::handshake(stream).await;
        let (sender, connection) = line.map_err(|error| failed(chain(&error)))?;
        Ok(Line {
            sender,
            connection: Driven::Running(Box::new(connection)),
        })
    }

    fn done(&self, (status, body, line): Answered) -> (StatusCode, Bytes) {
        if let Some(line) = line {
            let mut idle = self.idle();
            if idle.len() < self.most_idle {
                idle.push_back((Instant::now(), line));
            }
        }
        (status, body)
    }

    fn idle(&self) -> MutexGuard<'_, VecDeque<(Instant, Line)>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// An answer, and its connection if that can be used again.
type Answered = (StatusCode, Bytes, Option<Line>);

/// Why a call got no answer.
enum LineError {
    /// The connection was closed before an answer began.
    Closed(hyper::Error),
    /// The answer could not be read.
    Broken(GatewayError),
}

/// One connection.
struct Line {
    sender: SendRequest<Full<Bytes>>,
    connection: Driven,
}

impl Line {
    async fn call(mut self, request: Request<Full<Bytes>>) -> Result<Answered, LineError> {
        let answer = self.sender.send_request(request);
        let answer = self.connection.drive(answer).await;
        let answer = answer.map_err(LineError::Closed)?;
        let status = answer.status();
        // The body is read even when nobody wants it: only then is the connection used again.
        let body = Limited::new(answer.into_body(), MAX_ANSWER_BYTES).collect();
        let body =
            self.connection.drive(body).await.map_err(|error| {
                LineError::Broken(GatewayError::Unreachable(chain(error.as_ref())))
            })?;
        let again = self.is_open().then_some(self);
        Ok((status, body.to_bytes(), again))
    }

    /// Whether it takes another request, as far as one can know.
    fn is_open(&mut self) -> bool {
        self.connection
            .poll(&mut Context::from_waker(Waker::noop()));
        matches!(self.connection, Driven::Running(_)) && self.sender.is_ready()
    }
}

/// A connection that whoever waits for it drives.
enum Driven {
    /// Boxed, because it is large and moves with each call.
    Running(Box<Connection<Stream, Full<Bytes>>>),
    Ended,
}

impl Driven {
    /// Waits for `outcome`, which the connection brings: it says so too when it ends.
    async fn drive<F: Future>(&mut self, outcome: F) -> F::Output {
        let mut outcome = pin!(outcome);
        poll_fn(|context| {
            self.poll(context);
            outcome.as_mut().poll(context)
        })
        .await
    }

    fn poll(&mut self, context: &mut Context<'_>) {
        // How it ended, whoever waits for an answer hears.
        if let Self::Running(connection) = self
            && let Poll::Ready(_) = Pin::new(connection.as_mut()).poll(context)
        {
            *self = Self::Ended;
        }
    }
}

fn over_tls(tcp: HttpConnector, https: bool) -> HttpsConnector<HttpConnector> {
    let provider = std::sync::Arc::new(rustls::crypto::ring::default_provider());
    // HTTP/1.1 only: over HTTP/2 all posts would share one connection and its stream limit.
    let with_roots = https
        .then(|| {
            HttpsConnectorBuilder::new()
                .with_provider_and_native_roots(provider.clone())
                .inspect_err(|error| tracing::error!(%error, "no trusted certificates"))
                .ok()
        })
        .flatten();
    let builder = with_roots.unwrap_or_else(|| {
        let config = rustls::ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .expect("ring supports the default TLS versions")
            .with_root_certificates(rustls::RootCertStore::empty())
            .with_no_client_auth();
        HttpsConnectorBuilder::new().with_tls_config(config)
    });
    builder.https_or_http().enable_http1().wrap_connector(tcp)
}

fn unanswered(error: &hyper::Error) -> GatewayError {
    GatewayError::Unreachable(chain(error))
}
