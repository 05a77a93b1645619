//! Frames from the server to a client.

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::entry::Entry;
use crate::geometry::Geometry;
use crate::pixel::{self, Coalesced, Pixel, RECORD_BYTES};
use crate::position::Position;

/// Upper bound of a frame's bytes beside its data: keys, punctuation, two positions of 41 bytes,
/// four numbers of up to 20.
const ENVELOPE_BYTES: usize = 256;

/// What the server sends.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "lowercase")]
pub enum ServerFrame {
    /// A part of the whole picture.
    Init {
        /// What tells this canvas from one that was opened before or after it.
        #[serde(default)]
        epoch: String,
        /// The position that the picture shows.
        at: Position,
        /// Pixels in a row.
        width: u16,
        /// Rows.
        height: u16,
        /// Number of this part, from 1.
        part: u32,
        /// Number of parts.
        parts: u32,
        /// Base64 of this part of the PNG file.
        data: String,
    },
    /// All changes after `from` up to `at`.
    Update {
        /// The position that a client must hold to apply it.
        from: Position,
        /// The position that it then holds.
        at: Position,
        /// Base64 of pixel records.
        data: String,
    },
    /// To a client that came back and holds `from`: what it has missed follows, up to `resumed`.
    Resume {
        /// The position that it holds.
        from: Position,
    },
    /// The client has all that it had missed.
    Resumed {
        /// The position that it holds now.
        at: Position,
    },
    /// What was wrong with a message, to its sender alone.
    Error {
        /// What kind of thing was wrong.
        code: ErrorCode,
        /// The same for people.
        message: String,
        /// With `COOLING_DOWN`: how long to wait, in milliseconds.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        retry_ms: Option<u64>,
        /// The client's own name of the message.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        name: Option<String>,
        /// Column of the first pixel that it is about.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        x: Option<u16>,
        /// Its row.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        y: Option<u16>,
    },
    /// The answer to a ping.
    Pong {
        /// Position of the newest change.
        at: Position,
        /// What tells this canvas from one that was opened before or after it.
        epoch: String,
        /// Connected clients.
        online: u64,
        /// Whether the canvas does not know the position that the ping named: the client shows what
        /// nobody else does, and must connect anew.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        lost: bool,
    },
    /// A frame of a type that this version does not know: to be ignored.
    #[serde(other)]
    Unknown,
}

/// Data of a frame that can't be read.
#[derive(Debug, Error)]
pub enum FrameError {
    /// The text is no frame.
    #[error("not a frame of the server")]
    Json(#[from] serde_json::Error),
    /// The data is not base64.
    #[error("a frame's data is not base64")]
    Base64(#[from] base64::DecodeError),
    /// The data is no run of pixel records.
    #[error("an update's data is unusable")]
    Records(#[from] pixel::RecordError),
}

impl ServerFrame {
    /// Reads a frame. An object without a type is none of the canvas's, but API Gateway's own
    /// (`{"message":"Forbidden",...}`): to be ignored, as a type that this version does not know.
    pub fn parse(text: &str) -> Result<Self, FrameError> {
        let error = match serde_json::from_str(text) {
            Ok(frame) => return Ok(frame),
            Err(error) => error,
        };
        let other: Option<serde_json::Map<String, serde_json::Value>> =
            serde_json::from_str(text).ok();
        match other {
            Some(object) if !object.contains_key("type") => Ok(Self::Unknown),
            _ => Err(error.into()),
        }
    }

    /// The frame as text.
    #[expect(
        clippy::missing_panics_doc,
        reason = "text and numbers are always JSON"
    )]
    pub fn to_text(&self) -> String {
        serde_json::to_string(self).expect("text and numbers are always JSON")
    }
}

/// Bytes of a frame's `data`.
pub(crate) fn decode_data(data: &str) -> Result<Vec<u8>, FrameError> {
    Ok(STANDARD.decode(data)?)
}

/// What kind of thing was wrong with a client's message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum ErrorCode {
    /// It is not of the protocol's form.
    BadMessage,
    /// It paints more pixels than one message may.
    TooManyPixels,
    /// A pixel lies outside the canvas.
    OutOfBounds,
    /// A colour's part is not a whole number from 0 to 255.
    BadColor,
    /// The client, or its address, must wait.
    CoolingDown,
    /// It was in order and could not be done now.
    Unavailable,
}

impl ErrorCode {
    /// The code as it is on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::BadMessage => "BAD_MESSAGE",
            Self::TooManyPixels => "TOO_MANY_PIXELS",
            Self::OutOfBounds => "OUT_OF_BOUNDS",
            Self::BadColor => "BAD_COLOR",
            Self::CoolingDown => "COOLING_DOWN",
            Self::Unavailable => "UNAVAILABLE",
        }
    }
}

