//! Answers to requests, as Lambda takes them.

use std::collections::BTreeMap;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::Serialize;
use serde_json::{Value, json};

/// How long a browser or a CDN may keep an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Keep {
    /// It never changes.
    ForEver,
    /// For so many seconds.
    Seconds(u32),
    /// Only after asking whether it is still the same.
    Asking,
    /// Not at all.
    Never,
}

/// An answer to a request (payload format 2.0).
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct UrlAnswer {
    /// HTTP status.
    pub status_code: u16,
    /// Headers.
    pub headers: BTreeMap<&'static str, String>,
    /// The body, as a text or in base64.
    pub body: String,
    /// Whether it is in base64.
    pub is_base64_encoded: bool,
}

impl UrlAnswer {
    pub(super) fn bytes(content_type: &str, keep: Keep, body: &[u8]) -> Self {
        Self {
            body: STANDARD.encode(body),
            is_base64_encoded: true,
            ..Self::text(content_type, keep, String::new())
        }
    }

    pub(super) fn text(content_type: &str, keep: Keep, body: String) -> Self {
        let headers = BTreeMap::from([
            ("content-type", content_type.to_owned()),
            ("cache-control", keep.header()),
            ("x-content-type-options", "nosniff".to_owned()),
        ]);
        Self {
            status_code: 200,
            headers,
            body,
            is_base64_encoded: false,
        }
    }

    /// Data that pages of other origins may read too.
    pub(super) fn data(keep: Keep, body: String) -> Self {
        Self::text("application/json", keep, body).shared()
    }

    pub(super) fn json(keep: Keep, value: &Value) -> Self {
        Self::data(keep, value.to_string())
    }

    /// The same, for pages of every origin.
    pub(super) fn shared(self) -> Self {
        self.header("access-control-allow-origin", "*")
            .header("access-control-expose-headers", super::picture::HEADERS)
    }

    pub(super) fn header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.insert(name, value.into());
        self
    }

    fn status(mut self, status: u16) -> Self {
        self.status_code = status;
        self
    }

    pub(super) fn not_modified(self) -> Self {
        Self {
            body: String::new(),
            ..self.status(304)
        }
    }

    /// Nothing is there.
    pub fn not_found() -> Self {
        let body = json!({ "error": "nothing is at this address" });
        Self::json(Keep::Seconds(1), &body).status(404)
    }

    /// The function only reads.
    pub fn not_allowed() -> Self {
        let body = json!({ "error": "only GET and HEAD are answered" });
        let answer = Self::json(Keep::Never, &body).status(405);
        answer.header("allow", "GET, HEAD")
    }

    /// The canvas is not open, or the cache does not answer.
    pub fn unavailable() -> Self {
        let body = json!({ "error": "the canvas is not there at the moment" });
        let answer = Self::json(Keep::Never, &body).status(503);
        answer.header("retry-after", "2")
    }
}

impl Keep {
    fn header(self) -> String {
        match self {
            Self::ForEver => "public, max-age=31536000, immutable".to_owned(),
            Self::Seconds(seconds) => format!("public, max-age={seconds}"),
            Self::Asking => "no-cache".to_owned(),
            Self::Never => "no-store".to_owned(),
        }
    }
}
