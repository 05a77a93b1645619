//! Colours, pixels, and the one binary format of pixels: runs of seven-byte records.

use std::collections::HashMap;
use std::fmt;
use std::str::FromStr;

use thiserror::Error;

/// Bytes of one pixel record: x and y as big-endian `u16`, then red, green, blue.
pub const RECORD_BYTES: usize = 7;

/// A 24-bit colour; its text form is `#rrggbb`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Rgb {
    /// Red.
    pub r: u8,
    /// Green.
    pub g: u8,
    /// Blue.
    pub b: u8,
}

impl Rgb {
    /// White, the default background.
    pub const WHITE: Self = Self::new(255, 255, 255);

    /// The colour of these three parts.
    pub const fn new(r: u8, g: u8, b: u8) -> Self {
        Self { r, g, b }
    }

    /// Its bytes in the canvas.
    pub const fn to_bytes(self) -> [u8; 3] {
        [self.r, self.g, self.b]
    }
}

impl From<[u8; 3]> for Rgb {
    fn from([r, g, b]: [u8; 3]) -> Self {
        Self { r, g, b }
    }
}

/// A text that is not a colour.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[error("`{0}` is not a colour like `#ff8800`")]
pub struct ColorError(String);

impl FromStr for Rgb {
    type Err = ColorError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let digits = text
            .strip_prefix('#')
            .filter(|hex| hex.len() == 6 && hex.bytes().all(|b| b.is_ascii_hexdigit()));
        let value = digits
            .and_then(|hex| u32::from_str_radix(hex, 16).ok())
            .ok_or_else(|| ColorError(text.to_owned()))?;
        let [_, r, g, b] = value.to_be_bytes();
        Ok(Self { r, g, b })
    }
}

impl fmt::Display for Rgb {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "#{:02x}{:02x}{:02x}", self.r, self.g, self.b)
    }
}

/// One pixel and the colour it is given.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Pixel {
    /// Column, from the left.
    pub x: u16,
    /// Row, from the top.
    pub y: u16,
    /// Colour.
    pub rgb: Rgb,
}

impl Pixel {
    /// The pixel at `x`, `y` in the colour `rgb`.
    pub const fn new(x: u16, y: u16, rgb: Rgb) -> Self {
        Self { x, y, rgb }
    }

    /// Its record.
    pub const fn to_record(self) -> [u8; RECORD_BYTES] {
        let ([x0, x1], [y0, y1]) = (self.x.to_be_bytes(), self.y.to_be_bytes());
        [x0, x1, y0, y1, self.rgb.r, self.rgb.g, self.rgb.b]
    }

    /// The pixel of a record: every seven bytes are one.
    pub const fn from_record(record: [u8; RECORD_BYTES]) -> Self {
        let [x0, x1, y0, y1, red, green, blue] = record;
        let (x, y) = (u16::from_be_bytes([x0, x1]), u16::from_be_bytes([y0, y1]));
        Self::new(x, y, Rgb::new(red, green, blue))
    }
}

/// The records of `pixels`, in their order.
pub fn encode(pixels: &[Pixel]) -> Vec<u8> {
    let mut records = Vec::with_capacity(pixels.len() * RECORD_BYTES);
    for pixel in pixels {
        records.extend_from_slice(&pixel.to_record());
    }
    records
}

/// Bytes that are no run of records.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
#[error("{0} bytes are no run of {RECORD_BYTES}-byte pixel records")]
pub struct RecordError(pub usize);

/// The pixels of a run of records, in their order.
pub fn decode(records: &[u8]) -> Result<Vec<Pixel>, RecordError> {
    let (whole, rest) = records.as_chunks::<RECORD_BYTES>();
    if rest.is_empty() {
        Ok(whole.iter().copied().map(Pixel::from_record).collect())
    } else {
        Err(RecordError(records.len()))
    }
}

