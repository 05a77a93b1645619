//! Clients that come back and hold a position.

use place_canvas::Position;

use super::*;

impl World {
    /// The first delivery of a client that holds this position; the frames that it was sent.
    async fn welcome_back(&self, client: &str, from: Position) -> Vec<ServerFrame> {
        let body = format!(r#"{{"connection":"{client}","from":"{from}"}}"#);
        let answer = self.handle(&batch(&[&body]), 20).await;
        assert_eq!(answer, BatchAnswer::default());
        let texts = self.gateway.texts(&id(client));
        let frames = texts.iter().map(|text| ServerFrame::parse(text).unwrap());
        frames.collect()
    }
}

fn is_picture(frames: &[ServerFrame]) -> bool {
    frames
        .iter()
        .any(|frame| matches!(frame, ServerFrame::Init { .. }))
}

#[tokio::test(start_paused = true)]
async fn who_comes_back_is_sent_what_it_has_missed_and_no_picture() {
    let world = World::new();
    let held = world.cache.paint_now(&[dot(1, 1, 1)]).at;
    world.cache.paint_now(&[dot(2, 2, 2)]);
    let newest = world.cache.paint_now(&[dot(3, 3, 3)]).at;
    let frames = world.welcome_back("a", held).await;
    let [first, missed @ .., last] = frames.as_slice() else {
        panic!("{frames:?}");
    };
    assert_eq!(*first, ServerFrame::Resume { from: held });
    assert_eq!(*last, ServerFrame::Resumed { at: newest });
    let mut at = held;
    for frame in missed {
        let ServerFrame::Update { from, at: next, .. } = frame else {
            panic!("{frame:?}");
        };
        assert_eq!(*from, at);
        at = *next;
    }
    assert_eq!(at, newest);
    assert_eq!(world.cache.state().canvas_reads, 0);
}

#[tokio::test(start_paused = true)]
async fn who_missed_nothing_is_told_so() {
    let world = World::new();
    let held = world.cache.paint_now(&[dot(1, 1, 1)]).at;
    let frames = world.welcome_back("a", held).await;
    assert_eq!(
        frames,
        [
            ServerFrame::Resume { from: held },
            ServerFrame::Resumed { at: held }
        ]
    );
}

#[tokio::test(start_paused = true)]
async fn where_history_does_not_reach_so_far_back_or_a_picture_is_shorter_there_is_a_picture() {
    let world = World::new();
    let held = world.cache.paint_now(&[dot(1, 1, 1)]).at;
    assert!(is_picture(
        &world.welcome_back("a", Position::new(1, 1)).await
    ));
    world.assert_up_to_date("a");
    let ahead = Position::new(held.ms + 1_000_000, 0);
    assert!(is_picture(&world.welcome_back("b", ahead).await));
    for number in 0..1100_u16 {
        world.cache.paint_now(&[dot(number % 20, 5, 7)]);
    }
    assert!(is_picture(&world.welcome_back("c", held).await));
    world.assert_up_to_date("c");
}

#[tokio::test(start_paused = true)]
async fn who_is_gone_or_not_open_yet_is_dealt_with_as_a_newcomer_is() {
    let world = World::new();
    let held = world.cache.paint_now(&[dot(1, 1, 1)]).at;
    world.cache.join(&id("a"), Duration::from_mins(1));
    world.gateway.set(&id("a"), Mood::Fails(GatewayError::Gone));
    assert!(world.welcome_back("a", held).await.is_empty());
    assert!(!world.cache.state().clients.contains_key(&id("a")));
}
