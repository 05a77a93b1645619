//! From a file to a checked [`StackConfig`]: every finding at once, each with its line, its key
//! and what is allowed.

use std::fmt;
use std::ops::Range;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use thiserror::Error;
use toml::Spanned;
use toml::de::{DeTable, DeValue, Deserializer};

use crate::stack::StackConfig;

/// The file that is read when none is named and it exists.
pub const DEFAULT_FILE: &str = "place.toml";

/// The annotated default file: every key with its default.
pub const TEMPLATE: &str = include_str!("../place.toml");

/// One thing wrong with the configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// Line in the file, from 1, where the key stands in it.
    pub line: Option<usize>,
    /// The key, `canvas.width`; empty for the file as a whole.
    pub key: String,
    /// What is wrong, and what is allowed.
    pub message: String,
}

impl Finding {
    /// A finding about `key`, not yet placed in a file.
    pub fn new(key: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            line: None,
            key: key.into(),
            message: message.into(),
        }
    }
}

/// Why there is no configuration.
#[derive(Debug, Error)]
pub enum ConfigError {
    /// The file can't be read.
    #[error("reading `{}`", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The file, or what was said on the command line, is wrong.
    #[error("{}", Listing { path: path.as_deref(), findings })]
    Findings {
        /// The file, unless there is none.
        path: Option<PathBuf>,
        /// Everything that is wrong.
        findings: Vec<Finding>,
    },
}

struct Listing<'a> {
    path: Option<&'a Path>,
    findings: &'a [Finding],
}

impl fmt::Display for Listing<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, finding) in self.findings.iter().enumerate() {
            if index > 0 {
                f.write_str("\n")?;
            }
            match (self.path, finding.line) {
                (Some(path), Some(line)) => write!(f, "{}:{line}: ", path.display())?,
                (Some(path), None) => write!(f, "{}: ", path.display())?,
                (None, _) => {}
            }
            if !finding.key.is_empty() {
                write!(f, "`{}`: ", finding.key)?;
            }
            f.write_str(&finding.message)?;
        }
        Ok(())
    }
}

/// The file that is read: `path`, or [`DEFAULT_FILE`] where that exists.
pub fn file(path: Option<&Path>) -> Option<&Path> {
    let default = Path::new(DEFAULT_FILE);
    path.or_else(|| default.exists().then_some(default))
}

/// Reads `path`, or [`DEFAULT_FILE`] where that exists, or takes the defaults.
pub fn load(path: Option<&Path>) -> Result<StackConfig, ConfigError> {
    let Some(path) = file(path) else {
        return Ok(StackConfig::default());
    };
    let text = std::fs::read_to_string(path).map_err(|source| ConfigError::Read {
        path: path.to_owned(),
        source,
    })?;
    parse(&text).map_err(|findings| ConfigError::Findings {
        path: Some(path.to_owned()),
        findings,
    })
}

/// Parses and checks the text of a file.
pub fn parse(text: &str) -> Result<StackConfig, Vec<Finding>> {
    let table = DeTable::parse(text).map_err(|error| {
        let line = error.span().map(|span| line_of(text, span.start));
        vec![Finding {
            line,
            key: String::new(),
            message: error.message().to_owned(),
        }]
    })?;
    let (config, mut findings) = deserialize(text, table.clone());
    if let Some(config) = config {
        let placed = config.check().into_iter().map(|finding| Finding {
            line: span_of(table.get_ref(), &finding.key).map(|span| line_of(text, span.start)),
            ..finding
        });
        // A key that was taken out below holds its default here, so it is never named twice.
        findings.extend(placed);
        if findings.is_empty() {
            return Ok(config);
        }
    }
    findings.sort_by_key(|finding| finding.line);
    Err(findings)
}

/// serde stops at the first error, so each offending entry is noted, taken out, and the rest is
/// tried again.
fn deserialize(text: &str, mut table: Spanned<DeTable<'_>>) -> (Option<StackConfig>, Vec<Finding>) {
    let mut findings = Vec::new();
    loop {
        let error = match StackConfig::deserialize(Deserializer::from(table.clone())) {
            Ok(config) => return (Some(config), findings),
            Err(error) => error,
        };
        let span = error.span().unwrap_or(0..0);
        let path = path_at(table.get_ref(), &span).unwrap_or_default();
        findings.push(Finding {
            line: Some(line_of(text, span.start)),
            key: path.join("."),
            message: in_words(error.message()),
        });
        if !take_out(table.get_mut(), &path) {
            return (None, findings);
        }
    }
}

/// The innermost entry whose key or value covers `span`.
fn path_at(table: &DeTable<'_>, span: &Range<usize>) -> Option<Vec<String>> {
    let covers = |outer: Range<usize>| outer.start <= span.start && span.end <= outer.end;
    table.iter().find_map(|(key, value)| {
        let name = key.get_ref().to_string();
        let inner = value
            .get_ref()
            .as_table()
            .and_then(|table| path_at(table, span));
        match inner {
            Some(mut path) => {
                path.insert(0, name);
                Some(path)
            }
            None if covers(key.span()) || covers(value.span()) => Some(vec![name]),
            None => None,
        }
    })
}

