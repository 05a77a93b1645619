//! Who painted a pixel, when, and what was there before.

use place_canvas::{Entry, Position, Rgb};
use serde_json::{Value, json};

use super::answer::{Keep, UrlAnswer};
use super::{Past, Site, Watch};
use crate::error::Error;

/// Changes that are told.
const TOLD: usize = 8;

/// Entries of history that are looked through, the newest ones, before the table is asked.
const LOOKED_THROUGH: usize = 10_000;

/// One change of the pixel.
struct Change {
    at: Position,
    index: usize,
    rgb: Rgb,
    /// Short name of the player.
    by: String,
}

pub(super) async fn answer<C: Watch, P: Past>(
    site: &Site<'_, C, P>,
    x: u16,
    y: u16,
) -> Result<UrlAnswer, Error> {
    let place = (x, y);
    let entries = site.cache.entries_of(place, TOLD, LOOKED_THROUGH).await?;
    let mut changes: Vec<Change> = entries.iter().flat_map(|entry| of(entry, place)).collect();
    if changes.len() < TOLD {
        let rows = site.past.changes_of(place, TOLD).await?;
        changes.extend(rows.into_iter().map(|row| Change {
            at: row.at,
            index: row.index,
            rgb: row.rgb,
            by: row.player,
        }));
    }
    changes.sort_by_key(|change| std::cmp::Reverse((change.at, change.index)));
    changes.dedup_by_key(|change| (change.at, change.index));
    changes.truncate(TOLD);
    let mut changes = changes.iter().map(Change::told);
    let newest = changes
        .next()
        .unwrap_or_else(|| json!({ "rgb": site.env.background, "by": null, "at": null }));
    let mut told = newest;
    told["x"] = json!(x);
    told["y"] = json!(y);
    told["before"] = changes.collect();
    Ok(UrlAnswer::json(Keep::Seconds(2), &told))
}

/// The changes of one pixel in an entry.
fn of(entry: &Entry, place: (u16, u16)) -> impl Iterator<Item = Change> + '_ {
    let here = entry.pixels.iter().enumerate();
    let here = here.filter(move |(_, pixel)| (pixel.x, pixel.y) == place);
    here.map(|(index, pixel)| Change {
        at: entry.at,
        index,
        rgb: pixel.rgb,
        by: entry.player.clone(),
    })
}

impl Change {
    fn told(&self) -> Value {
        let by = Some(&self.by).filter(|by| !by.is_empty());
        json!({ "rgb": self.rgb.to_string(), "by": by, "at": self.at.to_string() })
    }
}
