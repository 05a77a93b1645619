//! What must outlive the cache: one row of the journal.

use std::collections::HashMap;

use aws_sdk_dynamodb::error::SdkError;
use aws_sdk_dynamodb::operation::put_item::PutItemError;
use aws_sdk_dynamodb::types::AttributeValue;

use super::backoff::{TRIES, pause};
use super::rows::{Item, read, text};
use super::write::is_throttled;
use super::{Tables, TablesError, schema};
use crate::geometry::Geometry;
use crate::pixel::Rgb;
use crate::position::Position;

/// Name of the row, its sort key.
const CANVAS: &str = "canvas";
const POSITION: &str = "position";
const SALT: &str = "salt";
const SIZE: &str = "size";
const BACKGROUND: &str = "background";
const FILLED: &str = "filled";
const FILLING: &str = "filling";
const WRITTEN: &str = "written";

/// What the tables know of the canvas beside its pixels.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct State {
    /// No row of the other tables is of a change after this position. It is an entry of the cache's
    /// history, so a cache that does not hold the entry has lost some that are saved.
    pub position: Position,
    /// What addresses and players are hashed with: they keep their hashes in a new cache.
    pub salt: String,
    /// Size of the canvas that the rows are of.
    pub geometry: Geometry,
    /// Colour of the pixels that have no row.
    pub background: Rgb,
    /// The table of current colours that holds all that was saved, by its [`Tables::table_id`].
    /// Another id than that of the table means that the table was made anew since.
    pub filled: Option<String>,
    /// The table that is being filled.
    pub filling: Option<Filling>,
}

/// How far a table of current colours that was made anew has got.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Filling {
    /// Its [`Tables::table_id`].
    pub table: String,
    /// Pixels of the canvas, row by row, that need not be written any more.
    pub written: u64,
}

/// What came of storing a state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stored {
    /// It is there.
    Yes,
    /// A state of a later position is there.
    Outdated,
}

impl State {
    /// How many pixels, row by row, this table of current colours holds already; nothing when it
    /// holds all that was saved.
    pub fn lacks(&self, table: &str) -> Option<u64> {
        if self.filled.as_deref() == Some(table) {
            return None;
        }
        let filling = self.filling.as_ref();
        let filling = filling.filter(|filling| filling.table == table);
        Some(filling.map_or(0, |filling| filling.written))
    }
}

impl Tables {
    /// The id of the table of current colours: `TableId`, of which DynamoDB gives each table that is
    /// made another one, whatever the table's name. `None` when there is no such table, or no
    /// journal to compare the id with.
    pub async fn table_id(&self) -> Result<Option<String>, TablesError> {
        if self.journal.is_none() {
            return Ok(None);
        }
        let answer = self.client.describe_table().table_name(&self.mru).send();
        let answer = answer.await;
        let answer = answer.map_err(|error| Self::failed("describing", &self.mru, error))?;
        Ok(answer.table.and_then(|table| table.table_id))
    }

    /// The stored state, if there is one. The read is consistent.
    pub async fn state(&self) -> Result<Option<State>, TablesError> {
        let Some(journal) = &self.journal else {
            return Ok(None);
        };
        let get = self
            .client
            .get_item()
            .table_name(journal)
            .set_key(Some(key()))
            .consistent_read(true);
        let answer = get.send().await;
        let answer = answer.map_err(|error| Self::failed("reading from", journal, error))?;
        let state = answer.item.as_ref().map(state).transpose();
        state.map_err(|detail| Self::bad_row(journal, detail))
    }

    /// Stores a state, unless the one that is stored is of a later position.
    pub async fn store_state(&self, state: &State) -> Result<Stored, TablesError> {
        let Some(journal) = &self.journal else {
            return Ok(Stored::Yes);
        };
        let put = self
            .client
            .put_item()
            .table_name(journal)
            .set_item(Some(item(state)))
            .condition_expression("attribute_not_exists(#at) OR #at <= :at")
            .expression_attribute_names("#at", POSITION)
            .expression_attribute_values(":at", AttributeValue::S(sortable(state.position)));
        for tried in 1.. {
            match put.clone().send().await {
                Ok(_) => return Ok(Stored::Yes),
                Err(error) if is_refused(&error) => return Ok(Stored::Outdated),
                Err(error) if is_throttled(&error) && tried < TRIES => pause(tried).await,
                Err(error) => return Err(Self::failed("writing to", journal, error)),
            }
        }
        unreachable!("the last try returns")
    }
}

