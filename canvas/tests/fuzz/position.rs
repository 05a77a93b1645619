//! The parsers of positions and of the history table's sort keys.

use place_canvas::Position;

use crate::driver::Outcome;

pub(crate) const WORDS: &[&str] = &[
    "-",
    "+",
    " ",
    "0",
    "00000",
    "18446744073709551615",
    "٣",
    "*",
];

pub(crate) fn seeds() -> Vec<Vec<u8>> {
    let end = Position::new(u64::MAX, u64::MAX);
    let texts = [
        "0-0".to_owned(),
        "1700000000000-7".to_owned(),
        end.to_string(),
        Position::new(1_700_000_000_000, 3).sort_key(12),
        end.sort_key(99_999),
        end.sort_key(100_000),
    ];
    texts.into_iter().map(String::into_bytes).collect()
}

pub(crate) fn check(input: &[u8]) -> Outcome {
    let text = String::from_utf8_lossy(input);
    let parsed = text.parse::<Position>().ok();
    let quoted = serde_json::to_string(&text).expect("a text is JSON");
    assert_eq!(serde_json::from_str::<Position>(&quoted).ok(), parsed);
    assert_eq!(parsed, slowly(&text));
    let key = Position::from_sort_key(&text).ok();
    if let Some((at, index)) = key {
        assert_eq!(
            Position::from_sort_key(&at.sort_key(index)),
            Ok((at, index))
        );
        assert!(
            text.bytes()
                .all(|byte| byte.is_ascii_digit() || byte == b'-')
        );
    }
    match (parsed, key) {
        (None, None) => Outcome::refused((text.len().min(90), text.split('-').count().min(5))),
        (Some(at), _) => {
            assert_eq!(at.to_string(), text);
            assert!(at.next() > at || at == Position::new(u64::MAX, u64::MAX));
            Outcome::accepted(text.len())
        }
        (None, Some(_)) => Outcome::accepted((text.len(), "key")),
    }
}

/// The position of a text that is exactly what a position is written as.
fn slowly(text: &str) -> Option<Position> {
    let (ms, n) = text.split_once('-')?;
    let at = Position::new(ms.parse().ok()?, n.parse().ok()?);
    (format!("{}-{}", at.ms, at.n) == text).then_some(at)
}
