//! API Gateway's `@connections` calls: post to a client, look at it, close it.
//!
//! Signed by hand over a pool of keep-alive HTTP/1.1 connections instead of through the SDK's
//! client: a broadcast posts one frame to thousands of clients, so the frame is hashed once (a
//! signature covers the hash of the body) and shared, and each post costs a signature and a write.

mod signer;

use std::fmt::Write;
use std::sync::OnceLock;
use std::time::{Duration, SystemTime};

use aws_credential_types::Credentials;
use bytes::Bytes;
use http::{Method, Request, StatusCode};
use http_body_util::{BodyExt, Full, Limited};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use place_canvas::ConnectionId;
use serde::Deserialize;
use thiserror::Error;

use crate::error::chain;
use signer::Signer;

/// Largest answer that is read; API Gateway's own have a few hundred bytes.
const MAX_ANSWER_BYTES: usize = 64 * 1024;
/// How long a connection may take to open.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);
/// How long a whole call may take. API Gateway answers within some ten milliseconds.
pub const CALL_TIMEOUT: Duration = Duration::from_secs(5);
/// How long an unused connection is kept; API Gateway closes idle ones itself after about a minute.
const IDLE_TIMEOUT: Duration = Duration::from_secs(50);

/// A text frame, ready to be posted to any number of clients.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frame {
    body: Bytes,
    digest: String,
}

impl Frame {
    /// The frame of `text`.
    pub fn new(text: String) -> Self {
        let digest = signer::hashed(&text);
        Self {
            body: Bytes::from(text),
            digest,
        }
    }

    /// Its bytes.
    pub fn body(&self) -> &[u8] {
        &self.body
    }
}

/// Why a call to a client's connection failed.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum GatewayError {
    /// There is no such connection (410): closed, or still connecting.
    #[error("the connection is gone")]
    Gone,
    /// Too many calls, or the client's buffer is full (429).
    #[error("the call was throttled")]
    Throttled,
    /// The call is not allowed (401, 403): the function's role, never the client.
    #[error("the gateway refused the call with status {0}")]
    Denied(u16),
    /// Any other answer, 5xx above all.
    #[error("the gateway answered with status {0}")]
    Status(u16),
    /// No answer.
    #[error("no answer from the gateway: {0}")]
    Unreachable(String),
}

/// What API Gateway knows about a connection.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Eq)]
pub struct ConnectionDetails {
    /// When it was made, as API Gateway writes it.
    #[serde(rename = "connectedAt", alias = "ConnectedAt", default)]
    pub connected_at: Option<serde_json::Value>,
    /// When it was last used.
    #[serde(rename = "lastActiveAt", alias = "LastActiveAt", default)]
    pub last_active_at: Option<serde_json::Value>,
    /// Where it comes from.
    #[serde(alias = "Identity", default)]
    pub identity: Option<crate::event::Identity>,
}

/// The `@connections` endpoint of one stage.
pub struct ConnectionsEndpoint {
    base: String,
    signer: Signer,
    idle_connections: usize,
    client: OnceLock<HttpClient>,
}

type HttpClient = Client<HttpsConnector<HttpConnector>, Full<Bytes>>;

impl ConnectionsEndpoint {
    /// The endpoint at `base` (`https://api.execute-api.region.amazonaws.com/stage`), which keeps
    /// up to `idle_connections` open.
    pub fn new(
        base: &str,
        region: &str,
        credentials: Credentials,
        idle_connections: usize,
    ) -> Self {
        Self {
            base: base.trim_end_matches('/').to_owned(),
            signer: Signer::new(credentials, region),
            idle_connections,
            client: OnceLock::new(),
        }
    }

    /// Posts `frame` to a client.
    pub async fn post(&self, to: &ConnectionId, frame: &Frame) -> Result<(), GatewayError> {
        self.call(Method::POST, to, frame.clone()).await.map(drop)
    }

    /// What API Gateway knows about a client.
    pub async fn get(&self, of: &ConnectionId) -> Result<ConnectionDetails, GatewayError> {
        let answer = self
            .call(Method::GET, of, Frame::new(String::new()))
            .await?;
        serde_json::from_slice(&answer)
            .map_err(|error| GatewayError::Unreachable(format!("unreadable details: {error}")))
    }

    /// Closes a client's connection.
    pub async fn close(&self, of: &ConnectionId) -> Result<(), GatewayError> {
        self.call(Method::DELETE, of, Frame::new(String::new()))
            .await
            .map(drop)
    }

    async fn call(
        &self,
        method: Method,
        connection: &ConnectionId,
        frame: Frame,
    ) -> Result<Bytes, GatewayError> {
        let request = self.signed(method, connection, frame)?;
        match tokio::time::timeout(CALL_TIMEOUT, self.exchange(request)).await {
            Ok(answer) => answer,
            Err(_) => Err(GatewayError::Unreachable("timed out".to_owned())),
        }
    }

    async fn exchange(&self, request: Request<Full<Bytes>>) -> Result<Bytes, GatewayError> {
        let response = self
            .client()
            .request(request)
            .await
            .map_err(|error| unreachable(&error))?;
        let status = response.status();
        // The body is read even when nobody wants it: only then is the connection used again.
        let body = Limited::new(response.into_body(), MAX_ANSWER_BYTES)
            .collect()
            .await;
        let body = body.map_err(|error| GatewayError::Unreachable(error.to_string()))?;
        judge(status).map(|()| body.to_bytes())
    }

    fn signed(
        &self,
        method: Method,
        connection: &ConnectionId,
        frame: Frame,
    ) -> Result<Request<Full<Bytes>>, GatewayError> {
        let failed =
            |error: http::Error| GatewayError::Unreachable(format!("signing the call: {error}"));
        let uri = format!("{}/@connections/{}", self.base, escaped(connection));
        let mut request = Request::builder()
            .method(method)
            .uri(uri)
            .body(Full::new(frame.body))
            .map_err(failed)?;
        self.signer
            .sign(&mut request, &frame.digest, SystemTime::now())
            .map_err(failed)?;
        Ok(request)
    }

    /// Built at the first call: reading the trusted certificates is the dearest part of a start.
    fn client(&self) -> &HttpClient {
        self.client.get_or_init(|| {
            let mut tcp = HttpConnector::new();
            tcp.enforce_http(false);
            tcp.set_nodelay(true);
            tcp.set_connect_timeout(Some(CONNECT_TIMEOUT));
            Client::builder(TokioExecutor::new())
                .pool_timer(TokioTimer::new())
                .pool_idle_timeout(IDLE_TIMEOUT)
                .pool_max_idle_per_host(self.idle_connections)
                .build(over_tls(tcp, self.base.starts_with("https:")))
        })
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

fn unreachable(error: &hyper_util::client::legacy::Error) -> GatewayError {
    GatewayError::Unreachable(chain(error))
}

fn judge(status: StatusCode) -> Result<(), GatewayError> {
    match status.as_u16() {
        200..=299 => Ok(()),
        410 => Err(GatewayError::Gone),
        429 => Err(GatewayError::Throttled),
        code @ (401 | 403) => Err(GatewayError::Denied(code)),
        code => Err(GatewayError::Status(code)),
    }
}

/// The id as one segment of a path (ids end in `=`).
fn escaped(connection: &ConnectionId) -> String {
    let mut segment = String::with_capacity(connection.as_str().len() + 4);
    for byte in connection.as_str().bytes() {
        if byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte) {
            segment.push(char::from(byte));
        } else {
            write!(segment, "%{byte:02X}").expect("a string takes all text");
        }
    }
    segment
}
