//! One operator at a time: work under the lease.

use std::time::Duration;

use tokio::time::Instant;

use crate::aws::holder::Holder;
use crate::aws::{Lease, LeaseError, LeaseTable, Watch};
use crate::context::Context;
use crate::engine::{EventKind, Failure, Problem, Reminder, ResourceKey, Runner};
use crate::error::CommandError;
use crate::steps::Stack;

/// Pause between two tries to take a lease that another run holds.
const PAUSE: Duration = Duration::from_secs(2);

/// The lease's key in events: the lease is no resource of the plan.
const KEY: ResourceKey = ResourceKey::new("lease");

/// How long another operator's command usually takes, in seconds: from an `up` with little to do to
/// an `up` that creates a replication group.
const USUAL: (u64, u64) = (10, 1200);

/// The table of this stack's lease.
pub(crate) fn table<'a>(context: &Context, stack: &'a Stack) -> LeaseTable<'a> {
    let printer = context.printer.clone();
    let tell = Box::new(move |line: &str| printer.note(line));
    LeaseTable::new(&stack.aws, &stack.names, &stack.ownership, tell)
}

/// How a command wants the lease.
#[derive(Clone, Debug)]
pub(crate) struct Wanted {
    /// `up`, `deploy`, `teardown`.
    pub(crate) command: &'static str,
    /// Create the table if the table is missing.
    pub(crate) create: bool,
    /// Wait until the holder gives the lease back.
    pub(crate) wait: bool,
    /// Token of the last holder, read before the survey.
    pub(crate) before: Option<String>,
}

/// Takes the lease; `None` where the table is missing and must not be created. An interrupt ends
/// the wait.
///
/// Without `--wait`, too, a holder on another machine is watched until its next renewal proves that
/// the holder lives: a dead holder must not turn an operator away.
pub(crate) async fn acquire(
    context: &Context,
    runner: &Runner,
    table: &LeaseTable<'_>,
    wanted: Wanted,
) -> Result<Option<Lease>, CommandError> {
    let take = Box::pin(async {
        let mut since: Option<Instant> = None;
        let mut reminder = Reminder::default();
        let mut watch = Watch::default();
        loop {
            let taken = if wanted.create {
                let taken = table.acquire(wanted.command, &mut watch).await;
                taken.map(Some)
            } else {
                table.acquire_if_there(wanted.command, &mut watch).await
            };
            match taken {
                Err(LeaseError::Held(holder)) if wanted.wait || watch.doubts(&holder) => {
                    let since = *since.get_or_insert_with(Instant::now);
                    // What else a holder says of itself changes all the time.
                    if reminder.is_due(&format!("{} {}", holder.who, holder.process)) {
                        tell(runner, &holder, since);
                    }
                    tokio::time::sleep(PAUSE).await;
                }
                Ok(Some(mut lease)) => {
                    // Another run may have held the lease since the survey and given it back.
                    lease.succeeds |= since.is_some() || lease.before != wanted.before;
                    return Ok(Some(lease));
                }
                other => return Ok(other?),
            }
        }
    });
    context.interrupt.or_stop(take).await
}

/// Tells that `holder` has been waited for since then.
fn tell(runner: &Runner, holder: &Holder, since: Instant) {
    runner.emit(EventKind::Waiting {
        key: KEY,
        what: "the operator lease".to_owned(),
        usual_s: Some(USUAL),
        // The usual range follows in brackets, on the same line.
        blocker: Some(holder.to_string().trim_end_matches('.').to_owned()),
        waited: since.elapsed(),
    });
}

/// Does `work` while `lease` is held, and gives the lease back.
pub(crate) async fn hold<T>(
    context: &Context,
    mut lease: Lease,
    work: impl Future<Output = T>,
) -> Result<T, CommandError> {
    let done = keep(&mut lease, work).await?;
    give_back(context, lease).await;
    Ok(done)
}

/// Does `work` while `lease` is held. Where the lease can't be renewed in time somebody else may
/// hold it, so the work stops where it is.
pub(crate) async fn keep<T>(
    lease: &mut Lease,
    work: impl Future<Output = T>,
) -> Result<T, CommandError> {
    let mut lost = lease.lost();
    let loses = async {
        // After the end of the renewals the lease can't be lost.
        if lost.wait_for(|lost| *lost).await.is_err() {
            std::future::pending::<()>().await;
        }
    };
    tokio::select! {
        done = work => Ok(done),
        () = loses => Err(CommandError::LeaseLost),
    }
}

/// Gives `lease` back. A failure is noted, and fails no command.
pub(crate) async fn give_back(context: &Context, lease: Lease) {
    if let Err(failure) = lease.release().await {
        let why = in_words(failure);
        let note = format!("{why}; the next command may have to wait 45 s for the lease");
        context.printer.note(&note);
    }
}

/// Why the lease can't be taken and what helps, on a line.
pub(crate) fn in_words(failure: Failure) -> String {
    let problem = Problem::from(failure);
    let chain = std::iter::once(&problem.message).chain(&problem.causes);
    let chain = chain.chain(&problem.hint).cloned();
    chain.collect::<Vec<_>>().join(": ")
}

impl From<LeaseError> for CommandError {
    fn from(error: LeaseError) -> Self {
        match error {
            LeaseError::Held(holder) => Self::Held {
                holder: holder.to_string(),
            },
            LeaseError::Failure(failure) => Self::Failure(failure),
        }
    }
}
