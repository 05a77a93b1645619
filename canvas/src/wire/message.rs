//! Messages from a client to the server.

use thiserror::Error;

use super::ErrorCode;
use super::raw::{Envelope, Number, RawPixel, RawPixels};
use crate::geometry::Geometry;
use crate::pixel::{Pixel, Rgb};
use crate::position::Position;

/// Longest message that is read. API Gateway's own limit is 128 KiB.
pub const MAX_MESSAGE_BYTES: usize = 128 * 1024;

/// Longest text about a message that is no JSON of the right shape: the reader's own words quote the
/// message, and a hostile one must not come back whole, nor fill the logs.
const MAX_REASON_CHARS: usize = 200;

/// Why a message was not accepted.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[error("{message}")]
pub struct Rejection {
    /// The kind of fault.
    pub code: ErrorCode,
    /// What the sender is told.
    pub message: String,
    /// The first pixel that is wrong, where it has a place.
    pub place: Option<(u16, u16)>,
}

impl Rejection {
    fn new(code: ErrorCode, message: impl Into<String>) -> Self {
        Self {
            code,
            message: message.into(),
            place: None,
        }
    }
}

/// What a client sends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ClientMessage {
    /// It paints.
    Paint(Vec<Pixel>),
    /// It asks whether all is well.
    Ping {
        /// The position that it holds, if it says so.
        at: Option<Position>,
    },
}

/// Longest name of a message, in bytes. A longer one is none.
const MAX_NAME_BYTES: usize = 64;

/// The same as [`parse_client_message`], and the client's own name of the message, if it has one.
pub fn parse_named_message(
    text: &str,
    max_pixels: usize,
    geometry: Geometry,
) -> (Option<String>, Result<ClientMessage, Rejection>) {
    let envelope = match envelope(text) {
        Ok(envelope) => envelope,
        Err(rejection) => return (None, Err(rejection)),
    };
    let is_name = |name: &String| (1..=MAX_NAME_BYTES).contains(&name.len());
    let name = envelope.name.clone().filter(is_name);
    (name, envelope.message(max_pixels, geometry))
}

/// What `{"action":"sendMessage","data":[{"x":1,"y":2,"r":255,"g":0,"b":0}]}` or
/// `{"action":"sendMessage","ping":true}` says.
///
/// A single object in place of the list counts as a list of one. Other keys are ignored, beside
/// `data` and in a pixel. Every number must be whole and in range, and one bad pixel rejects the
/// message.
pub fn parse_client_message(
    text: &str,
    max_pixels: usize,
    geometry: Geometry,
) -> Result<ClientMessage, Rejection> {
    parse_named_message(text, max_pixels, geometry).1
}

fn bad(message: String) -> Rejection {
    Rejection::new(ErrorCode::BadMessage, message)
}

fn envelope(text: &str) -> Result<Envelope, Rejection> {
    if text.len() > MAX_MESSAGE_BYTES {
        return Err(bad(format!(
            "a message has at most {MAX_MESSAGE_BYTES} bytes"
        )));
    }
    serde_json::from_str(text).map_err(|error| bad(unreadable(&error)))
}

impl Envelope {
    fn message(self, max_pixels: usize, geometry: Geometry) -> Result<ClientMessage, Rejection> {
        if self.ping {
            return Ok(ClientMessage::Ping { at: self.at });
        }
        let Some(RawPixels(raw)) = self.data else {
            return Err(bad("`data` is missing".into()));
        };
        if raw.is_empty() {
            return Err(bad("`data` is empty".into()));
        }
        if raw.len() > max_pixels {
            let message = format!(
                "a message paints at most {max_pixels} pixels, not {}",
                raw.len()
            );
            return Err(Rejection::new(ErrorCode::TooManyPixels, message));
        }
        let pixels = raw.iter().enumerate();
        let pixels = pixels.map(|(index, pixel)| {
            let checked = pixel.check(index, geometry);
            checked.map_err(|rejection| Rejection {
                place: pixel.place(),
                ..rejection
            })
        });
        pixels.collect::<Result<_, _>>().map(ClientMessage::Paint)
    }
}

fn unreadable(error: &serde_json::Error) -> String {
    let reason = format!("not a message: {error}");
    reason.chars().take(MAX_REASON_CHARS).collect()
}

impl RawPixel {
    /// Where it lies, if that can be said.
    fn place(&self) -> Option<(u16, u16)> {
        let side = |number| match number {
            Some(Number::Whole(whole)) => u16::try_from(whole).ok(),
            _ => None,
        };
        side(self.x).zip(side(self.y))
    }

