//! `docs/protocol.md` says what is true: its examples are read by the code that it describes.

use super::{ErrorCode, ServerFrame, parse_client_message};
use crate::geometry::Geometry;

const PAGE: &str = include_str!("../../../docs/protocol.md");

/// The examples of the page: what stands in its JSON blocks, a line each.
fn examples() -> impl Iterator<Item = &'static str> {
    let blocks = PAGE.split("```json\n").skip(1);
    blocks.filter_map(|block| block.split("\n```").next())
}

#[test]
fn each_example_of_a_frame_is_one() {
    let frames: Vec<_> = examples()
        .filter(|text| text.starts_with(r#"{"type":"#))
        .collect();
    assert_eq!(frames.len(), 6, "{frames:?}");
    for text in frames {
        assert!(ServerFrame::parse(text).is_ok(), "{text}");
    }
}

#[test]
fn the_example_of_a_message_paints() {
    let geometry = Geometry::new(10, 10).unwrap();
    let paints: Vec<_> = examples()
        .filter(|text| text.contains(r#""data":["#))
        .map(|text| parse_client_message(text, 2, geometry))
        .collect();
    assert_eq!(paints.len(), 1);
    assert!(paints.iter().all(Result::is_ok), "{paints:?}");
}

#[test]
fn the_table_of_errors_has_each_code() {
    let codes = [
        ErrorCode::BadMessage,
        ErrorCode::TooManyPixels,
        ErrorCode::OutOfBounds,
        ErrorCode::BadColor,
        ErrorCode::CoolingDown,
        ErrorCode::Unavailable,
    ];
    let rows = PAGE
        .lines()
        .filter(|line| line.starts_with("| `") && !line.starts_with("| `code`"))
        .count();
    for code in codes {
        let row = format!("| `{code}` |");
        assert!(PAGE.contains(&row), "{row}");
    }
    assert_eq!(rows, codes.len());
}
