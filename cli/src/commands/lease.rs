//! One operator at a time: work under the lease.

use crate::aws::{Lease, LeaseError, LeaseTable};
use crate::context::Context;
use crate::error::CommandError;
use crate::steps::Stack;

/// The table of this stack's lease.
pub(crate) fn table(stack: &Stack) -> LeaseTable<'_> {
    LeaseTable::new(&stack.aws, &stack.names, &stack.ownership)
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
        // A renewal that has ended can't lose anything any more.
        if lost.wait_for(|lost| *lost).await.is_err() {
            std::future::pending::<()>().await;
        }
    };
    tokio::select! {
        done = work => Ok(done),
        () = loses => Err(CommandError::LeaseLost),
    }
}

/// Gives `lease` back. That it can't be is worth a word, and no failure.
pub(crate) async fn give_back(context: &Context, lease: Lease) {
    if let Err(failure) = lease.release().await {
        let note = format!("{failure}; it frees itself within a minute");
        context.printer.note(&note);
    }
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