impl fmt::Display for ErrorCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// An `error` frame.
pub fn error_frame(code: ErrorCode, message: impl Into<String>) -> String {
    let (message, retry_ms) = (message.into(), None);
    ServerFrame::Error {
        code,
        message,
        retry_ms,
        name: None,
        x: None,
        y: None,
    }
    .to_text()
}

/// Bytes of data that a frame of `frame_bytes` carries, before base64.
const fn data_bytes(frame_bytes: usize) -> usize {
    frame_bytes.saturating_sub(ENVELOPE_BYTES) / 4 * 3
}

/// Pixels that surely fit an update of `frame_bytes`.
pub const fn pixels_per_frame(frame_bytes: usize) -> usize {
    data_bytes(frame_bytes) / RECORD_BYTES
}

/// The smallest frame limit at which messages of `pixels` pixels keep every update within it.
pub const fn frame_bytes_for(pixels: usize) -> usize {
    (pixels * RECORD_BYTES).div_ceil(3) * 4 + ENVELOPE_BYTES
}

/// What a picture shows.
#[derive(Clone, Copy, Debug)]
pub struct Shown<'a> {
    /// The canvas's epoch.
    pub epoch: &'a str,
    /// The position.
    pub at: Position,
    /// The canvas's size.
    pub geometry: Geometry,
}

/// The `init` frames of a picture: `png` is the file.
///
/// No frame is longer than `frame_bytes` (as long as that is at least 260).
#[expect(
    clippy::missing_panics_doc,
    reason = "a picture has fewer than 2^32 parts"
)]
pub fn init_frames(png: &[u8], shown: Shown<'_>, frame_bytes: usize) -> Vec<String> {
    // Whole groups of three bytes, so that the parts' base64 could be joined before decoding too.
    let chunks = png.chunks(data_bytes(frame_bytes).max(3));
    let parts = u32::try_from(chunks.len()).expect("a picture has fewer than 2^32 parts");
    let frame = |(part, chunk)| ServerFrame::Init {
        epoch: shown.epoch.to_owned(),
        at: shown.at,
        width: shown.geometry.width(),
        height: shown.geometry.height(),
        part,
        parts,
        data: STANDARD.encode(chunk),
    };
    (1..)
        .zip(chunks)
        .map(|numbered| frame(numbered).to_text())
        .collect()
}

/// One `update` frame and what it says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UpdateFrame {
    /// The position that a client must hold to apply it.
    pub from: Position,
    /// The position that it then holds.
    pub at: Position,
    /// Number of pixels in it.
    pub pixels: usize,
    /// The frame's text.
    pub text: String,
}

impl UpdateFrame {
    fn new(from: Position, at: Position, pixels: &[Pixel]) -> Self {
        let data = STANDARD.encode(pixel::encode(pixels));
        let text = ServerFrame::Update { from, at, data }.to_text();
        Self {
            from,
            at,
            pixels: pixels.len(),
            text,
        }
    }
}

/// The `update` frames of `entries`, which are all of history after `from` in its order.
///
/// The frames are consecutive: the first starts at `from`, each next one where the last ended, and
/// the last ends at the last entry. Each place occurs once in a frame, in its last colour. No
/// frame is longer than `frame_bytes`, but for an entry that doesn't fit one alone (see the
/// module's documentation).
pub fn update_frames(from: Position, entries: &[Entry], frame_bytes: usize) -> Vec<UpdateFrame> {
    let room = pixels_per_frame(frame_bytes);
    let mut frames = Vec::new();
    let mut start = from;
    let mut end = from;
    let mut pending = Coalesced::default();
    for entry in entries {
        if end > start && !fits(&pending, entry, room) {
            frames.push(UpdateFrame::new(start, end, pending.pixels()));
            pending = Coalesced::default();
            start = end;
        }
        pending.extend(&entry.pixels);
        end = entry.at;
    }
    if end > start {
        frames.push(UpdateFrame::new(start, end, pending.pixels()));
    }
    frames
}

