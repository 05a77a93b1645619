//! The canvas's size.

use std::fmt;

use thiserror::Error;

/// Why a size is not one of a canvas.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
#[error("a canvas of {width} x {height} pixels is empty (each side is 1 to 65535)")]
pub struct GeometryError {
    /// The width that was asked for.
    pub width: u16,
    /// The height that was asked for.
    pub height: u16,
}

/// Width and height of a canvas, each 1 to 65535 pixels.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Geometry {
    width: u16,
    height: u16,
}

impl Geometry {
    /// Bytes of one pixel in the canvas: red, green, blue.
    pub const PIXEL_BYTES: usize = 3;

    /// A canvas of `width` x `height` pixels.
    pub const fn new(width: u16, height: u16) -> Result<Self, GeometryError> {
        if width == 0 || height == 0 {
            return Err(GeometryError { width, height });
        }
        Ok(Self { width, height })
    }

    /// Pixels in a row.
    pub const fn width(self) -> u16 {
        self.width
    }

    /// Rows.
    pub const fn height(self) -> u16 {
        self.height
    }

    /// Whether there is a pixel at `x`, `y`.
    pub const fn contains(self, x: u16, y: u16) -> bool {
        x < self.width && y < self.height
    }

    /// Where the pixel at `x`, `y` starts among the canvas's bytes.
    pub const fn offset(self, x: u16, y: u16) -> usize {
        (y as usize * self.width as usize + x as usize) * Self::PIXEL_BYTES
    }

    /// Number of pixels.
    pub const fn pixels(self) -> usize {
        self.width as usize * self.height as usize
    }

    /// Number of bytes of the canvas.
    pub const fn bytes(self) -> usize {
        self.pixels() * Self::PIXEL_BYTES
    }
}

impl fmt::Display for Geometry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} x {}", self.width, self.height)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_side_is_refused() {
        assert!(Geometry::new(0, 5).is_err());
        assert!(Geometry::new(5, 0).is_err());
        assert!(Geometry::new(1, 1).is_ok());
    }

    #[test]
    fn the_last_pixel_is_the_last_three_bytes() {
        let geometry = Geometry::new(7, 3).unwrap();
        assert_eq!(geometry.offset(6, 2), geometry.bytes() - 3);
        assert!(geometry.contains(6, 2));
        assert!(!geometry.contains(7, 2));
        assert!(!geometry.contains(6, 3));
    }

    #[test]
    fn the_largest_canvas_does_not_overflow() {
        let geometry = Geometry::new(u16::MAX, u16::MAX).unwrap();
        assert_eq!(geometry.bytes(), 65_535 * 65_535 * 3);
    }
}
