//! API Gateway's `@connections` calls: post to a client, look at it, close it.
//!
//! Signed by hand over a pool of keep-alive HTTP/1.1 connections instead of through the SDK's
//! client: a broadcast posts one frame to thousands of clients, so the frame is hashed once (a
//! signature covers the hash of the body) and shared, and each post costs a signature and a write.

mod lines;
mod signer;

use std::fmt::Write;
use std::sync::OnceLock;
use std::time::{Duration, SystemTime};

use aws_credential_types::Credentials;
use bytes::Bytes;
use http::header::{HOST, HeaderValue};
use http::{Method, Request, StatusCode, Uri};
use http_body_util::Full;
use place_canvas::ConnectionId;
use serde::Deserialize;
use thiserror::Error;

use lines::Lines;
use signer::{Call, Signer};

/// How long a whole call may take. API Gateway answers within some ten milliseconds.
pub const CALL_TIMEOUT: Duration = Duration::from_secs(5);

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
    /// The same in pieces; nothing if it is no address.
    stage: Option<Stage>,
    signer: Signer,
    idle_connections: usize,
    lines: OnceLock<Lines>,
}

/// Where a stage is.
struct Stage {
    server: Uri,
    host: HeaderValue,
    /// What the path of each of its connections begins with.
    path: String,
}

impl ConnectionsEndpoint {
    /// The endpoint at `base` (`https://api.execute-api.region.amazonaws.com/stage`), which keeps
    /// up to `idle_connections` open.
    pub fn new(
        base: &str,
        region: &str,
        credentials: Credentials,
        idle_connections: usize,
    ) -> Self {
        let stage = Stage::at(base);
        let host = stage.as_ref().and_then(|stage| stage.host.to_str().ok());
        Self {
            base: base.to_owned(),
            signer: Signer::new(credentials, region, host.unwrap_or_default()),
            stage,
            idle_connections,
            lines: OnceLock::new(),
        }
    }

    /// Posts `frame` to a client.
    pub async fn post(&self, to: &ConnectionId, frame: &Frame) -> Result<(), GatewayError> {
        self.call(Method::POST, to, frame).await.map(drop)
    }

    /// What API Gateway knows about a client.
    pub async fn get(&self, of: &ConnectionId) -> Result<ConnectionDetails, GatewayError> {
        let answer = self
            .call(Method::GET, of, &Frame::new(String::new()))
            .await?;
        serde_json::from_slice(&answer)
            .map_err(|error| GatewayError::Unreachable(format!("unreadable details: {error}")))
    }

    /// Closes a client's connection.
    pub async fn close(&self, of: &ConnectionId) -> Result<(), GatewayError> {
        self.call(Method::DELETE, of, &Frame::new(String::new()))
            .await
            .map(drop)
    }

    async fn call(
        &self,
        method: Method,
        connection: &ConnectionId,
        frame: &Frame,
    ) -> Result<Bytes, GatewayError> {
        let stage = self.stage.as_ref().ok_or_else(|| {
            GatewayError::Unreachable(format!("`{}` is no address of a gateway", self.base))
        })?;
        let request = || self.signed(stage, &method, connection, frame);
        let lines = self
            .lines
            .get_or_init(|| Lines::new(stage.server.clone(), self.idle_connections));
        match tokio::time::timeout(CALL_TIMEOUT, lines.call(request)).await {
            Ok(answered) => answered.and_then(|(status, body)| judge(status).map(|()| body)),
            Err(_) => Err(GatewayError::Unreachable("timed out".to_owned())),
        }
    }

    fn signed(
        &self,
        stage: &Stage,
        method: &Method,
        connection: &ConnectionId,
        frame: &Frame,
    ) -> Result<Request<Full<Bytes>>, GatewayError> {
        let failed =
            |error: http::Error| GatewayError::Unreachable(format!("signing the call: {error}"));
        let path = stage.path_of(connection);
        let call = Call {
            method: method.as_str(),
            path: &path,
            digest: &frame.digest,
        };
        let signature = self.signer.sign(call, SystemTime::now()).map_err(failed)?;
        let mut request = Request::new(Full::new(frame.body.clone()));
        *request.method_mut() = method.clone();
        let headers = request.headers_mut();
        headers.insert(HOST, stage.host.clone());
        signature.add_to(headers);
        *request.uri_mut() = Uri::try_from(path).map_err(|error| failed(error.into()))?;
        Ok(request)
    }
}

impl Stage {
    fn at(base: &str) -> Option<Self> {
        let server: Uri = base.trim_end_matches('/').parse().ok()?;
        server.scheme()?;
        let host = HeaderValue::from_str(server.authority()?.as_str()).ok()?;
        let path = format!("{}/@connections/", server.path().trim_end_matches('/'));
        Some(Self { server, host, path })
    }

    /// The path of a connection, with its id as one segment (ids end in `=`).
    fn path_of(&self, connection: &ConnectionId) -> String {
        let id = connection.as_str();
        let mut path = String::with_capacity(self.path.len() + id.len() + 4);
        path.push_str(&self.path);
        for byte in id.bytes() {
            if byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte) {
                path.push(char::from(byte));
            } else {
                write!(path, "%{byte:02X}").expect("a string takes all text");
            }
        }
        path
    }
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

#[cfg(test)]
mod tests;
