//! A client's message as it is written, before its numbers are checked.

use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};

use crate::position::Position;

/// The message: of its keys only these matter.
pub(super) struct Envelope {
    pub(super) data: Option<RawPixels>,
    /// Whether it says `"ping":true`.
    pub(super) ping: bool,
    /// The position that it names, if it names one.
    pub(super) at: Option<Position>,
    /// The client's own name of it.
    pub(super) name: Option<String>,
}

/// The pixels of `data`, one or many.
pub(super) struct RawPixels(pub(super) Vec<RawPixel>);

/// A pixel; what is missing is `None`.
#[derive(Default)]
pub(super) struct RawPixel {
    pub(super) x: Option<Number>,
    pub(super) y: Option<Number>,
    pub(super) r: Option<Number>,
    pub(super) g: Option<Number>,
    pub(super) b: Option<Number>,
}

/// What stands where a whole number should.
#[derive(Clone, Copy)]
pub(super) enum Number {
    /// A whole number.
    Whole(i64),
    /// A whole number beyond 64 bits.
    Huge,
    /// Anything else: a fraction, a text, a list.
    Other,
}

// The visitors below are written by hand because derived ones also read a struct from a list, so
// that `[[1,2,255,0,0]]` would pass for a pixel, and because an untagged enum (one pixel or many)
// would hold the message twice.

impl<'de> Deserialize<'de> for Envelope {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct EnvelopeVisitor;

        impl<'de> Visitor<'de> for EnvelopeVisitor {
            type Value = Envelope;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object with `data`")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Envelope, A::Error> {
                let (mut data, mut ping, mut at, mut name) = (None, None, None, None);
                while let Some(key) = map.next_key::<Key>()? {
                    match key {
                        Key::Data => {
                            once(data.is_some(), "data")?;
                            data = Some(map.next_value()?);
                        }
                        Key::Ping => {
                            once(ping.is_some(), "ping")?;
                            ping = Some(map.next_value::<Word>()?.0 == Some("true".into()));
                        }
                        Key::At => {
                            once(at.is_some(), "at")?;
                            at = Some(map.next_value::<Word>()?.0);
                        }
                        Key::Name => {
                            name = Some(map.next_value::<Word>()?.0);
                        }
                        _ => drop(map.next_value::<IgnoredAny>()?),
                    }
                }
                Ok(Envelope {
                    data,
                    ping: ping.unwrap_or_default(),
                    at: at.flatten().and_then(|text| text.parse().ok()),
                    name: name.flatten(),
                })
            }
        }

        deserializer.deserialize_map(EnvelopeVisitor)
    }
}

impl<'de> Deserialize<'de> for RawPixels {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct PixelsVisitor;

        impl<'de> Visitor<'de> for PixelsVisitor {
            type Value = RawPixels;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a pixel or a list of pixels")
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<RawPixels, A::Error> {
                PixelVisitor
                    .visit_map(map)
                    .map(|pixel| RawPixels(vec![pixel]))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<RawPixels, A::Error> {
                let mut pixels = Vec::new();
                while let Some(pixel) = list.next_element()? {
                    pixels.push(pixel);
                }
                Ok(RawPixels(pixels))
            }
        }

        deserializer.deserialize_any(PixelsVisitor)
    }
}

struct PixelVisitor;

impl<'de> Visitor<'de> for PixelVisitor {
    type Value = RawPixel;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a pixel with `x`, `y`, `r`, `g` and `b`")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<RawPixel, A::Error> {
        let mut pixel = RawPixel::default();
        while let Some(key) = map.next_key::<Key>()? {
            let (name, field) = match key {
                Key::X => ("x", &mut pixel.x),
                Key::Y => ("y", &mut pixel.y),
                Key::R => ("r", &mut pixel.r),
                Key::G => ("g", &mut pixel.g),
                Key::B => ("b", &mut pixel.b),
                Key::Data | Key::Ping | Key::At | Key::Name | Key::Other => {
                    map.next_value::<IgnoredAny>()?;
                    continue;
                }
            };
            once(field.is_some(), name)?;
            *field = Some(map.next_value()?);
        }
        Ok(pixel)
    }
}

#[derive(PartialEq, Eq, Deserialize)]
#[serde(field_identifier, rename_all = "lowercase")]
enum Key {
    Data,
    Ping,
    At,
    Name,
    X,
    Y,
    R,
    G,
    B,
    #[serde(other)]
    Other,
}

fn once<E: Error>(seen: bool, key: &'static str) -> Result<(), E> {
    if seen {
        Err(E::duplicate_field(key))
    } else {
        Ok(())
    }
}

impl<'de> Deserialize<'de> for RawPixel {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(PixelVisitor)
    }
}

impl<'de> Deserialize<'de> for Number {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(NumberVisitor)
    }
}

/// A short text, or `true`; anything else is none.
struct Word(Option<String>);

impl<'de> Deserialize<'de> for Word {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct WordVisitor;

        impl<'de> Visitor<'de> for WordVisitor {
            type Value = Word;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("anything")
            }

            fn visit_bool<E: Error>(self, value: bool) -> Result<Word, E> {
                Ok(Word(value.then(|| "true".to_owned())))
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Word, E> {
                // `true` is no text.
                Ok(Word((text != "true").then(|| text.to_owned())))
            }

            fn visit_i64<E: Error>(self, _: i64) -> Result<Word, E> {
                Ok(Word(None))
            }

            fn visit_u64<E: Error>(self, _: u64) -> Result<Word, E> {
                Ok(Word(None))
            }

            fn visit_f64<E: Error>(self, _: f64) -> Result<Word, E> {
                Ok(Word(None))
            }

            fn visit_unit<E: Error>(self) -> Result<Word, E> {
                Ok(Word(None))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, list: A) -> Result<Word, A::Error> {
                IgnoredAny.visit_seq(list).map(|_| Word(None))
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Word, A::Error> {
                IgnoredAny.visit_map(map).map(|_| Word(None))
            }
        }

        deserializer.deserialize_any(WordVisitor)
    }
}

struct NumberVisitor;

impl<'de> Visitor<'de> for NumberVisitor {
    type Value = Number;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a whole number")
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Number, E> {
        Ok(Number::Whole(value))
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Number, E> {
        Ok(i64::try_from(value).map_or(Number::Huge, Number::Whole))
    }

    fn visit_f64<E: Error>(self, _: f64) -> Result<Number, E> {
        Ok(Number::Other)
    }

    fn visit_bool<E: Error>(self, _: bool) -> Result<Number, E> {
        Ok(Number::Other)
    }

    fn visit_str<E: Error>(self, _: &str) -> Result<Number, E> {
        Ok(Number::Other)
    }

    fn visit_unit<E: Error>(self) -> Result<Number, E> {
        Ok(Number::Other)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, list: A) -> Result<Number, A::Error> {
        IgnoredAny.visit_seq(list).map(|_| Number::Other)
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Number, A::Error> {
        IgnoredAny.visit_map(map).map(|_| Number::Other)
    }
}
