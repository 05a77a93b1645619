//! A whole canvas in memory.

use thiserror::Error;

use crate::geometry::Geometry;
use crate::pixel::{Pixel, Rgb};

/// Bytes that are not a picture of the given size.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
#[error("a picture of {width} x {height} pixels has {expected} bytes, not {found}")]
pub struct PictureError {
    /// Pixels in a row.
    pub width: u16,
    /// Rows.
    pub height: u16,
    /// Bytes that it must have.
    pub expected: usize,
    /// Bytes that were given.
    pub found: usize,
}

/// A picture: its size and its bytes, row by row, red, green and blue of each pixel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Picture {
    geometry: Geometry,
    rgb: Vec<u8>,
}

impl Picture {
    /// A picture that is `background` all over.
    pub fn new(geometry: Geometry, background: Rgb) -> Self {
        let rgb = background.to_bytes().repeat(geometry.pixels());
        Self { geometry, rgb }
    }

    /// The picture of these bytes.
    pub fn from_rgb(geometry: Geometry, rgb: Vec<u8>) -> Result<Self, PictureError> {
        if rgb.len() == geometry.bytes() {
            return Ok(Self { geometry, rgb });
        }
        Err(PictureError {
            width: geometry.width(),
            height: geometry.height(),
            expected: geometry.bytes(),
            found: rgb.len(),
        })
    }

    /// Its size.
    pub const fn geometry(&self) -> Geometry {
        self.geometry
    }

    /// Its bytes.
    pub fn rgb(&self) -> &[u8] {
        &self.rgb
    }

    /// Its bytes.
    pub fn into_rgb(self) -> Vec<u8> {
        self.rgb
    }

    /// The colour at `x`, `y`, if that is inside.
    pub fn get(&self, x: u16, y: u16) -> Option<Rgb> {
        let offset = self.inside(x, y)?;
        let bytes = self.rgb.get(offset..)?.first_chunk::<3>()?;
        Some(Rgb::from(*bytes))
    }

    /// Paints one pixel; says whether it lay inside.
    pub fn set(&mut self, pixel: Pixel) -> bool {
        let place = self.inside(pixel.x, pixel.y);
        let bytes = place.and_then(|offset| self.rgb.get_mut(offset..)?.first_chunk_mut::<3>());
        bytes.is_some_and(|bytes| {
            *bytes = pixel.rgb.to_bytes();
            true
        })
    }

    /// Paints pixels in their order, without those outside; says how many lay inside.
    pub fn apply(&mut self, pixels: &[Pixel]) -> usize {
        pixels.iter().filter(|pixel| self.set(**pixel)).count()
    }

    /// Every pixel, row by row.
    pub fn pixels(&self) -> impl Iterator<Item = Pixel> + '_ {
        let places = (0..self.geometry.height())
            .flat_map(|y| (0..self.geometry.width()).map(move |x| (x, y)));
        let colours = self.rgb.as_chunks::<3>().0;
        places
            .zip(colours)
            .map(|((x, y), rgb)| Pixel::new(x, y, Rgb::from(*rgb)))
    }

    fn inside(&self, x: u16, y: u16) -> Option<usize> {
        self.geometry
            .contains(x, y)
            .then(|| self.geometry.offset(x, y))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RED: Rgb = Rgb::new(255, 0, 0);

    #[test]
    fn a_pixel_outside_changes_nothing() {
        let geometry = Geometry::new(2, 2).unwrap();
        let mut picture = Picture::new(geometry, Rgb::WHITE);
        assert_eq!(
            picture.apply(&[Pixel::new(2, 0, RED), Pixel::new(0, 2, RED)]),
            0
        );
        assert_eq!(picture, Picture::new(geometry, Rgb::WHITE));
        assert_eq!(picture.get(2, 0), None);
    }

    #[test]
    fn the_last_write_stays() {
        let mut picture = Picture::new(Geometry::new(3, 2).unwrap(), Rgb::WHITE);
        picture.apply(&[Pixel::new(2, 1, Rgb::new(1, 2, 3)), Pixel::new(2, 1, RED)]);
        assert_eq!(picture.get(2, 1), Some(RED));
        assert_eq!(picture.pixels().last(), Some(Pixel::new(2, 1, RED)));
        assert_eq!(picture.pixels().count(), 6);
    }

    #[test]
    fn bytes_of_another_size_are_refused() {
        let geometry = Geometry::new(3, 2).unwrap();
        assert!(Picture::from_rgb(geometry, vec![0; 17]).is_err());
        assert!(Picture::from_rgb(geometry, vec![0; 18]).is_ok());
    }
}
