//! Reading history.

use super::{Store, StoreError};
use crate::entry::Entry;
use crate::pixel;
use crate::position::Position;

const DOING: &str = "reading history";

/// An entry as Redis answers it: its id, then names and values in turn.
pub(super) type RawEntry = (String, Vec<Vec<u8>>);

/// Reads an entry of the stream.
pub(super) fn entry((id, fields): RawEntry) -> Result<Entry, StoreError> {
    let at = id.parse().map_err(StoreError::position(DOING))?;
    let mut found = Entry {
        at,
        pixels: Vec::new(),
        by: String::new(),
        source: String::new(),
    };
    for [name, value] in fields.as_chunks::<2>().0 {
        let text = || String::from_utf8_lossy(value).into_owned();
        match name.as_slice() {
            b"p" => {
                let unusable = |error| StoreError::answer(DOING, format!("entry {id}: {error}"));
                found.pixels = pixel::decode(value).map_err(unusable)?;
            }
            b"c" => found.by = text(),
            b"i" => found.source = text(),
            _ => {}
        }
    }
    Ok(found)
}

/// What follows a position in history.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct After {
    /// Entries, from the oldest on.
    pub entries: Vec<Entry>,
    /// Whether some that came before them are gone.
    pub gap: bool,
}

impl After {
    /// What `raw` says of what follows `position`, whose own entry it begins with if that is there.
    ///
    /// Nothing has its entry at position `ZERO`; there the `first` position ever must be the first.
    pub(super) fn of(
        position: Position,
        raw: Vec<RawEntry>,
        first: &str,
    ) -> Result<Self, StoreError> {
        let begins_with = |text: &str| raw.first().is_none_or(|(id, _)| id == text);
        let gap = if position == Position::ZERO {
            !first.is_empty() && !begins_with(first)
        } else {
            raw.is_empty() || !begins_with(&position.to_string())
        };
        let entries = raw.into_iter().map(entry).collect::<Result<Vec<_>, _>>()?;
        let entries = entries.into_iter().filter(|entry| entry.at > position);
        Ok(Self {
            entries: entries.collect(),
            gap,
        })
    }
}

impl Store {
    /// The position of the newest change, `ZERO` before the first.
    pub async fn newest(&self) -> Result<Position, StoreError> {
        let mut command = redis::cmd("XREVRANGE");
        command
            .arg(self.keys.history())
            .arg("+")
            .arg("-")
            .arg("COUNT")
            .arg(1);
        let entries: Vec<RawEntry> = self.read("reading the newest position", &command).await?;
        let first = entries.into_iter().next().map(|(id, _)| id.parse());
        first
            .transpose()
            .map(Option::unwrap_or_default)
            .map_err(StoreError::position(DOING))
    }

    /// Position of the newest change before `position`, `ZERO` when there is none.
    pub async fn last_before(&self, position: Position) -> Result<Position, StoreError> {
        let mut command = redis::cmd("XREVRANGE");
        command
            .arg(self.keys.history())
            .arg(format!("({position}"))
            .arg("-");
        command.arg("COUNT").arg(1);
        let entries: Vec<RawEntry> = self.read(DOING, &command).await?;
        let last = entries.into_iter().next().map(|(id, _)| id.parse());
        last.transpose()
            .map(Option::unwrap_or_default)
            .map_err(StoreError::position(DOING))
    }

    /// Up to `max_entries` of the history after `position`, from the oldest on.
    ///
    /// What is saved, sent to everyone and older than [`super::StoreConfig::retain`] may be gone.
    pub async fn read_after(
        &self,
        position: Position,
        max_entries: usize,
    ) -> Result<Vec<Entry>, StoreError> {
        let mut command = redis::cmd("XRANGE");
        command
            .arg(self.keys.history())
            .arg(format!("({position}"))
            .arg("+");
        command.arg("COUNT").arg(max_entries.max(1));
        let entries: Vec<RawEntry> = self.read(DOING, &command).await?;
        entries.into_iter().map(entry).collect()
    }

    /// The same, and whether anything between `position` and the first of them is gone.
    pub async fn follow(
        &self,
        position: Position,
        max_entries: usize,
    ) -> Result<After, StoreError> {
        let mut range = redis::cmd("XRANGE");
        range
            .arg(self.keys.history())
            .arg(position.to_string())
            .arg("+");
        range.arg("COUNT").arg(max_entries.max(1).saturating_add(1));
        let entries: Vec<RawEntry> = self.read(DOING, &range).await?;
        let mut first = None;
        if position == Position::ZERO {
            let mut command = redis::cmd("HGET");
            command.arg(self.keys.meta()).arg("first");
            first = self.read::<Option<String>>(DOING, &command).await?;
        }
        After::of(position, entries, &first.unwrap_or_default())
    }
}
