//! Opening the canvas, and making good what a cache has lost.
//!
//! A canvas is opened once. Then its cache may lose everything, or go back in time when another node
//! becomes the primary. The tables say how far they may be: no row is of a change after
//! [`State::position`], which is stored before any row is written, and is an entry of history. So a
//! cache that holds that entry has lost nothing that is saved, and one that does not hold it is
//! behind the tables: what they hold beyond it is painted anew, but for places that people have
//! painted since. Either way the canvas gets a new epoch, by which clients notice.
//!
//! A cache may also lose one key and hold the rest. Pixels without history are kept, and all of them
//! are saved; history without pixels is painted over what the tables hold.

use std::collections::{HashMap, HashSet};

use place_canvas::store::{Found, Opening, Source, random_salt};
use place_canvas::tables::{Current, State};
use place_canvas::{Entry, Geometry, Picture, Pixel, Position, Rgb, StoreError};
use tracing::{info, warn};

use super::{Cache, Place, Rows, SaveAnswer, SaveEvent, Saver};
use crate::error::Error;

/// Entries of history that are read at once.
const PAGE: usize = 2000;
/// Pixels of one entry that is painted anew: it must fit the smallest frame that can be configured.
const AT_ONCE: usize = 80;

/// What a save begins with.
pub(super) struct Request {
    /// What it was asked for.
    pub(super) event: SaveEvent,
    /// What the cache holds.
    pub(super) found: Found,
    /// The id of the table of current colours, if that could be told.
    pub(super) table: Option<String>,
}

/// Sees to it that the canvas is open, in the configured size, and holds everything that is saved.
pub(super) async fn settle<C: Cache, R: Rows>(
    saver: &Saver<'_, C, R>,
    Request {
        event,
        found,
        table,
    }: Request,
    answer: &mut SaveAnswer,
) -> Result<(), Error> {
    let stored = saver.tables.state().await?;
    let (geometry, background) = saver.cache.configured();
    let known = stored.as_ref();
    let salt = found.salt.clone();
    let salt = salt.or_else(|| known.map(|state| state.salt.clone()));
    let settling = Settling {
        saver,
        event,
        state: State {
            position: known.map_or(Position::ZERO, |state| state.position),
            salt: salt.unwrap_or_else(random_salt),
            geometry,
            background,
            filled: known.and_then(|state| state.filled.clone()),
            filling: known.and_then(|state| state.filling.clone()),
        },
        table,
    };
    settling.check_background(&found, known)?;
    match found.geometry {
        None => settling.open_saved(known, answer).await?,
        Some(size) if size != geometry => settling.resize(size, &found, answer).await?,
        Some(_) if found.epoch.is_none() => settling.adopt(known, answer).await?,
        Some(_) => settling.make_good(known, &found, answer).await?,
    }
    if saver.state.borrow().is_none() {
        // Another table, or the first save: what must outlive the cache is stored once more.
        let state = settling.state;
        if known.is_none_or(|known| *known != state) {
            return saver.store(state).await;
        }
        *saver.state.borrow_mut() = stored;
    }
    Ok(())
}

struct Settling<'a, C, R> {
    saver: &'a Saver<'a, C, R>,
    event: SaveEvent,
    /// What is to be stored.
    state: State,
    /// The id of the table of current colours.
    table: Option<String>,
}

