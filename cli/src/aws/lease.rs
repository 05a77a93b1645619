//! The operator lease: one `up`, `deploy` or `teardown` of a stack at a time.
//!
//! The lease is one row in a small table of the stack's own. The lease ends at once when its holder
//! was a process of this machine that has exited. Otherwise the lease ends when this process has
//! seen the row unchanged for the lease's whole length: the clocks of two machines are never
//! compared.

use std::time::Duration;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::operation::put_item::PutItemError;
use aws_sdk_dynamodb::types::{AttributeValue, ReturnValue, ReturnValuesOnConditionCheckFailure};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::{Instant, MissedTickBehavior, timeout_at};

use super::classify::{Answer, AwsError, AwsResult, Class};
use super::holder::{EXPIRES, Holder, RELEASED, Row, TOKEN, milliseconds, now};
use super::lease_table::{KEY, LeaseTable, ROW};
use super::lease_watch::Watch;
use crate::engine::{Failure, FailureKind};

/// How long a watcher must see the row unchanged before the lease counts as expired.
pub(super) const LENGTH: Duration = Duration::from_secs(45);

/// How often the holder renews the lease.
const RENEWED_EVERY: Duration = Duration::from_secs(10);

/// How often the table is created again, when another run deletes the table before the lease is
/// taken.
const TRIES: usize = 5;

/// Why there is no lease.
#[derive(Debug, thiserror::Error)]
pub(crate) enum LeaseError {
    /// Another run holds the lease.
    #[error("{0}")]
    Held(Holder),
    /// The call that takes the lease failed.
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
    /// Token of the run that held the lease before, if any.
    pub(crate) before: Option<String>,
    /// Another run held the lease until a moment ago: an earlier survey may be out of date.
    pub(crate) succeeds: bool,
}

impl Lease {
    /// Turns true when the lease could not be renewed in time, so that somebody else may hold it.
    pub(crate) fn lost(&self) -> watch::Receiver<bool> {
        self.lost.clone()
    }

    /// Lets the lease run out: the stack and the lease's table are about to be removed.
    pub(crate) fn stop_renewing(&self) {
        self.renewal.abort();
    }

