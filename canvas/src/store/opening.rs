//! Opening the canvas: giving it an epoch, under the save's lease.
//!
//! What the canvas is to be is written to a key of its own, in parts; then one script puts it in
//! place, begins its history and names its epoch. Killed anywhere before that script, the canvas
//! stays closed, and whoever opens it next begins anew. Every script asks for the lease, so that one
//! who lost it writes nothing.

use std::sync::LazyLock;

use rand::Rng;

use super::script::{Call, Script, script_when_full as script};
use super::{Store, StoreError, Token};
use crate::geometry::Geometry;
use crate::picture::Picture;
use crate::pixel::Rgb;
use crate::position::Position;

static CLOSE: LazyLock<Script> = script!("closing the canvas", "close");
static PREPARE: LazyLock<Script> = script!("writing the canvas", "prepare");
static OPEN: LazyLock<Script> = script!("opening the canvas", "open");

/// Bytes of the canvas that are written at once.
const PART: usize = 1 << 20;

/// What the cache holds of a canvas.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Found {
    /// Its epoch, if it is open.
    pub epoch: Option<String>,
    /// Its size, if all of its pixels are there, open or not.
    pub geometry: Option<Geometry>,
    /// Colour of its untouched pixels, if it says so.
    pub background: Option<Rgb>,
    /// What addresses are hashed with, if it says so.
    pub salt: Option<String>,
    /// The size that it was closed for, `width x height`.
    pub to: Option<String>,
    /// Whether another node has become the primary since it was opened: it may lack what the one
    /// before had accepted.
    pub has_moved: bool,
}

/// What the opened canvas is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// This picture, all of which is saved: there is no history before it.
    Saved,
    /// This picture, in place of the one in the cache, whose history stays.
    Replaced,
    /// The canvas in the cache stays as it is. Where its history is lost, what that held is only in the
    /// canvas.
    Kept,
}

/// How a canvas is opened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Opening {
    /// Colour of its untouched pixels.
    pub background: Rgb,
    /// What addresses are hashed with.
    pub salt: String,
    /// The first entry of its history comes after this position, and after everything in the cache.
    pub after: Position,
    /// What it is made of.
    pub source: Source,
}

impl Found {
    /// Reads what the script says after the position.
    pub(super) fn read(fields: &[String]) -> Result<Self, StoreError> {
        const DOING: &str = "taking the save's lease";
        let [epoch, width, height, background, salt, to, replid, now] = fields else {
            return Err(StoreError::answer(DOING, format!("{fields:?}")));
        };
        let some = |text: &String| Some(text.clone()).filter(|text| !text.is_empty());
        let side = |text: &String| text.parse().ok();
        let geometry = side(width).zip(side(height));
        Ok(Self {
            epoch: some(epoch),
            geometry: geometry.and_then(|(width, height)| Geometry::new(width, height).ok()),
            background: background.parse().ok(),
            salt: some(salt),
            to: some(to),
            has_moved: !replid.is_empty() && !now.is_empty() && replid != now,
        })
    }
}

/// A salt that nobody else has.
pub fn random_salt() -> String {
    Token::random().as_str().to_owned()
}

impl Store {
    /// Closes the canvas, so that it can be opened in another size; `false` when the save's lease is
    /// not that of `token`.
    pub async fn close_canvas(&self, token: &Token, to: Geometry) -> Result<bool, StoreError> {
        let call = CLOSE.call().keys([self.keys.saving(), self.keys.meta()]);
        self.run(call.arg(token.as_str()).arg(to.to_string())).await
    }

    /// The pixels in the cache, open or not, of a canvas of this size.
    pub async fn read_pixels(&self, geometry: Geometry) -> Result<Picture, StoreError> {
        const DOING: &str = "reading the canvas";
        let mut command = redis::cmd("GET");
        command.arg(self.keys.canvas());
        let bytes: Vec<u8> = self.read(DOING, &command).await?;
        Picture::from_rgb(geometry, bytes).map_err(|error| StoreError::answer(DOING, error))
    }

    /// Opens the canvas under a new epoch, and answers the position at which its history begins;
    /// `None` when the save's lease is not that of `token`.
    ///
    /// Whoever is connected finds a gap before that position, and gets a new picture.
    pub async fn open_canvas(
        &self,
        token: &Token,
        opening: &Opening,
        picture: Option<&Picture>,
    ) -> Result<Option<Position>, StoreError> {
        if let Some(picture) = picture
            && !self.prepare(token, picture).await?
        {
            return Ok(None);
        }
        let epoch = format!("{:016x}", rand::rng().random::<u64>());
        let call = self.open_call(token, &epoch, opening);
        match self.run::<String>(call).await?.as_str() {
            "lost" => Ok(None),
            "gone" => Err(StoreError::answer(
                OPEN.doing,
                "the prepared pixels are missing",
            )),
            at => at
                .parse()
                .map(Some)
                .map_err(StoreError::position(OPEN.doing)),
        }
    }

    pub(super) fn open_call(&self, token: &Token, epoch: &str, opening: &Opening) -> Call<'static> {
        let (keys, geometry) = (&self.keys, self.config.geometry);
        OPEN.call()
            .keys([keys.saving(), keys.meta(), keys.canvas(), keys.next()])
            .keys([keys.history(), keys.saved(), keys.unsaved()])
            .keys(self.shards().map(|shard| keys.cursor(shard)))
            .named("token", token.as_str())
            .named("epoch", epoch)
            .named("width", geometry.width())
            .named("height", geometry.height())
            .named("background", opening.background.to_string())
            .named("salt", &opening.salt)
            .named("after", opening.after.to_string())
            .named("source", opening.source.as_str())
    }

    /// Writes the picture beside the canvas; `false` when the save's lease is not that of `token`.
    pub(super) async fn prepare(
        &self,
        token: &Token,
        picture: &Picture,
    ) -> Result<bool, StoreError> {
        for (number, part) in picture.rgb().chunks(PART).enumerate() {
            let call = PREPARE.call().keys([self.keys.saving(), self.keys.next()]);
            let call = call.arg(token.as_str()).arg(number * PART).arg(part);
            if !self.run::<bool>(call).await? {
                return Ok(false);
            }
        }
        Ok(true)
    }
}

impl Source {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Saved => "next",
            Self::Replaced => "replaced",
            Self::Kept => "kept",
        }
    }
}

#[cfg(any(test, feature = "testing"))]
impl Store {
    /// Opens a new canvas, as the first save does.
    pub async fn open_blank(&self) -> Result<Position, StoreError> {
        let token = Token::random();
        let lease = self
            .take_save(&token, std::time::Duration::from_secs(5))
            .await?;
        let super::SaveLease::Taken { .. } = lease else {
            return Err(StoreError::answer(OPEN.doing, "a save runs"));
        };
        let opening = Opening {
            background: self.config.background,
            salt: random_salt(),
            after: Position::ZERO,
            source: Source::Saved,
        };
        let picture = Picture::new(self.config.geometry, self.config.background);
        let at = self.open_canvas(&token, &opening, Some(&picture)).await?;
        let mut command = redis::cmd("DEL");
        command.arg(self.keys.saving());
        self.read::<()>(OPEN.doing, &command).await?;
        at.ok_or_else(|| StoreError::answer(OPEN.doing, "the lease is lost"))
    }
}
