//! Doubts about the table of current colours.
//!
//! A write that was not answered, because it took too long or its sender died, may be done at any
//! later moment, and then overwrite a newer colour. So a save notes which rows it is about to
//! write, and forgets those of which it got an answer while it had the lease; the saves after it
//! look at the others until nothing can change them any more.

use std::sync::LazyLock;
use std::time::Duration;

use super::script::{Script, script_when_full as script};
use super::{Store, StoreError, Token};

static NOTE: LazyLock<Script> = script!("noting doubtful rows", "note_doubt");
static SETTLE: LazyLock<Script> = script!("settling doubtful rows", "settle_doubt");
static DOUBTS: LazyLock<Script> = script!("reading the doubtful rows", "doubts");

/// Rows of the table of current colours that an unanswered write may yet overwrite.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Doubt {
    /// What it is noted under.
    pub name: Token,
    /// How long ago it was noted, before the write began.
    pub age: Duration,
    /// Column and row of each pixel.
    pub places: Vec<(u16, u16)>,
}

impl Store {
    /// Notes that the rows of `places` are in doubt. Answers how many doubts are noted now.
    pub async fn note_doubt(&self, name: &Token, places: &[(u16, u16)]) -> Result<u64, StoreError> {
        let call = NOTE.call().key(self.keys.doubtful());
        self.run(call.arg(name.as_str()).arg(bytes(places))).await
    }

    /// Notes that of the rows in doubt under `name` only those of `left` still are. Answers `false`,
    /// and leaves the doubt as it is, when the save's lease is not that of `token` any more.
    ///
    /// Whoever has the lease has had it since it was taken, so nobody else wrote those rows in the
    /// meantime. Whoever lost it may have written old colours after another save's new ones, however
    /// clearly that was answered.
    pub async fn settle_doubt(
        &self,
        token: &Token,
        name: &Token,
        left: &[(u16, u16)],
    ) -> Result<bool, StoreError> {
        let keys = [self.keys.saving(), self.keys.doubtful()];
        let call = SETTLE.call().keys(keys);
        let call = call.arg(token.as_str()).arg(name.as_str());
        self.run(call.arg(bytes(left))).await
    }

    /// All doubts.
    pub async fn doubts(&self) -> Result<Vec<Doubt>, StoreError> {
        let call = DOUBTS.call().key(self.keys.doubtful());
        let noted: Vec<(String, u64, Vec<u8>)> = self.run(call).await?;
        let doubt = |(name, age, places): (String, u64, Vec<u8>)| Doubt {
            name: Token(name),
            age: Duration::from_millis(age),
            places: places.as_chunks().0.iter().copied().map(place).collect(),
        };
        Ok(noted.into_iter().map(doubt).collect())
    }
}

fn bytes(places: &[(u16, u16)]) -> Vec<u8> {
    let bytes = |&(x, y): &(u16, u16)| [x.to_be_bytes(), y.to_be_bytes()].concat();
    places.iter().flat_map(bytes).collect()
}

fn place([x1, x0, y1, y0]: [u8; 4]) -> (u16, u16) {
    (u16::from_be_bytes([x1, x0]), u16::from_be_bytes([y1, y0]))
}
