//! The parser of clients' messages, beside a reading of the same text as plain JSON.

use place_canvas::wire::{
    ClientMessage, ErrorCode, Rejection, ServerFrame, error_frame, parse_client_message,
};
use place_canvas::{Geometry, Pixel, Rgb};
use serde::de::IgnoredAny;
use serde_json::Value;

use crate::driver::Outcome;

const MAX_PIXELS: usize = 8;
const WIDTH: u16 = 300;
const HEIGHT: u16 = 40;
/// Longest error frame: a hostile message must not come back as a long answer.
const LONGEST_ANSWER: usize = 1024;

pub(crate) const WORDS: &[&str] = &[
    r#"{"data":"#,
    r#""x":"#,
    r#""y":1"#,
    r#","r":0"#,
    r#""g":"#,
    r#""b":255"#,
    "null",
    "true",
    "[",
    "]",
    "{",
    "}",
    r#"{"x":1,"y":2,"r":3,"g":4,"b":5}"#,
    ",",
    r#""""#,
    r#""\u0000""#,
    r#""\ud800""#,
    "1e5",
    "-1",
    "65535",
    "1.5",
    "[[[[[[[[",
    r#""data":"#,
    r#""ping":true"#,
    r#","at":"7-1""#,
    "\u{feff}",
    "\u{2028}",
];

pub(crate) fn seeds() -> Vec<Vec<u8>> {
    let pixel = r#"{"x":1,"y":2,"r":255,"g":0,"b":0}"#;
    let nested = format!(
        r#"{{"data":[{pixel}],"more":{}{}}}"#,
        "[".repeat(90),
        "]".repeat(90)
    );
    let long = format!(r#"{{"data":"{}"}}"#, "\u{1}".repeat(2000));
    let texts = [
        format!(r#"{{"action":"sendMessage","data":[{pixel}]}}"#),
        format!(r#"{{"action":"sendMessage","data":{pixel}}}"#),
        format!(r#"{{"data":[{pixel},{pixel},{pixel}]}}"#),
        format!(r#"{{"data":[{}]}}"#, [pixel; MAX_PIXELS].join(",")),
        format!(r#"{{"data":[{}]}}"#, [pixel; MAX_PIXELS + 1].join(",")),
        r#"{"data":[{"x":299,"y":39,"r":0,"g":0,"b":0,"z":{"x":[null,1.5e3]}}]}"#.to_owned(),
        // JSON, but of what no `Value` holds: beyond a float, and half a surrogate pair.
        r#"{"data":[{"x":299,"y":39,"r":0,"g":0,"b":0,"z":{"x":[null,1.5e4294967296]}}]}"#
            .to_owned(),
        r#"{"data":[{"x":299,"y":39,"r":0,"g":0,"b":0,"z":{"x":"\ud800"}}]}"#.to_owned(),
        r#"{"action":"sendMessage","ping":true}"#.to_owned(),
        r#"{"action":"sendMessage","ping":true,"at":"1700000000000-3"}"#.to_owned(),
        format!(r#"{{"at":["7-1"],"data":[{pixel}],"ping":false}}"#),
        nested,
        long,
    ];
    texts.into_iter().map(String::into_bytes).collect()
}

pub(crate) fn check(input: &[u8]) -> Outcome {
    let text = String::from_utf8_lossy(input);
    let value: Option<Value> = serde_json::from_str(&text).ok();
    let expected = value.as_ref().and_then(said);
    match parse(&text) {
        Ok(read) => {
            // Nothing may be taken that plain JSON reads otherwise. What a `Value` cannot hold may
            // stand where nobody looks, so there only the syntax is left to compare.
            match &value {
                Some(_) => assert_eq!(Some(&read), expected.as_ref()),
                None => assert!(serde_json::from_str::<IgnoredAny>(&text).is_ok()),
            }
            Outcome::accepted(match read {
                ClientMessage::Paint(pixels) => pixels.len(),
                ClientMessage::Ping { at } => MAX_PIXELS + 1 + usize::from(at.is_some()),
            })
        }
        Err(rejection) => {
            check_answer(&rejection);
            if let Some(value) = &value {
                // Written anew, a key occurs once: now both must take it, or neither.
                assert_eq!(parse(&value.to_string()).ok(), expected);
            }
            let words = rejection.message.split('"').next().unwrap_or_default();
            let words = words.chars().filter(|c| !c.is_ascii_digit());
            Outcome::refused((rejection.code.as_str(), words.collect::<String>()))
        }
    }
}

fn parse(text: &str) -> Result<ClientMessage, Rejection> {
    let geometry = Geometry::new(WIDTH, HEIGHT).expect("the canvas is not empty");
    parse_client_message(text, MAX_PIXELS, geometry)
}

fn check_answer(rejection: &Rejection) {
    let answer = error_frame(rejection.code, rejection.message.as_str());
    assert!(
        answer.len() <= LONGEST_ANSWER,
        "an answer of {} bytes",
        answer.len()
    );
    let Ok(ServerFrame::Error { code, message, .. }) = ServerFrame::parse(&answer) else {
        panic!("the answer is no error frame");
    };
    assert_eq!((code, message), (rejection.code, rejection.message.clone()));
    assert_ne!(code, ErrorCode::CoolingDown);
}

/// What the message says, read without haste.
fn said(message: &Value) -> Option<ClientMessage> {
    let object = message.as_object()?;
    if object.get("ping") != Some(&Value::Bool(true)) {
        return pixels(message).map(ClientMessage::Paint);
    }
    // A ping may paint whatever it likes, in the form of pixels.
    let in_form = match object.get("data") {
        Some(Value::Array(list)) => list.iter().all(Value::is_object),
        data => data.is_none_or(Value::is_object),
    };
    let at = object.get("at").and_then(Value::as_str);
    let at = at.and_then(|text| text.parse().ok());
    in_form.then_some(ClientMessage::Ping { at })
}

/// What the message paints.
fn pixels(message: &Value) -> Option<Vec<Pixel>> {
    let data = message.as_object()?.get("data")?;
    let list = match data {
        Value::Array(list) => list.iter().collect(),
        one => vec![one],
    };
    let fits = (1..=MAX_PIXELS).contains(&list.len());
    fits.then(|| list.into_iter().map(pixel).collect())
        .flatten()
}

fn pixel(value: &Value) -> Option<Pixel> {
    let number = |key: &str| value.as_object()?.get(key)?.as_u64();
    let coordinate = |key, size| u16::try_from(number(key)?).ok().filter(|n| *n < size);
    let channel = |key| u8::try_from(number(key)?).ok();
    let rgb = Rgb::new(channel("r")?, channel("g")?, channel("b")?);
    Some(Pixel::new(
        coordinate("x", WIDTH)?,
        coordinate("y", HEIGHT)?,
        rgb,
    ))
}
