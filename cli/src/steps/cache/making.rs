//! Creates a cache: removes an earlier cache, creates the new cache, and waits for it.

use std::time::Duration;

use tokio::time::Instant;

use super::super::repeat::{CATCHING_UP, doing, once_visible, until_gone};
use super::instance::{Cache, DELETING, word};
use super::mode::{Found, State};
use crate::aws::{AwsError, AwsResult};
use crate::engine::outcome::Difference;
use crate::engine::{Failure, FailureKind, Left, Observed, Poll, Progress, Resource, Wait};

/// How long a new cache may stay unlisted before the create call is repeated.
const ASKED_AGAIN_AFTER: Duration = Duration::from_mins(1);

impl Cache {
    /// Clears the way for a new one.
    pub(super) async fn replace(
        &self,
        observed: &Observed,
        progress: &Progress,
    ) -> Result<(), Failure> {
        match observed {
            Observed::Drifted { differences, .. } if self.needs_replacement(differences) => {
                if differences.contains(&self.mode_difference()) {
                    self.remove_left_over(progress).await
                } else {
                    self.remove_one(&*self.mode, progress).await
                }
            }
            Observed::Broken { .. } => self.remove_one(&*self.mode, progress).await,
            Observed::Changing { state, .. } if state == DELETING => {
                let times = self.mode.times();
                let wait = Wait::new(
                    format!("the old cache `{}` to be deleted", self.name()),
                    times.limit,
                );
                let look = async || {
                    let found = self.mode.find(&self.stack).await?;
                    Ok(found.map(|found| word(&found.state)))
                };
                let action = doing("removing", self);
                until_gone(progress, wait.usual(60, 900), &action, look).await
            }
            _ => Ok(()),
        }
    }

    fn needs_replacement(&self, differences: &[Difference]) -> bool {
        self.stack.options.replace && differences.iter().any(|d| d.needs_replacement)
    }

    pub(super) async fn until_available(&self, progress: &Progress) -> Result<Found, Failure> {
        self.until(progress, |_| true).await
    }

    /// Waits until the cache is available and `right`.
    pub(super) async fn until(
        &self,
        progress: &Progress,
        right: impl Fn(&Found) -> bool,
    ) -> Result<Found, Failure> {
        let times = self.mode.times();
        let what = format!("{} `{}` to be available", self.mode.kind(), self.name());
        let wait = Wait::new(what, times.limit).usual(times.usual.0, times.usual.1);
        let mut asked = Instant::now();
        let look = async || {
            let Some(found) = self.find().await? else {
                let mut blocker = "not visible yet".to_owned();
                // "Already exists" may have meant the deleted cache, whose name is free only now.
                if asked.elapsed() >= ASKED_AGAIN_AFTER {
                    asked = Instant::now();
                    match self.mode.create(&self.stack).await {
                        Err(error) if CATCHING_UP.contains(&error.class) => {
                            blocker = error.to_string();
                        }
                        other => other.or_failure(|| doing("creating", self))?,
                    }
                }
                return Ok(Poll::Pending(blocker));
            };
            match &found.state {
                State::Available if right(&found) => Ok(Poll::Ready(found)),
                State::Available => Ok(Poll::Pending("available, but not changed yet".to_owned())),
                State::Failed(reason) => Err(self.failed(reason)),
                state => Ok(Poll::Pending(word(state))),
            }
        };
        progress.until(wait, look).await
    }

    fn failed(&self, reason: &str) -> Failure {
        Failure::new(doing("creating", self))
            .caused_by(format!("ElastiCache says `{reason}`"))
            .hint(
                "read the cache's events in the ElastiCache console, then run `placectl up` again",
            )
            .left(Left::Ours)
    }

    pub(super) async fn start(&self, progress: &Progress) -> Result<(), Failure> {
        let action = doing("creating", self);
        let create = async || self.mode.create(&self.stack).await;
        once_visible(progress, &action, create)
            .await
            .map_err(with_role_hint)
    }
}

/// The first cache of an account needs a role that ElastiCache makes by itself, if the caller may.
fn with_role_hint(failure: Failure) -> Failure {
    let missing_role = failure
        .cause
        .as_deref()
        .and_then(|cause| cause.downcast_ref::<AwsError>())
        .is_some_and(|error| error.is("ServiceLinkedRoleNotFoundFault"));
    if !missing_role {
        return failure;
    }
    failure.kind(FailureKind::Permanent).hint(
        "run `aws iam create-service-linked-role --aws-service-name elasticache.amazonaws.com` once",
    )
}
