use proptest::prelude::*;
use proptest::sample::{Index, subsequence};

use super::*;
use crate::entry::Entry;
use crate::pixel::tests::pixels;
use crate::pixel::{Pixel, Rgb};
use crate::wire::{Shown, error_frame, frame_bytes_for, init_frames, update_frames};

const SIDE: u16 = 12;
/// Small enough that pictures and ranges of history take several frames.
const FRAME_BYTES: usize = frame_bytes_for(60);

fn geometry() -> Geometry {
    Geometry::new(SIDE, SIDE).unwrap()
}

/// What a picture of the canvas with this epoch shows at this position.
fn shown(epoch: &str, at: Position) -> Shown<'_> {
    Shown {
        epoch,
        at,
        geometry: geometry(),
    }
}

/// A canvas's history, and what is sent of it to one client.
#[derive(Clone, Debug)]
struct Session {
    history: Vec<Entry>,
    frames: Vec<String>,
}

impl Session {
    /// The position after the first `count` entries.
    fn position(&self, count: usize) -> Position {
        count
            .checked_sub(1)
            .map_or(Position::ZERO, |last| self.history[last].at)
    }

    fn picture(&self, at: Position) -> Picture {
        let mut picture = Picture::new(geometry(), Rgb::WHITE);
        for entry in self.history.iter().filter(|entry| entry.at <= at) {
            picture.apply(&entry.pixels);
        }
        picture
    }

    fn init(&self, count: usize) -> Vec<String> {
        let at = self.position(count);
        init_frames(&png::encode(&self.picture(at)), shown("a", at), FRAME_BYTES)
    }

    fn updates(&self, from: usize, to: usize) -> Vec<String> {
        let frames = update_frames(self.position(from), &self.history[from..to], FRAME_BYTES);
        frames.into_iter().map(|frame| frame.text).collect()
    }
}

fn history() -> impl Strategy<Value = Vec<Entry>> {
    let entry = (
        0_u64..2,
        pixels(SIDE).prop_filter("not empty", |pixels| !pixels.is_empty()),
    );
    proptest::collection::vec(entry, 1..24).prop_map(|steps| {
        let mut at = Position::new(1000, 0);
        let mut entry = |(step, pixels)| {
            at = if step == 0 {
                at.next()
            } else {
                Position::new(at.ms + 1, 0)
            };
            Entry {
                at,
                pixels,
                by: "a".into(),
                source: String::new(),
                player: String::new(),
            }
        };
        steps.into_iter().map(&mut entry).collect()
    })
}

/// A client that joins: pictures of any age, each with the updates from it to a moment after the
/// client joined, and the shard's updates, cut into ticks, from a moment before that on. A second
/// loop repeats some of them with other cuts. All of it arrives in any order.
fn session() -> impl Strategy<Value = Session> {
    let points = proptest::collection::vec(any::<Index>(), 12);
    (history(), points)
        .prop_map(|(history, points)| {
            let end = history.len();
            let mut session = Session {
                history,
                frames: Vec::new(),
            };
            let at = |n: usize, low: usize| low + points[n].index(end - low + 1);
            let joined = at(0, 0);
            for n in [1, 2] {
                let shown = at(n, 0);
                session.frames.extend(session.init(shown));
                let told = shown.max(at(n + 2, joined));
                session.frames.extend(session.updates(shown, told));
            }
            for ticks in [&points[5..8], &points[8..12]] {
                let mut cuts: Vec<_> = ticks.iter().map(|p| p.index(end + 1)).collect();
                cuts.extend([points[0].index(joined + 1), end]);
                cuts.sort_unstable();
                let from = cuts
                    .iter()
                    .position(|cut| *cut > joined)
                    .unwrap_or(cuts.len());
                let start = cuts[from.saturating_sub(1)].min(joined);
                cuts.retain(|cut| *cut > joined);
                let mut held = start;
                for cut in cuts {
                    session.frames.extend(session.updates(held, cut));
                    held = cut;
                }
            }
            session
        })
        .prop_flat_map(|session| {
            let frames = Just(session.frames.clone()).prop_shuffle();
            frames.prop_map(move |frames| Session {
                frames,
                ..session.clone()
            })
        })
}

/// A session of which only some frames arrive.
fn lossy() -> impl Strategy<Value = Session> {
    session().prop_flat_map(|session| {
        let count = session.frames.len();
        let frames = subsequence(session.frames.clone(), 0..=count);
        frames.prop_map(move |frames| Session {
            frames,
            ..session.clone()
        })
    })
}

