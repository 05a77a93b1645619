//! Reading single rows: by batches of keys, and one pixel's history.

use std::collections::{BTreeSet, HashMap};

use aws_sdk_dynamodb::types::{AttributeValue, KeysAndAttributes};
use futures::{StreamExt, TryStreamExt, stream};

use super::backoff::{TRIES, pause};
use super::rows::{Current, HistoryRow, Item, current, current_key, history, pixel_name};
use super::write::is_throttled;
use super::{Tables, TablesError, schema};

/// Keys of one `BatchGetItem`: DynamoDB's limit.
const BATCH: usize = 100;

const DOING: &str = "reading from";

impl Tables {
    /// The current colours of the pixels at these places, as far as they have a row.
    ///
    /// The reads are consistent: what was written before is seen.
    pub async fn get(
        &self,
        places: &[(u16, u16)],
    ) -> Result<HashMap<(u16, u16), Current>, TablesError> {
        // A batch with one key twice is refused.
        let places: BTreeSet<_> = places.iter().copied().collect();
        let places: Vec<_> = places.into_iter().collect();
        let rows: Vec<Vec<Current>> = stream::iter(places.chunks(BATCH))
            .map(|batch| self.get_batch(batch))
            .buffer_unordered(self.in_flight)
            .try_collect()
            .await?;
        Ok(rows
            .into_iter()
            .flatten()
            .map(|row| ((row.pixel.x, row.pixel.y), row))
            .collect())
    }

    async fn get_batch(&self, places: &[(u16, u16)]) -> Result<Vec<Current>, TablesError> {
        let mut keys: Vec<Item> = places.iter().map(|&(x, y)| current_key(x, y)).collect();
        let mut found = Vec::with_capacity(keys.len());
        for tried in 0..TRIES {
            if tried > 0 {
                pause(tried).await;
            }
            keys = self.get_once(keys, &mut found).await?;
            if keys.is_empty() {
                return Ok(found);
            }
        }
        let (table, left) = (self.mru.clone(), keys.len() as u64);
        Err(TablesError::Unprocessed {
            doing: DOING,
            table,
            left,
            tries: TRIES,
        })
    }

    /// One call; answers the keys that are still to be read.
    async fn get_once(
        &self,
        keys: Vec<Item>,
        found: &mut Vec<Current>,
    ) -> Result<Vec<Item>, TablesError> {
        let wanted = KeysAndAttributes::builder().set_keys(Some(keys.clone()));
        let wanted = wanted.consistent_read(true).build().expect("keys are set");
        let call = self
            .client
            .batch_get_item()
            .request_items(&self.mru, wanted);
        let answer = match call.send().await {
            Ok(answer) => answer,
            Err(error) if is_throttled(&error) => return Ok(keys),
            Err(error) => return Err(Self::failed(DOING, &self.mru, error)),
        };
        let items = answer.responses.unwrap_or_default().remove(&self.mru);
        for item in items.unwrap_or_default() {
            found.push(current(&item).map_err(|detail| Self::bad_row(&self.mru, detail))?);
        }
        let left = answer
            .unprocessed_keys
            .unwrap_or_default()
            .remove(&self.mru);
        Ok(left.map(|left| left.keys).unwrap_or_default())
    }

    /// The last `limit` changes of the pixel at `x`, `y`, the newest first; all of them without a
    /// limit.
    pub async fn history_of(
        &self,
        x: u16,
        y: u16,
        limit: Option<usize>,
    ) -> Result<Vec<HistoryRow>, TablesError> {
        let mut rows = Vec::new();
        let mut start = None;
        loop {
            let wanted = limit.map(|limit| limit.saturating_sub(rows.len()));
            if wanted == Some(0) {
                return Ok(rows);
            }
            let (items, next) = self.history_page(x, y, wanted, start).await?;
            for item in &items {
                rows.push(history(item).map_err(|detail| Self::bad_row(&self.history, detail))?);
            }
            start = next;
            if start.is_none() {
                return Ok(rows);
            }
        }
    }

    async fn history_page(
        &self,
        x: u16,
        y: u16,
        wanted: Option<usize>,
        start: Option<Item>,
    ) -> Result<(Vec<Item>, Option<Item>), TablesError> {
        let query = self
            .client
            .query()
            .table_name(&self.history)
            .consistent_read(true);
        let answer = query
            .key_condition_expression("#pixel = :pixel")
            .expression_attribute_names("#pixel", schema::PIXEL)
            .expression_attribute_values(":pixel", AttributeValue::S(pixel_name(x, y)))
            .scan_index_forward(false)
            .set_limit(wanted.map(|wanted| i32::try_from(wanted).unwrap_or(i32::MAX)))
            .set_exclusive_start_key(start)
            .send()
            .await
            .map_err(|error| Self::failed(DOING, &self.history, error))?;
        let next = answer.last_evaluated_key.filter(|key| !key.is_empty());
        Ok((answer.items.unwrap_or_default(), next))
    }

    pub(super) fn bad_row(table: &str, detail: String) -> TablesError {
        TablesError::Row {
            table: table.to_owned(),
            detail,
        }
    }
}
