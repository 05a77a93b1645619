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
}
