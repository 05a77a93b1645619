//! Reading a PNG file.

use std::io::Cursor;

use png::{ColorType, Decoder, Limits, Transformations};

use super::PngError;
use crate::geometry::Geometry;
use crate::picture::Picture;
use crate::pixel::Rgb;

/// The picture of a PNG file of any colour type, over white where it is transparent.
///
/// The size is checked before anything is allocated for it, so a hostile file costs no more
/// memory than an honest one of `max_pixels`: about eight bytes a pixel.
pub fn decode(file: &[u8], max_pixels: usize) -> Result<Picture, PngError> {
    decode_over(file, max_pixels, Rgb::WHITE)
}

/// [`decode`] over another background.
pub fn decode_over(file: &[u8], max_pixels: usize, background: Rgb) -> Result<Picture, PngError> {
    let limits = Limits {
        bytes: max_pixels.saturating_mul(8).saturating_add(1 << 20),
    };
    let mut decoder = Decoder::new_with_limits(Cursor::new(file), limits);
    decoder.set_transformations(Transformations::EXPAND | Transformations::STRIP_16);
    decoder.set_ignore_text_chunk(true);
    decoder.set_ignore_iccp_chunk(true);
    let info = decoder.read_header_info()?;
    let geometry = check_size(info.width, info.height, max_pixels)?;
    let mut reader = decoder.read_info()?;
    let bytes = reader
        .output_buffer_size()
        .ok_or(too_large(geometry, max_pixels))?;
    let mut samples = vec![0; bytes];
    let frame = reader.next_frame(&mut samples)?;
    samples.truncate(frame.buffer_size());
    let rgb = to_rgb(samples, frame.color_type, background);
    Ok(Picture::from_rgb(geometry, rgb)?)
}

const fn too_large(geometry: Geometry, limit: usize) -> PngError {
    PngError::TooLarge {
        pixels: geometry.pixels(),
        limit,
    }
}

fn check_size(width: u32, height: u32, max_pixels: usize) -> Result<Geometry, PngError> {
    let (Ok(short_width), Ok(short_height)) = (width.try_into(), height.try_into()) else {
        return Err(PngError::Sides { width, height });
    };
    let geometry = Geometry::new(short_width, short_height)?;
    if geometry.pixels() > max_pixels {
        return Err(too_large(geometry, max_pixels));
    }
    Ok(geometry)
}

/// Brings samples of eight bits to red, green and blue.
fn to_rgb(samples: Vec<u8>, color: ColorType, background: Rgb) -> Vec<u8> {
    let over = |rgb: [u8; 3], alpha: u8| blend(rgb, alpha, background);
    match color {
        ColorType::Rgb => samples,
        ColorType::Rgba => {
            let (pixels, _) = samples.as_chunks::<4>();
            pixels
                .iter()
                .flat_map(|&[r, g, b, alpha]| over([r, g, b], alpha))
                .collect()
        }
        ColorType::GrayscaleAlpha => {
            let (pixels, _) = samples.as_chunks::<2>();
            pixels
                .iter()
                .flat_map(|&[gray, alpha]| over([gray; 3], alpha))
                .collect()
        }
        // A palette was expanded by the decoder.
        ColorType::Grayscale | ColorType::Indexed => {
            samples.iter().flat_map(|&gray| [gray; 3]).collect()
        }
    }
}

fn blend(rgb: [u8; 3], alpha: u8, background: Rgb) -> [u8; 3] {
    let alpha = u32::from(alpha);
    let mix = |(over, under): (u8, u8)| {
        let sum = u32::from(over) * alpha + u32::from(under) * (255 - alpha);
        u8::try_from((sum + 127) / 255).expect("a mean of two bytes is a byte")
    };
    let [r, g, b] = rgb;
    let under = background.to_bytes();
    [mix((r, under[0])), mix((g, under[1])), mix((b, under[2]))]
}
