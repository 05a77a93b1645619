//! What the page has to know of the stack.

use place_page::HASH;
use serde_json::json;
use tracing::warn;

use super::answer::{Keep, UrlAnswer};
use super::{Past, Site, Watch, picture, slots};
use crate::error::chain;

/// How often a client pings, in seconds.
const KEEPALIVE_S: u32 = 240;

/// Answers also while the canvas is closed: then there is no epoch.
pub(super) async fn answer<C: Watch, P: Past>(site: &Site<'_, C, P>) -> UrlAnswer {
    let watched = site.cache.watch(0..0).await;
    let watched = watched.inspect_err(|error| warn!(error = chain(error), "could not look"));
    let (epoch, online) = watched.map_or((None, 0), |of| (Some(of.epoch), of.online));
    let env = site.env;
    let link = |text: &String| Some(text.clone()).filter(|text| !text.is_empty());
    let settings = json!({
        "socket": env.websocket_url,
        "epoch": epoch,
        "width": site.geometry.width(),
        "height": site.geometry.height(),
        "background": env.background,
        "palette": [],
        "cooldown_ms": env.cooldown_ms,
        "max_pixels_per_message": env.max_pixels_per_message,
        "keepalive_s": KEEPALIVE_S,
        "title": env.page_title,
        "imprint": link(&env.page_imprint),
        "privacy": link(&env.page_privacy),
        "notice": null,
        "page": HASH,
        "full": online >= u64::from(env.max_clients),
        "online": online,
        "slot_ms": slots::LENGTH_MS,
        "bands": picture::bands(site.geometry).count,
    });
    UrlAnswer::json(Keep::Seconds(1), &settings)
}
