//! A browser's stand-in: a real WebSocket and the model client that follows the protocol.

use std::time::{Duration, Instant};

use futures::{SinkExt, StreamExt};
use place_canvas::client::{ModelClient, Outcome};
use place_canvas::{Picture, Pixel, Position};
use serde_json::json;
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

/// How long something may take to arrive on the local cloud before the test gives up.
pub const PATIENCE: Duration = Duration::from_secs(20);

/// A connected client.
#[derive(Debug)]
pub struct Socket {
    stream: WebSocketStream<MaybeTlsStream<TcpStream>>,
    model: ModelClient,
    /// Length of the longest frame so far, in bytes.
    longest: usize,
    frames: usize,
}

impl Socket {
    /// Connects to `url` and knows nothing yet.
    ///
    /// # Panics
    /// When the gateway refuses.
    pub async fn connect(url: &str) -> Self {
        match connect_async(url).await {
            Ok((stream, _)) => Self {
                stream,
                model: ModelClient::new(),
                longest: 0,
                frames: 0,
            },
            Err(error) => panic!("connecting to `{url}`: {error}"),
        }
    }

    /// Connects and waits for the first whole picture.
    pub async fn join(url: &str) -> Self {
        let mut socket = Self::connect(url).await;
        socket.picture().await;
        socket
    }

    /// Sends pixels as one message.
    pub async fn paint(&mut self, pixels: &[Pixel]) {
        let data: Vec<_> = pixels
            .iter()
            .map(|p| json!({"x": p.x, "y": p.y, "r": p.rgb.r, "g": p.rgb.g, "b": p.rgb.b}))
            .collect();
        self.send(&json!({"action": "sendMessage", "data": data}).to_string())
            .await;
    }

    /// Sends any text.
    ///
    /// # Panics
    /// When the connection is gone.
    pub async fn send(&mut self, text: &str) {
        self.stream
            .send(Message::text(text))
            .await
            .expect("an open connection takes a message");
    }

    /// The picture, once all of its first parts are here.
    ///
    /// # Panics
    /// When it doesn't come.
    pub async fn picture(&mut self) -> &Picture {
        self.until("the first picture", |model, _| model.picture().is_some())
            .await;
        self.model.picture().expect("just waited for")
    }

    /// Takes in frames until the picture is `wanted`.
    pub async fn converge(&mut self, wanted: &Picture) {
        self.until("the wanted picture", |model, _| {
            model.picture() == Some(wanted)
        })
        .await;
    }

    /// Takes in frames until the pixel has the colour that `pixel` says.
    pub async fn sees(&mut self, pixel: Pixel) {
        let shown = |model: &ModelClient| model.picture().map(|p| p.get(pixel.x, pixel.y));
        self.until("a pixel", |model, _| shown(model) == Some(Some(pixel.rgb)))
            .await;
    }

    /// Takes in frames until the server rejects a message; the error's code.
    ///
    /// # Panics
    /// When no error comes.
    pub async fn rejection(&mut self) -> String {
        let mut code = None;
        self.until("an error frame", |_, outcome| {
            if let Outcome::Rejected { code: given, .. } = outcome {
                code = Some(given.to_string());
            }
            code.is_some()
        })
        .await;
        code.expect("just waited for")
    }

    /// Takes in frames until a ping is answered; what the answer says.
    ///
    /// # Panics
    /// When no answer comes.
    pub async fn answer(&mut self) -> Outcome {
        let mut answer = None;
        self.until("a pong", |_, outcome| {
            if let Outcome::Alive { .. } = outcome {
                answer = Some(outcome.clone());
            }
            answer.is_some()
        })
        .await;
        answer.expect("just waited for")
    }

    /// Takes in whatever comes during `time`.
    pub async fn listen(&mut self, time: Duration) {
        let deadline = Instant::now() + time;
        while let Ok(text) = tokio::time::timeout_at(deadline.into(), self.frame()).await {
            self.take(&text);
        }
    }

    /// The position that the client holds.
    pub fn position(&self) -> Option<Position> {
        self.model.position()
    }

    /// What the client knows.
    pub const fn model(&self) -> &ModelClient {
        &self.model
    }

    /// Length of the longest frame that came, in bytes.
    pub const fn longest_frame(&self) -> usize {
        self.longest
    }

    /// Number of frames that came.
    pub const fn frames(&self) -> usize {
        self.frames
    }

    /// Says goodbye as a browser does.
    pub async fn close(mut self) {
        let _ = self.stream.close(None).await;
    }

    /// The next text frame.
    ///
    /// # Panics
    /// When the connection ends.
    pub async fn frame(&mut self) -> String {
        loop {
            match self.stream.next().await {
                Some(Ok(Message::Text(text))) => return text.to_string(),
                Some(Ok(Message::Ping(_) | Message::Pong(_))) => {}
                other => panic!("the connection ended: {other:?}"),
            }
        }
    }

    fn take(&mut self, text: &str) -> Outcome {
        self.longest = self.longest.max(text.len());
        self.frames += 1;
        match self.model.on_frame(text) {
            Ok(outcome) => outcome,
            Err(error) => panic!("the server broke the protocol ({error}): {text:.300}"),
        }
    }

    async fn until(&mut self, what: &str, mut reached: impl FnMut(&ModelClient, &Outcome) -> bool) {
        let started = Instant::now();
        if reached(&self.model, &Outcome::Dropped) {
            return;
        }
        loop {
            let left = PATIENCE.saturating_sub(started.elapsed());
            let Ok(text) = tokio::time::timeout(left, self.frame()).await else {
                panic!(
                    "waited {PATIENCE:?} for {what}, at {:?}",
                    self.model.position()
                );
            };
            let outcome = self.take(&text);
            if reached(&self.model, &outcome) {
                return;
            }
        }
    }
}
