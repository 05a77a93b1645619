//! The lease under which a save works.

use std::future::Future;
use std::time::Duration;

use place_canvas::Token;
use tokio::time::{Instant, sleep_until};

use super::Saves;
use crate::error::Error;

/// How long a save that died blocks the next one; less than the minute between two of them.
pub(super) const LEASE: Duration = Duration::from_secs(30);
/// How often the lease is renewed.
pub(super) const RENEWAL: Duration = Duration::from_secs(5);

/// A lease that is held.
pub(super) struct Lease<'a, C> {
    cache: &'a C,
    token: &'a Token,
    taken: Instant,
}

impl<'a, C: Saves> Lease<'a, C> {
    /// The lease that was asked for at `asked`.
    pub(super) const fn taken(cache: &'a C, token: &'a Token, asked: Instant) -> Self {
        Self {
            cache,
            token,
            taken: asked,
        }
    }

    /// Does `work` while the lease is renewed, and drops it, with every call that is under way,
    /// when the lease is lost or the time is up.
    pub(super) async fn hold(
        self,
        work: impl Future<Output = Result<(), Error>>,
        until: Instant,
    ) -> Result<(), Error> {
        tokio::pin!(work);
        let mut renew_at = self.taken + RENEWAL;
        loop {
            tokio::select! {
                // In this order: after a standstill the lease is looked at before any call goes out.
                biased;
                () = sleep_until(renew_at) => {
                    let asked = Instant::now();
                    if !self.cache.renew(self.token, LEASE).await? {
                        return Err(Error::LeaseLost("save"));
                    }
                    renew_at = asked + RENEWAL;
                }
                done = &mut work => return done,
                () = sleep_until(until) => return Err(Error::TimeUp("save")),
            }
        }
    }
}
