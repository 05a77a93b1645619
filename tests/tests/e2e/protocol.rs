//! `docs/protocol.md`: a client that was written from it alone, and what it says of odd messages.

use std::time::Duration;

use place_canvas::wire::ServerFrame;
use place_canvas::{ConnectionId, Picture, Position, Store, png};
use place_tests::{Operator, ReferenceClient, Socket, reference_client};
use tokio::time::sleep;

use crate::support::{Standing, my_turn, pixel, red};

/// Messages that each of the two clients paints.
const MESSAGES: u16 = 8;
/// Longer than a broadcast takes, so that a client that paints at once is refused.
const COOLDOWN: Duration = Duration::from_millis(300);

/// The picture that `placectl canvas export` writes.
async fn exported(operator: &Operator) -> Picture {
    let words = ["canvas", "export", "now.png"];
    let _ = operator.placectl().args(words).succeed().await;
    let file = std::fs::read(operator.directory().join("now.png")).unwrap();
    png::decode(&file, operator.geometry().pixels()).unwrap()
}

/// Who painted after `start` and is not `except`.
async fn painter(store: &Store, start: Position, except: &ConnectionId) -> (String, usize) {
    let mut history = store.read_after(start, 1000).await.unwrap();
    history.retain(|entry| entry.by != except.as_str());
    let by = history[0].by.clone();
    assert!(history.iter().all(|entry| entry.by == by), "{history:?}");
    (by, history.len())
}

#[tokio::test]
async fn a_client_written_from_the_documentation_ends_with_the_same_picture() {
    let stack = Standing::up_with(|config| {
        config.api.frame_bytes = 4096;
        config.canvas.cooldown_ms = COOLDOWN.as_millis().try_into().unwrap();
    });
    let stack = stack.await;
    let (operator, store) = (&stack.operator, stack.operator.store().await);
    let start = store.newest().await.unwrap();
    let url = operator.websocket_url().await;
    let mut ours = operator.join().await;
    let our_id = store.clients_of(store.shards().next().unwrap()).await;
    let our_id = our_id.unwrap().into_iter().next().unwrap();

    let number = MESSAGES.to_string();
    let mut theirs = ReferenceClient::start(&url, &["--paint", &number, "--keepalive", "1"]);
    theirs.tells("joined").await;
    for n in 0..MESSAGES {
        // In the corner where the other one paints, too.
        ours.paint(&[pixel(n, n, [0, 1, 2]), red(40 + n, 40)]).await;
        ours.sees(red(40 + n, 40)).await;
        sleep(COOLDOWN).await;
    }
    theirs.tells("painted").await;
    let cooled = |told: &&serde_json::Value| told["code"] == "COOLING_DOWN";
    assert!(theirs.events().iter().any(|told| cooled(&told)));
    let (their_id, painted) = painter(&store, start, &our_id).await;
    assert!(painted >= usize::from(MESSAGES), "{painted}");

    // It comes back by itself, and what was painted meanwhile is in its new picture.
    stack.cloud.hang_up(&url, &their_id).await;
    ours.paint(&[red(63, 47)]).await;
    ours.sees(red(63, 47)).await;
    theirs.tells("disconnected").await;
    let canvas = exported(operator).await;
    let newest = store.newest().await.unwrap();
    let rgb = theirs.finish(&newest.to_string()).await;
    ours.converge(&canvas).await;
    assert_eq!(rgb, canvas.rgb());
}

#[tokio::test]
async fn the_reference_client_passes_its_own_tests() {
    let (passed, written) = reference_client::own_tests().await;
    assert!(passed, "{written}");
    assert!(!written.contains("Ran 0 tests"), "{written}");
}

/// Messages that lead to no route.
const NO_ROUTE: [&str; 19] = [
    "",
    " ",
    "hello",
    "sendMessage",
    "null",
    "true",
    "5",
    r#""sendMessage""#,
    "[]",
    r#"["sendMessage"]"#,
    r#"[{"action":"sendMessage","data":[]}]"#,
    "{",
    "{}",
    r#"{"data":[{"x":1,"y":1,"r":1,"g":1,"b":1}]}"#,
    r#"{"action":null}"#,
    r#"{"action":{"action":"sendMessage"}}"#,
    r#"{"action":["sendMessage"]}"#,
    r#"{"action":"sendmessage","data":[{"x":1,"y":1,"r":1,"g":1,"b":1}]}"#,
    r#"{"action":"paint","data":[{"x":1,"y":1,"r":1,"g":1,"b":1}]}"#,
];

#[tokio::test]
async fn a_message_without_a_route_paints_nothing_and_costs_no_connection() {
    let (stack, _turn) = my_turn().await;
    let store = stack.operator.store().await;
    let newest = store.newest().await.unwrap();
    let mut client = stack.operator.join().await;
    for message in NO_ROUTE {
        client.send(message).await;
    }
    // The one that does reach the function: its answer comes after all others.
    client.send(r#"{"action":"sendMessage"}"#).await;
    loop {
        let text = client.frame().await;
        let value: serde_json::Value = serde_json::from_str(&text).unwrap();
        match ServerFrame::parse(&text) {
            Ok(ServerFrame::Error { code, .. }) => {
                assert_eq!(code.as_str(), "BAD_MESSAGE");
                break;
            }
            // API Gateway's own answer, which no function sent.
            _ => assert_eq!(value["message"], "Forbidden", "{text}"),
        }
    }
    assert_eq!(store.newest().await.unwrap(), newest);
    client.paint(&[red(1, 1)]).await;
    client.sees(red(1, 1)).await;
}

#[tokio::test]
async fn a_client_that_comes_back_is_sent_what_it_has_missed_and_paints_as_its_player() {
    let (stack, _turn) = my_turn().await;
    let (operator, store) = (&stack.operator, stack.operator.store().await);
    let mut painter = operator.join().await;
    painter.paint(&[red(30, 30)]).await;
    painter.sees(red(30, 30)).await;
    let (held, epoch) = {
        let canvas = store.read_canvas().await.unwrap();
        (canvas.at, canvas.epoch)
    };
    painter.paint(&[red(31, 30)]).await;
    painter.sees(red(31, 30)).await;
    let player = "00112233445566778899aabbccddeeff";
    let url = operator.websocket_url().await;
    let mut back = Socket::connect(&format!("{url}?player={player}&from={epoch}:{held}")).await;
    let next = async |back: &mut Socket| ServerFrame::parse(&back.frame().await).unwrap();
    assert_eq!(next(&mut back).await, ServerFrame::Resume { from: held });
    let reached = loop {
        match next(&mut back).await {
            ServerFrame::Update { .. } => {}
            ServerFrame::Resumed { at } => break at,
            other => panic!("{other:?}"),
        }
    };
    assert!(reached > held);
    back.paint(&[red(32, 30)]).await;
    painter.sees(red(32, 30)).await;
    let entries = store.read_after(reached, 100).await.unwrap();
    let (name, source) = (&entries[0].player, &entries[0].source);
    assert!(name != source && !player.contains(name.as_str()), "{name}");
}
