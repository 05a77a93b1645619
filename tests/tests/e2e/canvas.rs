//! Clients that paint together.

use std::time::Duration;

use futures::future::join_all;
use place_canvas::{Picture, Pixel, Position, Store};
use place_tests::{Operator, Socket};
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

use crate::support::{eventually, my_turn, pixel, red};

/// Messages of one to eight pixels that overlap a lot: everyone paints in the same corner.
fn messages(seed: u64, number: usize) -> Vec<Vec<Pixel>> {
    let mut random = StdRng::seed_from_u64(seed);
    let mut one = || {
        let colour = [random.random(), random.random(), random.random()];
        pixel(
            random.random_range(0..24),
            random.random_range(0..16),
            colour,
        )
    };
    (0..number)
        .map(|n| (0..=n % 8).map(|_| one()).collect())
        .collect()
}

/// Waits until `number` messages after `start` are painted; the canvas then.
async fn painted(store: &Store, start: Position, number: usize) -> Picture {
    let all = async || store.read_after(start, number + 1).await.unwrap().len() == number;
    eventually("all messages to be painted", Duration::from_secs(30), all).await;
    store.read_canvas().await.unwrap().picture
}

/// So many clients join, each paints so many messages at the same time as the others, and all
/// end with the server's picture; so does a newcomer.
async fn converge(operator: &Operator, clients: usize, each: usize) {
    let store = operator.store().await;
    let start = store.newest().await.unwrap();
    let url = operator.websocket_url().await;
    let mut sockets = join_all((0..clients).map(|_| Socket::join(&url))).await;
    let paint = async |(number, socket): (usize, &mut Socket)| {
        for message in messages(number as u64, each) {
            socket.paint(&message).await;
        }
    };
    join_all(sockets.iter_mut().enumerate().map(paint)).await;
    let canvas = painted(&store, start, clients * each).await;
    join_all(sockets.iter_mut().map(|socket| socket.converge(&canvas))).await;
    let mut newcomer = Socket::connect(&url).await;
    newcomer.converge(&canvas).await;
}

#[tokio::test]
async fn two_clients_converge_to_the_same_picture() {
    let (stack, _turn) = my_turn().await;
    converge(&stack.operator, 2, 12).await;
}

#[tokio::test]
async fn twenty_clients_converge_to_the_same_picture() {
    let (stack, _turn) = my_turn().await;
    converge(&stack.operator, 20, 5).await;
}

#[tokio::test]
async fn a_newcomer_sees_what_was_painted_before() {
    let (stack, _turn) = my_turn().await;
    let mut painter = stack.operator.join().await;
    painter.paint(&[red(50, 40), red(51, 40)]).await;
    painter.sees(red(51, 40)).await;
    painter.close().await;
    let mut newcomer = stack.operator.join().await;
    newcomer.sees(red(50, 40)).await;
    newcomer.sees(red(51, 40)).await;
}

#[tokio::test]
async fn save_fills_the_tables_and_empties_what_it_saved() {
    let (stack, _turn) = my_turn().await;
    let operator = &stack.operator;
    converge(operator, 2, 6).await;
    let _ = operator.placectl().args(["save", "--full"]).succeed().await;
    let store = operator.store().await;
    let stats = store.stats().await.unwrap();
    assert_eq!((stats.unsaved_changes, stats.oldest_unsaved_ms), (0, None));
    assert_eq!(stats.saved, stats.newest);
    let canvas = operator.canvas().await;
    let geometry = canvas.geometry();
    let places = (0..geometry.height()).flat_map(|y| (0..geometry.width()).map(move |x| (x, y)));
    let places: Vec<_> = places.collect();
    let rows = operator.tables().get(&places).await.unwrap();
    assert_eq!(
        rows.len(),
        geometry.pixels(),
        "a full save writes a row a pixel"
    );
    assert!(
        places
            .iter()
            .all(|&(x, y)| Some(rows[&(x, y)].pixel.rgb) == canvas.get(x, y))
    );
}

