//! Breaking an input.

use rand::Rng;
use rand::rngs::StdRng;
use rand::seq::IndexedRandom;

/// Numbers at which parsers break.
const NUMBERS: &[&str] = &[
    "0",
    "-0",
    "-1",
    "1",
    "00",
    "01",
    "1.0",
    "1e0",
    "1e400",
    "255",
    "256",
    "65535",
    "65536",
    "4294967295",
    "4294967296",
    "9223372036854775807",
    "9223372036854775808",
    "18446744073709551615",
    "18446744073709551616",
    "99999999999999999999999999",
    "NaN",
];
/// Bytes that mean something to somebody.
const BYTES: &[u8] = &[
    0, 1, 0x7f, 0x80, 0xc0, 0xff, b'"', b'\\', b'{', b'[', b'-', b'\n', b'=',
];

/// Breaks `input` in one place; `other` is an input to take pieces from.
pub(crate) fn mutate(input: &mut Vec<u8>, other: &[u8], words: &[&str], random: &mut StdRng) {
    let at = random.random_range(0..=input.len());
    let end = (at + random.random_range(0..=16)).min(input.len());
    match random.random_range(0..10) {
        0 => flip(input, at, random),
        1 => drop(input.splice(at..(at + 1).min(input.len()), [random.random()])),
        2 => drop(input.splice(at..end, BYTES.choose(random).copied())),
        3 => drop(input.drain(at..end)),
        4 => repeat(input, at, end, random),
        5 => insert(input, at, at, words, random),
        6 => insert(input, at, end, words, random),
        7 => replace_number(input, at, random),
        8 => splice(input, at, other, random),
        _ => input.truncate(at),
    }
}

fn flip(input: &mut [u8], at: usize, random: &mut StdRng) {
    if let Some(byte) = input.get_mut(at) {
        *byte ^= 1 << random.random_range(0..8);
    }
}

fn repeat(input: &mut Vec<u8>, at: usize, end: usize, random: &mut StdRng) {
    let piece = input[at..end].repeat(1 << random.random_range(0..6));
    input.splice(at..at, piece);
}

fn insert(input: &mut Vec<u8>, at: usize, end: usize, words: &[&str], random: &mut StdRng) {
    let from = if words.is_empty() { NUMBERS } else { words };
    let word = from.choose(random).copied().unwrap_or_default();
    input.splice(at..end, word.bytes());
}

fn replace_number(input: &mut Vec<u8>, at: usize, random: &mut StdRng) {
    let found = input[at..].iter().position(u8::is_ascii_digit);
    let start = found.map_or(at, |found| at + found);
    let digits = input[start..]
        .iter()
        .take_while(|byte| byte.is_ascii_digit())
        .count();
    let number = NUMBERS.choose(random).copied().unwrap_or_default();
    input.splice(start..start + digits, number.bytes());
}

fn splice(input: &mut Vec<u8>, at: usize, other: &[u8], random: &mut StdRng) {
    let from = random.random_range(0..=other.len());
    input.truncate(at);
    input.extend_from_slice(&other[from..]);
}