fn fits(pending: &Coalesced, entry: &Entry, room: usize) -> bool {
    let at_most = pending.len() + entry.pixels.len();
    // Counting is for the rare full frame only; a place twice in one entry counts twice, which
    // merely closes a frame early.
    let new = || {
        entry
            .pixels
            .iter()
            .filter(|pixel| !pending.covers(pixel))
            .count()
    };
    at_most <= room || pending.len() + new() <= room
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::pixel::Rgb;
    use crate::pixel::tests::pixels;

    fn entries() -> impl Strategy<Value = Vec<Entry>> {
        let entry = (1_u64..3, pixels(40));
        proptest::collection::vec(entry, 0..40).prop_map(|steps| {
            let mut at = Position::new(1_700_000_000_000, 0);
            let mut entry = |(step, pixels)| {
                at = Position::new(at.ms + step / 2, at.n + 1);
                Entry {
                    at,
                    pixels,
                    by: "a".into(),
                    source: String::new(),
                    player: String::new(),
                }
            };
            steps.into_iter().map(&mut entry).collect()
        })
    }

    fn records(text: &str) -> Vec<Pixel> {
        match ServerFrame::parse(text).unwrap() {
            ServerFrame::Update { data, .. } => {
                pixel::decode(&decode_data(&data).unwrap()).unwrap()
            }
            other => panic!("{other:?}"),
        }
    }

    proptest! {
        #[test]
        fn updates_are_consecutive_and_within_the_limit(
            entries in entries(),
            frame_bytes in frame_bytes_for(60)..4000,
        ) {
            let frames = update_frames(Position::ZERO, &entries, frame_bytes);
            let mut held = Position::ZERO;
            for frame in &frames {
                prop_assert!(frame.text.len() <= frame_bytes);
                prop_assert_eq!(frame.from, held);
                prop_assert!(frame.at > frame.from);
                held = frame.at;
            }
            prop_assert_eq!(held, entries.last().map_or(Position::ZERO, |entry| entry.at));
        }

        #[test]
        fn each_update_holds_exactly_the_changes_of_its_range(entries in entries()) {
            for frame in update_frames(Position::ZERO, &entries, frame_bytes_for(60)) {
                let range = entries.iter().filter(|e| e.at > frame.from && e.at <= frame.at);
                let expected: Coalesced = range.flat_map(|e| e.pixels.iter().copied()).collect();
                prop_assert_eq!(records(&frame.text), expected.into_pixels());
            }
        }

        #[test]
        fn the_parts_of_a_picture_join_to_it(png: Vec<u8>, frame_bytes in 260_usize..400) {
            let geometry = Geometry::new(65_535, 65_535).unwrap();
            let at = Position::new(u64::MAX, u64::MAX);
            let mut joined = Vec::new();
            let shown = Shown { epoch: "0123456789abcdef", at, geometry };
            for text in init_frames(&png, shown, frame_bytes) {
                prop_assert!(text.len() <= frame_bytes);
                let ServerFrame::Init { data, .. } = ServerFrame::parse(&text).unwrap() else {
                    panic!("not an init frame");
                };
                joined.extend(decode_data(&data).unwrap());
            }
            prop_assert_eq!(joined, png);
        }
    }

    #[test]
    fn an_entry_over_the_limit_has_a_frame_of_its_own() {
        let big: Vec<_> = (0..100).map(|x| Pixel::new(x, 0, Rgb::WHITE)).collect();
        let entry = |n, pixels: &[Pixel]| Entry {
            at: Position::new(1, n),
            pixels: pixels.to_vec(),
            by: String::new(),
            source: String::new(),
            player: String::new(),
        };
        let entries = [entry(1, &big[..1]), entry(2, &big), entry(3, &big[..1])];
        let frames = update_frames(Position::ZERO, &entries, frame_bytes_for(10));
        assert_eq!(
            frames.iter().map(|f| f.pixels).collect::<Vec<_>>(),
            [1, 100, 1]
        );
    }

    #[test]
    fn the_default_limits_fit_together() {
        assert!(pixels_per_frame(32 * 1024) > 3000);
        assert!(frame_bytes_for(256) < 4096);
        assert!(pixels_per_frame(frame_bytes_for(256)) >= 256);
    }

    #[test]
    fn frames_are_as_documented() {
        let text = error_frame(ErrorCode::CoolingDown, "wait");
        assert_eq!(
            text,
            r#"{"type":"error","code":"COOLING_DOWN","message":"wait"}"#
        );
        let pong = ServerFrame::Pong {
            at: Position::new(5, 1),
            epoch: "0f".into(),
            online: 7,
            lost: false,
        };
        let expected = r#"{"type":"pong","at":"5-1","epoch":"0f","online":7}"#;
        assert_eq!(pong.to_text(), expected);
        let unknown = ServerFrame::parse(r#"{"type":"notice","text":"hello"}"#).unwrap();
        assert_eq!(unknown, ServerFrame::Unknown);
        let gateway = r#"{"message":"Forbidden","connectionId":"a=","requestId":"b="}"#;
        assert_eq!(ServerFrame::parse(gateway).unwrap(), ServerFrame::Unknown);
        assert!(ServerFrame::parse(r#"{"type":"update"}"#).is_err());
        let entry = Entry {
            at: Position::new(5, 1),
            pixels: vec![Pixel::new(1, 2, Rgb::new(255, 0, 0))],
            by: "a".into(),
            source: String::new(),
            player: String::new(),
        };
        let frames = update_frames(Position::ZERO, &[entry], 1000);
        let expected = r#"{"type":"update","from":"0-0","at":"5-1","data":"AAEAAv8AAA=="}"#;
        assert_eq!(frames[0].text, expected);
    }
}
