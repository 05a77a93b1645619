//! The changes of one stretch of time, the same for everybody who watches.
//!
//! A slot is complete when nothing can be painted in it any more: then its changes stay as they are,
//! and a CDN may keep them. Slots chain: each begins with the last change before it.

use std::collections::VecDeque;
use std::fmt::Write;

use place_canvas::store::Watched;
use place_canvas::wire::update_frames;
use serde_json::json;

use super::answer::{Keep, UrlAnswer};
use super::{Past, Site, Watch};
use crate::error::Error;

/// Length of a slot, in milliseconds of the cache's clock.
pub(super) const LENGTH_MS: u64 = 2000;

/// How far the cache's clock must be past a slot in which nobody painted after it. A change gets the
/// clock's time, or that of the change before where the clock was set back.
const SETTLED_MS: u64 = 1000;

/// Slots that are kept for the next one who asks.
const KEPT: usize = 16;

/// The longest body. More than that is worth a picture.
const LONGEST: usize = 4_000_000;

/// Complete slots, the newest last.
#[derive(Default)]
pub(super) struct Complete(VecDeque<(u64, String)>);

/// The slot that this moment is in.
pub(super) const fn of(ms: u64) -> u64 {
    ms / LENGTH_MS
}

pub(super) async fn answer<C: Watch, P: Past>(
    site: &Site<'_, C, P>,
    number: u64,
) -> Result<UrlAnswer, Error> {
    let kept = site.memory().slots.get(number);
    if let Some(body) = kept {
        return Ok(UrlAnswer::data(Keep::ForEver, body));
    }
    let start = number.saturating_mul(LENGTH_MS);
    let stop = start.saturating_add(LENGTH_MS);
    let watched = site.cache.watch(start..stop).await?;
    let Some(missing) = missing(&watched, stop) else {
        let frame_bytes = usize::try_from(site.env.frame_bytes).unwrap_or(usize::MAX);
        let Some(body) = body(&watched, frame_bytes) else {
            return Ok(UrlAnswer::json(Keep::Seconds(60), &json!({ "gone": true })));
        };
        site.memory().slots.keep(number, body.clone());
        return Ok(UrlAnswer::data(Keep::ForEver, body));
    };
    let wait = json!({
        "in_ms": missing,
        "newest": watched.newest.to_string(),
        "every_ms": LENGTH_MS,
    });
    Ok(UrlAnswer::json(Keep::Seconds(1), &wait))
}

/// How long until the slot is complete, in milliseconds; none when it is.
fn missing(watched: &Watched, stop: u64) -> Option<u64> {
    let settled = if watched.newest.ms >= stop {
        stop
    } else {
        stop.saturating_add(SETTLED_MS)
    };
    (watched.now_ms < settled).then(|| settled - watched.now_ms)
}

/// What everybody gets; none where history does not reach so far back, or a picture is shorter.
fn body(watched: &Watched, frame_bytes: usize) -> Option<String> {
    let from = watched.previous?;
    let at = watched.entries.last().map_or(from, |entry| entry.at);
    let epoch = json!(watched.epoch);
    let mut body = format!(r#"{{"epoch":{epoch},"from":"{from}","at":"{at}","frames":["#);
    for (number, frame) in update_frames(from, &watched.entries, frame_bytes)
        .iter()
        .enumerate()
    {
        if number > 0 {
            body.push(',');
        }
        body += &frame.text;
    }
    write!(body, r#"],"online":{}}}"#, watched.online).expect("a string takes all text");
    (body.len() <= LONGEST).then_some(body)
}

impl Complete {
    fn get(&self, number: u64) -> Option<String> {
        let kept = self.0.iter().find(|(kept, _)| *kept == number);
        kept.map(|(_, body)| body.clone())
    }

    fn keep(&mut self, number: u64, body: String) {
        if self.0.len() == KEPT {
            self.0.pop_front();
        }
        self.0.push_back((number, body));
    }
}
