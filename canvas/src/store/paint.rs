//! Painting: one script, one round trip.

use std::net::IpAddr;
use std::sync::LazyLock;

use thiserror::Error;

use super::script::{Call, Script, script};
use super::shards::CALL_MS;
use super::{Store, StoreError, Token};
use crate::connection::{ConnectionId, Shard};
use crate::geometry::Geometry;
use crate::pixel::{self, Pixel};
use crate::position::Position;

static PAINT: LazyLock<Script> = script!("painting", "paint");

/// How long a message is remembered: longer than anybody sends it again.
const REMEMBERED_MS: u64 = 60_000;

/// What a paint did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Painted {
    /// The position of the change.
    pub at: Position,
    /// The shards that were asleep and are now to be woken, by one message each.
    pub wake: Vec<Shard>,
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
        by: &ConnectionId,
        source: &str,
        pixels: &[Pixel],
    ) -> Result<Painted, PaintError> {
        check(pixels, self.config.geometry)?;
        let records = pixel::encode(pixels);
        let message = Token::random();
        let call = self.paint_call(by, &network(source), &records, &message);
        let answer: Vec<String> = self.run(call).await?;
        self.painted(&answer)
    }

    pub(super) fn paint_call(
        &self,
        by: &ConnectionId,
        source: &str,
        records: &[u8],
        message: &Token,
    ) -> Call<'static> {
        let (keys, config) = (&self.keys, &self.config);
        let shards = self.shards().flat_map(|s| [keys.clients(s), keys.awake(s)]);
        PAINT
            .call()
            .keys([
                keys.meta(),
                keys.canvas(),
                keys.history(),
                keys.unsaved(),
                keys.cooldown(),
                keys.done(message.as_str()),
            ])
            .keys(shards)
            .arg(config.geometry.width())
            .arg(config.geometry.height())
            .arg(config.background.to_string())
            .arg(&config.background.to_bytes())
            .arg(Token::random().as_str())
            .arg(records)
            .arg(by.as_str())
            .arg(source)
            .arg(config.max_unsaved)
            .arg(config.cooldown_ms)
            .arg(config.max_messages_per_second_per_source)
            .arg(CALL_MS)
            .arg(message.as_str())
            .arg(REMEMBERED_MS)
    }

    fn painted(&self, answer: &[String]) -> Result<Painted, PaintError> {
        let words: Vec<&str> = answer.iter().map(String::as_str).collect();
        let unusable = || StoreError::answer(PAINT.doing, format!("{answer:?}"));
        match words.as_slice() {
            ["painted", at, wake @ ..] => {
                let at = at.parse().map_err(StoreError::position(PAINT.doing))?;
                let wake = wake
                    .iter()
                    .map(|shard| shard.parse().map_err(|_| unusable()));
                Ok(Painted {
                    at,
                    wake: wake.collect::<Result<_, _>>()?,
                })
            }
            ["cooling", ms, told @ ..] => Err(PaintError::CoolingDown {
                retry_ms: ms.parse().map_err(|_| unusable())?,
                told: !told.is_empty(),
            }),
            ["full"] => Err(PaintError::Full),
            ["mismatch", width, height] => Err(self.mismatch(width, height).into()),
            _ => Err(unusable().into()),
        }
    }

    pub(super) fn mismatch(&self, width: &str, height: &str) -> StoreError {
        let geometry = self.config.geometry;
        StoreError::Mismatch {
            stored: format!("{width} x {height}"),
            configured: format!("{} x {}", geometry.width(), geometry.height()),
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