    fn check(&self, index: usize, geometry: Geometry) -> Result<Pixel, Rejection> {
        let x = coordinate("x", self.x, index, geometry.width())?;
        let y = coordinate("y", self.y, index, geometry.height())?;
        let part = |name, number| channel(name, number, index);
        let rgb = [part("r", self.r)?, part("g", self.g)?, part("b", self.b)?];
        Ok(Pixel::new(x, y, Rgb::from(rgb)))
    }
}

fn coordinate(
    name: &str,
    number: Option<Number>,
    index: usize,
    size: u16,
) -> Result<u16, Rejection> {
    let outside = || {
        let message = format!("`{name}` of pixel {index} is outside 0 to {}", size - 1);
        Rejection::new(ErrorCode::OutOfBounds, message)
    };
    match present(name, number, index)? {
        Number::Whole(value) => u16::try_from(value)
            .ok()
            .filter(|value| *value < size)
            .ok_or_else(outside),
        Number::Huge => Err(outside()),
        Number::Other => {
            let message = format!("`{name}` of pixel {index} is not a whole number");
            Err(Rejection::new(ErrorCode::BadMessage, message))
        }
    }
}

fn channel(name: &str, number: Option<Number>, index: usize) -> Result<u8, Rejection> {
    let value = match present(name, number, index)? {
        Number::Whole(value) => u8::try_from(value).ok(),
        Number::Huge | Number::Other => None,
    };
    value.ok_or_else(|| {
        let message = format!("`{name}` of pixel {index} is not a whole number from 0 to 255");
        Rejection::new(ErrorCode::BadColor, message)
    })
}

