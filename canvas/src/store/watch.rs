//! Watching without a socket: what was painted in a stretch of time, and the last changes of a pixel.

use std::ops::Range;
use std::sync::LazyLock;

use redis::{Value, from_redis_value};

use super::history::{RawEntry, entry};
use super::script::{Script, script_when_full as script};
use super::{Store, StoreError};
use crate::entry::Entry;
use crate::position::Position;

static WATCH: LazyLock<Script> = script!("reading a stretch of history", "watch");

/// Entries of history that are read at once.
const PAGE: usize = 1000;

/// What was painted in a stretch of time, by the cache's clock.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Watched {
    /// The cache's clock, in milliseconds since 1970.
    pub now_ms: u64,
    /// The canvas's epoch.
    pub epoch: String,
    /// Position of the newest change.
    pub newest: Position,
    /// Connected clients.
    pub online: u64,
    /// Position of the last change before the stretch, or of the moment before the canvas was opened,
    /// if that was in the stretch; none where history does not reach so far back.
    pub previous: Option<Position>,
    /// The changes of the stretch.
    pub entries: Vec<Entry>,
}

impl Store {
    /// What was painted in this stretch of time, in milliseconds since 1970 by the cache's clock. An
    /// empty stretch asks only for the rest.
    pub async fn watch(&self, stretch: Range<u64>) -> Result<Watched, StoreError> {
        let keys = &self.keys;
        let call = WATCH
            .call()
            .keys([keys.meta(), keys.canvas(), keys.history()])
            .keys(self.shards().map(|shard| keys.clients(shard)))
            .named("start", stretch.start)
            .named("stop", stretch.end);
        let answer: Vec<Value> = self.run(call).await?;
        let unusable = |error| StoreError::answer(WATCH.doing, error);
        if answer.len() == 1 {
            return Err(StoreError::Closed);
        }
        let answer: (
            String,
            u64,
            String,
            String,
            u64,
            String,
            String,
            Vec<RawEntry>,
        ) = from_redis_value(Value::Array(answer)).map_err(unusable)?;
        let (_, now_ms, epoch, newest, online, previous, first, entries) = answer;
        let position = |text: String| text.parse().map_err(StoreError::position(WATCH.doing));
        let previous = Some(previous).filter(|text| !text.is_empty());
        let (previous, first) = (previous.map(position).transpose()?, position(first)?);
        let entries = entries.into_iter().map(entry);
        let entries = entries.collect::<Result<Vec<_>, _>>()?;
        let opened = entries.first().filter(|entry| entry.at == first);
        Ok(Watched {
            now_ms,
            epoch,
            newest: position(newest)?,
            online,
            previous: previous.or_else(|| opened.map(|entry| entry.at.previous())),
            entries,
        })
    }

    /// The newest `count` entries that hold this pixel, from the newest on, among the newest
    /// `within` ones.
    pub async fn entries_of(
        &self,
        (x, y): (u16, u16),
        count: usize,
        within: usize,
    ) -> Result<Vec<Entry>, StoreError> {
        let (mut found, mut before, mut read) = (Vec::new(), "+".to_owned(), 0);
        while found.len() < count && read < within {
            let page = PAGE.min(within - read);
            let mut command = redis::cmd("XREVRANGE");
            command.arg(self.keys.history()).arg(&before).arg("-");
            command.arg("COUNT").arg(page);
            let entries: Vec<RawEntry> = self.read("reading history", &command).await?;
            read += page;
            let is_last = entries.len() < page;
            if let Some((id, _)) = entries.last() {
                before = format!("({id}");
            }
            for raw in entries {
                let entry = entry(raw)?;
                if entry
                    .pixels
                    .iter()
                    .any(|pixel| (pixel.x, pixel.y) == (x, y))
                {
                    found.push(entry);
                }
            }
            if is_last {
                break;
            }
        }
        found.truncate(count);
        Ok(found)
    }
}