#[tokio::test]
async fn no_frame_is_longer_than_configured() {
    let (stack, _turn) = my_turn().await;
    let operator = &stack.operator;
    let (width, height) = (operator.geometry().width(), operator.geometry().height());
    let places = (0..height).flat_map(|y| (0..width).map(move |x| (x, y)));
    // Noise, which no PNG makes smaller.
    let mut random = StdRng::seed_from_u64(0);
    let noise: Vec<_> = places.map(|(x, y)| pixel(x, y, random.random())).collect();
    let mut painter = operator.join().await;
    for message in noise.chunks(256) {
        painter.paint(message).await;
    }
    for wanted in [noise[0], noise[noise.len() - 1]] {
        painter.sees(wanted).await;
    }
    let newcomer = operator.join().await;
    let longest = operator.config().api.frame_bytes as usize;
    for client in [&painter, &newcomer] {
        assert!(client.longest_frame() <= longest);
        assert!(client.longest_frame() > longest / 2, "frames are filled");
    }
    // Three bytes a pixel, and a third more as base64.
    assert!(newcomer.frames() >= noise.len() * 4 / longest);
}

/// What a hostile or careless client sends, and the error that it gets.
const REFUSED: [(&str, &str); 14] = [
    (r#"{"action":"sendMessage"}"#, "BAD_MESSAGE"),
    (r#"{"action":"sendMessage","data":5}"#, "BAD_MESSAGE"),
    (r#"{"action":"sendMessage","data":[]}"#, "BAD_MESSAGE"),
    (r#"{"action":"sendMessage","data":null}"#, "BAD_MESSAGE"),
    (r#"{"action":"sendMessage","data":"[]"}"#, "BAD_MESSAGE"),
    (
        r#"{"action":"sendMessage","data":[{"x":1}]}"#,
        "BAD_MESSAGE",
    ),
    (
        r#"{"action":"sendMessage","data":{"x":"1","y":1,"r":0,"g":0,"b":0}}"#,
        "BAD_MESSAGE",
    ),
    (
        r#"{"action":"sendMessage","data":{"x":1.5,"y":1,"r":0,"g":0,"b":0}}"#,
        "BAD_MESSAGE",
    ),
    (
        r#"{"action":"sendMessage","data":{"x":64,"y":1,"r":0,"g":0,"b":0}}"#,
        "OUT_OF_BOUNDS",
    ),
    (
        r#"{"action":"sendMessage","data":{"x":1,"y":48,"r":0,"g":0,"b":0}}"#,
        "OUT_OF_BOUNDS",
    ),
    (
        r#"{"action":"sendMessage","data":{"x":-1,"y":0,"r":0,"g":0,"b":0}}"#,
        "OUT_OF_BOUNDS",
    ),
    (
        r#"{"action":"sendMessage","data":{"x":1,"y":1,"r":256,"g":0,"b":0}}"#,
        "BAD_COLOR",
    ),
    (
        r#"{"action":"sendMessage","data":{"x":1,"y":1,"r":0,"g":-1,"b":0}}"#,
        "BAD_COLOR",
    ),
    (
        r#"{"action":"sendMessage","data":{"x":1e400,"y":1,"r":0,"g":0,"b":0}}"#,
        "BAD_MESSAGE",
    ),
];

#[tokio::test]
async fn malformed_messages_get_an_error_and_paint_nothing() {
    let (stack, _turn) = my_turn().await;
    let store = stack.operator.store().await;
    let newest = store.newest().await.unwrap();
    let mut client = stack.operator.join().await;
    for (message, code) in REFUSED {
        client.send(message).await;
        assert_eq!(client.rejection().await, code, "{message}");
    }
    assert_eq!(store.newest().await.unwrap(), newest);
}

#[tokio::test]
async fn one_bad_pixel_rejects_the_whole_message() {
    let (stack, _turn) = my_turn().await;
    let store = stack.operator.store().await;
    let newest = store.newest().await.unwrap();
    let mut client = stack.operator.join().await;
    client.paint(&[red(1, 1), red(64, 1)]).await;
    assert_eq!(client.rejection().await, "OUT_OF_BOUNDS");
    let many: Vec<_> = (0..257).map(|n| red(n % 64, n / 64)).collect();
    client.paint(&many).await;
    assert_eq!(client.rejection().await, "TOO_MANY_PIXELS");
    assert_eq!(store.newest().await.unwrap(), newest);
    client.paint(&many[..256]).await;
    client.sees(many[255]).await;
}
