//! The operator lease: one `up`, `deploy` or `teardown` of a stack at a time.
//!
//! One row in a small table of the stack's own. It ends a minute after its holder stopped to renew
//! it, and at once when the holder was a process of this machine that is gone.

use std::time::Duration;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::operation::put_item::PutItemError;
use aws_sdk_dynamodb::types::{AttributeValue, ReturnValuesOnConditionCheckFailure};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::{Instant, MissedTickBehavior};

use super::classify::{Answer, AwsError, AwsResult, Class};
use super::holder::{EXPIRES, Holder, Row, TOKEN, milliseconds, now};
use super::lease_table::{KEY, LeaseTable, ROW};
use crate::engine::Failure;

/// How long the lease outlives its holder.
const LENGTH: Duration = Duration::from_mins(1);

/// How often its holder renews it.
const RENEWED_EVERY: Duration = Duration::from_secs(15);

/// Why there is no lease.
#[derive(Debug, thiserror::Error)]
pub(crate) enum LeaseError {
    /// Somebody else holds it.
    #[error("{0}")]
    Held(Holder),
    /// It could not be asked for.
    #[error(transparent)]
    Failure(#[from] Failure),
}

/// A lease that is held, and renewed in the background until it is released or dropped.
#[derive(Debug)]
pub(crate) struct Lease {
    client: Client,
    table: String,
    token: String,
    renewal: JoinHandle<()>,
    lost: watch::Receiver<bool>,
    /// Somebody else held it until a moment ago: what was seen before may not be so any more.
    pub(crate) succeeds: bool,
}

impl Lease {
    /// Turns true when the lease could not be renewed in time, so that somebody else may hold it.
    pub(crate) fn lost(&self) -> watch::Receiver<bool> {
        self.lost.clone()
    }

    /// Lets it run out: what it guards is about to go, and its table with it.
    pub(crate) fn stop_renewing(&self) {
        self.renewal.abort();
    }

    /// Gives it back. A lease that is somebody else's by now, or a table that is gone, is left
    /// alone.
    pub(crate) async fn release(self) -> Result<(), Failure> {
        self.renewal.abort();
        let call = self.client.delete_item().table_name(&self.table);
        let call = call.key(KEY, AttributeValue::S(ROW.to_owned()));
        let call = call.condition_expression("#token = :token");
        let call = call.expression_attribute_names("#token", TOKEN);
        let token = AttributeValue::S(self.token.clone());
        let answer = call
            .expression_attribute_values(":token", token)
            .send()
            .await;
        match answer.during("dynamodb:DeleteItem").absent_as_none() {
            Err(error) if !is_another_s(&error) => Err(error.failure("releasing the lease")),
            _ => Ok(()),
        }
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        self.renewal.abort();
    }
}

impl LeaseTable<'_> {
    /// Takes the lease for `command`, creating the table where there is none yet.
    pub(crate) async fn acquire(&self, command: &str) -> Result<Lease, LeaseError> {
        loop {
            if let Some(lease) = self.acquire_if_there(command).await? {
                return Ok(lease);
            }
            self.create().await?;
        }
    }

    /// Takes the lease for `command`; `None` where there is no table, so that there is nothing of
    /// the stack to guard, or it was all but removed.
    pub(crate) async fn acquire_if_there(
        &self,
        command: &str,
    ) -> Result<Option<Lease>, LeaseError> {
        if !self.is_usable().await? {
            return Ok(None);
        }
        let holder = Holder::this_process(command, LENGTH);
        let mut taken = self.take(&holder, None).await;
        let mut succeeds = false;
        if let Err(LeaseError::Held(other)) = &taken
            && other.is_dead()
        {
            taken = self.take(&holder, Some(&other.token)).await;
            succeeds = true;
        }
        Ok(taken?.then(|| self.hold(holder, succeeds)))
    }

