//! A picture serves for longer than `init.reuse_ms` while hardly anything was painted since: a
//! newcomer is sent what was, and that costs less than another picture. In a crowd that comes back
//! at once every picture saved is time for the others.

use std::sync::Arc;

use place_canvas::Position;
use place_canvas::store::After;

use super::{Copy, Gallery, History, LONGEST_REUSE, Look};
use crate::error::Error;

/// Entries of history that are worth a look.
const ENTRIES: usize = 500;
/// Bytes of a change in a frame: seven, in base64.
const CHANGE: usize = 10;

impl Gallery {
    /// A picture to start from, whose position is not `outdated`.
    pub(super) async fn current(
        &self,
        cache: &(impl Look + History),
        outdated: Option<Position>,
    ) -> Result<Arc<Copy>, Error> {
        match self.aged(cache, outdated).await? {
            Some(copy) => Ok(copy),
            None => self.picture(cache, outdated).await,
        }
    }

    /// The latest picture if it is past `reuse` and what was painted since fits in half a frame.
    async fn aged(
        &self,
        cache: &impl History,
        outdated: Option<Position>,
    ) -> Result<Option<Arc<Copy>>, Error> {
        let Some(copy) = self.latest.lock().await.clone() else {
            return Ok(None);
        };
        let age = copy.taken.elapsed();
        let is_newer = outdated.is_none_or(|at| at < copy.at);
        if age < self.reuse || age >= LONGEST_REUSE || !is_newer {
            return Ok(None);
        }
        let After { entries, gap } = cache.follow(copy.at, ENTRIES).await?;
        let changes: usize = entries.iter().map(|entry| entry.pixels.len()).sum();
        let is_little = entries.len() < ENTRIES && changes * CHANGE <= self.frame_bytes / 2;
        Ok((!gap && is_little).then_some(copy))
    }
}
