//! The canvas as a PNG file: fetched in parts, painted from a file.

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use place_canvas::admin::{CANVAS_PART_BYTES, CanvasPart, Response};
use place_canvas::store::{Canvas, Painter};
use place_canvas::wire::pixels_per_frame;
use place_canvas::{ConnectionId, PaintError, Painted, Picture, Pixel, Position, Store, png};
use tokio::time::{Instant, sleep};

use super::Admin;
use crate::adapters::OPERATOR;
use crate::error::Error;
use crate::queues::{Call, Reason};

/// Pixels painted at once: an entry of history must fit the smallest frame that may be configured.
const RESTORE_PIXELS: usize = pixels_per_frame(1024);
/// Kept free before the invocation's time-out.
const RESERVE: Duration = Duration::from_secs(5);

/// The canvas as a PNG file.
pub(super) struct Encoded {
    at: Position,
    png: Vec<u8>,
}

impl Admin {
    /// A part of the canvas as of `at`, or its first part as of now when that one is not at hand.
    pub(super) async fn canvas(
        &self,
        at: Option<Position>,
        offset: u64,
    ) -> Result<Response, Error> {
        let mut held = self.picture.lock().await;
        let at_hand = held.as_ref().is_some_and(|encoded| Some(encoded.at) == at);
        if !at_hand {
            let Canvas { at, picture, .. } = self.cache.store().await?.read_canvas().await?;
            *held = Some(Encoded {
                at,
                png: png::encode(&picture),
            });
        }
        let encoded = held.as_ref().expect("a picture was encoded just now");
        let offset = if at == Some(encoded.at) { offset } else { 0 };
        let part = encoded.part(offset);
        if part.offset + CANVAS_PART_BYTES as u64 >= part.total {
            *held = None;
        }
        Ok(Response::Canvas(part))
    }

    /// Paints what differs from a picture whose upper left corner is `corner`.
    pub(super) async fn restore(
        &self,
        corner: (u16, u16),
        file: &str,
        deadline: Instant,
    ) -> Result<Response, Error> {
        let store = self.cache.store().await?;
        let until = deadline.checked_sub(RESERVE).unwrap_or(deadline);
        let refused = |message: String| Ok(Response::Error { message });
        let Ok(file) = STANDARD.decode(file) else {
            return refused("the picture is not base64".to_owned());
        };
        let (max_pixels, background) = (store.geometry().pixels(), store.config().background);
        let picture = match png::decode_over(&file, max_pixels, background) {
            Ok(picture) => picture,
            Err(error) => return refused(crate::error::chain(&error)),
        };
        let canvas = store.read_canvas().await?.picture;
        let Some(pixels) = differing(&canvas, &picture, corner) else {
            return refused("the picture does not fit the canvas at that position".to_owned());
        };
        let restored = self.paint_all(store, &pixels, until).await?;
        if restored.pixels < pixels.len() as u64 {
            let (done, all) = (restored.pixels, pixels.len());
            return refused(format!(
                "{done} of {all} pixels are painted, then the time or the canvas's room ran out: \
                 ask again, painted pixels are skipped"
            ));
        }
        Ok(Response::Restored {
            pixels: restored.pixels,
            at: restored.at,
        })
    }

    async fn paint_all(
        &self,
        store: &Store,
        pixels: &[Pixel],
        until: Instant,
    ) -> Result<Restored, Error> {
        let artist = ConnectionId::new(OPERATOR).expect("letters are an id");
        let mut restored = Restored::default();
        for some in pixels.chunks(RESTORE_PIXELS) {
            let painted = loop {
                match store
                    .paint(Painter::Operator(&artist), OPERATOR, some)
                    .await
                {
                    Ok(painted) => break painted,
                    Err(PaintError::CoolingDown { retry_ms, .. }) => {
                        let wait = Duration::from_millis(retry_ms);
                        if Instant::now() + wait >= until {
                            return Ok(restored);
                        }
                        sleep(wait).await;
                    }
                    Err(PaintError::Full) => return Ok(restored),
                    Err(error) => return Err(error.into()),
                }
            };
            // At once: until they are called, nobody sees what anybody paints.
            self.wake(&painted).await?;
            restored.pixels += some.len() as u64;
            restored.at = Some(painted.at);
            if Instant::now() >= until {
                break;
            }
        }
        Ok(restored)
    }

    async fn wake(&self, painted: &Painted) -> Result<(), Error> {
        for shard in &painted.wake {
            let (shard, at, reason) = (*shard, painted.at, Reason::Paint(painted.caller.clone()));
            self.queues.call(&Call { shard, at, reason }).await?;
        }
        Ok(())
    }
}

impl Encoded {
    fn part(&self, offset: u64) -> CanvasPart {
        let start = usize::try_from(offset)
            .unwrap_or(usize::MAX)
            .min(self.png.len());
        let end = (start + CANVAS_PART_BYTES).min(self.png.len());
        CanvasPart {
            at: self.at,
            offset: start as u64,
            total: self.png.len() as u64,
            png: STANDARD.encode(&self.png[start..end]),
        }
    }
}

#[derive(Default)]
struct Restored {
    pixels: u64,
    at: Option<Position>,
}

/// The pixels of `picture` that are not on the canvas yet; `None` when it doesn't fit.
fn differing(canvas: &Picture, picture: &Picture, (left, top): (u16, u16)) -> Option<Vec<Pixel>> {
    let geometry = picture.geometry();
    let right = left.checked_add(geometry.width() - 1)?;
    let bottom = top.checked_add(geometry.height() - 1)?;
    if !canvas.geometry().contains(right, bottom) {
        return None;
    }
    let moved = picture
        .pixels()
        .map(|p| Pixel::new(left + p.x, top + p.y, p.rgb));
    Some(
        moved
            .filter(|p| canvas.get(p.x, p.y) != Some(p.rgb))
            .collect(),
    )
}

#[cfg(test)]
mod tests {
    use place_canvas::{Geometry, Rgb};

    use super::*;

    #[test]
    fn only_what_differs_is_painted() {
        let side = |n| Geometry::new(n, n).unwrap();
        let canvas = Picture::new(side(4), Rgb::WHITE);
        let mut picture = Picture::new(side(2), Rgb::WHITE);
        picture.set(Pixel::new(1, 0, Rgb::new(1, 2, 3)));
        let expected = vec![Pixel::new(3, 2, Rgb::new(1, 2, 3))];
        assert_eq!(differing(&canvas, &picture, (2, 2)), Some(expected));
        assert_eq!(differing(&canvas, &picture, (3, 2)), None);
        assert_eq!(differing(&canvas, &picture, (u16::MAX, 0)), None);
    }

    #[test]
    fn parts_cover_the_file_and_end() {
        let encoded = Encoded {
            at: Position::ZERO,
            png: vec![7; CANVAS_PART_BYTES + 3],
        };
        let (first, last) = (encoded.part(0), encoded.part(CANVAS_PART_BYTES as u64));
        assert_eq!(
            (first.offset, first.total),
            (0, CANVAS_PART_BYTES as u64 + 3)
        );
        assert_eq!(last.png, "BwcH");
        assert_eq!(encoded.part(u64::MAX).png, "");
    }
}
