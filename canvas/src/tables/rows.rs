//! Rows and their attributes.

use std::collections::HashMap;
use std::str::FromStr;

use aws_sdk_dynamodb::types::AttributeValue;

use super::schema::{BY, PIXEL, PLAYER, RGB, SOURCE, TIME};
use crate::entry::Entry;
use crate::pixel::{Pixel, Rgb};
use crate::position::Position;

/// A row as the SDK has it.
pub(super) type Item = HashMap<String, AttributeValue>;

/// A row of the history table: one change of one pixel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// Position of the entry that it is part of.
    pub at: Position,
    /// Its number in the entry, from 0.
    pub index: usize,
    /// What was painted.
    pub pixel: Pixel,
    /// Connection id of the painter.
    pub by: String,
    /// Short name of the player.
    pub player: String,
    /// Salted hash of the painter's address.
    pub source: String,
}

impl Change {
    /// All changes of an entry of history.
    pub fn of(entry: &Entry) -> impl Iterator<Item = Self> + '_ {
        let change = |(index, pixel): (usize, &Pixel)| Self {
            at: entry.at,
            index,
            pixel: *pixel,
            by: entry.by.clone(),
            player: entry.player.clone(),
            source: entry.source.clone(),
        };
        entry.pixels.iter().enumerate().map(change)
    }
}

/// A row of the table of current colours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Current {
    /// The pixel and its colour.
    pub pixel: Pixel,
    /// Position of the change that gave it the colour, or of the whole picture.
    pub at: Position,
}

/// What the history table says of one change of a pixel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HistoryRow {
    /// Position of the entry that it was part of.
    pub at: Position,
    /// Its number in the entry.
    pub index: usize,
    /// The colour that was painted.
    pub rgb: Rgb,
    /// Connection id of the painter.
    pub by: String,
    /// Short name of the player; empty in rows of before there were any.
    pub player: String,
}

/// What can be written to a table.
pub(super) trait Row {
    /// What no two rows of the table share.
    type Key: Eq + std::hash::Hash;

    fn key(&self) -> Self::Key;
    /// Column and row of the pixel.
    fn place(&self) -> (u16, u16);
    fn item(&self) -> Item;
    /// Whether this row is to be written rather than `other`, which has the same key.
    fn replaces(&self, other: &Self) -> bool;
}

impl Row for Change {
    type Key = (Position, usize, u16, u16);

    fn key(&self) -> Self::Key {
        (self.at, self.index, self.pixel.x, self.pixel.y)
    }

    fn place(&self) -> (u16, u16) {
        (self.pixel.x, self.pixel.y)
    }

    fn item(&self) -> Item {
        Item::from([
            text(PIXEL, pixel_name(self.pixel.x, self.pixel.y)),
            text(TIME, self.at.sort_key(self.index)),
            text(RGB, color_name(self.pixel.rgb)),
            text(BY, self.by.clone()),
            text(PLAYER, self.player.clone()),
            text(SOURCE, self.source.clone()),
        ])
    }

    fn replaces(&self, _: &Self) -> bool {
        true
    }
}

impl Row for Current {
    type Key = (u16, u16);

    fn key(&self) -> Self::Key {
        self.place()
    }

    fn place(&self) -> (u16, u16) {
        (self.pixel.x, self.pixel.y)
    }

    fn item(&self) -> Item {
        Item::from([
            text(PIXEL, pixel_name(self.pixel.x, self.pixel.y)),
            text(TIME, self.at.to_string()),
            text(RGB, color_name(self.pixel.rgb)),
        ])
    }

    fn replaces(&self, other: &Self) -> bool {
        self.at >= other.at
    }
}

/// The key of a pixel's row in the table of current colours.
pub(super) fn current_key(x: u16, y: u16) -> Item {
    Item::from([text(PIXEL, pixel_name(x, y))])
}

/// Reads a row of the table of current colours; the error says what is wrong.
pub(super) fn current(item: &Item) -> Result<Current, String> {
    let [x, y] = numbers(read(item, PIXEL)?)?;
    let rgb = color(item)?;
    let at = read(item, TIME)?
        .parse()
        .map_err(|error| format!("`{TIME}`: {error}"))?;
    Ok(Current {
        pixel: Pixel::new(x, y, rgb),
        at,
    })
}

/// Reads a row of the history table; the error says what is wrong.
pub(super) fn history(item: &Item) -> Result<HistoryRow, String> {
    let rgb = color(item)?;
    let key = Position::from_sort_key(read(item, TIME)?);
    let (at, index) = key.map_err(|error| format!("`{TIME}`: {error}"))?;
    let by = read(item, BY)?.to_owned();
    let player = read(item, PLAYER).unwrap_or_default().to_owned();
    Ok(HistoryRow {
        at,
        index,
        rgb,
        by,
        player,
    })
}

/// "x y".
pub(super) fn pixel_name(x: u16, y: u16) -> String {
    format!("{x} {y}")
}

fn color_name(Rgb { r, g, b }: Rgb) -> String {
    format!("{r} {g} {b}")
}

fn color(item: &Item) -> Result<Rgb, String> {
    numbers(read(item, RGB)?).map(|rgb: [u8; 3]| Rgb::from(rgb))
}

pub(super) fn text(name: &str, value: String) -> (String, AttributeValue) {
    (name.to_owned(), AttributeValue::S(value))
}

pub(super) fn read<'a>(item: &'a Item, name: &str) -> Result<&'a str, String> {
    let value = item
        .get(name)
        .ok_or_else(|| format!("`{name}` is missing"))?;
    value
        .as_s()
        .map(String::as_str)
        .map_err(|_| format!("`{name}` is no text"))
}

fn numbers<T: FromStr, const N: usize>(text: &str) -> Result<[T; N], String> {
    let parsed: Option<Vec<T>> = text.split(' ').map(|part| part.parse().ok()).collect();
    let parsed = parsed.and_then(|numbers| numbers.try_into().ok());
    parsed.ok_or_else(|| format!("`{text}` is not {N} numbers in range"))
}
