//! A stack's portrait: everything that stands, with all that was configured of it, and with names
//! where the emulator made up ids. Whoever builds the same configuration leaves the same portrait,
//! however often the building was cut off; what is there twice is in it twice.

mod application;
mod data;
mod ids;
mod network;

use std::collections::{BTreeMap, HashMap};

use crate::inventory;
use crate::sdk::Sdk;

/// Draws it: sorted lines, to compare as a whole.
///
/// # Panics
/// When a service doesn't answer.
pub async fn portrait(sdk: &Sdk) -> Vec<String> {
    let (mut lines, network, application, data, names) = tokio::join!(
        Box::pin(inventory(sdk)),
        Box::pin(network::lines(sdk)),
        Box::pin(application::lines(sdk)),
        Box::pin(data::lines(sdk)),
        Box::pin(ids::names(sdk)),
    );
    lines.extend([network, application, data].concat());
    let mut lines: Vec<_> = lines.iter().map(|line| ids::named(line, &names)).collect();
    lines.sort();
    lines
}

/// A map in an order that doesn't change from run to run.
fn sorted(map: Option<&HashMap<String, String>>) -> BTreeMap<&String, &String> {
    map.into_iter().flatten().collect()
}

/// A document of IAM, which answers some percent-encoded and some not, in one form.
fn document(text: Option<&str>) -> String {
    let decoded = percent_decoded(text.unwrap_or_default());
    let value: Result<serde_json::Value, _> = serde_json::from_slice(&decoded);
    value.map_or_else(|_| format!("{text:?}"), |value| value.to_string())
}

fn percent_decoded(text: &str) -> Vec<u8> {
    let mut decoded = Vec::new();
    let mut rest = text.as_bytes();
    while let Some((&first, after)) = rest.split_first() {
        let digits = after.get(..2).filter(|_| first == b'%');
        let value = digits
            .and_then(|digits| std::str::from_utf8(digits).ok())
            .and_then(|digits| u8::from_str_radix(digits, 16).ok());
        decoded.push(value.unwrap_or(first));
        rest = if value.is_some() { &after[2..] } else { after };
    }
    decoded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_document_is_the_same_however_it_is_encoded() {
        let plain = document(Some(r#"{"b": 1, "a": "x y"}"#));
        assert_eq!(
            document(Some("%7B%22a%22%3A%22x%20y%22%2C%22b%22%3A1%7D")),
            plain
        );
        assert_eq!(document(Some("{")), "Some(\"{\")");
    }
}