fn present(name: &str, number: Option<Number>, index: usize) -> Result<Number, Rejection> {
    let message = || format!("`{name}` of pixel {index} is missing");
    number.ok_or_else(|| Rejection::new(ErrorCode::BadMessage, message()))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;
    use crate::pixel::tests::pixels;

    fn parse(text: &str) -> Result<Vec<Pixel>, ErrorCode> {
        let geometry = Geometry::new(100, 50).unwrap();
        match parse_client_message(text, 3, geometry) {
            Ok(ClientMessage::Paint(pixels)) => Ok(pixels),
            Ok(ClientMessage::Ping { .. }) => Ok(Vec::new()),
            Err(rejection) => Err(rejection.code),
        }
    }

    fn one(pixel: &str) -> Result<Vec<Pixel>, ErrorCode> {
        parse(&format!(r#"{{"action":"sendMessage","data":[{pixel}]}}"#))
    }

    proptest! {
        #[test]
        fn what_a_painter_sends_arrives(pixels in pixels(50)) {
            let item = |p: &Pixel| {
                json!({"x": p.x, "y": p.y, "r": p.rgb.r, "g": p.rgb.g, "b": p.rgb.b})
            };
            let data: Vec<_> = pixels.iter().map(item).collect();
            let text = json!({"action": "sendMessage", "data": data}).to_string();
            let geometry = Geometry::new(50, 50).unwrap();
            let parsed = parse_client_message(&text, 60, geometry);
            let painted = (!pixels.is_empty()).then_some(ClientMessage::Paint(pixels));
            prop_assert_eq!(parsed.ok(), painted);
        }

        #[test]
        fn any_text_is_pixels_inside_or_a_rejection(text in "\\PC*|[\\[\\]{}\",:xyrgbdat0-9.e-]*") {
            if let Ok(pixels) = parse(&text) {
                prop_assert!(pixels.iter().all(|p| p.x < 100 && p.y < 50));
            }
        }

        #[test]
        fn any_value_of_a_field_is_checked(x: i64, r: i64, fraction: f64) {
            let parsed = one(&json!({"x": x, "y": 0, "r": r, "g": 0, "b": 0}).to_string());
            let inside = (0..100).contains(&x);
            prop_assert_eq!(parsed.is_ok(), inside && (0..256).contains(&r));
            prop_assert_eq!(parsed == Err(ErrorCode::OutOfBounds), !inside);
            let parsed = one(&json!({"x": fraction, "y": 0, "r": 0, "g": 0, "b": 0}).to_string());
            prop_assert_eq!(parsed, Err(ErrorCode::BadMessage));
        }
    }

    #[test]
    fn a_single_object_is_a_list_of_one() {
        let text = r#"{"data":{"x":1,"y":2,"r":3,"g":4,"b":5},"more":{"x":[1]}}"#;
        assert_eq!(parse(text), Ok(vec![Pixel::new(1, 2, Rgb::new(3, 4, 5))]));
    }

    #[test]
    fn a_ping_is_one_whatever_else_it_says() {
        let geometry = Geometry::new(9, 9).unwrap();
        let ping = |text: &str| parse_client_message(text, 3, geometry);
        let at = Some(Position::new(7, 1));
        let said = r#"{"action":"sendMessage","ping":true,"at":"7-1","name":"x"}"#;
        assert_eq!(ping(said), Ok(ClientMessage::Ping { at }));
        for text in [
            r#"{"ping":true}"#,
            r#"{"ping":true,"at":null}"#,
            r#"{"ping":true,"at":["7-1"]}"#,
            r#"{"ping":true,"at":"7"}"#,
            r#"{"at":{},"ping":true,"data":{"x":1}}"#,
        ] {
            assert_eq!(ping(text), Ok(ClientMessage::Ping { at: None }), "{text}");
        }
        for text in [r#"{"ping":"true"}"#, r#"{"ping":1}"#, r#"{"ping":false}"#] {
            assert_eq!(parse(text), Err(ErrorCode::BadMessage), "{text}");
        }
    }

    #[test]
    fn one_bad_pixel_rejects_the_message() {
        let good = r#"{"x":99,"y":49,"r":0,"g":0,"b":0}"#;
        let outside = r#"{"x":100,"y":0,"r":0,"g":0,"b":0}"#;
        assert!(one(good).is_ok());
        assert_eq!(
            one(&format!("{good},{outside}")),
            Err(ErrorCode::OutOfBounds)
        );
    }

    #[test]
    fn too_many_pixels_have_their_own_code() {
        let pixel = r#"{"x":0,"y":0,"r":0,"g":0,"b":0}"#;
        assert_eq!(one(&[pixel; 4].join(",")), Err(ErrorCode::TooManyPixels));
        assert_eq!(one(&[pixel; 3].join(",")).map(|pixels| pixels.len()), Ok(3));
    }

    #[test]
    fn malformed_messages_are_bad_messages() {
        let deep = "[".repeat(100_000);
        let texts = [
            "",
            "null",
            "[]",
            "5",
            "{}",
            r#"{"data":null}"#,
            r#"{"data":[]}"#,
            r#"{"data":"x"}"#,
            r#"{"data":[[1,2,255,0,0]]}"#,
            r#"{"data":[null]}"#,
            r#"{"data":[{}]}"#,
            &deep,
            r#"[{"x":1,"y":2,"r":3,"g":4,"b":5}]"#,
            r#"{"data":{}} x"#,
        ];
        for text in texts {
            assert_eq!(parse(text), Err(ErrorCode::BadMessage), "{text:.60}");
        }
        let long = format!(r#"{{"data":[],"x":"{}"}}"#, "y".repeat(MAX_MESSAGE_BYTES));
        assert_eq!(parse(&long), Err(ErrorCode::BadMessage));
    }

    #[test]
    fn a_long_message_is_not_quoted_at_length() {
        let text = format!(r#"{{"data":"{}"}}"#, "y".repeat(100_000));
        let rejection = parse_client_message(&text, 3, Geometry::new(9, 9).unwrap()).unwrap_err();
        assert_eq!(rejection.code, ErrorCode::BadMessage);
        assert_eq!(rejection.message.len(), MAX_REASON_CHARS);
    }

    #[test]
    fn fields_that_are_no_whole_numbers_in_range_are_refused() {
        let cases = [
            (
                r#"{"x":-1,"y":0,"r":0,"g":0,"b":0}"#,
                ErrorCode::OutOfBounds,
            ),
            (
                r#"{"x":0,"y":50,"r":0,"g":0,"b":0}"#,
                ErrorCode::OutOfBounds,
            ),
            (
                r#"{"x":99999999999999999999,"y":0,"r":0,"g":0,"b":0}"#,
                ErrorCode::BadMessage,
            ),
            (
                r#"{"x":9999999999999999999,"y":0,"r":0,"g":0,"b":0}"#,
                ErrorCode::OutOfBounds,
            ),
            (
                r#"{"x":1.0,"y":0,"r":0,"g":0,"b":0}"#,
                ErrorCode::BadMessage,
            ),
            (
                r#"{"x":"1","y":0,"r":0,"g":0,"b":0}"#,
                ErrorCode::BadMessage,
            ),
            (r#"{"x":0,"y":0,"r":256,"g":0,"b":0}"#, ErrorCode::BadColor),
            (r#"{"x":0,"y":0,"r":0,"g":-1,"b":0}"#, ErrorCode::BadColor),
            (r#"{"x":0,"y":0,"r":0,"g":0,"b":[1]}"#, ErrorCode::BadColor),
            (r#"{"x":0,"y":0,"r":0,"g":0}"#, ErrorCode::BadMessage),
            (
                r#"{"x":0,"x":1,"y":0,"r":0,"g":0,"b":0}"#,
                ErrorCode::BadMessage,
            ),
        ];
        for (pixel, code) in cases {
            assert_eq!(one(pixel), Err(code), "{pixel}");
        }
    }
}
