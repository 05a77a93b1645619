//! A cache of ours in the other mode: the configuration was changed since.

use super::super::repeat::doing;
use super::instance::{Cache, word};
use super::mode::Found;
use super::owner::owner_of_cache;
use crate::aws::{AwsResult, Owner};
use crate::engine::outcome::Difference;
use crate::engine::{Failure, Left, Observed, Progress, Resource};

/// What is known of a cache in the other mode.
pub(super) enum LeftOver {
    /// There is none, or it is somebody else's.
    Nothing,
    /// It is ours, and is paid for.
    Ours,
    /// It is in this state, in which ElastiCache does not tell whose it is.
    Untold(String),
}

impl Cache {
    pub(super) async fn find_other(&self) -> Result<Option<Found>, Failure> {
        let found = self.other.find(&self.stack).await;
        found.or_failure(|| doing("looking for", self))
    }

    pub(super) async fn left_over(&self) -> Result<LeftOver, Failure> {
        let Some(found) = self.find_other().await? else {
            return Ok(LeftOver::Nothing);
        };
        let whose = owner_of_cache(&self.stack, &found).await;
        Ok(match whose.or_failure(|| doing("looking for", self))? {
            Some(Owner::Us) => LeftOver::Ours,
            Some(_) => LeftOver::Nothing,
            None => LeftOver::Untold(word(&found.state)),
        })
    }

    /// The observation while nobody knows yet whether the one in the other mode is ours: a second
    /// one beside it might be paid for unseen.
    pub(super) fn untold(&self, state: &str) -> Observed {
        Observed::Changing {
            id: self.name(),
            state: format!("{state} as {}", self.other.kind()),
        }
    }

    pub(super) fn mode_difference(&self) -> Difference {
        Difference::new("mode", self.other.kind(), self.mode.kind()).needs_replacement()
    }

    /// One that outlived the replacement: nothing uses it any more.
    pub(super) fn left_cache(&self) -> Difference {
        Difference::new(self.other.kind(), "of the other mode", "none")
    }

    /// Waits until it is known whether one is left, and refuses to build another beside it. What it
    /// holds is saved before a replacement, so it is left to the run that sees it from the start.
    pub(super) async fn refuse_second(&self, progress: &Progress) -> Result<(), Failure> {
        if !self.has_left_over(progress).await? {
            return Ok(());
        }
        let other = self.other.kind();
        Err(Failure::new(doing("creating", self))
            .caused_by(format!("the stack's {other} of the same name still exists"))
            .hint(format!(
                "run `placectl up --replace` again to remove the {other}, or set `redis.mode` back"
            ))
            .left(Left::Ours))
    }

    pub(super) async fn remove_left_over(&self, progress: &Progress) -> Result<(), Failure> {
        if self.has_left_over(progress).await? {
            self.remove_one(&*self.other, progress).await?;
        }
        if self.has_left_group().await? {
            self.subnet_group.remove(progress).await?;
        }
        Ok(())
    }
}
