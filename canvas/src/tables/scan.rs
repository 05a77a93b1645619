//! Reading the whole table of current colours, in segments at once.

use futures::future::try_join_all;
use tokio::sync::mpsc::{self, Sender};

use super::backoff::{TRIES, pause};
use super::rows::{Current, Item, current};
use super::write::is_throttled;
use super::{Tables, TablesError};

/// DynamoDB's limit of `TotalSegments`.
const MAX_SEGMENTS: u32 = 1_000_000;

const DOING: &str = "scanning";

impl Tables {
    /// Reads every row of the table of current colours, page by page, in no order.
    ///
    /// The table is read in `segments` parts at once, each from end to end; the reads are
    /// consistent. `on_page` sees each row once. Answers the number of rows.
    pub async fn scan_mru(
        &self,
        segments: u32,
        mut on_page: impl FnMut(Vec<Current>),
    ) -> Result<u64, TablesError> {
        let segments = segments.clamp(1, MAX_SEGMENTS);
        let (pages, mut taken) = mpsc::channel(2);
        let scans = try_join_all((0..segments).map(|n| self.scan_segment(n, segments, &pages)));
        let mut scans = std::pin::pin!(scans);
        let mut rows = 0;
        loop {
            tokio::select! {
                biased;
                Some(page) = taken.recv() => {
                    let page: Vec<Current> = page;
                    rows += page.len() as u64;
                    on_page(page);
                }
                done = &mut scans => {
                    done?;
                    break;
                }
            }
        }
        while let Ok(page) = taken.try_recv() {
            rows += page.len() as u64;
            on_page(page);
        }
        Ok(rows)
    }

    async fn scan_segment(
        &self,
        segment: u32,
        segments: u32,
        pages: &Sender<Vec<Current>>,
    ) -> Result<(), TablesError> {
        let mut start = None;
        loop {
            let (items, next) = self.scan_page(segment, segments, start).await?;
            let rows = items.iter().map(current).collect::<Result<Vec<_>, _>>();
            let rows = rows.map_err(|detail| Self::bad_row(&self.mru, detail))?;
            if !rows.is_empty() && pages.send(rows).await.is_err() {
                return Ok(());
            }
            start = next;
            if start.is_none() {
                return Ok(());
            }
        }
    }

    async fn scan_page(
        &self,
        segment: u32,
        segments: u32,
        start: Option<Item>,
    ) -> Result<(Vec<Item>, Option<Item>), TablesError> {
        let number = |n: u32| i32::try_from(n).expect("segments are at most a million");
        let scan = self
            .client
            .scan()
            .table_name(&self.mru)
            .consistent_read(true);
        let scan = scan
            .segment(number(segment))
            .total_segments(number(segments));
        let scan = scan.set_exclusive_start_key(start);
        for tried in 1.. {
            match scan.clone().send().await {
                Ok(answer) => {
                    let next = answer.last_evaluated_key.filter(|key| !key.is_empty());
                    return Ok((answer.items.unwrap_or_default(), next));
                }
                Err(error) if is_throttled(&error) && tried < TRIES => pause(tried).await,
                Err(error) => return Err(Self::failed(DOING, &self.mru, error)),
            }
        }
        unreachable!("the last try returns")
    }
}
