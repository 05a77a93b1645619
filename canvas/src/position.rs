//! Positions: Redis stream ids, which order every change ever made to the canvas.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use thiserror::Error;

/// A stream id, `<ms>-<n>`: milliseconds of Redis's clock and a counter within the millisecond.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Position {
    /// Milliseconds since 1970, by Redis's clock.
    pub ms: u64,
    /// Counter of the changes within the millisecond.
    pub n: u64,
}

/// A text that is not a position.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[error("`{0}` is not a position like `1700000000000-0`")]
pub struct PositionError(String);

impl PositionError {
    fn of(text: &str) -> Self {
        // A hostile text may be long; the start of it says enough.
        Self(text.chars().take(80).collect())
    }
}

impl Position {
    /// Before the first change: the position of an untouched canvas.
    pub const ZERO: Self = Self::new(0, 0);

    /// The position `<ms>-<n>`.
    pub const fn new(ms: u64, n: u64) -> Self {
        Self { ms, n }
    }

    /// The smallest position after this one (itself at the very end of all positions).
    #[must_use]
    pub const fn next(self) -> Self {
        match (self.n.checked_add(1), self.ms.checked_add(1)) {
            (Some(n), _) => Self::new(self.ms, n),
            (None, Some(ms)) => Self::new(ms, 0),
            (None, None) => self,
        }
    }

    /// The largest position before this one (itself at the very beginning).
    #[must_use]
    pub const fn previous(self) -> Self {
        match (self.n.checked_sub(1), self.ms.checked_sub(1)) {
            (Some(n), _) => Self::new(self.ms, n),
            (None, Some(ms)) => Self::new(ms, u64::MAX),
            (None, None) => self,
        }
    }

    /// Sort key of the history table for the record `index` of the entry at this position.
    ///
    /// All three numbers are zero-padded, so text order is the order of the changes.
    pub fn sort_key(self, index: usize) -> String {
        format!("{:020}-{:020}-{index:05}", self.ms, self.n)
    }

    /// The position and the record's index of a sort key of the history table.
    pub fn from_sort_key(key: &str) -> Result<(Self, usize), PositionError> {
        let wrong = || PositionError::of(key);
        let mut parts = key.split('-');
        let mut number = |width: usize| {
            let digits = parts.next().filter(|part| part.len() >= width)?;
            let plain = digits.bytes().all(|b| b.is_ascii_digit());
            plain.then(|| digits.parse::<u64>().ok())?
        };
        let (ms, n, index) = (number(20), number(20), number(5));
        let (Some(ms), Some(n), Some(index), None) = (ms, n, index, parts.next()) else {
            return Err(wrong());
        };
        Ok((
            Self::new(ms, n),
            usize::try_from(index).map_err(|_| wrong())?,
        ))
    }
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.ms, self.n)
    }
}

impl FromStr for Position {
    type Err = PositionError;

    /// Reads exactly what `Display` writes: no signs, spaces or leading zeros.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let parsed = text
            .split_once('-')
            .and_then(|(ms, n)| Some(Self::new(canonical(ms)?, canonical(n)?)));
        parsed.ok_or_else(|| PositionError::of(text))
    }
}

fn canonical(digits: &str) -> Option<u64> {
    let plain = digits.bytes().all(|b| b.is_ascii_digit());
    let padded = digits.len() > 1 && digits.starts_with('0');
    (plain && !padded).then(|| digits.parse().ok())?
}

impl Serialize for Position {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Position {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn text_comes_back(ms: u64, n: u64) {
            let position = Position::new(ms, n);
            prop_assert_eq!(position.to_string().parse(), Ok(position));
        }

        #[test]
        fn only_canonical_text_is_read(text in "[0-9+ -]{0,6}|\\PC*") {
            if let Ok(position) = text.parse::<Position>() {
                prop_assert_eq!(position.to_string(), text);
            }
        }

        #[test]
        fn sort_keys_sort_as_positions_do(a: (u64, u64, u16), b: (u64, u64, u16)) {
            let key = |(ms, n, i): (u64, u64, u16)| Position::new(ms, n).sort_key(i.into());
            prop_assert_eq!(key(a).cmp(&key(b)), a.cmp(&b));
            let back = Position::from_sort_key(&key(a));
            prop_assert_eq!(back, Ok((Position::new(a.0, a.1), usize::from(a.2))));
        }

        #[test]
        fn any_sort_key_is_read_or_refused(text: String) {
            let _ = Position::from_sort_key(&text);
        }

        #[test]
        fn next_is_the_next(ms: u64, n: u64) {
            let position = Position::new(ms, n);
            prop_assert!(position.next() > position || position == Position::new(u64::MAX, u64::MAX));
            prop_assert!(position == Position::ZERO || position.previous().next() == position);
        }
    }

    #[test]
    fn what_is_no_position_is_refused() {
        for text in [
            "", "-", "1", "1-", "-1", "+1-0", "1-+0", " 1-0", "1-0 ", "01-0", "1-0-0",
        ] {
            assert!(text.parse::<Position>().is_err(), "{text}");
        }
        assert!("18446744073709551616-0".parse::<Position>().is_err());
        assert_eq!("0-0".parse(), Ok(Position::ZERO));
    }

    #[test]
    fn the_counter_carries_over() {
        assert_eq!(Position::new(4, u64::MAX).next(), Position::new(5, 0));
    }
}