fn is_refused(error: &SdkError<PutItemError>) -> bool {
    error
        .as_service_error()
        .is_some_and(PutItemError::is_conditional_check_failed_exception)
}

fn key() -> Item {
    HashMap::from([
        text(schema::HOUR, schema::STATE.to_owned()),
        text(schema::POSITIONS, CANVAS.to_owned()),
    ])
}

/// A position as text that sorts as positions do.
fn sortable(Position { ms, n }: Position) -> String {
    format!("{ms:020}-{n:020}")
}

fn item(state: &State) -> Item {
    let mut item = key();
    item.extend([
        text(POSITION, sortable(state.position)),
        text(SALT, state.salt.clone()),
        text(SIZE, state.geometry.to_string()),
        text(BACKGROUND, state.background.to_string()),
    ]);
    item.extend(state.filled.clone().map(|table| text(FILLED, table)));
    if let Some(Filling { table, written }) = &state.filling {
        item.extend([
            text(FILLING, table.clone()),
            text(WRITTEN, written.to_string()),
        ]);
    }
    item
}

fn state(item: &Item) -> Result<State, String> {
    let position = position(read(item, POSITION)?)?;
    let size = read(item, SIZE)?;
    let geometry = size
        .split_once(" x ")
        .and_then(|(width, height)| Geometry::new(width.parse().ok()?, height.parse().ok()?).ok());
    let background = read(item, BACKGROUND)?.parse();
    let some = |name| read(item, name).ok().map(str::to_owned);
    let written = read(item, WRITTEN).ok().and_then(|text| text.parse().ok());
    let filling = some(FILLING).zip(written);
    Ok(State {
        position,
        salt: read(item, SALT)?.to_owned(),
        geometry: geometry.ok_or_else(|| format!("`{SIZE}` is `{size}`"))?,
        background: background.map_err(|error| format!("`{BACKGROUND}`: {error}"))?,
        filled: some(FILLED),
        filling: filling.map(|(table, written)| Filling { table, written }),
    })
}

fn position(text: &str) -> Result<Position, String> {
    let parsed = text
        .split_once('-')
        .and_then(|(ms, n)| Some(Position::new(ms.parse().ok()?, n.parse().ok()?)));
    parsed.ok_or_else(|| format!("`{POSITION}` is `{text}`"))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_state_comes_back_from_its_row(
            (ms, n, w, h) in (any::<u64>(), any::<u64>(), 1_u16.., 1_u16..),
            filled in proptest::option::of("[a-z0-9-]{1,9}"),
            filling in proptest::option::of(("[a-z0-9-]{1,9}", any::<u64>())),
        ) {
            let stored = State {
                position: Position::new(ms, n),
                salt: "abc".into(),
                geometry: Geometry::new(w, h).unwrap(),
                background: Rgb::new(1, 2, 3),
                filled,
                filling: filling.map(|(table, written)| Filling { table, written }),
            };
            prop_assert_eq!(state(&item(&stored)), Ok(stored));
        }
    }

    #[test]
    fn a_table_lacks_what_was_saved_to_another_one() {
        let mut stored = State {
            position: Position::ZERO,
            salt: "abc".into(),
            geometry: Geometry::new(1, 1).unwrap(),
            background: Rgb::WHITE,
            filled: Some("old".into()),
            filling: None,
        };
        assert_eq!((stored.lacks("old"), stored.lacks("new")), (None, Some(0)));
        let table = "new".to_owned();
        stored.filling = Some(Filling { table, written: 7 });
        assert_eq!(
            (stored.lacks("new"), stored.lacks("newer")),
            (Some(7), Some(0))
        );
    }

    #[test]
    fn a_row_of_another_form_is_refused() {
        let mut item = key();
        assert_eq!(state(&item), Err("`position` is missing".to_owned()));
        item.extend([text(POSITION, "7".to_owned())]);
        assert_eq!(state(&item), Err("`position` is `7`".to_owned()));
    }
}