    /// Gives the lease back. A lease that another run has taken over, and a missing table, are left
    /// alone.
    pub(crate) async fn release(self) -> Result<(), Failure> {
        self.renewal.abort();
        // The row stays, and tells the next run who held the lease before.
        let call = self.client.update_item().table_name(&self.table);
        let call = call.key(KEY, AttributeValue::S(ROW.to_owned()));
        let call = call.update_expression("SET #released = :yes");
        let call = call.condition_expression("#token = :token");
        let call = call.expression_attribute_names("#token", TOKEN);
        let call = call.expression_attribute_names("#released", RELEASED);
        let token = AttributeValue::S(self.token.clone());
        let call = call.expression_attribute_values(":token", token);
        let yes = AttributeValue::Bool(true);
        let answer = call.expression_attribute_values(":yes", yes).send().await;
        match answer.during("dynamodb:UpdateItem").absent_as_none() {
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
    /// Takes the lease for `command`, creating the table where there is none yet. `watch` knows
    /// what earlier tries saw.
    pub(crate) async fn acquire(
        &self,
        command: &str,
        watch: &mut Watch,
    ) -> Result<Lease, LeaseError> {
        for _ in 0..TRIES {
            if let Some(lease) = self.acquire_if_there(command, watch).await? {
                return Ok(lease);
            }
            self.create().await?;
        }
        let name = self.name();
        Err(Failure::new("taking the operator lease")
            .caused_by(format!("table `{name}` was deleted again and again"))
            .hint("another operator may be removing the table: run the same command again")
            .kind(FailureKind::Incomplete)
            .into())
    }

    /// Takes the lease for `command`; `None` where there is no table: the stack was never created,
    /// or is all but removed.
    pub(crate) async fn acquire_if_there(
        &self,
        command: &str,
        watch: &mut Watch,
    ) -> Result<Option<Lease>, LeaseError> {
        if !self.is_usable().await? {
            return Ok(None);
        }
        let holder = Holder::this_process(command, LENGTH);
        let asked = Instant::now();
        let mut taken = self.take(&holder, None).await;
        let mut succeeds = false;
        if let Err(LeaseError::Held(other)) = &taken
            && (other.is_dead() || watch.has_run_out(other))
        {
            taken = self.take(&holder, Some(other)).await;
            succeeds = true;
        }
        let hold = |taken: Taken| self.hold(holder, asked, taken.before, succeeds);
        Ok(taken?.map(hold))
    }

    /// Token of the run that held the lease last and has given the lease back. `None` while a run
    /// holds the lease, and where the row can't be read: that run may still change anything.
    pub(crate) async fn last_holder(&self) -> Option<String> {
        let call = self.client().get_item().table_name(self.name());
        let call = call.key(KEY, AttributeValue::S(ROW.to_owned()));
        let answer = call.consistent_read(true).send().await;
        let row = answer.during("dynamodb:GetItem").ok()?.item?;
        row.contains_key(RELEASED).then(|| token_of(&row))?
    }

    /// Writes the row if there is no row, if the lease was given back, or if the row belongs to
    /// `dead` and was not renewed meanwhile. `None` where there is no table.
    async fn take(
        &self,
        holder: &Holder,
        dead: Option<&Holder>,
    ) -> Result<Option<Taken>, LeaseError> {
        let mut row = holder.to_row();
        row.insert(KEY.to_owned(), AttributeValue::S(ROW.to_owned()));
        let free = "attribute_not_exists(#key) OR attribute_exists(#released) OR #token = :own \
                    OR (#token = :dead AND #expires = :seen)";
        let call = self
            .client()
            .put_item()
            .table_name(self.name())
            .set_item(Some(row));
        let call = call.condition_expression(free);
        let call = call.expression_attribute_names("#key", KEY);
        let call = call.expression_attribute_names("#expires", EXPIRES);
        let call = call.expression_attribute_names("#released", RELEASED);
        let call = call.expression_attribute_names("#token", TOKEN);
        // An answer that got lost is followed by a retry that finds this run's own row.
        let own = AttributeValue::S(holder.token.clone());
        let call = call.expression_attribute_values(":own", own);
        let dead = dead.unwrap_or(holder);
        let seen = AttributeValue::N(dead.expires.to_string());
        let dead = AttributeValue::S(dead.token.clone());
        let call = call.expression_attribute_values(":dead", dead);
        let call = call.expression_attribute_values(":seen", seen);
        let old = ReturnValuesOnConditionCheckFailure::AllOld;
        let answer = call
            .return_values_on_condition_check_failure(old)
            .return_values(ReturnValue::AllOld)
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
        let answer = answer.or_failure(|| "taking the operator lease")?;
        Ok(answer.map(|answer| Taken {
            before: answer.attributes.as_ref().and_then(token_of),
        }))
    }

    /// Renews from now on what was asked for at `asked`.
    fn hold(
        &self,
        holder: Holder,
        asked: Instant,
        before: Option<String>,
        succeeds: bool,
    ) -> Lease {
        let (client, table) = (self.client().clone(), self.name().to_owned());
        let (loss, listener) = watch::channel(false);
        let token = holder.token;
        let renewal = renew(client.clone(), table.clone(), token.clone(), asked, loss);
        Lease {
            client,
            table,
            token,
            renewal: tokio::spawn(renewal),
            lost: listener,
            before,
            succeeds,
        }
    }
}

/// The row that this run has just written.
struct Taken {
    /// Token of the run that had written the row before.
    before: Option<String>,
}

fn token_of(row: &Row) -> Option<String> {
    row.get(TOKEN)?.as_s().ok().cloned()
}

/// The row of whoever holds the lease.
fn current(error: &PutItemError) -> Option<&Row> {
    match error {
        PutItemError::ConditionalCheckFailedException(held) => held.item(),
        _ => None,
    }
}

/// Renews the lease until another run holds the lease, or until renewals have failed for so long
/// that another run may hold the lease.
async fn renew(
    client: Client,
    table: String,
    token: String,
    asked: Instant,
    loss: watch::Sender<bool>,
) {
    let mut ticks = tokio::time::interval_at(Instant::now() + RENEWED_EVERY, RENEWED_EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut held_until = asked + LENGTH;
    loop {
        // A pause (a suspended machine) may outlast the lease: the lease is lost without a call.
        if timeout_at(held_until, ticks.tick()).await.is_err() {
            break;
        }
        let asked = Instant::now();
        // An answer that arrives after the lease's end is too late.
        let renewal = prolong(&client, &table, &token);
        match timeout_at(held_until, renewal).await {
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
