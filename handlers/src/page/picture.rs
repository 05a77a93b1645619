//! The picture, whole or in bands.

use std::collections::HashMap;
use std::time::Duration;

use place_canvas::{Geometry, Picture, Position, png};
use tokio::time::Instant;

use super::answer::{Keep, UrlAnswer};
use super::{Past, Site, Watch, slots};
use crate::error::Error;

/// Headers that tell which canvas a picture shows, as of when, and which slot goes on from there.
const EPOCH: &str = "x-place-epoch";
const AT: &str = "x-place-at";
const SLOT: &str = "x-place-slot";
pub(super) const HEADERS: &str = "x-place-epoch, x-place-at, x-place-slot";

/// Bytes of pixels in a band. A function's answer ends at 6 MB, base64 included, and noise does not
/// compress.
const BAND_BYTES: usize = 4_000_000;

/// How a canvas is cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Bands {
    /// Number of bands.
    pub(super) count: u16,
    /// Rows of each band but the last.
    rows: u16,
}

/// The canvas as of a moment.
pub(super) struct Shot {
    taken: Instant,
    epoch: String,
    at: Position,
    slot: u64,
    picture: Picture,
    /// Bands that were encoded.
    files: HashMap<u16, Vec<u8>>,
}

/// How a canvas of this size is cut so that every band fits an answer.
pub(super) fn bands(geometry: Geometry) -> Bands {
    let height = usize::from(geometry.height());
    let row = geometry.bytes() / height;
    let rows = (BAND_BYTES / row).clamp(1, height);
    let narrow = |number: usize| u16::try_from(number).unwrap_or(u16::MAX);
    Bands {
        count: narrow(height.div_ceil(rows)),
        rows: narrow(rows),
    }
}

pub(super) async fn answer<C: Watch, P: Past>(
    site: &Site<'_, C, P>,
    band: u16,
) -> Result<UrlAnswer, Error> {
    if band >= bands(site.geometry).count {
        return Ok(UrlAnswer::not_found());
    }
    let reuse = Duration::from_millis(site.env.reuse_ms.into());
    let shot = site.memory().picture.take();
    let mut shot = match shot.filter(|shot| shot.taken.elapsed() < reuse) {
        Some(shot) => shot,
        None => take(site).await?,
    };
    let answer = UrlAnswer::bytes("image/png", Keep::Seconds(1), shot.file(band));
    let answer = answer
        .shared()
        .header(EPOCH, shot.epoch.clone())
        .header(AT, shot.at.to_string())
        .header(SLOT, shot.slot.to_string());
    site.memory().picture = Some(shot);
    Ok(answer)
}

/// The clock is read before the picture: whatever the picture lacks is in its slot or a later one.
async fn take<C: Watch, P: Past>(site: &Site<'_, C, P>) -> Result<Shot, Error> {
    let now_ms = site.cache.watch(0..0).await?.now_ms;
    let canvas = site.cache.read_canvas().await?;
    Ok(Shot {
        taken: Instant::now(),
        epoch: canvas.epoch,
        at: canvas.at,
        slot: slots::of(now_ms),
        picture: canvas.picture,
        files: HashMap::new(),
    })
}

impl Shot {
    fn file(&mut self, band: u16) -> &[u8] {
        let Self { picture, files, .. } = self;
        files.entry(band).or_insert_with(|| encode(picture, band))
    }
}

fn encode(picture: &Picture, band: u16) -> Vec<u8> {
    let geometry = picture.geometry();
    let Bands { count, rows } = bands(geometry);
    if count == 1 {
        return png::encode(picture);
    }
    let row = usize::from(geometry.width()) * 3;
    let start = usize::from(band) * usize::from(rows) * row;
    let end = picture.rgb().len().min(start + usize::from(rows) * row);
    let rows = u16::try_from((end - start) / row).expect("a band has fewer rows than the canvas");
    let size = Geometry::new(geometry.width(), rows).expect("a band has rows");
    let band = Picture::from_rgb(size, picture.rgb()[start..end].to_vec());
    png::encode(&band.expect("the bytes are those of the rows"))
}

#[cfg(test)]
mod tests {
    use place_canvas::{Pixel, Rgb};

    use super::*;

    #[test]
    fn bands_cover_the_canvas_once_and_each_fits_an_answer() {
        for (width, height) in [
            (1, 1),
            (1000, 1000),
            (2000, 2000),
            (4096, 4096),
            (65_535, 40),
        ] {
            let geometry = Geometry::new(width, height).unwrap();
            let Bands { count, rows } = bands(geometry);
            assert!(u32::from(count) * u32::from(rows) >= u32::from(height));
            assert!(u32::from(count - 1) * u32::from(rows) < u32::from(height));
            assert!(usize::from(width) * usize::from(rows) * 3 <= BAND_BYTES);
        }
        assert_eq!(bands(Geometry::new(1000, 1000).unwrap()).count, 1);
    }

    #[test]
    fn bands_joined_are_the_picture() {
        let geometry = Geometry::new(4000, 1000).unwrap();
        let mut picture = Picture::new(geometry, Rgb::WHITE);
        for y in 0..1000 {
            picture.set(Pixel::new(y * 3, y, Rgb::new(1, 2, 3)));
        }
        let count = bands(geometry).count;
        assert!(count > 1);
        let parts =
            (0..count).map(|band| png::decode(&encode(&picture, band), usize::MAX).unwrap());
        let joined: Vec<u8> = parts.flat_map(Picture::into_rgb).collect();
        assert!(joined == picture.rgb());
    }
}
