//! The import of PNG files.

use place_canvas::{Geometry, Picture, png};

use crate::driver::Outcome;
use crate::png_file::{Header, file};

/// Largest picture that is taken.
const MAX_PIXELS: usize = 4096;

pub(crate) const WORDS: &[&str] = &[
    "IHDR",
    "PLTE",
    "tRNS",
    "IDAT",
    "IEND",
    "acTL",
    "fcTL",
    "fdAT",
    "iCCP",
    "zTXt",
    "gAMA",
    "\u{0}\u{0}\u{0}\u{0}",
];

/// Files of our own, and one of every colour type, depth and interlacing, honest or not.
pub(crate) fn seeds() -> Vec<Vec<u8>> {
    let mut seeds: Vec<_> = [2, 5, 200, 600]
        .map(|colors| png::encode(&picture(colors)))
        .to_vec();
    for color in [0, 2, 3, 4, 6] {
        for depth in [1, 2, 4, 8, 16] {
            for interlaced in [0, 1] {
                let header = |width, height| Header {
                    width,
                    height,
                    color,
                    depth,
                    interlaced,
                };
                seeds.push(file(header(9, 7), 7 * 80));
                seeds.push(file(header(64, 64), 40_000));
                seeds.push(file(header(65_535, 65_535), 100));
                seeds.push(file(header(1, u32::MAX), 100));
            }
        }
    }
    seeds
}

fn picture(colors: u32) -> Picture {
    let geometry = Geometry::new(30, 30).expect("the canvas is not empty");
    let color = |n: u32| (n % colors).wrapping_mul(0x00b5_297a).to_be_bytes();
    let rgb = (0..900)
        .flat_map(|n| color(n).into_iter().take(3))
        .collect();
    Picture::from_rgb(geometry, rgb).expect("the samples are as many as the picture takes")
}

pub(crate) fn check(input: &[u8]) -> Outcome {
    match png::decode(input, MAX_PIXELS) {
        Ok(picture) => {
            let geometry = picture.geometry();
            assert!((1..=MAX_PIXELS).contains(&geometry.pixels()));
            assert_eq!(picture.rgb().len(), geometry.bytes());
            // What was read is written and read again without a change.
            assert_eq!(
                png::decode(&png::encode(&picture), MAX_PIXELS).ok(),
                Some(picture)
            );
            let kind = input.get(24..29).map(<[u8]>::to_vec);
            Outcome::accepted((geometry.width() % 16, geometry.height() % 16, kind))
        }
        Err(error) => {
            let source = std::error::Error::source(&error).map(ToString::to_string);
            let text = format!("{error}{source:?}");
            assert!(text.len() < 1000, "an error of {} bytes", text.len());
            let words = text.chars().filter(|c| !c.is_ascii_digit());
            Outcome::refused(words.take(80).collect::<String>())
        }
    }
}
