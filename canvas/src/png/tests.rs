use std::io::Cursor;

use png::{BitDepth, ColorType, Decoder, Encoder};
use proptest::prelude::*;

use super::*;
use crate::geometry::Geometry;
use crate::picture::Picture;
use crate::pixel::Rgb;

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

/// Colours as people paint: patches, lines and dots of 32 colours.
fn painting(x: u16, y: u16) -> [u8; 3] {
    let (x, y) = (usize::from(x), usize::from(y));
    let patch = bytes(x / 37 * 991 + y / 23)[2] / 8;
    let dot = bytes(x * 7919 + y)[1].is_multiple_of(5);
    bytes(usize::from(if dot { (patch + 1) % 32 } else { patch }))
}

fn smooth(x: u16, y: u16) -> [u8; 3] {
    let grain = bytes(usize::from(x) * 7919 + usize::from(y))[0] % 4;
    let part = |of: u16| u8::try_from(of % 240).unwrap() + grain;
    [part(x / 3), part(y / 3), part((x + y) / 5)]
}

fn noise(x: u16, y: u16) -> [u8; 3] {
    bytes((usize::from(x) << 16 | usize::from(y)).pow(2))
}

/// A picture of bands, each with a look of its own.
pub(super) fn bands(width: u16, height: u16, looks: &[u8]) -> Picture {
    picture(width, height, |n| {
        let (x, y) = (n % usize::from(width), n / usize::from(width));
        let look = looks[y * looks.len() / usize::from(height)] % 3;
        let (x, y) = (u16::try_from(x).unwrap(), u16::try_from(y).unwrap());
        [painting, smooth, noise][usize::from(look)](x, y)
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    #[test]
    fn pictures_beyond_the_sample_come_back(
        width in 1_u16..500,
        height in 300_u16..400,
        looks in proptest::collection::vec(0_u8..3, 1..5),
    ) {
        let picture = bands(width, height, &looks);
        let file = encode(&picture);
        prop_assert!(decode(&file, 500 * 400).unwrap() == picture);
    }
}

/// A message of 256 new colours must not make everybody's picture four times as long.
#[test]
fn a_few_more_colours_than_a_palette_holds_cost_little() {
    let mut picture = bands(400, 400, &[0]);
    let few = encode(&picture);
    assert_eq!(header(&few).0, ColorType::Indexed);
    for n in 0..256_u16 {
        let colour = Rgb::new(1, 2, u8::try_from(n).unwrap());
        picture.set(crate::pixel::Pixel::new(n, 399 - n, colour));
    }
    let many = encode(&picture);
    assert_eq!(header(&many).0, ColorType::Rgb);
    assert!(
        many.len() < few.len() * 3 / 2 + 7 * 256,
        "{} bytes, with a palette {}",
        many.len(),
        few.len()
    );
}

#[test]
fn a_smooth_picture_has_half_its_bytes() {
    let picture = bands(400, 400, &[1]);
    assert!(encode(&picture).len() < picture.rgb().len() / 2);
}
