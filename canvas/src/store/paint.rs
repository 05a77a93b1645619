//! Painting: one script, one round trip.

use std::net::IpAddr;
use std::sync::LazyLock;

use thiserror::Error;

use super::script::{Call, Script, is_full, script};
use super::shards::CALL_MS;
use super::{Store, StoreError, Token};
use crate::connection::{ConnectionId, Shard};
use crate::geometry::Geometry;
use crate::pixel::{self, Pixel};
use crate::position::Position;

static PAINT: LazyLock<Script> = script!("painting", "paint");

/// How long a message is remembered at least: longer than anybody sends it again, because a function
/// behind a route has 15 seconds.
const REMEMBERED_MS: u64 = 30_000;

/// What a paint did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Painted {
    /// The position of the change.
    pub at: Position,
    /// The shards that were asleep and are now to be woken, by one message each.
    pub wake: Vec<Shard>,
    /// Who calls them: what [`Store::give_back`] takes back when they can't be woken.
    pub caller: Token,
    /// Whether the cache did not know the painter, who is back in its shard and needs a picture.
    pub is_back: bool,
}

/// Why nothing was painted.
#[derive(Debug, Error)]
pub enum PaintError {
    /// The connection or its address must wait.
    #[error("wait {retry_ms} ms before the next message")]
    CoolingDown {
        /// How long, in milliseconds.
        retry_ms: u64,
        /// Whether the connection was refused before within the same pause.
        told: bool,
    },
    /// History holds as many unsaved changes as it may.
    #[error("the canvas takes no more changes until the last ones are saved")]
    Full,
    /// A pixel lies outside the canvas.
    #[error("a pixel at {x}, {y} is outside the canvas")]
    OutOfBounds {
        /// Its column.
        x: u16,
        /// Its row.
        y: u16,
    },
    /// There is nothing to paint.
    #[error("no pixel to paint")]
    Empty,
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Who paints.
#[derive(Clone, Copy, Debug)]
pub enum Painter<'a> {
    /// A client: put back into its shard if the cache does not know it.
    Client(&'a ConnectionId),
    /// An operator, under this name; there is no connection.
    Operator(&'a ConnectionId),
}

impl Painter<'_> {
    const fn id(&self) -> &ConnectionId {
        match self {
            Self::Client(id) | Self::Operator(id) => id,
        }
    }
}

/// Bytes of the cache that history takes for so many changes in so many messages, as the paint script
/// reckons when it compares with [`super::StoreConfig::max_history_bytes`].
pub const fn history_bytes(changes: u64, messages: u64) -> u64 {
    const RECORD_WITH_WASTE_TENTHS: u64 = 91;
    const ENTRY: u64 = 95;
    changes * RECORD_WITH_WASTE_TENTHS / 10 + messages * ENTRY
}

impl Store {
    /// Paints one message of a client: all of its pixels as one entry of history, or none.
    ///
    /// `source` is the painter's address. It goes to Redis to be hashed with the canvas's salt and
    /// is stored nowhere.
    ///
    /// If the connection breaks before the answer comes, it asks again, as the cluster's client does
    /// by itself. The message has a name by which the script knows it again: it is never painted
    /// twice, and the shards that it called are answered again.
    pub async fn paint(
        &self,
        by: Painter<'_>,
        source: &str,
        pixels: &[Pixel],
    ) -> Result<Painted, PaintError> {
        self.paint_named(by, source, pixels, None).await
    }

    /// The same for a message that has a name of the client's own: one that the same player sent
    /// before is not painted again.
    pub async fn paint_named(
        &self,
        by: Painter<'_>,
        source: &str,
        pixels: &[Pixel],
        own: Option<&str>,
    ) -> Result<Painted, PaintError> {
        check(pixels, self.config.geometry)?;
        let records = pixel::encode(pixels);
        let message = Token::random();
        let names = (&message, own.unwrap_or_default());
        let call = self.paint_call(by, &network(source), &records, names);
        match self.run::<Vec<String>>(call).await {
            Ok(answer) => self.painted(&answer, message),
            Err(error) if is_full(&error) => Err(PaintError::Full),
            Err(error) => Err(error.into()),
        }
    }

    pub(super) fn paint_call(
        &self,
        by: Painter<'_>,
        source: &str,
        records: &[u8],
        (message, given): (&Token, &str),
    ) -> Call<'static> {
        let (keys, config) = (&self.keys, &self.config);
        let own = self.shard_of(by.id());
        let shard = match by {
            Painter::Client(_) => own.to_string(),
            Painter::Operator(_) => String::new(),
        };
        PAINT
            .call()
            .keys([keys.meta(), keys.canvas(), keys.history()])
            .keys([keys.unsaved(), keys.cooldown()])
            .keys(keys.done())
            .keys([keys.joined(own), keys.roster(own), keys.cursor(own)])
            .keys(self.shards().flat_map(|s| [keys.clients(s), keys.awake(s)]))
            .named("width", config.geometry.width())
            .named("height", config.geometry.height())
            .named("records", records)
            .named("connection", by.id().as_str())
            .named("shard", shard)
            .named("source", source)
            .named("most_changes", config.max_unsaved)
            .named("most_bytes", config.max_history_bytes)
            .named("pause", config.cooldown_ms)
            .named("rate", config.max_messages_per_second_per_source)
            .named("call", CALL_MS)
            .named("name", message.as_str())
            .named("remembered", REMEMBERED_MS)
            .named("own", given)
    }

    fn painted(&self, answer: &[String], caller: Token) -> Result<Painted, PaintError> {
        let words: Vec<&str> = answer.iter().map(String::as_str).collect();
        let unusable = || StoreError::answer(PAINT.doing, format!("{answer:?}"));
        match words.as_slice() {
            ["painted", at, is_back, wake @ ..] => {
                let at = at.parse().map_err(StoreError::position(PAINT.doing))?;
                let wake = wake
                    .iter()
                    .map(|shard| shard.parse().map_err(|_| unusable()));
                Ok(Painted {
                    at,
                    wake: wake.collect::<Result<_, _>>()?,
                    caller,
                    is_back: *is_back == "1",
                })
            }
            ["cooling", ms, told @ ..] => Err(PaintError::CoolingDown {
                retry_ms: ms.parse().map_err(|_| unusable())?,
                told: !told.is_empty(),
            }),
            ["full"] => Err(PaintError::Full),
            ["closed"] => Err(StoreError::Closed.into()),
            ["mismatch", width, height] => Err(self.mismatch(width, height).into()),
            _ => Err(unusable().into()),
        }
    }
}

fn check(pixels: &[Pixel], geometry: Geometry) -> Result<(), PaintError> {
    if pixels.is_empty() {
        return Err(PaintError::Empty);
    }
    match pixels
        .iter()
        .find(|pixel| !geometry.contains(pixel.x, pixel.y))
    {
        Some(&Pixel { x, y, .. }) => Err(PaintError::OutOfBounds { x, y }),
        None => Ok(()),
    }
}

/// What counts as one source: an IPv4 address, or the /64 network of an IPv6 address, because one
/// subscriber has all of it to pick addresses from.
fn network(source: &str) -> String {
    match source.trim().parse() {
        Ok(IpAddr::V6(address)) => match address.to_ipv4_mapped() {
            Some(mapped) => mapped.to_string(),
            None => format!("{:x}", address.to_bits() >> 64),
        },
        Ok(IpAddr::V4(address)) => address.to_string(),
        Err(_) => source.trim().to_owned(),
    }
}
