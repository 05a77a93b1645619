//! A client: joins, and notes when it sees each pixel.

use std::time::{Duration, Instant};

use futures::StreamExt;
use futures::stream::{SplitSink, SplitStream};
use place_canvas::client::ModelClient;
use place_canvas::wire::ServerFrame;
use place_canvas::{Pixel, Rgb, pixel};
use serde::Deserialize;
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

use super::Failure;
use super::options::Protocol;
use super::paints::Paints;

type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

/// The half that paints.
pub(crate) type Writer = SplitSink<Socket, Message>;

const JOIN_PATIENCE: Duration = Duration::from_mins(2);

/// A client that has its first picture.
pub(crate) struct Client {
    socket: Socket,
    protocol: Protocol,
    model: Option<ModelClient>,
}

/// The half that watches.
pub(crate) struct Reader {
    stream: SplitStream<Socket>,
    protocol: Protocol,
    model: Option<ModelClient>,
}

/// What a client saw.
pub(crate) struct Seen {
    /// When it saw each pixel first.
    pub(crate) at: Vec<Option<Instant>>,
    /// Frames that came meanwhile.
    pub(crate) frames: usize,
    /// Their bytes.
    pub(crate) bytes: usize,
    /// Messages that the server refused.
    pub(crate) refused: usize,
    /// The model that took in every frame, for a client that has one.
    pub(crate) model: Option<ModelClient>,
}

#[derive(Deserialize)]
struct JsonPixel {
    x: u16,
    y: u16,
    r: u8,
    g: u8,
    b: u8,
}

impl Client {
    /// Connects and waits for the first whole picture; `model` takes in all frames.
    pub(crate) async fn join(
        url: &str,
        protocol: Protocol,
        mut model: Option<ModelClient>,
    ) -> Result<Self, Failure> {
        let (mut socket, _) = connect_async(url).await?;
        let picture = async {
            while let Some(message) = socket.next().await.transpose()? {
                let Message::Text(text) = message else {
                    continue;
                };
                if let Some(model) = &mut model {
                    model.on_frame(&text)?;
                }
                if ends_the_picture(protocol, &text) {
                    return Ok::<(), Failure>(());
                }
            }
            Err("the connection ended before the picture came".into())
        };
        tokio::time::timeout(JOIN_PATIENCE, picture)
            .await
            .map_err(|_| "no picture came")??;
        Ok(Self {
            socket,
            protocol,
            model,
        })
    }

    /// The two halves.
    pub(crate) fn split(self) -> (Reader, Writer) {
        let (sink, stream) = self.socket.split();
        (
            Reader {
                stream,
                protocol: self.protocol,
                model: self.model,
            },
            sink,
        )
    }
}

fn ends_the_picture(protocol: Protocol, text: &str) -> bool {
    protocol == Protocol::Yardstick
        || matches!(
            ServerFrame::parse(text),
            Ok(ServerFrame::Init { part, parts, .. }) if part == parts
        )
}

impl Reader {
    /// Reads until every pixel was seen, or nothing new came for `patience`.
    pub(crate) async fn read(mut self, paints: &Paints, patience: Duration) -> Seen {
        let mut seen = Seen {
            at: vec![None; paints.len()],
            frames: 0,
            bytes: 0,
            refused: 0,
            model: self.model,
        };
        let mut missing = paints.len();
        while missing > 0 {
            let next = tokio::time::timeout(patience, self.stream.next()).await;
            let Ok(Some(Ok(message))) = next else { break };
            let Message::Text(text) = message else {
                continue;
            };
            let now = Instant::now();
            seen.frames += 1;
            seen.bytes += text.len();
            if seen
                .model
                .as_mut()
                .is_some_and(|model| model.on_frame(&text).is_err())
            {
                // A model that can't read a frame can't be right: it is compared as it is.
                break;
            }
            let Some(pixels) = painted(self.protocol, &text) else {
                seen.refused += 1;
                continue;
            };
            for index in pixels.into_iter().filter_map(|pixel| paints.index(pixel)) {
                if seen.at[index].is_none() {
                    seen.at[index] = Some(now);
                    missing -= 1;
                }
            }
        }
        seen
    }
}

/// The pixels of a frame; `None` for one that is an error.
fn painted(protocol: Protocol, text: &str) -> Option<Vec<Pixel>> {
    if protocol == Protocol::Yardstick {
        let pixels: Vec<JsonPixel> = serde_json::from_str(text).ok()?;
        let pixel = |p: JsonPixel| Pixel::new(p.x, p.y, Rgb::new(p.r, p.g, p.b));
        return Some(pixels.into_iter().map(pixel).collect());
    }
    match ServerFrame::parse(text).ok()? {
        ServerFrame::Update { data, .. } => pixel::decode(&base64(&data)?).ok(),
        ServerFrame::Init { .. } => Some(Vec::new()),
        _ => None,
    }
}

fn base64(data: &str) -> Option<Vec<u8>> {
    use base64::Engine;
    base64::engine::general_purpose::STANDARD.decode(data).ok()
}
