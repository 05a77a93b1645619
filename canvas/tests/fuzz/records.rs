//! The codec of pixel records, and what is made of records: pictures and update frames.

use std::collections::BTreeMap;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use place_canvas::pixel::{decode, encode};
use place_canvas::wire::{ServerFrame, update_frames};
use place_canvas::{Coalesced, Entry, Geometry, Picture, Pixel, Position, RECORD_BYTES, Rgb};

use crate::driver::Outcome;

const SIDE: u16 = 24;
const FRAME_BYTES: usize = 600;

pub(crate) fn seeds() -> Vec<Vec<u8>> {
    let pixel = |n: u16| Pixel::new(n % 30, n % 7, Rgb::new(1, 2, 3));
    [0, 1, 2, 40, 300]
        .map(|count| encode(&(0..count).map(pixel).collect::<Vec<_>>()))
        .to_vec()
}

pub(crate) fn check(input: &[u8]) -> Outcome {
    let Ok(pixels) = decode(input) else {
        assert_ne!(input.len() % RECORD_BYTES, 0);
        return Outcome::refused(input.len() % RECORD_BYTES);
    };
    assert_eq!(pixels.len() * RECORD_BYTES, input.len());
    assert_eq!(encode(&pixels), input);
    let last: BTreeMap<_, _> = pixels
        .iter()
        .map(|pixel| ((pixel.x, pixel.y), *pixel))
        .collect();
    let mut coalesced = pixels.iter().copied().collect::<Coalesced>().into_pixels();
    coalesced.sort_unstable_by_key(|pixel| (pixel.x, pixel.y));
    assert!(coalesced.iter().eq(last.values()));
    let painted = painted(&pixels);
    check_frames(&pixels, &painted);
    Outcome::accepted((pixels.len(), coalesced.len()))
}

/// The picture that the pixels leave on white; those outside leave nothing.
fn painted(pixels: &[Pixel]) -> Picture {
    let mut picture = white();
    let inside = pixels
        .iter()
        .filter(|pixel| pixel.x < SIDE && pixel.y < SIDE);
    assert_eq!(picture.apply(pixels), inside.count());
    picture
}

fn white() -> Picture {
    let geometry = Geometry::new(SIDE, SIDE).expect("the canvas is not empty");
    Picture::new(geometry, Rgb::WHITE)
}

/// Sent in update frames, the pixels leave the same picture.
fn check_frames(pixels: &[Pixel], painted: &Picture) {
    let entries: Vec<Entry> = pixels.chunks(5).zip(1..).map(entry).collect();
    let (mut shown, mut held) = (white(), Position::ZERO);
    for update in update_frames(Position::ZERO, &entries, FRAME_BYTES) {
        assert!(update.text.len() <= FRAME_BYTES);
        let Ok(ServerFrame::Update { from, at, data }) = ServerFrame::parse(&update.text) else {
            panic!("no update: {}", update.text);
        };
        assert_eq!((from, at), (held, update.at));
        let records = STANDARD.decode(data).expect("an update's data is base64");
        shown.apply(&decode(&records).expect("an update's data are records"));
        held = at;
    }
    assert_eq!(
        held,
        entries.last().map_or(Position::ZERO, |entry| entry.at)
    );
    assert_eq!(&shown, painted);
}

fn entry((pixels, ms): (&[Pixel], u64)) -> Entry {
    Entry {
        at: Position::new(ms, 0),
        pixels: pixels.to_vec(),
        by: String::new(),
        source: String::new(),
        player: String::new(),
    }
}
