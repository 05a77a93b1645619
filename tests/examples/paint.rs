//! Paints a picture onto a running canvas, as so many browsers would: every client opens a
//! WebSocket of its own, sends its share of the pixels, and watches until it has seen the whole.
//!
//! ```text
//! paint ws://127.0.0.1:4566/_aws/execute-api/<api>/production picture.png --clients 8
//! ```
#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a program for the terminal"
)]

use std::convert::Infallible;
use std::env;
use std::error::Error;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use futures::stream::{SplitSink, SplitStream};
use futures::{SinkExt, StreamExt, future};
use place_canvas::client::{ModelClient, Outcome};
use place_canvas::{Picture, Pixel, png};
use serde_json::json;
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::{self, Message};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

type Failure = Box<dyn Error + Send + Sync>;
type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

const USAGE: &str = "usage: paint <websocket url> <picture.png> [--clients <number>]";
const PIXELS_PER_MESSAGE: usize = 256;
/// Clients give up when nothing arrives for so long.
const PATIENCE: Duration = Duration::from_mins(1);
/// A client that has sent everything asks so often whether it still gets what the canvas shows.
const KEEPALIVE: Duration = Duration::from_secs(10);
const PING: &str = r#"{"action":"sendMessage","ping":true}"#;
const DEFAULT_CLIENTS: usize = 8;

struct Arguments {
    url: String,
    file: String,
    clients: usize,
}

#[tokio::main]
async fn main() -> ExitCode {
    match run().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("error: {failure}");
            ExitCode::FAILURE
        }
    }
}

async fn run() -> Result<(), Failure> {
    let arguments = parse(env::args().skip(1))?;
    let picture = png::decode(&std::fs::read(&arguments.file)?, usize::MAX)?;
    let pixels: Vec<Pixel> = picture.pixels().collect();
    let shares = share(&pixels, arguments.clients);
    let started = Instant::now();
    let clients = shares
        .into_iter()
        .map(|share| client(&arguments.url, share, &picture));
    let frames = future::try_join_all(clients).await?;
    println!(
        "{} pixels painted by {} clients; each had seen all of them after {:.1} s, in {} frames",
        pixels.len(),
        arguments.clients,
        started.elapsed().as_secs_f64(),
        frames.iter().max().unwrap_or(&0),
    );
    Ok(())
}

fn parse(arguments: impl Iterator<Item = String>) -> Result<Arguments, Failure> {
    let arguments: Vec<String> = arguments.collect();
    let (url, file, clients) = match arguments.as_slice() {
        [url, file] => (url, file, DEFAULT_CLIENTS),
        [url, file, flag, clients] if flag == "--clients" => (url, file, clients.parse()?),
        _ => return Err(USAGE.into()),
    };
    if clients == 0 {
        return Err(USAGE.into());
    }
    Ok(Arguments {
        url: url.clone(),
        file: file.clone(),
        clients,
    })
}

/// Deals the messages round robin, so that all clients paint all over the picture.
fn share(pixels: &[Pixel], clients: usize) -> Vec<Vec<String>> {
    let mut shares = vec![Vec::new(); clients];
    for (index, part) in pixels.chunks(PIXELS_PER_MESSAGE).enumerate() {
        shares[index % clients].push(message(part));
    }
    shares
}

fn message(pixels: &[Pixel]) -> String {
    let data: Vec<_> = pixels
        .iter()
        .map(|p| json!({"x": p.x, "y": p.y, "r": p.rgb.r, "g": p.rgb.g, "b": p.rgb.b}))
        .collect();
    json!({"action": "sendMessage", "data": data}).to_string()
}

/// Paints `messages` and watches until `wanted` is there; the number of frames that it took.
async fn client(url: &str, messages: Vec<String>, wanted: &Picture) -> Result<usize, Failure> {
    let connected = connect_async(url).await;
    let (stream, _) = connected.map_err(|error| refused(url, &error))?;
    let (sink, stream) = stream.split();
    tokio::select! {
        frames = watch(stream, wanted) => frames,
        Err(failure) = send(sink, messages) => Err(failure),
    }
}

fn refused(url: &str, error: &tungstenite::Error) -> String {
    match error {
        tungstenite::Error::Http(answer) => format!(
            "{url} answered the handshake with HTTP status {}: the canvas is full, closed or gone, or \
             the gateway refuses this client; `placectl status` tells which",
            answer.status()
        ),
        other => format!("{url} can't be reached: {other}"),
    }
}

/// Sends `messages`, and pings from then on.
async fn send(
    mut sink: SplitSink<Socket, Message>,
    messages: Vec<String>,
) -> Result<Infallible, Failure> {
    for message in messages {
        sink.send(Message::text(message)).await?;
    }
    loop {
        tokio::time::sleep(KEEPALIVE).await;
        sink.send(Message::text(PING)).await?;
    }
}

async fn watch(mut stream: SplitStream<Socket>, wanted: &Picture) -> Result<usize, Failure> {
    let mut model = ModelClient::new();
    let mut frames = 0;
    while !model.picture().is_some_and(|shown| shows(shown, wanted)) {
        let next = tokio::time::timeout(PATIENCE, stream.next()).await;
        let frame = next
            .map_err(|_| "nothing arrives any more")?
            .ok_or("the connection ended")??;
        let Message::Text(text) = frame else { continue };
        frames += 1;
        if let Outcome::Rejected { code, message } = model.on_frame(&text)? {
            return Err(format!("the canvas refused a message: {code}: {message}").into());
        }
    }
    Ok(frames)
}

/// Whether `canvas` shows `wanted` in its upper left corner.
fn shows(canvas: &Picture, wanted: &Picture) -> bool {
    wanted
        .pixels()
        .all(|pixel| canvas.get(pixel.x, pixel.y) == Some(pixel.rgb))
}
