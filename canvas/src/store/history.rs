//! Reading history.

use std::sync::LazyLock;

use super::script::{Script, script_when_full as script};
use super::{Store, StoreError};
use crate::entry::Entry;
use crate::pixel;
use crate::position::Position;

static FOLLOW: LazyLock<Script> = script!("reading history", "follow");

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
        player: String::new(),
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
            b"u" => found.player = text(),
            _ => {}
        }
    }
    if found.player.is_empty() {
        found.player.clone_from(&found.source);
    }
    Ok(found)
}

/// What follows a position in history.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct After {
    /// Entries, from the oldest on.
    pub entries: Vec<Entry>,
    /// Whether some that came before them are gone, or are of another canvas.
    pub gap: bool,
}

impl After {
    /// What `raw` says of what follows `position`, whose own entry it begins with if that is there.
    ///
    /// The canvas was opened at `first`: whoever is before that may have its entry there, and shows
    /// another canvas all the same.
    pub(super) fn of(
        position: Position,
        raw: Vec<RawEntry>,
        first: &str,
    ) -> Result<Self, StoreError> {
        let is_there = raw
            .first()
            .is_some_and(|(id, _)| *id == position.to_string());
        let gap = match first {
            // Nobody has opened the canvas yet, so nobody has missed anything.
            "" if position == Position::ZERO => false,
            "" => !is_there,
            first => !is_there || position < first.parse().map_err(StoreError::position(DOING))?,
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

    /// The same, and whether anything between `position` and the first of them is gone, or the canvas
    /// was opened anew after `position`.
    pub async fn follow(
        &self,
        position: Position,
        max_entries: usize,
    ) -> Result<After, StoreError> {
        let call = FOLLOW
            .call()
            .keys([self.keys.history(), self.keys.meta()])
            .arg(position.to_string())
            .arg(max_entries.max(1));
        let (entries, first): (Vec<RawEntry>, String) = self.run(call).await?;
        After::of(position, entries, &first)
    }
}
