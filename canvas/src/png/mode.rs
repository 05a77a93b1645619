//! How rows are filtered and compressed: chosen by trying each way on a part of the picture.
//!
//! Bytes are paid for each newcomer, time once a second, and a function of 512 MB has a third of a
//! core. Measured on one core of an AMD EPYC with png 0.18.1 and zlib-rs 0.6.8 on 2026-11-28 (the
//! functions take three times as long; `make bench-place` measures what comes of it):
//!
//! | 1000 x 1000 | level 1 | 3 | 4 | 5 | 6 | 9 |
//! |---|---|---|---|---|---|---|
//! | 32 colours, palette | 7 ms, 487 KB | 13, 316 | 23, 310 | 26, 305 | 34, 303 | 103, 299 |
//! | the same and 256 others, unfiltered | 11 ms, 795 KB | 29, 464 | 42, 429 | 48, 416 | 79, 402 | 269, 387 |
//! | the same, filtered row by row | 14 ms, 1033 KB | 41, 763 | 46, 748 | 49, 737 | 62, 735 | 367, 689 |
//! | a photograph, unfiltered | 39 ms, 3092 KB | 79, 2825 | 79, 2825 | 84, 2825 | 84, 2825 | 99, 2683 |
//! | the same, filtered row by row | 28 ms, 2285 KB | 80, 1439 | 92, 1436 | 99, 1436 | 101, 1436 | 382, 1450 |
//! | the same with `fdeflate` | 11 ms, 1470 KB | | | | | |
//! | noise | 49 ms, 3165 KB | 97, 3002 | 73, 3002 | 78, 3002 | 80, 3002 | 117, 3002 |
//!
//! So what people painted is compressed unfiltered, in true colour too, a photograph is filtered,
//! and noise is stored. Level 6 is where a further step costs more than it saves; larger pictures
//! get lower levels, so that their time stays within a second or so.

use std::iter::once;

use png::{DeflateCompression, Encoder, EncodingError, Filter};

use super::encode::Source;

/// Pixels that every way is tried on, about: a sixteenth of a canvas of 1000 x 1000.
const SAMPLE_PIXELS: usize = 1 << 16;
/// The parts of the picture that they come from.
const BANDS: usize = 8;

/// A way of writing rows.
#[derive(Clone, Copy, Debug)]
pub(super) struct Mode {
    filter: Filter,
    compression: DeflateCompression,
}

/// As they are.
const STORED: Mode = Mode {
    filter: Filter::NoFilter,
    compression: DeflateCompression::NoCompression,
};

impl Mode {
    /// Tells the encoder.
    pub(super) fn set<W: std::io::Write>(self, encoder: &mut Encoder<'_, W>) {
        encoder.set_filter(self.filter);
        encoder.set_deflate_compression(self.compression);
    }
}

/// The ways that may be the best one, quick ones first.
fn candidates(source: &Source<'_>) -> Vec<Mode> {
    let compression = DeflateCompression::Level(level(source.width() * source.height()));
    // Palette numbers that are next to one another say nothing of each other, so a filter that
    // subtracts neighbours only makes the rows harder to compress.
    let unfiltered = Mode {
        filter: Filter::NoFilter,
        compression,
    };
    if source.is_indexed() {
        return vec![unfiltered];
    }
    let filter = Filter::Adaptive;
    let quick = Mode {
        filter,
        compression: DeflateCompression::FdeflateUltraFast,
    };
    let filtered = Mode {
        filter,
        compression,
    };
    vec![quick, filtered, unfiltered]
}

/// The level of a picture of so many pixels.
const fn level(pixels: usize) -> u8 {
    match pixels {
        0..=1_500_000 => 6,
        1_500_001..=5_000_000 => 5,
        5_000_001..=20_000_000 => 3,
        _ => 2,
    }
}

/// The PNG file of the picture, written in the way that makes the best of a part of it.
pub(super) fn best(source: &Source<'_>) -> Result<Vec<u8>, EncodingError> {
    let height = source.height();
    let file = source.write(choose(source)?, height, 0..height)?;
    // The part may have been smooth and the rest noise, which some ways make longer.
    let stored = source.raw_bytes(height);
    if file.len() > stored + stored / 64 + 1024 {
        return source.write(STORED, height, 0..height);
    }
    Ok(file)
}

fn choose(source: &Source<'_>) -> Result<Mode, EncodingError> {
    let rows = sample(source.width(), source.height());
    let tried = |mode| source.write(mode, rows.len(), rows.iter().copied());
    let mut chosen = (STORED, tried(STORED)?.len());
    for mode in candidates(source) {
        let bytes = tried(mode)?.len();
        // A slower way must save 3 %.
        if bytes + bytes / 32 < chosen.1 {
            chosen = (mode, bytes);
        }
    }
    Ok(chosen.0)
}

/// Rows of bands that lie evenly over the picture; all of a small picture.
fn sample(width: usize, height: usize) -> Vec<usize> {
    let rows = (SAMPLE_PIXELS / width / BANDS).max(1);
    if rows * BANDS >= height {
        return (0..height).collect();
    }
    let spare = height - rows;
    let starts = (0..BANDS - 1).map(|band| spare * band / (BANDS - 1));
    starts
        .chain(once(spare))
        .flat_map(|start| start..start + rows)
        .collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::encode::encode;
    use super::super::tests::bands;
    use super::*;

    proptest! {
        #[test]
        fn a_sample_is_rows_of_the_picture_in_their_order(
            width in 1_usize..=65_535,
            height in 1_usize..=65_535,
        ) {
            let rows = sample(width, height);
            prop_assert!(!rows.is_empty());
            prop_assert!(rows.iter().all(|row| *row < height));
            prop_assert!(rows.is_sorted_by(|a, b| a < b));
            prop_assert!(rows.len() * width <= SAMPLE_PIXELS + BANDS * width);
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(12))]

        /// What the quicker way may cost is 3 %; the rest is what a part of the picture doesn't
        /// know of the others.
        #[test]
        fn no_other_way_is_much_shorter(
            width in 100_u16..500,
            height in 300_u16..400,
            looks in proptest::collection::vec(0_u8..3, 1..5),
        ) {
            let picture = bands(width, height, &looks);
            let file = encode(&picture).len();
            let source = Source::of(&picture, None);
            for mode in candidates(&source).into_iter().chain([STORED]) {
                let rows = 0..source.height();
                let other = source.write(mode, source.height(), rows).unwrap().len();
                prop_assert!(file <= other + other / 12 + 1024, "{file}, {mode:?} {other}");
            }
        }
    }
}
