//! Marks and colours. A colour only ever repeats what a word or a mark says.

use std::env;

use super::safe;

/// How text may be dressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Theme {
    /// Whether colours are wanted.
    pub(super) color: bool,
    /// Whether the terminal shows more than ASCII.
    pub(super) unicode: bool,
}

impl Theme {
    /// No colours: pipes, files, `NO_COLOR`.
    pub(super) const PLAIN: Self = Self {
        color: false,
        unicode: true,
    };

    /// What the environment asks for on a terminal.
    pub(super) fn of_terminal() -> Self {
        Self {
            color: !is_set("NO_COLOR"),
            unicode: is_utf8(),
        }
    }

    /// Done.
    pub(super) const fn tick(self) -> &'static str {
        if self.unicode { "✓" } else { "+" }
    }

    /// Failed.
    pub(super) const fn cross(self) -> &'static str {
        if self.unicode { "✗" } else { "x" }
    }

    /// Not begun.
    pub(super) const fn dot(self) -> &'static str {
        if self.unicode { "·" } else { "." }
    }

    /// Cut off.
    pub(super) const fn ellipsis(self) -> &'static str {
        if self.unicode { "…" } else { "..." }
    }

    /// At work; `turn` grows with time.
    pub(super) fn spinner(self, turn: usize) -> &'static str {
        const BRAILLE: [&str; 10] = ["⠋", "⠙", "⠹", "⠸", "⠼", "⠴", "⠦", "⠧", "⠇", "⠏"];
        const ASCII: [&str; 4] = ["|", "/", "-", "\\"];
        let turns: &[&str] = if self.unicode { &BRAILLE } else { &ASCII };
        turns[turn % turns.len()]
    }

    /// Good news.
    pub(super) fn good(self, text: &str) -> String {
        self.dressed("32", text)
    }

    /// Bad news.
    pub(super) fn bad(self, text: &str) -> String {
        self.dressed("31;1", text)
    }

    /// Where work goes on, and advice.
    pub(super) fn lively(self, text: &str) -> String {
        self.dressed("36", text)
    }

    /// What matters less.
    pub(super) fn quiet(self, text: &str) -> String {
        self.dressed("2", text)
    }

    fn dressed(self, code: &str, text: &str) -> String {
        if self.color {
            safe::dressed(code, text)
        } else {
            text.to_owned()
        }
    }
}

/// Whether the terminal can move its cursor.
pub(super) fn can_redraw() -> bool {
    env::var_os("TERM").is_some_and(|term| !term.is_empty() && term != "dumb")
}

fn is_set(variable: &str) -> bool {
    env::var_os(variable).is_some_and(|value| !value.is_empty())
}

/// The first of the three that is set decides, as for the C library.
fn is_utf8() -> bool {
    let locale = ["LC_ALL", "LC_CTYPE", "LANG"]
        .into_iter()
        .find(|variable| is_set(variable));
    let value = locale.and_then(env::var_os).unwrap_or_default();
    let value = value.to_string_lossy().to_uppercase();
    value.contains("UTF-8") || value.contains("UTF8")
}