proptest! {
    #[test]
    fn whatever_the_order_the_client_ends_with_the_canvas(session in session()) {
        let mut client = ModelClient::new();
        for frame in &session.frames {
            client.on_frame(frame).unwrap();
        }
        let end = session.position(session.history.len());
        prop_assert_eq!(client.position(), Some(end));
        prop_assert_eq!(client.picture(), Some(&session.picture(end)));
        prop_assert!(!client.has_gap());
    }

    #[test]
    fn whatever_is_lost_the_client_shows_what_it_says(session in lossy()) {
        let mut client = ModelClient::new();
        let mut before = None;
        for frame in &session.frames {
            client.on_frame(frame).unwrap();
            prop_assert!(client.position() >= before);
            before = client.position();
            if let Some(at) = before {
                prop_assert_eq!(client.picture(), Some(&session.picture(at)));
            }
        }
    }

    #[test]
    fn any_text_is_a_frame_or_an_error(text in "\\PC*|\\{\"type\":\"[a-z]*\"[^\\}]*\\}") {
        let _ = ModelClient::new().on_frame(&text);
    }
}

fn red(n: u64) -> Entry {
    let pixels = vec![Pixel::new(0, 0, Rgb::new(255, 0, 0))];
    Entry {
        at: Position::new(n, 0),
        pixels,
        by: "a".into(),
        source: String::new(),
        player: String::new(),
    }
}

fn update(from: u64, to: u64) -> String {
    let frames = update_frames(Position::new(from, 0), &[red(to)], FRAME_BYTES);
    frames[0].text.clone()
}

#[test]
fn outcomes_say_what_a_frame_did() {
    let picture = png::encode(&Picture::new(geometry(), Rgb::WHITE));
    let init = &init_frames(&picture, shown("a", Position::new(5, 0)), 32_768)[0];
    let mut client = ModelClient::new();
    assert_eq!(client.on_frame(&update(5, 6)).unwrap(), Outcome::Kept);
    assert_eq!(
        client.on_frame(init).unwrap(),
        Outcome::Applied(Position::new(6, 0))
    );
    assert_eq!(client.on_frame(init).unwrap(), Outcome::Dropped);
    assert_eq!(client.on_frame(&update(5, 6)).unwrap(), Outcome::Dropped);
    let gap = Outcome::Gap {
        held: Position::new(6, 0),
        from: Position::new(8, 0),
    };
    assert_eq!(client.on_frame(&update(8, 9)).unwrap(), gap);
    assert!(client.has_gap());
    assert_eq!(
        client.on_frame(&update(6, 8)).unwrap(),
        Outcome::Applied(Position::new(9, 0))
    );
    let rejected = client
        .on_frame(&error_frame(ErrorCode::BadColor, "no"))
        .unwrap();
    assert_eq!(
        rejected,
        Outcome::Rejected {
            code: ErrorCode::BadColor,
            message: "no".into()
        }
    );
}

/// The picture of a canvas on which only the first pixel may be red, as one frame.
fn init(epoch: &str, ms: u64, is_red: bool) -> String {
    let mut picture = Picture::new(geometry(), Rgb::WHITE);
    if is_red {
        picture.apply(&red(ms).pixels);
    }
    let shown = shown(epoch, Position::new(ms, 0));
    init_frames(&png::encode(&picture), shown, 32_768).remove(0)
}

#[test]
fn a_picture_of_another_canvas_counts_whatever_the_positions_are() {
    for at in [1, 5, 9] {
        let mut client = ModelClient::new();
        client.on_frame(&init("a", 5, true)).unwrap();
        let position = Position::new(at, 0);
        let outcome = client.on_frame(&init("b", at, false)).unwrap();
        assert_eq!(outcome, Outcome::Applied(position));
        assert_eq!(client.epoch(), Some("b"));
        assert_eq!(client.position(), Some(position));
        let blank = Picture::new(geometry(), Rgb::WHITE);
        assert_eq!(client.picture(), Some(&blank));
        // From now on the other canvas is the client's own.
        let again = client.on_frame(&init("b", at, true)).unwrap();
        assert_eq!(again, Outcome::Dropped);
        let moved = client.on_frame(&update(at, at + 1)).unwrap();
        assert_eq!(moved, Outcome::Applied(Position::new(at + 1, 0)));
    }
}

