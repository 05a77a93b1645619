//! Pictures as PNG files.

use thiserror::Error;

use crate::geometry::GeometryError;
use crate::picture::PictureError;

mod decode;
mod encode;
mod mode;
mod palette;
#[cfg(test)]
mod tests;

pub use decode::{decode, decode_over};
pub use encode::encode;

/// Why a file is no usable picture.
#[derive(Debug, Error)]
pub enum PngError {
    /// The file is no PNG, or a broken one.
    #[error("not a readable PNG file")]
    Format(#[from] png::DecodingError),
    /// A side is longer than a canvas can be.
    #[error("a picture of {width} x {height} pixels is wider or higher than a canvas can be")]
    Sides {
        /// Pixels in a row.
        width: u32,
        /// Rows.
        height: u32,
    },
    /// The picture is empty.
    #[error("an empty picture")]
    Empty(#[from] GeometryError),
    /// The file's rows are not those that its header announces.
    #[error("an incomplete picture")]
    Incomplete(#[from] PictureError),
    /// The picture has more pixels than the caller takes.
    #[error("a picture of {pixels} pixels (at most {limit} are accepted)")]
    TooLarge {
        /// Its pixels.
        pixels: usize,
        /// The caller's limit.
        limit: usize,
    },
}
