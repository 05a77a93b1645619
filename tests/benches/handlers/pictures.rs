//! The picture of large canvases: time, bytes and memory of initializeConnection by size and by
//! what is painted.

use std::fmt::Write;
use std::time::Instant;

use place_canvas::store::Painter;
use place_canvas::{Geometry, Picture, Pixel, Rgb};
use place_config::Function as Kind;
use place_tests::lambda::{Memory, Rig, client, event};
use place_tests::process::processor_time;
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

use super::canvas;
use super::report::{millis, number};

/// Sides of the canvases.
const SIDES: [u16; 3] = [1000, 2000, 4096];
/// Bytes of the canvas that are put into Redis at once.
const PIECE: usize = 1 << 24;

/// What is on the canvas.
#[derive(Clone, Copy)]
enum Subject {
    Colours32,
    Strays,
    Photograph,
    Noise,
}

const SUBJECTS: [(Subject, &str); 4] = [
    (Subject::Colours32, "32 colours"),
    (Subject::Strays, "32 colours and 256 pixels of others"),
    (Subject::Photograph, "true colour, a photograph"),
    (Subject::Noise, "noise"),
];

/// A Markdown table; of one size if `PLACE_PICTURE_SIDE` says which.
pub(crate) async fn measure() -> String {
    let only = std::env::var("PLACE_PICTURE_SIDE").ok();
    let only = only.map(|side| vec![side.parse().expect("a side in pixels")]);
    let mut table =
        "| the picture of a newcomer | processor | first client | PNG | peak memory | a pixel |\n\
         |---|---|---|---|---|---|\n"
            .to_owned();
    for side in only.unwrap_or(SIDES.to_vec()) {
        for (subject, name) in SUBJECTS {
            let line = one(side, subject).await;
            writeln!(table, "| {side} x {side}, {name} | {line} |").expect("text grows");
        }
    }
    table
}

async fn one(side: u16, subject: Subject) -> String {
    let rig = Rig::with(Memory::Count, |env| (env.width, env.height) = (side, side)).await;
    put(&rig, painted(rig.geometry(), subject)).await;
    rig.join(1).await;
    let function = rig.function(Kind::Initialize);
    let at_rest = function.memory().now;
    let (begun, before) = (Instant::now(), processor_time(function.id()));
    let served = function.invoke(event::newcomers(&[client(0)])).await;
    let time = millis(begun.elapsed());
    served.expect("a newcomer is served");
    let used = processor_time(function.id()).zip(before);
    let used = used.map_or(f64::NAN, |(after, before)| {
        millis(after.saturating_sub(before))
    });
    let peak = function.memory().peak;
    let pixels = rig.geometry().pixels() as u64;
    // Base64 has four bytes for three, and a frame's envelope hardly counts.
    let png = rig.gateway.bytes() / 4 * 3;
    format!(
        "{} ms | {} ms | {} KB | {} MiB | {} bytes",
        number(used),
        number(time),
        png / 1000,
        peak / 1024,
        number(ratio((peak - at_rest) * 1024, pixels)),
    )
}

#[expect(clippy::cast_precision_loss, reason = "bytes are far below 2^52")]
fn ratio(of: u64, to: u64) -> f64 {
    of as f64 / to as f64
}

/// Puts a picture on the canvas that no newcomer could tell from a painted one: painting millions
/// of pixels would take minutes.
async fn put(rig: &Rig, picture: Picture) {
    let store = rig.store().await;
    let pixel = Pixel::new(0, 0, picture.get(0, 0).expect("a pixel"));
    let painted = store
        .paint(Painter::Operator(&client(0)), "192.0.2.1", &[pixel])
        .await;
    painted.expect("a paint");
    let redis = redis::Client::open(rig.redis.url()).expect("an address of a Redis");
    let config = redis::AsyncConnectionConfig::new().set_response_timeout(None);
    let connected = redis
        .get_multiplexed_async_connection_with_config(&config)
        .await;
    let mut connection = connected.expect("Redis answers");
    let key = format!("{{place:{}}}:canvas", rig.env.stack);
    for (number, piece) in picture.rgb().chunks(PIECE).enumerate() {
        let mut write = redis::cmd("SETRANGE");
        write.arg(&key).arg(number * PIECE).arg(piece);
        let written = write.query_async::<u64>(&mut connection).await;
        written.expect("Redis takes the picture");
    }
}

fn painted(geometry: Geometry, subject: Subject) -> Picture {
    let mut random = StdRng::seed_from_u64(2022);
    match subject {
        Subject::Colours32 => tiled(geometry),
        Subject::Strays => {
            let mut picture = tiled(geometry);
            for _ in 0..256 {
                let x = random.random_range(0..geometry.width());
                let y = random.random_range(0..geometry.height());
                picture.set(Pixel::new(x, y, Rgb::from(random.random::<[u8; 3]>())));
            }
            picture
        }
        Subject::Photograph => photograph(geometry, &mut random),
        Subject::Noise => {
            let mut rgb = vec![0; geometry.bytes()];
            random.fill(rgb.as_mut_slice());
            Picture::from_rgb(geometry, rgb).expect("bytes of the canvas")
        }
    }
}

/// A real picture as often as it fits, never the same way round twice in a row of tiles: a copy
/// nearby would cost next to nothing.
fn tiled(geometry: Geometry) -> Picture {
    let real = canvas::picture();
    let side = real.geometry().width();
    of(geometry, |x, y| {
        let (column, row) = (x / side, y / side);
        let way = (column + 3 * row) % 8;
        let turn = |flip: bool, at: u16| if flip { side - 1 - at } else { at };
        let (across, down) = (turn(way & 1 != 0, x % side), turn(way & 2 != 0, y % side));
        let found = if way & 4 == 0 {
            real.get(across, down)
        } else {
            real.get(down, across)
        };
        found.expect("a place of the tile").to_bytes()
    })
}

/// Soft waves of colour and a little grain.
fn photograph(geometry: Geometry, random: &mut StdRng) -> Picture {
    of(geometry, |x, y| {
        let (across, down) = (f32::from(x) / 97.0, f32::from(y) / 131.0);
        [0.0, 1.0, 2.0].map(|part: f32| {
            let wave = 60.0 * (across + part).sin();
            let other = 50.0 * (down * 1.3 + across * 0.4 + part * 2.0).cos();
            let value = 128.0 + wave + other + random.random_range(-3.0..=3.0);
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "from 15 to 241"
            )]
            let byte = value as u8;
            byte
        })
    })
}

fn of(geometry: Geometry, mut colour: impl FnMut(u16, u16) -> [u8; 3]) -> Picture {
    let mut rgb = Vec::with_capacity(geometry.bytes());
    for y in 0..geometry.height() {
        for x in 0..geometry.width() {
            rgb.extend_from_slice(&colour(x, y));
        }
    }
    Picture::from_rgb(geometry, rgb).expect("bytes of the canvas")
}
