//! What text may do to a terminal: show itself.
//!
//! Errors, tags, names of files and what functions answer come from elsewhere, and a terminal obeys
//! the control sequences in them: it moves its cursor, writes its clipboard, turns lines round. So
//! whatever is printed has them written out, as JSON would (`\u001b`), which leaves JSON the same.
//! Our own colours are known by a number that nobody else can know.

use std::borrow::Cow;
use std::fmt::Write;
use std::sync::LazyLock;

/// The end of what was dressed.
const PLAIN: &str = "0";

/// How a sequence of ours begins, until it is shown. It has the form of a colour, so that whatever
/// measures text gives it no width; numbers have four digits at most there.
static OURS: LazyLock<String> = LazyLock::new(|| {
    let numbers: [u16; 5] = rand::random();
    let numbers = numbers.map(|number| format!("{};", number % 10_000));
    format!("\u{1b}[{}", numbers.concat())
});

/// Text in a colour, by the number of SGR (ECMA-48, 8.3.117).
pub(super) fn dressed(code: &str, text: &str) -> String {
    let ours = OURS.as_str();
    format!("{ours}{code}m{text}{ours}{PLAIN}m")
}

/// Text without control sequences but our own, not to be shown yet: what is cut to a width has its
/// final length.
pub(super) fn clean(text: &str) -> Cow<'_, str> {
    if !text.contains(is_dangerous) {
        return Cow::Borrowed(text);
    }
    let mut clean = String::with_capacity(text.len());
    let mut pieces = text.split(OURS.as_str());
    write_out(&mut clean, pieces.next().unwrap_or_default());
    for piece in pieces {
        clean.push_str(&OURS);
        write_out(&mut clean, piece);
    }
    Cow::Owned(clean)
}

/// Text as the terminal gets it.
pub(super) fn shown(text: &str) -> String {
    clean(text).replace(OURS.as_str(), "\u{1b}[")
}

fn write_out(clean: &mut String, text: &str) {
    for character in text.chars() {
        if is_dangerous(character) {
            // All of them have at most four digits.
            let _ = write!(clean, "\\u{:04x}", u32::from(character));
        } else {
            clean.push(character);
        }
    }
}

/// Controls of C0 and C1 but the end of a line and the tabulator; the separators and the marks that
/// turn a line round (Unicode Standard Annex 9).
fn is_dangerous(character: char) -> bool {
    match character {
        '\n' | '\t' => false,
        '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => {
            true
        }
        _ => character.is_control(),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Text as an adversary writes it: anything, with much of what a terminal obeys.
    fn foreign() -> impl Strategy<Value = String> {
        let hostile = prop::sample::select(vec![
            "\u{1b}]0;title\u{7}",
            "\u{1b}[2J",
            "\u{9b}31m",
            "\u{9d}52;c;eA==\u{9c}",
            "\u{202e}",
            "\u{2066}",
            "\u{61c}",
            "\r",
            "\u{8}",
            "\u{7f}",
            "\u{1b}[31m",
            "\u{1b}[0;32m",
            "\\u001b",
            "\"",
            "\\",
            "\u{1b}[1844",
            "m",
            ";",
            "\u{1b}P",
            "\n",
            "\t",
            "\u{85}",
            "\u{2028}",
        ]);
        let piece = prop_oneof![hostile.prop_map(str::to_owned), any::<String>()];
        prop::collection::vec(piece, 0..8).prop_map(|pieces| pieces.concat())
    }

    fn obeyed(text: &str) -> Option<char> {
        text.chars().find(|character| is_dangerous(*character))
    }

    proptest! {
        #[test]
        fn nothing_that_a_terminal_obeys_is_shown(text in foreign()) {
            let said = shown(&text);
            prop_assert_eq!(obeyed(&said), None, "{:?}", said);
            prop_assert_eq!(shown(&said), said.as_str(), "what is shown is shown as it is");
        }

        #[test]
        fn colours_are_the_only_sequences(text in foreign()) {
            let said = shown(&dressed("31;1", &text));
            let bare = said.strip_prefix("\u{1b}[31;1m").and_then(|s| s.strip_suffix("\u{1b}[0m"));
            prop_assert_eq!(bare.and_then(obeyed), None, "{:?}", said);
            prop_assert!(bare.is_some(), "{:?}", said);
        }

        #[test]
        fn json_stays_the_same_json(text in foreign()) {
            let value = serde_json::json!({ text.clone(): [text] });
            for json in [value.to_string(), serde_json::to_string_pretty(&value).unwrap()] {
                let said = shown(&json);
                prop_assert_eq!(obeyed(&said), None);
                prop_assert_eq!(serde_json::from_str::<serde_json::Value>(&said).unwrap(), value.clone());
            }
        }
    }

    /// Every line of code of this crate that names a stream, with its file.
    fn streams(directory: &std::path::Path) -> Vec<String> {
        let mut found = Vec::new();
        for entry in std::fs::read_dir(directory).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                found.extend(streams(&path));
                continue;
            }
            let text = std::fs::read_to_string(&path).unwrap();
            let names = |line: &&str| line.contains("stdout()") || line.contains("stderr()");
            found.extend(
                text.lines()
                    .filter(names)
                    .map(|line| format!("{}: {line}", path.display())),
            );
        }
        found
    }

    #[test]
    fn nothing_is_printed_past_the_terminal() {
        let found = streams(&std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src"));
        let past = found.iter().filter(|line| {
            let asks = line.contains("is_terminal") || line.contains("error.use_stderr()");
            !asks && !line.contains("ui/terminal.rs") && !line.contains("ui/safe.rs")
        });
        assert_eq!(past.collect::<Vec<_>>(), Vec::<&String>::new());
        assert!(found.len() > 3, "{found:?}");
    }

    #[test]
    fn harmless_text_is_not_touched() {
        for text in ["", "canvas `ü` ✓ …\n\tnext line", "e\u{301} 👩‍👩‍👧"] {
            assert_eq!(shown(text), text);
        }
    }

    #[test]
    fn a_control_is_written_out() {
        assert_eq!(
            shown("a\u{1b}[2Jb\u{202e}c\u{9b}"),
            r"a\u001b[2Jb\u202ec\u009b"
        );
    }
}
