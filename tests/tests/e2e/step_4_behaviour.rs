//! Step 4: what the functions do.

use std::collections::BTreeSet;
use std::time::Duration;

use aws_sdk_dynamodb::types::AttributeValue;
use place_canvas::store::Canvas;
use place_canvas::{ConnectionId, Position, Store};
use place_tests::Socket;

use crate::support::{eventually, my_turn, pixel, red};

const SOON: Duration = Duration::from_secs(10);

async fn clients(store: &Store) -> BTreeSet<ConnectionId> {
    let mut all = BTreeSet::new();
    for shard in store.shards() {
        all.extend(store.clients_of(shard).await.unwrap());
    }
    all
}

#[tokio::test]
async fn row_4_1_connect_stores_the_id_and_has_the_canvas_sent() {
    let (stack, _turn) = my_turn().await;
    let store = stack.operator.store().await;
    let before = clients(&store).await;
    let mut client = Socket::connect(&stack.operator.websocket_url().await).await;
    let after = clients(&store).await;
    assert_eq!(after.difference(&before).count(), 1, "{before:?} {after:?}");
    client.picture().await;
}

#[tokio::test]
async fn row_4_2_disconnect_removes_the_id() {
    let (stack, _turn) = my_turn().await;
    let store = &stack.operator.store().await;
    let before = clients(store).await;
    let client = stack.operator.join().await;
    let joined = clients(store).await;
    let id = joined.difference(&before).next().unwrap();
    client.close().await;
    let gone = async || !clients(store).await.contains(id);
    eventually("the id to be removed", SOON, gone).await;
}

#[tokio::test]
async fn row_4_3_send_message_appends_history_and_updates_the_canvas() {
    let (stack, _turn) = my_turn().await;
    let store = stack.operator.store().await;
    let newest = store.newest().await.unwrap();
    let mut client = stack.operator.join().await;
    let message = [red(1, 2), pixel(3, 4, [0, 200, 7])];
    client.paint(&message).await;
    client.sees(message[1]).await;
    let history = store.read_after(newest, 10).await.unwrap();
    assert_eq!(history.len(), 1, "{history:?}");
    assert_eq!(history[0].pixels, message);
    assert!(!history[0].source.contains("127.0.0.1"), "{history:?}");
    let Canvas {
        at,
        picture: canvas,
        ..
    } = store.read_canvas().await.unwrap();
    assert_eq!(at, history[0].at);
    assert_eq!(canvas.get(1, 2), Some(message[0].rgb));
    assert_eq!(canvas.get(3, 4), Some(message[1].rgb));
}

#[tokio::test]
async fn row_4_3_a_single_object_instead_of_a_list() {
    let (stack, _turn) = my_turn().await;
    let mut client = stack.operator.join().await;
    let data = r#"{"x":9,"y":8,"r":1,"g":2,"b":3}"#;
    client
        .send(&format!(r#"{{"action":"sendMessage","data":{data}}}"#))
        .await;
    client.sees(pixel(9, 8, [1, 2, 3])).await;
}

#[tokio::test]
async fn row_4_4_broadcast_reaches_every_client() {
    let (stack, _turn) = my_turn().await;
    let mut painter = stack.operator.join().await;
    let mut others = [stack.operator.join().await, stack.operator.join().await];
    painter.paint(&[pixel(20, 20, [9, 9, 9])]).await;
    painter.sees(pixel(20, 20, [9, 9, 9])).await;
    for other in &mut others {
        other.sees(pixel(20, 20, [9, 9, 9])).await;
    }
}

#[tokio::test]
async fn row_4_4_an_id_that_fails_is_removed() {
    let (stack, _turn) = my_turn().await;
    let store = &stack.operator.store().await;
    let ghost = &ConnectionId::new("nobody-is-there=").unwrap();
    store.add_client(ghost).await.unwrap();
    let mut client = stack.operator.join().await;
    // A connection that is still being made answers "gone" too, so the young are given time.
    let mut shade = 0;
    for _ in 0..30 {
        shade += 1;
        client.paint(&[pixel(0, 0, [shade, 0, 1])]).await;
        client.sees(pixel(0, 0, [shade, 0, 1])).await;
        if !clients(store).await.contains(ghost) {
            return;
        }
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    panic!("the id of a connection that doesn't exist is still in the set");
}

#[tokio::test]
async fn row_4_5_initialize_connection_sends_the_current_canvas() {
    let (stack, _turn) = my_turn().await;
    let mut painter = stack.operator.join().await;
    painter.paint(&[pixel(30, 31, [5, 6, 7])]).await;
    painter.sees(pixel(30, 31, [5, 6, 7])).await;
    let mut newcomer = stack.operator.join().await;
    let Canvas {
        at,
        picture: canvas,
        ..
    } = stack.operator.store().await.read_canvas().await.unwrap();
    newcomer.converge(&canvas).await;
    assert_eq!(newcomer.position(), Some(at));
}

#[tokio::test]
async fn row_4_6_save_moves_history_into_the_tables() {
    let (stack, _turn) = my_turn().await;
    let operator = &stack.operator;
    let store = operator.store().await;
    let mut client = operator.join().await;
    let _ = operator.placectl().args(["save"]).succeed().await;
    // The same pixel twice: two changes of history, one row of the current picture.
    for colour in [[1, 1, 1], [2, 2, 2]] {
        client.paint(&[pixel(40, 41, colour)]).await;
        client.sees(pixel(40, 41, colour)).await;
    }
    let newest = store.newest().await.unwrap();
    let _ = operator.placectl().args(["save"]).succeed().await;
    let stats = store.stats().await.unwrap();
    assert_eq!((stats.unsaved_changes, stats.saved), (0, newest));
    let history = operator.tables().history_of(40, 41, None).await.unwrap();
    let colours: Vec<_> = history.iter().map(|row| row.rgb.r).take(2).collect();
    assert_eq!(colours, [2, 1]);
    let key = AttributeValue::S("40 41".to_owned());
    let call = operator
        .sdk()
        .dynamodb
        .get_item()
        .table_name("mru_pixels")
        .key("pixel", key);
    let row = call.send().await.unwrap().item().unwrap().clone();
    assert_eq!(row["rgb"].as_s().unwrap(), "2 2 2");
    let position: Position = row["t"].as_s().unwrap().parse().unwrap();
    assert_eq!(position, newest);
}
