//! The tables' keys: all of them are texts (DynamoDB's type `S`).

/// The attribute that names a pixel, "x y": partition key of both tables.
pub const PIXEL: &str = "pixel";
/// The attribute with the position: sort key of the history table.
pub const TIME: &str = "t";
/// The attribute with the colour, "r g b".
pub const RGB: &str = "rgb";
/// The attribute with the painter's connection id.
pub const BY: &str = "by";

/// What a key attribute is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyKind {
    /// Partition key (`HASH`).
    Partition,
    /// Sort key (`RANGE`).
    Sort,
}

/// Key schema of the table of current colours.
pub const fn mru() -> [(&'static str, KeyKind); 1] {
    [(PIXEL, KeyKind::Partition)]
}

/// Key schema of the history table.
pub const fn history() -> [(&'static str, KeyKind); 2] {
    [(PIXEL, KeyKind::Partition), (TIME, KeyKind::Sort)]
}
