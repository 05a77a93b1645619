//! The server's frames as a client takes them in: one a line, to one client.

use place_canvas::client::{ModelClient, Outcome as Step};
use place_canvas::wire::{ErrorCode, error_frame, init_frames, update_frames};
use place_canvas::{Entry, Geometry, Picture, Pixel, Position, Rgb, png};

use crate::driver::Outcome;

const SIDE: u16 = 6;

pub(crate) const WORDS: &[&str] = &[
    r#"{"type":"update","from":"0-0","at":"1-0","data":""}"#,
    "\n",
    r#""part":2"#,
    r#""parts":1"#,
    r#""width":65535"#,
    r#""height":0"#,
    r#""data":"AAAA""#,
    r#""at":"3-0""#,
    r#""from":"#,
    "=",
    "AAAAAAAAAA==",
    "1-0",
    "18446744073709551615-18446744073709551615",
];

pub(crate) fn seeds() -> Vec<Vec<u8>> {
    let geometry = Geometry::new(SIDE, SIDE).expect("the canvas is not empty");
    let file = png::encode(&Picture::new(geometry, Rgb::WHITE));
    let at = Position::new(2, 0);
    let whole = init_frames(&file, at, geometry, 32_768);
    let parts = init_frames(&file, at, geometry, 300);
    let updates: Vec<String> = update_frames(at, &[entry(3), entry(4)], 32_768)
        .into_iter()
        .map(|u| u.text)
        .collect();
    let later: Vec<String> = update_frames(Position::new(4, 0), &[entry(6)], 300)
        .into_iter()
        .map(|u| u.text)
        .collect();
    let error = vec![error_frame(ErrorCode::BadMessage, "no")];
    let sessions = [
        [whole.clone(), updates.clone(), later.clone()].concat(),
        [later, updates, parts].concat(),
        [error, whole].concat(),
    ];
    sessions
        .map(|frames| frames.join("\n").into_bytes())
        .to_vec()
}

fn entry(ms: u64) -> Entry {
    Entry {
        at: Position::new(ms, 0),
        pixels: vec![
            Pixel::new(1, 2, Rgb::new(3, 4, 5)),
            Pixel::new(5, 5, Rgb::WHITE),
        ],
        by: String::new(),
        source: String::new(),
    }
}

pub(crate) fn check(input: &[u8]) -> Outcome {
    let text = String::from_utf8_lossy(input);
    let mut client = ModelClient::new();
    let (mut steps, mut errors) = (Vec::new(), 0);
    for frame in text.lines().take(32) {
        let before = client.position();
        let picture = client.picture().cloned();
        let step = client.on_frame(frame);
        assert!(client.position() >= before, "the client goes back");
        match step {
            Ok(Step::Applied(at)) => assert_eq!(client.position(), Some(at)),
            // What is kept, dropped or refused paints nothing.
            Ok(Step::Kept | Step::Dropped | Step::Rejected { .. }) => {
                assert_eq!(client.picture(), picture.as_ref());
            }
            Ok(Step::Gap { held, from }) => assert!(held < from),
            Err(_) => errors += 1,
        }
        steps.push(step.as_ref().map_or(0, kind));
    }
    if steps.is_empty() || errors == steps.len() {
        return Outcome::refused((errors, text.len().min(40)));
    }
    Outcome::accepted(steps)
}

fn kind(step: &Step) -> u8 {
    match step {
        Step::Kept => 1,
        Step::Applied(_) => 2,
        Step::Dropped => 3,
        Step::Gap { .. } => 4,
        Step::Rejected { .. } => 5,
    }
}
