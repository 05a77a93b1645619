//! Writing rows in batches.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};

use aws_sdk_dynamodb::config::Config;
use aws_sdk_dynamodb::config::retry::RetryConfig;
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
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Rows that were written.
    pub rows: u64,
    /// Calls that were made, the repeated ones with them.
    pub calls: u64,
    /// Calls that were repeated because DynamoDB had left rows undone, or had not answered.
    pub retries: u64,
    /// Column and row of the pixels of calls that were repeated because they were not answered
    /// clearly: the first try may be done yet, after anything that is written to those rows later.
    pub doubtful: Vec<(u16, u16)>,
}

impl std::ops::Add for Counts {
    type Output = Self;

    fn add(mut self, other: Self) -> Self {
        self.doubtful.extend(other.doubtful);
        Self {
            rows: self.rows + other.rows,
            calls: self.calls + other.calls,
            retries: self.retries + other.retries,
            doubtful: self.doubtful,
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
        let (mut doubtful, mut unclear) = (Vec::new(), None);
        for tried in 0..TRIES {
            if tried > 0 {
                pause(tried).await;
            }
            requests = match self.write_once(table, requests).await? {
                Written::All => {
                    let calls = u64::from(tried) + 1;
                    return Ok(Counts {
                        rows: rows.len() as u64,
                        calls,
                        retries: calls - 1,
                        doubtful,
                    });
                }
                Written::AllBut(left) => left,
                Written::Unclear(all, error) => {
                    doubtful = rows.iter().map(|row| row.place()).collect();
                    unclear = Some(error);
                    all
                }
            };
        }
        if let Some(error) = unclear {
            return Err(*error);
        }
        let (table, left) = (table.to_owned(), requests.len() as u64);
        Err(TablesError::Unprocessed {
            doing: DOING,
            table,
            left,
            tries: TRIES,
        })
    }

    /// One call, and one try of it: the SDK's own repetitions would hide that a try was not
    /// answered.
    async fn write_once(
        &self,
        table: &str,
        requests: Vec<WriteRequest>,
    ) -> Result<Written, TablesError> {
        let call = self
            .client
            .batch_write_item()
            .request_items(table, requests.clone())
            .customize()
            .config_override(Config::builder().retry_config(RetryConfig::disabled()));
        match call.send().await {
            Ok(answer) => {
                let mut left = answer.unprocessed_items.unwrap_or_default();
                Ok(match left.remove(table) {
                    Some(left) if !left.is_empty() => Written::AllBut(left),
                    _ => Written::All,
                })
            }
            Err(error) if is_throttled(&error) => Ok(Written::AllBut(requests)),
            Err(error) if is_unclear(&error) => {
                let error = Self::failed(DOING, table, error);
                Ok(Written::Unclear(requests, Box::new(error)))
            }
            Err(error) => Err(Self::failed(DOING, table, error)),
        }
    }
}

/// What one call did.
enum Written {
    /// Everything.
    All,
    /// Everything but this.
    AllBut(Vec<WriteRequest>),
    /// This, or a part of it, or nothing, now or later.
    Unclear(Vec<WriteRequest>, Box<TablesError>),
}

/// Whether DynamoDB may have done what was asked for, or may do it yet: it did not answer, or
/// answered that it failed.
fn is_unclear<E>(error: &SdkError<E>) -> bool {
    match error {
        SdkError::TimeoutError(_) | SdkError::DispatchFailure(_) | SdkError::ResponseError(_) => {
            true
        }
        SdkError::ServiceError(answer) => answer.raw().status().is_server_error(),
        _ => false,
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