impl<C: Cache, R: Rows> Settling<'_, C, R> {
    /// Pixels that nobody painted are in no table: with another background cache and tables would
    /// tell different pictures.
    fn check_background(&self, found: &Found, known: Option<&State>) -> Result<(), Error> {
        let stored = known.map(|state| state.background);
        let stored = found
            .background
            .filter(|_| found.geometry.is_some())
            .or(stored);
        match stored {
            Some(stored) if stored != self.state.background => {
                let configured = self.state.background;
                Err(StoreError::Background { stored, configured }.into())
            }
            _ => Ok(()),
        }
    }

    /// Whether a canvas of this size may become one of the configured size.
    fn check_size(&self, stored: Geometry) -> Result<(), Error> {
        let configured = self.state.geometry;
        let grows = stored.width() <= configured.width() && stored.height() <= configured.height();
        if stored == configured || self.event.resize && (grows || self.event.crop) {
            return Ok(());
        }
        Err(StoreError::mismatch(stored, configured).into())
    }

    /// Opens the canvas that the tables hold, or a new one, with what history tells beyond the tables.
    async fn open_saved(
        &self,
        known: Option<&State>,
        answer: &mut SaveAnswer,
    ) -> Result<(), Error> {
        if let Some(known) = known {
            self.check_size(known.geometry)?;
        }
        let (mut unsaved, entries) = self.unsaved(answer.from).await?;
        let mut picture = Picture::new(self.state.geometry, self.state.background);
        let (mut after, mut is_ahead) = (self.state.position, false);
        let rows = self.saver.tables.all(|page| {
            for Current { pixel, at } in page {
                picture.set(pixel);
                after = after.max(at);
                let place = (pixel.x, pixel.y);
                if unsaved.get(&place).is_some_and(|since| since.at < at) {
                    unsaved.remove(&place);
                    is_ahead = true;
                }
            }
        });
        let rows = rows.await?;
        for Current { pixel, .. } in unsaved.into_values() {
            picture.set(pixel);
        }
        if rows > 0 || entries > 0 {
            warn!(rows, entries, %after, "the cache holds no canvas: loaded what the tables hold");
        }
        // A canvas that is made of a table's rows is all in that table, until a save writes a row
        // older than it was.
        let opening = self.with(State {
            position: after,
            filled: self.table.clone().filter(|_| !is_ahead),
            filling: None,
            ..self.state.clone()
        });
        let source = match entries {
            0 => Source::Saved,
            _ => Source::Replaced,
        };
        opening.open(source, Some(&picture), answer).await
    }

    /// The last change of each place after this position that history tells of, and how many entries
    /// it has there.
    async fn unsaved(&self, mut from: Position) -> Result<(HashMap<Place, Current>, usize), Error> {
        let (mut changes, mut entries) = (HashMap::new(), 0);
        loop {
            let page = self.saver.cache.read_after(from, PAGE).await?;
            let Some(last) = page.last() else {
                return Ok((changes, entries));
            };
            (from, entries) = (last.at, entries + page.len());
            for Entry { at, pixels, .. } in page {
                changes.extend(pixels.into_iter().map(|pixel| {
                    let place = (pixel.x, pixel.y);
                    (place, Current { pixel, at })
                }));
            }
        }
    }

    /// Opens the canvas that is in the cache. One that was saved before there was a state is in the
    /// tables, as far as anybody can tell. One whose history is lost holds what no save wrote.
    async fn adopt(&self, known: Option<&State>, answer: &mut SaveAnswer) -> Result<(), Error> {
        let has_history = self.saver.cache.newest().await? > Position::ZERO;
        let (filled, filling) = match known {
            _ if !has_history => (None, None),
            Some(known) => (known.filled.clone(), known.filling.clone()),
            None => (self.table.clone(), None),
        };
        let opening = self.with(State {
            filled,
            filling,
            ..self.state.clone()
        });
        opening.open(Source::Kept, None, answer).await?;
        if !has_history {
            warn!("the cache has lost the canvas's history: every pixel is saved");
            let opened = self
                .saver
                .state
                .borrow()
                .as_ref()
                .map(|state| state.position);
            (answer.from, answer.to) = opened.map_or((answer.from, answer.to), |at| (at, at));
        }
        Ok(())
    }

    fn with(&self, state: State) -> Self {
        Self {
            state,
            table: self.table.clone(),
            ..*self
        }
    }

    /// Gives the canvas the configured size: what it shows stays where it is.
    async fn resize(
        &self,
        size: Geometry,
        found: &Found,
        answer: &mut SaveAnswer,
    ) -> Result<(), Error> {
        let Saver { cache, token, .. } = self.saver;
        let to = self.state.geometry;
        let wanted = to.to_string();
        // One that was closed for this size, and not opened since, is opened whoever asks.
        if found.epoch.is_some() || found.to.as_deref() != Some(&wanted) {
            self.check_size(size)?;
            if !cache.close(token, to).await? {
                return Err(Error::LeaseLost("save"));
            }
        }
        let mut picture = Picture::new(to, self.state.background);
        for pixel in cache.pixels(size).await?.pixels() {
            picture.set(pixel);
        }
        // Where the canvas was larger once, the tables still hold what was cropped: both must show
        // the same.
        let outside = |row: &Current| !size.contains(row.pixel.x, row.pixel.y);
        let rows = self.saver.tables.all(|page| {
            for Current { pixel, .. } in page.into_iter().filter(outside) {
                picture.set(pixel);
            }
        });
        rows.await?;
        info!(from = %size, %to, "resized the canvas");
        self.open(Source::Replaced, Some(&picture), answer).await
    }

    /// Paints what the tables hold beyond the cache.
    async fn make_good(
        &self,
        known: Option<&State>,
        found: &Found,
        answer: &mut SaveAnswer,
    ) -> Result<(), Error> {
        let behind = match known.map(|state| state.position) {
            Some(position) if position > Position::ZERO => self
                .saver
                .cache
                .follow(position, 1)
                .await?
                .gap
                .then_some(position),
            _ => None,
        };
        if let Some(position) = behind {
            answer.recovered = self.recover(position).await?;
            warn!(%position, pixels = answer.recovered, "the cache was behind the tables");
        }
        if behind.is_some() || found.has_moved {
            self.open(Source::Kept, None, answer).await?;
        }
        Ok(())
    }

    async fn recover(&self, reached: Position) -> Result<u64, Error> {
        let Saver { cache, tables, .. } = self.saver;
        let kept = cache.last_before(reached).await?;
        let since = self.painted_after(reached).await?;
        let canvas = cache.read_canvas().await?.picture;
        let mut lost: Vec<Pixel> = Vec::new();
        let is_lost = |row: &Current| {
            let (x, y) = (row.pixel.x, row.pixel.y);
            let shown: Option<Rgb> = canvas.get(x, y);
            row.at > kept
                && shown.is_some_and(|shown| shown != row.pixel.rgb)
                && !since.contains(&(x, y))
        };
        let scan = tables.all(|page| {
            lost.extend(page.into_iter().filter(is_lost).map(|row| row.pixel));
        });
        scan.await?;
        for some in lost.chunks(AT_ONCE) {
            cache.paint_back(some).await?;
        }
        Ok(lost.len() as u64)
    }

    async fn painted_after(&self, position: Position) -> Result<HashSet<Place>, Error> {
        let (mut places, mut from) = (HashSet::new(), position);
        loop {
            let page = self.saver.cache.read_after(from, PAGE).await?;
            let Some(last) = page.last() else {
                return Ok(places);
            };
            from = last.at;
            places.extend(
                page.iter()
                    .flat_map(|e| e.pixels.iter().map(|p| (p.x, p.y))),
            );
        }
    }

    async fn open(
        &self,
        source: Source,
        picture: Option<&Picture>,
        answer: &mut SaveAnswer,
    ) -> Result<(), Error> {
        let Saver { cache, token, .. } = self.saver;
        let opening = Opening {
            background: self.state.background,
            salt: self.state.salt.clone(),
            after: self.state.position,
            source,
        };
        let Some(at) = cache.open(token, &opening, picture).await? else {
            return Err(Error::LeaseLost("save"));
        };
        info!(%at, ?source, "opened the canvas");
        answer.opened = true;
        if source == Source::Saved {
            (answer.from, answer.to) = (at, at);
        }
        self.saver
            .store(State {
                position: at,
                ..self.state.clone()
            })
            .await
    }
}
