//! The server's frames as a client takes them in: one a line, to one client.

use place_canvas::client::{ModelClient, Outcome as Step};
use place_canvas::wire::{ErrorCode, ServerFrame, Shown, error_frame, init_frames, update_frames};
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
    r#""epoch":"b","#,
    r#"{"type":"pong","at":"3-0","epoch":"a","online":1}"#,
    r#""lost":true"#,
    r#"{"type":"notice"}"#,
    "=",
    "AAAAAAAAAA==",
    "1-0",
    "18446744073709551615-18446744073709551615",
];

pub(crate) fn seeds() -> Vec<Vec<u8>> {
    let geometry = Geometry::new(SIDE, SIDE).expect("the canvas is not empty");
    let file = png::encode(&Picture::new(geometry, Rgb::WHITE));
    let at = Position::new(2, 0);
    let shown = |epoch, ms| Shown {
        epoch,
        at: Position::new(ms, 0),
        geometry,
    };
    let whole = init_frames(&file, shown("a", 2), 32_768);
    let parts = init_frames(&file, shown("a", 2), 300);
    let anew = init_frames(&file, shown("b", 1), 32_768);
    let pong = ServerFrame::Pong {
        at,
        epoch: "a".into(),
        online: 3,
        lost: false,
    };
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
        [error, whole.clone()].concat(),
        [whole, vec![pong.to_text()], anew].concat(),
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
        player: String::new(),
    }
}

pub(crate) fn check(input: &[u8]) -> Outcome {
    let text = String::from_utf8_lossy(input);
    let mut client = ModelClient::new();
    let (mut steps, mut errors) = (Vec::new(), 0);
    for frame in text.lines().take(32) {
        let before = client.position();
        let picture = client.picture().cloned();
        let epoch = client.epoch().map(str::to_owned);
        let step = client.on_frame(frame);
        // Only another canvas may be at an earlier position.
        let is_same = client.epoch() == epoch.as_deref();
        assert!(
            client.position() >= before || !is_same,
            "the client goes back"
        );
        match step {
            Ok(Step::Applied(at)) => assert_eq!(client.position(), Some(at)),
            // What is kept, dropped or refused paints nothing.
            Ok(Step::Kept | Step::Dropped | Step::Rejected { .. } | Step::Alive { .. }) => {
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
        Step::Alive { is_well: true } => 6,
        Step::Alive { is_well: false } => 7,
    }
}
