//! page (a function URL, open to everybody): the page to paint on, the picture, what changed since,
//! and who painted a pixel.
//!
//! Whoever can't have a socket watches by this function alone, so everything that it answers may be
//! kept by a CDN: for ever, or for a second. It only reads.

mod answer;
mod files;
mod picture;
mod pixels;
mod settings;
mod slots;

use std::collections::HashMap;
use std::future::Future;
use std::ops::Range;
use std::sync::{Mutex, MutexGuard, PoisonError};

use place_canvas::store::Watched;
use place_canvas::tables::HistoryRow;
use place_canvas::{Entry, Geometry, StoreError};
use place_config::FunctionEnv;
use serde::Deserialize;
use tracing::warn;

pub use answer::UrlAnswer;

use crate::error::{Error, chain};
use crate::ports::Look;

/// What Lambda sends for a request to the function's address (payload format 2.0).
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct UrlRequest {
    /// The path, percent-encoded.
    #[serde(default)]
    pub raw_path: String,
    /// The headers, their names in small letters.
    #[serde(default)]
    pub headers: HashMap<String, String>,
    /// What else is known of the request.
    #[serde(default)]
    pub request_context: UrlContext,
}

/// What else is known of a request.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct UrlContext {
    /// The request itself.
    #[serde(default)]
    pub http: UrlHttp,
}

/// A request itself.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct UrlHttp {
    /// Its method.
    #[serde(default)]
    pub method: String,
}

/// What the page reads of the cache.
pub trait Watch: Look {
    /// What was painted in this stretch of time, in milliseconds by the cache's clock.
    fn watch(&self, stretch: Range<u64>) -> impl Future<Output = Result<Watched, Error>> + Send;
    /// The newest `count` entries that hold this pixel, among the newest `within`.
    fn entries_of(
        &self,
        place: (u16, u16),
        count: usize,
        within: usize,
    ) -> impl Future<Output = Result<Vec<Entry>, Error>> + Send;
}

/// What the page reads of the tables.
pub trait Past: Sync {
    /// The last `limit` saved changes of a pixel, the newest first.
    fn changes_of(
        &self,
        place: (u16, u16),
        limit: usize,
    ) -> impl Future<Output = Result<Vec<HistoryRow>, Error>> + Send;
}

/// What the requests of one container share.
pub struct Site<'a, C, P> {
    env: &'a FunctionEnv,
    geometry: Geometry,
    cache: &'a C,
    past: &'a P,
    memory: Mutex<Memory>,
}

/// What was answered before and serves again.
#[derive(Default)]
struct Memory {
    picture: Option<picture::Shot>,
    slots: slots::Complete,
}

impl<'a, C: Watch, P: Past> Site<'a, C, P> {
    /// The site of the stack whose environment this is.
    pub fn new(env: &'a FunctionEnv, geometry: Geometry, cache: &'a C, past: &'a P) -> Self {
        Self {
            env,
            geometry,
            cache,
            past,
            memory: Mutex::default(),
        }
    }

    /// Answers a request.
    pub async fn answer(&self, request: &UrlRequest) -> UrlAnswer {
        let method = request.request_context.http.method.as_str();
        if !matches!(method, "GET" | "HEAD" | "") {
            return UrlAnswer::not_allowed();
        }
        let answer = self.route(request).await;
        answer.unwrap_or_else(|error| {
            if !matches!(error, Error::Store(StoreError::Closed)) {
                warn!(error = chain(&error), "could not answer");
            }
            UrlAnswer::unavailable()
        })
    }

    async fn route(&self, request: &UrlRequest) -> Result<UrlAnswer, Error> {
        let path = request.raw_path.trim_start_matches('/');
        let parts: Vec<&str> = path.split('/').collect();
        match parts.as_slice() {
            ["" | "index.html"] => Ok(files::index(self.env, request)),
            ["a", hash, name @ ..] => Ok(files::file(hash, &name.join("/"), request)),
            ["config.json"] => Ok(settings::answer(self).await),
            ["canvas.png"] => picture::answer(self, 0).await,
            ["canvas", name] => match name.strip_suffix(".png").and_then(|n| n.parse().ok()) {
                Some(band) => picture::answer(self, band).await,
                None => Ok(UrlAnswer::not_found()),
            },
            ["slots", number] => match number.parse() {
                Ok(number) => slots::answer(self, number).await,
                Err(_) => Ok(UrlAnswer::not_found()),
            },
            ["pixels", x, y] => match (x.parse(), y.parse()) {
                (Ok(x), Ok(y)) if self.geometry.contains(x, y) => pixels::answer(self, x, y).await,
                _ => Ok(UrlAnswer::not_found()),
            },
            _ => Ok(UrlAnswer::not_found()),
        }
    }

    fn memory(&self) -> MutexGuard<'_, Memory> {
        self.memory.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests;
