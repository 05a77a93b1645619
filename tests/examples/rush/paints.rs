//! What is painted: one place and one colour for each pixel of the run.

use std::time::{Duration, Instant};

use futures::SinkExt;
use place_canvas::{Pixel, Rgb};
use serde_json::json;
use tokio_tungstenite::tungstenite::Message;

use super::client::Writer;
use super::options::Options;

/// The default canvas's width: places run along its rows.
const WIDTH: usize = 1000;

/// All paints of a run.
pub(crate) struct Paints {
    colour: Rgb,
    messages: Vec<String>,
    pixels_per_message: usize,
}

impl Paints {
    /// The paints of a run, in a colour that an earlier run is not likely to have left.
    pub(crate) fn new(options: &Options) -> Self {
        let [r, g, b] = rand::random();
        let colour = Rgb::new(r, g, b);
        let message = |index: usize| {
            let places = index * options.pixels..(index + 1) * options.pixels;
            let data: Vec<_> = places
                .map(
                    |place| json!({"x": place % WIDTH, "y": place / WIDTH, "r": r, "g": g, "b": b}),
                )
                .collect();
            json!({"action": "sendMessage", "data": data}).to_string()
        };
        Self {
            colour,
            messages: (0..options.messages).map(message).collect(),
            pixels_per_message: options.pixels,
        }
    }

    /// Number of pixels.
    pub(crate) fn len(&self) -> usize {
        self.messages.len() * self.pixels_per_message
    }

    /// Which of this run's pixels `pixel` is.
    pub(crate) fn index(&self, pixel: Pixel) -> Option<usize> {
        let index = usize::from(pixel.y) * WIDTH + usize::from(pixel.x);
        (pixel.rgb == self.colour && index < self.len()).then_some(index)
    }

    /// Sends each message at its time, the clients in turn. When each pixel was sent (nothing
    /// where the connection was gone), and the connections, which must stay open to be read.
    pub(crate) async fn send(
        &self,
        mut writers: Vec<Writer>,
        interval: Duration,
    ) -> (Vec<Option<Instant>>, Vec<Writer>) {
        let count = writers.len();
        let mut clock = tokio::time::interval(interval.max(Duration::from_nanos(1)));
        let mut sent = Vec::with_capacity(self.len());
        for (index, message) in self.messages.iter().enumerate() {
            if !interval.is_zero() {
                clock.tick().await;
            }
            let at = Instant::now();
            let outcome = writers[index % count]
                .send(Message::text(message.as_str()))
                .await;
            sent.extend(vec![outcome.ok().map(|()| at); self.pixels_per_message]);
        }
        (sent, writers)
    }
}
