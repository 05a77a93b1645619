//! A canvas with a real picture on it.

use std::path::Path;

use place_canvas::store::Painter;
use place_canvas::{Geometry, Picture, Pixel, Rgb, png};
use place_tests::lambda::{Rig, client};

/// Pixels that are painted at once: no browser could, but Redis takes it.
const MESSAGE: usize = 50_000;

/// A cut-out of the r/place 2022 canvas, of 1000 x 1000 pixels.
pub(crate) fn picture() -> Picture {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("data/place.png");
    let file = std::fs::read(path).expect("the picture in tests/data");
    png::decode(&file, 1_000_000).expect("a picture")
}

/// A picture in true colour that compresses little: 1000 x 1000 pixels.
pub(crate) fn gradient() -> Picture {
    let geometry = Geometry::new(1000, 1000).expect("a possible canvas");
    let mut picture = Picture::new(geometry, Rgb::WHITE);
    for (x, y) in (0..1000_u16).flat_map(|y| (0..1000_u16).map(move |x| (x, y))) {
        let [a, b] = [x.to_be_bytes(), y.to_be_bytes()];
        let noise = (u32::from(x) * 31 + u32::from(y) * 17).to_le_bytes()[0] & 15;
        picture.set(Pixel::new(
            x,
            y,
            Rgb::new(a[1] ^ noise, b[1], noise ^ (a[0] << 4)),
        ));
    }
    picture
}

/// Paints the picture all over the rig's canvas, as often as it fits.
pub(crate) async fn fill(rig: &Rig, picture: &Picture) {
    let store = rig.store().await;
    let (geometry, size) = (rig.geometry(), picture.geometry());
    let pixels: Vec<Pixel> = (0..geometry.height())
        .flat_map(|y| (0..geometry.width()).map(move |x| (x, y)))
        .filter_map(|(x, y)| {
            let colour = picture.get(x % size.width(), y % size.height())?;
            Some(Pixel::new(x, y, colour))
        })
        .collect();
    for some in pixels.chunks(MESSAGE) {
        store
            .paint(Painter::Operator(&client(0)), "192.0.2.1", some)
            .await
            .expect("a paint");
    }
}
