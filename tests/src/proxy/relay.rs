//! Passing calls on.

use std::io;
use std::net::TcpListener;
use std::sync::Arc;

use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::process::Command;
use tokio::sync::oneshot;

use super::fault::Fault;
use super::operation::Operation;
use super::stand_in::Asked;
use super::{Shared, answer};

type Upstream = Client<HttpConnector, Full<Bytes>>;
type Answer = Response<Full<Bytes>>;

/// Serves until `stopped` is dropped at its other end.
pub(super) fn serve(listener: TcpListener, shared: Arc<Shared>, stopped: oneshot::Receiver<()>) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    runtime
        .expect("a runtime for the proxy")
        .block_on(async move {
            let listener = tokio::net::TcpListener::from_std(listener).expect("a listening socket");
            tokio::select! {
                () = accept(listener, shared) => {}
                _ = stopped => {}
            }
        });
}

async fn accept(listener: tokio::net::TcpListener, shared: Arc<Shared>) {
    let upstream: Upstream = Client::builder(TokioExecutor::new()).build_http();
    while let Ok((stream, _)) = listener.accept().await {
        let _ = stream.set_nodelay(true);
        let (shared, upstream) = (Arc::clone(&shared), upstream.clone());
        tokio::spawn(async move {
            let service = service_fn(|request| handle(request, &shared, &upstream));
            // An error is either a planned break or a caller that died: nothing to report.
            let _ = http1::Builder::new()
                .serve_connection(TokioIo::new(stream), service)
                .await;
        });
    }
}

/// An error breaks the connection without an answer.
async fn handle(
    request: Request<Incoming>,
    shared: &Shared,
    upstream: &Upstream,
) -> Result<Answer, io::Error> {
    let (head, body) = request.into_parts();
    let body = body.collect().await.map_err(io::Error::other)?.to_bytes();
    let path = head.uri.path_and_query().map_or("/", |path| path.as_str());
    let operation = Operation::of(&head.method, path, &head.headers, &body);
    let fault = shared.note(&operation, &body);
    let body = match &fault {
        Some(Fault::Add(text)) => Bytes::from([&body[..], text.as_bytes()].concat()),
        _ => body,
    };
    let forward = || forward(&shared.upstream, upstream, &head, body.clone());
    match fault {
        None | Some(Fault::Add(_)) => forward().await,
        Some(Fault::Delay(time)) => {
            tokio::time::sleep(time).await;
            forward().await
        }
        Some(Fault::Late(time)) => {
            let (address, upstream) = (shared.upstream.clone(), upstream.clone());
            // A task of its own, because this one ends with the caller's connection.
            let late = tokio::spawn(async move {
                tokio::time::sleep(time).await;
                self::forward(&address, &upstream, &head, body).await
            });
            late.await.map_err(io::Error::other)?
        }
        Some(Fault::KillBefore) => Err(kill(shared).await),
        Some(Fault::KillAfter) => {
            forward().await?;
            Err(kill(shared).await)
        }
        Some(Fault::DropAnswer) => {
            forward().await?;
            Err(broken("the answer is dropped"))
        }
        Some(Fault::ActedThenStatus(status)) => {
            forward().await?;
            Ok(answer::page(status))
        }
        Some(Fault::Reset) => Err(broken("the call is dropped")),
        Some(Fault::Answer(text)) => Ok(answer::xml(text)),
        Some(Fault::Amend(from, to)) => amended(forward().await?, from, to).await,
        Some(Fault::StandIn(stand_in)) => {
            let (operation, body) = (operation.name(), &body);
            let asked = |earlier| Asked {
                operation,
                path,
                body,
                earlier,
            };
            let answer = stand_in.answer(&asked(&shared.ledger().asked));
            match answer {
                Some(answer) => Ok(answer::json(&answer)),
                None => forward().await,
            }
        }
        Some(Fault::Hang) => std::future::pending().await,
        Some(Fault::Status(status)) => Ok(answer::page(status)),
        Some(Fault::Error {
            status,
            code,
            message,
        }) => Ok(answer::error(operation.service(), status, code, message)),
    }
}

async fn forward(
    address: &str,
    upstream: &Upstream,
    head: &hyper::http::request::Parts,
    body: Bytes,
) -> Result<Answer, io::Error> {
    let path = head.uri.path_and_query().map_or("/", |path| path.as_str());
    let mut request = Request::builder()
        .method(&head.method)
        .uri(format!("{address}{path}"));
    for (name, value) in &head.headers {
        if ![
            "connection",
            "content-length",
            "expect",
            "transfer-encoding",
        ]
        .contains(&name.as_str())
        {
            request = request.header(name, value);
        }
    }
    let request = request.body(Full::new(body)).map_err(io::Error::other)?;
    let (mut head, body) = upstream
        .request(request)
        .await
        .map_err(io::Error::other)?
        .into_parts();
    let body = body.collect().await.map_err(io::Error::other)?.to_bytes();
    head.headers.remove("transfer-encoding");
    head.headers.remove("connection");
    Ok(Response::from_parts(head, Full::new(body)))
}

async fn amended(answer: Answer, from: &str, to: &str) -> Result<Answer, io::Error> {
    let (mut head, body) = answer.into_parts();
    let body = body.collect().await.map_err(io::Error::other)?.to_bytes();
    let text = String::from_utf8_lossy(&body).replace(from, to);
    // Whatever it was counted as before.
    head.headers.remove("content-length");
    head.headers.remove("x-amz-crc32");
    Ok(Response::from_parts(head, Full::new(Bytes::from(text))))
}

/// Kills the victim as a power cut would.
async fn kill(shared: &Shared) -> io::Error {
    let Some(victim) = shared.victim().await else {
        return broken("a killing fault needs a victim: `Proxy::aim_at`");
    };
    // Before the victim can end, so that whoever waits for that finds the kill counted.
    shared.ledger().kills += 1;
    let killed = Command::new("kill")
        .args(["-KILL", &victim.to_string()])
        .status()
        .await;
    if !killed.is_ok_and(|status| status.success()) {
        shared.ledger().kills -= 1;
        return broken("the caller can't be killed");
    }
    broken("the caller is dead")
}

fn broken(why: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::ConnectionAborted, why)
}