    /// Writes the row if there is none, if it has run out, or if it is `dead`'s. False where there
    /// is no table.
    async fn take(&self, holder: &Holder, dead: Option<&str>) -> Result<bool, LeaseError> {
        let mut row = holder.to_row();
        row.insert(KEY.to_owned(), AttributeValue::S(ROW.to_owned()));
        let free = "attribute_not_exists(#key) OR #expires < :now OR #token IN (:own, :dead)";
        let call = self
            .client()
            .put_item()
            .table_name(self.name())
            .set_item(Some(row));
        let call = call.condition_expression(free);
        let call = call.expression_attribute_names("#key", KEY);
        let call = call.expression_attribute_names("#expires", EXPIRES);
        let call = call.expression_attribute_names("#token", TOKEN);
        let call = call.expression_attribute_values(":now", AttributeValue::N(now().to_string()));
        // An answer that got lost is followed by a retry that finds this run's own row.
        let own = AttributeValue::S(holder.token.clone());
        let call = call.expression_attribute_values(":own", own);
        let dead = AttributeValue::S(dead.unwrap_or(&holder.token).to_owned());
        let call = call.expression_attribute_values(":dead", dead);
        let old = ReturnValuesOnConditionCheckFailure::AllOld;
        let answer = call
            .return_values_on_condition_check_failure(old)
            .send()
            .await;
        if let Some(row) = answer
            .as_ref()
            .err()
            .and_then(|error| current(error.as_service_error()?))
        {
            return Err(LeaseError::Held(Holder::from_row(row)));
        }
        let answer = answer.during("dynamodb:PutItem").absent_as_none();
        Ok(answer.or_failure(|| "taking the operator lease")?.is_some())
    }

    fn hold(&self, holder: Holder, succeeds: bool) -> Lease {
        let (client, table) = (self.client().clone(), self.name().to_owned());
        let (loss, listener) = watch::channel(false);
        let token = holder.token;
        let renewal = renew(client.clone(), table.clone(), token.clone(), loss);
        Lease {
            client,
            table,
            token,
            renewal: tokio::spawn(renewal),
            lost: listener,
            succeeds,
        }
    }
}

/// The row of whoever holds the lease.
fn current(error: &PutItemError) -> Option<&Row> {
    match error {
        PutItemError::ConditionalCheckFailedException(held) => held.item(),
        _ => None,
    }
}

/// Renews until the lease turns out to be somebody else's, or could not be renewed for so long
/// that it may be.
async fn renew(client: Client, table: String, token: String, loss: watch::Sender<bool>) {
    let mut ticks = tokio::time::interval_at(Instant::now() + RENEWED_EVERY, RENEWED_EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut held_until = Instant::now() + LENGTH;
    loop {
        ticks.tick().await;
        let asked = Instant::now();
        // The answer may take longer than the lease lasts: then it comes too late.
        let renewal = prolong(&client, &table, &token);
        match tokio::time::timeout_at(held_until, renewal).await {
            Ok(Ok(())) => held_until = asked + LENGTH,
            Ok(Err(error)) if is_another_s(&error) || error.class == Class::Absent => break,
            Ok(Err(_)) if Instant::now() < held_until => {}
            Ok(Err(_)) | Err(_) => break,
        }
    }
    // Nobody listens any more when the run is over: that is no failure.
    let _ = loss.send(true);
}

async fn prolong(client: &Client, table: &str, token: &str) -> Result<(), AwsError> {
    let expires = AttributeValue::N((now() + milliseconds(LENGTH)).to_string());
    let call = client.update_item().table_name(table);
    let call = call.key(KEY, AttributeValue::S(ROW.to_owned()));
    let call = call.update_expression("SET #expires = :expires");
    let call = call.condition_expression("#token = :token");
    let call = call.expression_attribute_names("#expires", EXPIRES);
    let call = call.expression_attribute_names("#token", TOKEN);
    let call = call.expression_attribute_values(":expires", expires);
    let token = AttributeValue::S(token.to_owned());
    let call = call.expression_attribute_values(":token", token);
    call.send().await.during("dynamodb:UpdateItem").map(drop)
}

fn is_another_s(error: &AwsError) -> bool {
    error.is("ConditionalCheckFailedException")
}

#[cfg(test)]
#[path = "lease_tests.rs"]
mod tests;
