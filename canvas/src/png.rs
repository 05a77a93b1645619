//! Pictures as PNG files.

use std::io::Cursor;

use png::{BitDepth, ColorType, Compression, Decoder, Encoder, Filter, Limits, Transformations};
use thiserror::Error;

use crate::geometry::{Geometry, GeometryError};
use crate::picture::{Picture, PictureError};
use crate::pixel::Rgb;

mod palette;

use palette::Palette;

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

/// The PNG file of a picture: with a palette of 1, 2, 4 or 8 bits a pixel when it has at most 256
/// colours, of 24 bits a pixel otherwise.
#[expect(clippy::missing_panics_doc, reason = "writing to memory can't fail")]
pub fn encode(picture: &Picture) -> Vec<u8> {
    let mut file = Vec::with_capacity(picture.geometry().pixels() / 4 + 1024);
    let written = match Palette::of(picture.rgb()) {
        Some(palette) => write_indexed(&mut file, picture, &palette),
        None => write_rgb(&mut file, picture),
    };
    written.expect("writing a picture of the right size to memory can't fail");
    file
}

fn encoder(file: &mut Vec<u8>, geometry: Geometry) -> Encoder<'_, &mut Vec<u8>> {
    let mut encoder = Encoder::new(file, geometry.width().into(), geometry.height().into());
    encoder.set_compression(Compression::Fast);
    encoder
}

fn write_indexed(
    file: &mut Vec<u8>,
    picture: &Picture,
    palette: &Palette,
) -> Result<(), png::EncodingError> {
    let mut encoder = encoder(file, picture.geometry());
    encoder.set_color(ColorType::Indexed);
    encoder.set_depth(palette.depth());
    encoder.set_palette(palette.bytes());
    // Palette numbers that are next to one another say nothing of each other, so a filter that
    // subtracts neighbours only makes the rows harder to compress.
    encoder.set_filter(Filter::NoFilter);
    // Level 1 comes within a quarter of level 6's length in a fifth of its time, and is shorter
    // than what `Compression::Fast` makes of unfiltered rows.
    encoder.set_deflate_compression(png::DeflateCompression::Level(1));
    let rows = palette.pack(picture.rgb(), picture.geometry().width());
    encoder.write_header()?.write_image_data(&rows)
}

