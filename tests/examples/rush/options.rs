//! The command line.

use std::str::FromStr;
use std::time::Duration;

use super::Failure;

const USAGE: &str = "usage: rush <websocket url> [--clients N] [--messages N] [--pixels N] \
     [--rate pixels/s] [--patience seconds] [--protocol place|yardstick]\n\
     PLACE_RUSH_REDIS=redis://:password@host:port in the environment, where everybody who may read \
     a command line can't: the Redis that holds the canvas, to compare the pictures with";

/// Whose frames are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Protocol {
    /// This project's.
    Place,
    /// Those of the Python yardstick: a JSON list of pixels.
    Yardstick,
}

impl FromStr for Protocol {
    type Err = Failure;

    fn from_str(text: &str) -> Result<Self, Failure> {
        match text {
            "place" => Ok(Self::Place),
            "yardstick" => Ok(Self::Yardstick),
            _ => Err(USAGE.into()),
        }
    }
}

/// What to measure.
#[derive(Clone, Debug)]
pub(crate) struct Options {
    /// Where to connect.
    pub(crate) url: String,
    /// Clients; all of them watch, and paint in turn.
    pub(crate) clients: usize,
    /// Messages in all.
    pub(crate) messages: usize,
    /// Pixels in a message.
    pub(crate) pixels: usize,
    /// Pixels a second; all at once when absent.
    pub(crate) rate: Option<f64>,
    /// How long to wait for the last pixel, after the last one that came.
    pub(crate) patience: Duration,
    /// Whose frames.
    pub(crate) protocol: Protocol,
    /// The Redis that holds the canvas, to compare the clients' pictures with.
    pub(crate) redis: Option<String>,
}

impl Options {
    /// Reads the arguments after the program's name.
    pub(crate) fn parse(mut arguments: impl Iterator<Item = String>) -> Result<Self, Failure> {
        let mut options = Self {
            url: arguments.next().ok_or(USAGE)?,
            clients: 200,
            messages: 100,
            pixels: 1,
            rate: None,
            patience: Duration::from_mins(1),
            protocol: Protocol::Place,
            redis: std::env::var("PLACE_RUSH_REDIS").ok(),
        };
        while let Some(flag) = arguments.next() {
            let value = arguments.next().ok_or(USAGE)?;
            match flag.as_str() {
                "--clients" => options.clients = value.parse()?,
                "--messages" => options.messages = value.parse()?,
                "--pixels" => options.pixels = value.parse()?,
                "--rate" => options.rate = Some(value.parse()?),
                "--patience" => options.patience = Duration::from_secs(value.parse()?),
                "--protocol" => options.protocol = value.parse()?,
                _ => return Err(USAGE.into()),
            }
        }
        let rate_is_usable = options
            .rate
            .is_none_or(|rate| rate.is_finite() && rate > 0.0);
        if options.clients == 0 || options.messages == 0 || options.pixels == 0 || !rate_is_usable {
            return Err(USAGE.into());
        }
        Ok(options)
    }

    /// Time between two messages.
    #[expect(clippy::cast_precision_loss, reason = "a message has few pixels")]
    pub(crate) fn interval(&self) -> Duration {
        self.rate.map_or(Duration::ZERO, |rate| {
            Duration::from_secs_f64(self.pixels as f64 / rate)
        })
    }
}