#[test]
fn parts_of_two_canvases_at_one_position_are_two_pictures() {
    let at = Position::new(5, 0);
    let file = |rgb| png::encode(&Picture::new(geometry(), rgb));
    let (white, black) = (file(Rgb::WHITE), file(Rgb::new(0, 0, 0)));
    let white = init_frames(&white, shown("a", at), 300);
    let black = init_frames(&black, shown("b", at), 300);
    assert!(white.len() > 1 && white.len() == black.len());
    let mut client = ModelClient::new();
    for frame in white[..1].iter().chain(&black[1..]) {
        assert_eq!(client.on_frame(frame).unwrap(), Outcome::Kept);
    }
    assert_eq!(client.on_frame(&black[0]).unwrap(), Outcome::Applied(at));
    assert_eq!(client.epoch(), Some("b"));
}

#[test]
fn a_pong_tells_whether_the_client_shows_the_canvas() {
    let pong = |epoch: &str, ms, lost| {
        let frame = ServerFrame::Pong {
            at: Position::new(ms, 0),
            epoch: epoch.into(),
            online: 3,
            lost,
        };
        frame.to_text()
    };
    let mut client = ModelClient::new();
    let before_the_picture = client.on_frame(&pong("a", 1, false)).unwrap();
    assert_eq!(before_the_picture, Outcome::Alive { is_well: true });
    client.on_frame(&init("a", 5, true)).unwrap();
    for (epoch, ms, lost, expected) in [
        ("a", 5, false, true),
        // Updates may still be under way.
        ("a", 6, false, true),
        // The canvas is behind what the client shows.
        ("a", 4, false, false),
        ("a", 5, true, false),
        ("b", 5, false, false),
        ("b", 9, false, false),
    ] {
        let text = pong(epoch, ms, lost);
        let outcome = client.on_frame(&text).unwrap();
        assert_eq!(outcome, Outcome::Alive { is_well: expected }, "{text}");
        assert_eq!(client.position(), Some(Position::new(5, 0)));
    }
}

#[test]
fn a_frame_of_an_unknown_type_is_dropped() {
    let notice = r#"{"type":"notice","at":"9-0","data":"?","more":{"x":[1]}}"#;
    let mut client = ModelClient::new();
    assert_eq!(client.on_frame(notice).unwrap(), Outcome::Dropped);
    client.on_frame(&init("a", 5, true)).unwrap();
    assert_eq!(client.on_frame(notice).unwrap(), Outcome::Dropped);
    assert_eq!(client.position(), Some(Position::new(5, 0)));
    // API Gateway's own errors have no type.
    let error = r#"{"message":"Internal server error","requestId":"r"}"#;
    assert_eq!(client.on_frame(error).unwrap(), Outcome::Dropped);
    assert!(client.on_frame(r#"["update"]"#).is_err());
}

#[test]
fn frames_that_break_the_protocol_are_errors() {
    let mut client = ModelClient::new();
    let frames = [
        r#"{"type":"update","from":"2-0","at":"2-0","data":""}"#,
        r#"{"type":"init","at":"2-0","width":1,"height":1,"part":2,"parts":1,"data":""}"#,
        r#"{"type":"init","at":"2-0","width":0,"height":1,"part":1,"parts":1,"data":""}"#,
        r#"{"type":"init","at":"2-0","width":1,"height":1,"part":1,"parts":1,"data":"AAAA"}"#,
        r#"{"type":"update","from":"1-0","at":"2-0","data":"*"}"#,
    ];
    for frame in frames {
        assert!(client.on_frame(frame).is_err(), "{frame}");
    }
}

/// Noise is what a PNG can't make smaller, and no position is longer than the last one.
#[test]
fn no_frame_of_the_worst_picture_is_over_the_limit() {
    let geometry = Geometry::new(2000, 2000).unwrap();
    let mut state = 1_u64;
    let mut noise = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_le_bytes()
    };
    let mut rgb = Vec::with_capacity(geometry.bytes() + 8);
    while rgb.len() < geometry.bytes() {
        rgb.extend(noise());
    }
    rgb.truncate(geometry.bytes());
    let picture = Picture::from_rgb(geometry, rgb).unwrap();
    let png = png::encode(&picture);
    let last = Position::new(u64::MAX, u64::MAX);
    for frame_bytes in [32 * 1024, 128 * 1024] {
        let shown = Shown {
            epoch: "0123456789abcdef",
            at: last,
            geometry,
        };
        let frames = init_frames(&png, shown, frame_bytes);
        let longest = frames.iter().map(String::len).max().unwrap();
        assert!(longest <= frame_bytes, "{longest}");
        assert!(
            frames.len() * frame_bytes < png.len() * 3 / 2,
            "frames are full"
        );
        let mut client = ModelClient::new();
        for frame in &frames {
            client.on_frame(frame).unwrap();
        }
        assert_eq!(client.picture(), Some(&picture));
    }
}