fn write_rgb(file: &mut Vec<u8>, picture: &Picture) -> Result<(), png::EncodingError> {
    let mut encoder = encoder(file, picture.geometry());
    encoder.set_color(ColorType::Rgb);
    encoder.set_depth(BitDepth::Eight);
    encoder.write_header()?.write_image_data(picture.rgb())
}

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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn picture(width: u16, height: u16, color: impl Fn(usize) -> [u8; 3]) -> Picture {
        let geometry = Geometry::new(width, height).unwrap();
        let rgb = (0..geometry.pixels()).flat_map(color).collect();
        Picture::from_rgb(geometry, rgb).unwrap()
    }

    fn bytes(n: usize) -> [u8; 3] {
        let [.., r, g, b] = (n.wrapping_mul(0x9e37_79b9) >> 5).to_be_bytes();
        [r, g, b]
    }

    fn header(file: &[u8]) -> (ColorType, BitDepth) {
        let mut decoder = Decoder::new(Cursor::new(file));
        let info = decoder.read_header_info().unwrap();
        (info.color_type, info.bit_depth)
    }

    fn encoded(
        (width, height): (u32, u32),
        (color, depth): (ColorType, BitDepth),
        data: &[u8],
    ) -> Vec<u8> {
        let mut file = Vec::new();
        let mut encoder = Encoder::new(&mut file, width, height);
        encoder.set_color(color);
        encoder.set_depth(depth);
        encoder
            .write_header()
            .unwrap()
            .write_image_data(data)
            .unwrap();
        file
    }

    proptest! {
        #[test]
        fn pictures_come_back(width in 1_u16..40, height in 1_u16..40, colors in 1_usize..400) {
            let picture = picture(width, height, |n| bytes(n % colors));
            let file = encode(&picture);
            prop_assert_eq!(decode(&file, 40 * 40).unwrap(), picture);
        }

        #[test]
        fn any_bytes_are_a_picture_or_an_error(mut tail: Vec<u8>, cut in 0_usize..200) {
            let mut file = encode(&picture(20, 20, bytes));
            file.truncate(cut);
            file.append(&mut tail);
            if let Ok(picture) = decode(&file, 400) {
                prop_assert!(picture.geometry().pixels() <= 400);
            }
        }
    }

    #[test]
    fn the_fewest_bits_a_pixel_are_used() {
        let indexed = |depth| (ColorType::Indexed, depth);
        let cases = [
            (1, indexed(BitDepth::One)),
            (2, indexed(BitDepth::One)),
            (3, indexed(BitDepth::Two)),
            (5, indexed(BitDepth::Four)),
            (16, indexed(BitDepth::Four)),
            (17, indexed(BitDepth::Eight)),
            (256, indexed(BitDepth::Eight)),
            (257, (ColorType::Rgb, BitDepth::Eight)),
        ];
        for (colors, expected) in cases {
            let picture = picture(33, 31, |n| bytes(n % colors));
            let file = encode(&picture);
            assert_eq!(header(&file), expected, "{colors} colours");
            assert_eq!(decode(&file, 2000).unwrap(), picture, "{colors} colours");
        }
    }

    #[test]
    fn every_colour_type_is_read() {
        let one = |kind, data: &[u8]| {
            decode(&encoded((1, 1), kind, data), 1)
                .unwrap()
                .get(0, 0)
                .unwrap()
                .to_bytes()
        };
        assert_eq!(
            one((ColorType::Grayscale, BitDepth::One), &[0x80]),
            [255; 3]
        );
        assert_eq!(
            one((ColorType::Grayscale, BitDepth::Sixteen), &[7, 0]),
            [7; 3]
        );
        assert_eq!(
            one((ColorType::GrayscaleAlpha, BitDepth::Eight), &[0, 128]),
            [127; 3]
        );
        assert_eq!(
            one((ColorType::Rgba, BitDepth::Eight), &[9, 9, 9, 0]),
            [255; 3]
        );
        assert_eq!(
            one((ColorType::Rgb, BitDepth::Sixteen), &[1, 0, 2, 0, 3, 0]),
            [1, 2, 3]
        );
    }

    #[test]
    fn transparency_shows_the_background() {
        let file = encoded(
            (1, 1),
            (ColorType::Rgba, BitDepth::Eight),
            &[200, 200, 200, 0],
        );
        let picture = decode_over(&file, 1, Rgb::new(1, 2, 3)).unwrap();
        assert_eq!(picture.get(0, 0), Some(Rgb::new(1, 2, 3)));
    }

    #[test]
    fn a_picture_over_the_limit_is_refused_unread() {
        let file = encode(&picture(20, 20, |_| [0; 3]));
        assert!(matches!(
            decode(&file, 399),
            Err(PngError::TooLarge {
                pixels: 400,
                limit: 399
            })
        ));
        let wide = encoded(
            (65_536, 1),
            (ColorType::Grayscale, BitDepth::One),
            &[0; 8192],
        );
        assert!(matches!(
            decode(&wide, usize::MAX),
            Err(PngError::Sides { width: 65_536, .. })
        ));
    }

    #[test]
    fn a_header_that_promises_too_much_allocates_nothing() {
        let mut file = encode(&picture(20, 20, |_| [0; 3]));
        // Width and height in the header, and its checksum, which is then wrong.
        file[16..24].copy_from_slice(&[0, 0, 255, 255, 0, 0, 255, 255]);
        assert!(decode(&file, 1_000_000).is_err());
    }

    #[test]
    fn noise_is_hardly_longer_than_its_bytes() {
        let noise = picture(300, 300, |n| bytes(n * n));
        assert!(encode(&noise).len() < noise.rgb().len() + noise.rgb().len() / 50 + 1000);
    }
}
