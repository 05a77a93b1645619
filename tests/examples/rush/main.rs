//! Measures how long a paint takes to reach every client, over real sockets.
//!
//! ```text
//! rush <websocket url> --clients 200 --messages 100                    all at once
//! rush <websocket url> --clients 200 --messages 2500 --pixels 4 --rate 333   a steady stream
//! ```
//!
//! Every painted pixel has a place and a colour of its own, so a client knows when it sees it, in
//! whatever frame it comes. `--protocol yardstick` reads the frames of `tests/reference/python`.
//! Prints one JSON object; latencies are over all pairs of pixel and client. Fails when a client
//! missed a pixel or the server refused a message; with `PLACE_RUSH_REDIS` also when the picture of
//! one of the first clients, put together from its frames alone, is not the canvas in Redis. (The
//! yardstick may lose what it likes.)
#![expect(clippy::print_stdout, reason = "a program for the terminal")]

mod client;
mod convergence;
mod figures;
mod options;
mod paints;

use std::error::Error;
use std::time::{Duration, Instant};

use futures::{StreamExt, TryStreamExt, future, stream};

use client::Client;
use convergence::MODELS;
use figures::Figures;
use options::{Options, Protocol};
use paints::Paints;
use place_canvas::client::ModelClient;

type Failure = Box<dyn Error + Send + Sync>;

/// Connections that are being opened at once.
const OPENING: usize = 20;

#[tokio::main]
async fn main() -> Result<(), Failure> {
    let options = Options::parse(std::env::args().skip(1))?;
    let paints = Paints::new(&options);
    let clients = join(&options).await?;
    let (readers, writers): (Vec<_>, Vec<_>) = clients.into_iter().map(Client::split).unzip();
    let started = Instant::now();
    let reading = readers
        .into_iter()
        .map(|reader| reader.read(&paints, options.patience));
    let writing = paints.send(writers, options.interval());
    let (seen, (sent, writers)) = future::join(future::join_all(reading), writing).await;
    drop(writers);
    let figures = Figures::new(&options, started, &sent, &seen);
    println!("{}", serde_json::to_string(&figures)?);
    if options.protocol == Protocol::Yardstick {
        return Ok(());
    }
    if let Some(redis) = &options.redis {
        convergence::check(
            redis,
            seen.iter().filter_map(|client| client.model.as_ref()),
        )
        .await?;
    }
    figures.check()
}

/// Connects all clients and waits until each has its first picture.
async fn join(options: &Options) -> Result<Vec<Client>, Failure> {
    let started = Instant::now();
    let opening = (0..options.clients).map(|number| {
        let models = options.redis.is_some() && number < MODELS;
        Client::join(
            &options.url,
            options.protocol,
            models.then(ModelClient::new),
        )
    });
    let clients: Vec<Client> = stream::iter(opening)
        .buffer_unordered(OPENING)
        .try_collect()
        .await?;
    // Late frames of the joining are over before the clock starts.
    tokio::time::sleep(Duration::from_millis(500)).await;
    eprint_joined(clients.len(), started.elapsed());
    Ok(clients)
}

#[expect(clippy::print_stderr, reason = "stdout is for the figures")]
fn eprint_joined(clients: usize, elapsed: Duration) {
    eprintln!("{clients} clients joined in {:.1} s", elapsed.as_secs_f64());
}
