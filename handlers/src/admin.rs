//! placev2admin: answers the CLI, which has no other way to the cache.

mod clients;
mod picture;

use place_canvas::admin::{Request, Response};
use tokio::sync::Mutex;
use tracing::{info, warn};

use crate::adapters::Cache;
use crate::broadcast::Invocation;
use crate::error::{Error, chain};
use crate::gateway::ConnectionsEndpoint;
use crate::queues::Queues;
use crate::save::try_wake;
use picture::Encoded;

/// What the answers come from.
pub struct Admin {
    cache: Cache,
    gateway: ConnectionsEndpoint,
    queues: Queues,
    /// The picture that is being fetched, part by part.
    picture: Mutex<Option<Encoded>>,
}

impl Admin {
    /// Answers from these.
    pub fn new(cache: Cache, gateway: ConnectionsEndpoint, queues: Queues) -> Self {
        Self {
            cache,
            gateway,
            queues,
            picture: Mutex::new(None),
        }
    }
}

/// Answers a request. Whatever goes wrong is an answer too: an invocation that fails would be
/// shown to the operator as a broken function.
pub async fn handle(
    request: serde_json::Value,
    invocation: Invocation<'_>,
    admin: &Admin,
) -> Response {
    let request: Request = match serde_json::from_value(request) {
        Ok(request) => request,
        Err(error) => {
            warn!(%error, "refused a request");
            return Response::Error {
                message: format!("not a request: {error}"),
            };
        }
    };
    let name = name(&request);
    match admin.answer(request, invocation).await {
        Ok(response) => {
            info!(request = name, "answered");
            response
        }
        Err(error) => {
            let message = chain(&error);
            warn!(request = name, error = message, "could not answer");
            Response::Error { message }
        }
    }
}

const fn name(request: &Request) -> &'static str {
    match request {
        Request::Clients { .. } => "clients",
        Request::Client { .. } => "client",
        Request::Disconnect { .. } => "disconnect",
        Request::Prune => "prune",
        Request::Canvas { .. } => "canvas",
        Request::Stats => "stats",
        Request::Wake => "wake",
        Request::Restore { .. } => "restore",
    }
}

impl Admin {
    async fn answer(
        &self,
        request: Request,
        invocation: Invocation<'_>,
    ) -> Result<Response, Error> {
        match request {
            Request::Clients { page } => self.clients(page).await,
            Request::Client { id } => self.client(&id).await,
            Request::Disconnect { ids } => self.disconnect(ids).await,
            Request::Prune => self.prune(invocation.deadline).await,
            Request::Canvas { at, offset } => self.canvas(at, offset).await,
            Request::Stats => Ok(Response::Stats(self.cache.store().await?.stats().await?)),
            Request::Wake => {
                let shards = try_wake(invocation, &self.cache, &self.queues).await?;
                Ok(Response::Woken { shards })
            }
            Request::Restore { left, top, png } => {
                self.restore((left, top), &png, invocation.deadline).await
            }
        }
    }
}