/// Pixels of which each place occurs once: the last write wins.
///
/// The order is that of the places' first writes, so equal input gives equal bytes.
#[derive(Clone, Debug, Default)]
pub struct Coalesced {
    pixels: Vec<Pixel>,
    slots: HashMap<(u16, u16), usize>,
}

impl Coalesced {
    /// Writes `pixels` over what is there.
    pub fn extend(&mut self, pixels: &[Pixel]) {
        for pixel in pixels {
            self.push(*pixel);
        }
    }

    /// Writes one pixel over what is there.
    pub fn push(&mut self, pixel: Pixel) {
        let next = self.pixels.len();
        let slot = *self.slots.entry((pixel.x, pixel.y)).or_insert(next);
        match self.pixels.get_mut(slot) {
            Some(written) => *written = pixel,
            None => self.pixels.push(pixel),
        }
    }

    /// Whether the place of `pixel` has been written.
    pub fn covers(&self, pixel: &Pixel) -> bool {
        self.slots.contains_key(&(pixel.x, pixel.y))
    }

    /// Number of different places.
    pub const fn len(&self) -> usize {
        self.pixels.len()
    }

    /// Whether nothing was written.
    pub const fn is_empty(&self) -> bool {
        self.pixels.is_empty()
    }

    /// The pixels, each place once.
    pub fn pixels(&self) -> &[Pixel] {
        &self.pixels
    }

    /// The pixels, each place once.
    pub fn into_pixels(self) -> Vec<Pixel> {
        self.pixels
    }
}

impl FromIterator<Pixel> for Coalesced {
    fn from_iter<I: IntoIterator<Item = Pixel>>(pixels: I) -> Self {
        let mut coalesced = Self::default();
        for pixel in pixels {
            coalesced.push(pixel);
        }
        coalesced
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use proptest::prelude::*;

    use super::*;

    pub(crate) fn pixels(side: u16) -> impl Strategy<Value = Vec<Pixel>> {
        let pixel = (0..side, 0..side, any::<[u8; 3]>());
        proptest::collection::vec(
            pixel.prop_map(|(x, y, c)| Pixel::new(x, y, c.into())),
            0..60,
        )
    }

    proptest! {
        #[test]
        fn records_come_back(pixels in pixels(u16::MAX)) {
            prop_assert_eq!(decode(&encode(&pixels)), Ok(pixels));
        }

        #[test]
        fn bytes_decode_exactly_when_they_are_whole_records(bytes: Vec<u8>) {
            match decode(&bytes) {
                Ok(pixels) => prop_assert_eq!(encode(&pixels), bytes),
                Err(error) => prop_assert!(error.0 % RECORD_BYTES != 0),
            }
        }

        #[test]
        fn coalescing_keeps_the_last_write_of_each_place(pixels in pixels(6)) {
            let coalesced: Coalesced = pixels.iter().copied().collect();
            for kept in coalesced.pixels() {
                let last = pixels.iter().rfind(|p| (p.x, p.y) == (kept.x, kept.y));
                prop_assert_eq!(last, Some(kept));
            }
            let places: std::collections::HashSet<_> = pixels.iter().map(|p| (p.x, p.y)).collect();
            prop_assert_eq!(coalesced.len(), places.len());
        }

        #[test]
        fn colours_come_back(bytes: [u8; 3]) {
            let rgb = Rgb::from(bytes);
            prop_assert_eq!(rgb.to_string().parse(), Ok(rgb));
        }
    }

    #[test]
    fn a_record_is_big_endian() {
        let pixel = Pixel::new(0x0102, 0x0304, Rgb::new(5, 6, 7));
        assert_eq!(encode(&[pixel]), [1, 2, 3, 4, 5, 6, 7]);
    }

    #[test]
    fn what_is_no_colour_is_refused() {
        for text in [
            "", "#", "ffffff", "#fffff", "#fffffff", "#ggffff", "#+fffff", "#é1234",
        ] {
            assert!(text.parse::<Rgb>().is_err(), "{text}");
        }
    }
}
