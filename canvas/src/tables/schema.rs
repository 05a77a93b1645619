//! The tables' keys: all of them are texts (DynamoDB's type `S`).

/// The attribute that names a pixel, "x y": partition key of both tables.
pub const PIXEL: &str = "pixel";
/// The attribute with the position: sort key of the history table.
pub const TIME: &str = "t";
/// The attribute with the colour, "r g b".
pub const RGB: &str = "rgb";
/// The attribute with the painter's connection id.
pub const BY: &str = "by";
/// The attribute with the player's short name.
pub const PLAYER: &str = "u";
/// The attribute with the salted hash of the painter's address.
pub const SOURCE: &str = "i";

/// The attribute that says which part of the journal it is: an hour, or [`STATE`]. Partition key of
/// the journal.
pub const HOUR: &str = "hour";
/// The attribute with a segment's first and last position, or the name of a state: sort key of the
/// journal.
pub const POSITIONS: &str = "positions";
/// The partition of the journal that keeps what must outlive the cache.
pub const STATE: &str = "state";

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

/// Key schema of the journal.
pub const fn journal() -> [(&'static str, KeyKind); 2] {
    [(HOUR, KeyKind::Partition), (POSITIONS, KeyKind::Sort)]
}

/// Key schema of the history table.
pub const fn history() -> [(&'static str, KeyKind); 2] {
    [(PIXEL, KeyKind::Partition), (TIME, KeyKind::Sort)]
}
