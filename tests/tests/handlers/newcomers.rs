//! Newcomers over real HTTP: those that fail, those that have left, and crowds.

use std::time::{Duration, Instant};

use place_canvas::ConnectionId;
use place_config::Function as Kind;
use place_tests::lambda::{Function, Memory, Mood, Rig, client, event};

use crate::support::welcome;

/// Deliveries of a message.
const TRIES: u32 = 5;
/// What a post to API Gateway takes.
const LATENCY: Duration = Duration::from_millis(15);

const DONE: &[u8] = br#"{"batchItemFailures":[]}"#;

async fn delivered(function: &Function, clients: &[ConnectionId], receives: u32) -> Vec<u8> {
    let answer = function.invoke(event::delivery(clients, receives)).await;
    answer.unwrap()
}

#[tokio::test]
async fn row_4_5_a_picture_that_failed_comes_again_within_seconds_and_ends_with_a_new_start() {
    let rig = Rig::start(Memory::Posts).await;
    let clients = rig.join(3).await;
    let function = rig.function(Kind::Initialize);
    rig.gateway.set(clients[1].as_str(), Mood::Broken(500));
    let start = Instant::now();
    let answer = delivered(&function, &clients, 1).await;
    assert!(start.elapsed() < Duration::from_secs(5));
    assert_eq!(
        answer,
        br#"{"batchItemFailures":[{"itemIdentifier":"message-1"}]}"#
    );
    let again = rig.aws.again();
    assert_eq!(
        (again[0].handle.as_str(), again[0].seconds),
        ("handle-1", 1)
    );
    assert_eq!(again.len(), 1);
    assert_eq!(rig.gateway.closed(), Vec::<String>::new());

    let answer = delivered(&function, &clients[1..2], TRIES).await;
    assert_eq!(answer, DONE);
    assert_eq!(rig.gateway.closed(), [clients[1].to_string()]);
    assert_eq!(rig.store().await.client_count().await.unwrap(), 2);
}

#[tokio::test]
async fn row_4_5_departures_at_once_hold_no_newcomer_up() {
    let rig = Rig::start(Memory::Posts).await;
    let gone: Vec<_> = (0..300).map(client).collect();
    for client in &gone {
        rig.gateway.set(client.as_str(), Mood::Gone);
    }
    let function = rig.function(Kind::Initialize);
    let start = Instant::now();
    welcome(std::slice::from_ref(&function), &gone).await;
    let stays = client(1000);
    rig.store().await.add_client(&stays).await.unwrap();
    assert_eq!(delivered(&function, &[stays], 1).await, DONE);
    let elapsed = start.elapsed();
    assert!(elapsed < Duration::from_secs(5), "{elapsed:?}");
    // One post to each that is gone, and a small picture in two or three parts.
    assert!((302..=303).contains(&rig.gateway.posts()));
}

#[tokio::test]
async fn row_4_5_a_crowd_that_comes_back_at_once_is_served_within_seconds() {
    let rig = Rig::with(Memory::Count, |env| (env.width, env.height) = (1000, 1000)).await;
    let clients = rig.join(300).await;
    for client in &clients {
        rig.gateway.set(client.as_str(), Mood::Slow(LATENCY));
    }
    let slots: Vec<_> = (0..4).map(|_| rig.function(Kind::Initialize)).collect();
    let start = Instant::now();
    welcome(&slots, &clients).await;
    let elapsed = start.elapsed();
    assert!(elapsed < Duration::from_secs(5), "{elapsed:?}");
}

#[tokio::test]
async fn row_4_1_a_canvas_full_of_clients_that_are_gone_admits_at_once() {
    let rig = Rig::with(Memory::Posts, |env| env.max_clients = 30).await;
    for client in rig.join(30).await {
        rig.gateway.set(client.as_str(), Mood::Gone);
    }
    let connect = rig.function(Kind::Connect);
    let newcomer = client(1000);
    let connects = async || {
        let event = event::connect(&newcomer);
        String::from_utf8(connect.invoke(event).await.unwrap()).unwrap()
    };
    // They may still be connecting.
    assert_eq!(connects().await, r#"{"statusCode":503}"#);
    tokio::time::sleep(Duration::from_secs(10)).await;
    let start = Instant::now();
    assert_eq!(connects().await, r#"{"statusCode":200}"#);
    assert!(start.elapsed() < Duration::from_secs(4));
}

#[tokio::test]
async fn row_4_6_a_save_forgets_clients_that_are_gone_though_nobody_paints() {
    let rig = Rig::start(Memory::Posts).await;
    let clients = rig.join(310).await;
    for client in &clients[10..] {
        rig.gateway.set(client.as_str(), Mood::Gone);
    }
    let save = rig.function(Kind::Save);
    save.invoke("{}").await.unwrap();
    let count = async || rig.store().await.client_count().await.unwrap();
    assert_eq!(count().await, 310);
    tokio::time::sleep(Duration::from_secs(10)).await;
    save.invoke("{}").await.unwrap();
    assert_eq!(count().await, 10);
}
