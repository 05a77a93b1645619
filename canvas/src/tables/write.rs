//! Writing rows in batches.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};

use aws_sdk_dynamodb::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_dynamodb::types::{PutRequest, WriteRequest};
use futures::{StreamExt, TryStreamExt, stream};

use super::backoff::{TRIES, pause};
use super::rows::{Change, Current, Row};
use super::{Tables, TablesError};

/// Rows of one `BatchWriteItem`: DynamoDB's limit.
const BATCH: usize = 25;

const DOING: &str = "writing to";

/// What a write took.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Rows that were written.
    pub rows: u64,
    /// Calls that were made, the repeated ones with them.
    pub calls: u64,
    /// Calls that were repeated because DynamoDB had left rows undone.
    pub retries: u64,
}

impl std::ops::Add for Counts {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self {
            rows: self.rows + other.rows,
            calls: self.calls + other.calls,
            retries: self.retries + other.retries,
        }
    }
}

impl Tables {
    /// Writes changes to the history table. Writing a change again overwrites its row.
    pub async fn post_changes(&self, changes: &[Change]) -> Result<Counts, TablesError> {
        self.post(&self.history, changes).await
    }

    /// Writes pixels to the table of current colours. Where a pixel occurs twice, the later
    /// position is written, and of equal ones the last.
    pub async fn post_pixels(&self, pixels: &[Current]) -> Result<Counts, TablesError> {
        self.post(&self.mru, pixels).await
    }

    async fn post<R: Row + Sync>(&self, table: &str, rows: &[R]) -> Result<Counts, TablesError> {
        let rows = distinct(rows);
        let written = &AtomicU64::new(0);
        let batch = |batch| async move {
            let counts = self.write_batch(table, batch).await?;
            written.fetch_add(counts.rows, Ordering::Relaxed);
            Ok(counts)
        };
        let outcome = stream::iter(rows.chunks(BATCH))
            .map(batch)
            .buffer_unordered(self.in_flight)
            .try_fold(
                Counts::default(),
                |sum, counts| async move { Ok(sum + counts) },
            )
            .await;
        outcome.map_err(|error| match error {
            TablesError::Unprocessed {
                doing,
                table,
                tries,
                ..
            } => {
                let left = rows.len() as u64 - written.load(Ordering::Relaxed);
                TablesError::Unprocessed {
                    doing,
                    table,
                    left,
                    tries,
                }
            }
            other => other,
        })
    }

    async fn write_batch<R: Row>(&self, table: &str, rows: &[&R]) -> Result<Counts, TablesError> {
        let mut requests: Vec<_> = rows.iter().map(|row| put(*row)).collect();
        for tried in 0..TRIES {
            if tried > 0 {
                pause(tried).await;
            }
            requests = self.write_once(table, requests).await?;
            if requests.is_empty() {
                let calls = u64::from(tried) + 1;
                return Ok(Counts {
                    rows: rows.len() as u64,
                    calls,
                    retries: calls - 1,
                });
            }
        }
        let (table, left) = (table.to_owned(), requests.len() as u64);
        Err(TablesError::Unprocessed {
            doing: DOING,
            table,
            left,
            tries: TRIES,
        })
    }

    /// One call; answers what is still to be written.
    async fn write_once(
        &self,
        table: &str,
        requests: Vec<WriteRequest>,
    ) -> Result<Vec<WriteRequest>, TablesError> {
        let call = self
            .client
            .batch_write_item()
            .request_items(table, requests.clone());
        match call.send().await {
            Ok(answer) => {
                let mut left = answer.unprocessed_items.unwrap_or_default();
                Ok(left.remove(table).unwrap_or_default())
            }
            Err(error) if is_throttled(&error) => Ok(requests),
            Err(error) => Err(Self::failed(DOING, table, error)),
        }
    }
}

/// Whether DynamoDB did nothing of a batch because the table, or the account, is too busy.
pub(super) fn is_throttled<E: ProvideErrorMetadata, R>(error: &SdkError<E, R>) -> bool {
    let code = error
        .as_service_error()
        .and_then(ProvideErrorMetadata::code);
    matches!(
        code,
        Some(
            "ProvisionedThroughputExceededException"
                | "ThrottlingException"
                | "RequestLimitExceeded"
        )
    )
}

fn put<R: Row>(row: &R) -> WriteRequest {
    let put = PutRequest::builder().set_item(Some(row.item())).build();
    WriteRequest::builder()
        .put_request(put.expect("a row has attributes"))
        .build()
}

/// The rows without those that another one of the same key replaces, in the order of their keys'
/// first occurrence.
fn distinct<R: Row>(rows: &[R]) -> Vec<&R> {
    let mut kept: Vec<&R> = Vec::with_capacity(rows.len());
    let mut places = HashMap::with_capacity(rows.len());
    for row in rows {
        let place = *places.entry(row.key()).or_insert(kept.len());
        match kept.get_mut(place) {
            None => kept.push(row),
            Some(other) if row.replaces(other) => *other = row,
            Some(_) => {}
        }
    }
    kept
}
