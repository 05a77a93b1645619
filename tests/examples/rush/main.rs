//! Measures how long a paint takes to reach every client, over real sockets.
//!
//! ```text
//! rush <websocket url> --clients 200 --messages 100                    all at once
//! rush <websocket url> --clients 200 --messages 2500 --pixels 4 --rate 333   a steady stream
//! ```
//!
//! Every painted pixel has a place and a colour of its own, so a client knows when it sees it, in
//! whatever frame it comes. `--protocol yardstick` reads the frames of `tests/reference/python`.
//! Prints one JSON object; latencies are over all pairs of pixel and client.
#![expect(clippy::print_stdout, reason = "a program for the terminal")]

mod client;
mod figures;
mod options;
mod paints;

use std::error::Error;
use std::time::{Duration, Instant};

use futures::{StreamExt, TryStreamExt, future, stream};

use client::Client;
use figures::Figures;
use options::Options;
use paints::Paints;

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
    Ok(())
}

/// Connects all clients and waits until each has its first picture.
async fn join(options: &Options) -> Result<Vec<Client>, Failure> {
    let started = Instant::now();
    let opening = (0..options.clients).map(|_| Client::join(&options.url, options.protocol));
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
