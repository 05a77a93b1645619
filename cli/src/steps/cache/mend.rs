//! Puts back what differs in a cache, as far as ElastiCache changes it in place.

use std::time::Duration;

use tokio::time::Instant;

use super::super::repeat::{doing, while_answer_is};
use super::instance::Cache;
use super::mode::Found;
use crate::aws::Class;
use crate::engine::outcome::Difference;
use crate::engine::{Failure, Left, Progress, Resource, Wait};

/// A change of a replication group may be followed by a second one, never by more.
const CHANGES: usize = 3;

/// How long a cache may go on saying that it is available, and as it was, once a change was taken.
const BEGUN_WITHIN: Duration = Duration::from_mins(1);

impl Cache {
    /// Puts back what differs, as often as there is something that can be put back.
    pub(super) async fn mend(
        &self,
        mut found: Found,
        progress: &Progress,
    ) -> Result<Found, Failure> {
        for _ in 0..CHANGES {
            let differences = mendable(&found);
            if differences.is_empty() {
                break;
            }
            self.change(&differences, progress).await?;
            let taken = Instant::now();
            let changed =
                |found: &Found| mendable(found) != differences || taken.elapsed() >= BEGUN_WITHIN;
            found = self.until(progress, changed).await?;
        }
        Ok(found)
    }

    /// Starts a change, once nothing else is being done to the cache.
    async fn change(&self, differences: &[Difference], progress: &Progress) -> Result<(), Failure> {
        let (action, passing) = (doing("repairing", self), [Class::Conflict]);
        let what = format!("{} `{}` to accept changes", self.mode.kind(), self.name());
        let wait = Wait::new(what, self.mode.times().limit).usual(0, 300);
        let modify = async || self.mode.modify(&self.stack, differences).await;
        while_answer_is(progress, wait, &passing, &action, modify)
            .await
            .map_err(|failure| failure.left(Left::Ours))
    }
}

/// What can be put back in place.
fn mendable(found: &Found) -> Vec<Difference> {
    let all = found.differences.iter();
    all.filter(|difference| !difference.needs_replacement)
        .cloned()
        .collect()
}