fn take_out(table: &mut DeTable<'_>, path: &[String]) -> bool {
    let [first, rest @ ..] = path else {
        return false;
    };
    let Some(key) = table.keys().find(|key| key.get_ref() == first).cloned() else {
        return false;
    };
    if rest.is_empty() {
        return table.remove(&key).is_some();
    }
    match table.get_mut(&key).map(Spanned::get_mut) {
        Some(DeValue::Table(inner)) => take_out(inner, rest),
        _ => false,
    }
}

fn span_of(table: &DeTable<'_>, path: &str) -> Option<Range<usize>> {
    let (first, rest) = path
        .split_once('.')
        .map_or((path, None), |(f, r)| (f, Some(r)));
    let (key, value) = table.iter().find(|(key, _)| key.get_ref() == first)?;
    match (rest, value.get_ref().as_table()) {
        (Some(rest), Some(inner)) => span_of(inner, rest),
        _ => Some(key.span()),
    }
}

fn line_of(text: &str, offset: usize) -> usize {
    text.bytes()
        .take(offset)
        .filter(|byte| *byte == b'\n')
        .count()
        + 1
}

/// serde names Rust's types; an operator wants ranges.
fn in_words(message: &str) -> String {
    const WORDS: [(&str, &str); 5] = [
        ("expected u16", "expected a whole number from 0 to 65535"),
        (
            "expected u32",
            "expected a whole number from 0 to 4294967295",
        ),
        ("expected u64", "expected a whole number, 0 or more"),
        ("expected a sequence", "expected a list"),
        ("unknown field", "unknown key"),
    ];
    WORDS.iter().fold(message.to_owned(), |text, (from, to)| {
        text.replace(from, to)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_template_says_the_defaults() {
        assert_eq!(parse(TEMPLATE), Ok(StackConfig::default()));
    }

    /// Keys without a default stand in the template as comments, so the types' own list of keys
    /// is asked for by an unknown one.
    #[test]
    fn the_template_names_every_key() {
        for header in [
            "",
            "[vpc]",
            "[redis]",
            "[api]",
            "[functions]",
            "[functions.names]",
            "[queues]",
            "[tables]",
            "[schedule]",
            "[canvas]",
            "[broadcast]",
            "[init]",
            "[page]",
            "[local]",
            "[endpoints]",
        ] {
            let findings = parse(&format!("{header}\nno_such_key = 1\n")).unwrap_err();
            let (_, allowed) = findings[0].message.split_once("expected").unwrap();
            for key in allowed.split('`').skip(1).step_by(2) {
                let written = [format!("{key} = "), format!("{key}]")];
                assert!(
                    written.iter().any(|w| TEMPLATE.contains(w)),
                    "{header} {key}"
                );
            }
        }
    }

    #[test]
    fn every_finding_comes_at_once_with_line_and_key() {
        let text = "colour = 1\n[canvas]\nwidht = 5\nheight = \"tall\"\nwidth = 0\n\n[nonsense]\na = 1\n\
                    [redis]\nmode = \"big\"\n";
        let findings = parse(text).unwrap_err();
        let seen: Vec<_> = findings
            .iter()
            .map(|f| (f.line.unwrap(), f.key.as_str()))
            .collect();
        assert_eq!(
            seen,
            [
                (1, "colour"),
                (3, "canvas.widht"),
                (4, "canvas.height"),
                (5, "canvas.width"),
                (7, "nonsense"),
                (10, "redis.mode"),
            ]
        );
        assert!(
            findings[1]
                .message
                .contains("unknown key `widht`, expected one of `width`")
        );
        assert!(
            findings[2]
                .message
                .contains("expected a whole number from 0 to 65535")
        );
        assert!(
            findings[5]
                .message
                .contains("`serverless` or `replication_group`")
        );
    }

    #[test]
    fn a_syntax_error_names_its_line() {
        let findings = parse("[canvas]\nwidth = = 3\n").unwrap_err();
        assert_eq!(findings[0].line, Some(2));
    }

    #[test]
    fn a_listing_reads_like_a_compiler() {
        let error = ConfigError::Findings {
            path: Some("place.toml".into()),
            findings: vec![Finding {
                line: Some(3),
                ..Finding::new("canvas.width", "is 0")
            }],
        };
        assert_eq!(error.to_string(), "place.toml:3: `canvas.width`: is 0");
    }

    #[test]
    fn no_prefix_of_a_file_panics() {
        for end in (0..TEMPLATE.len()).filter(|end| TEMPLATE.is_char_boundary(*end)) {
            drop(parse(&TEMPLATE[..end]));
        }
    }
}
