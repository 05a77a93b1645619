//! Digests as text.

use std::fmt::Write as _;

/// A digest in hexadecimal.
pub(crate) fn hexadecimal(digest: &[u8]) -> String {
    digest
        .iter()
        .fold(String::with_capacity(digest.len() * 2), |mut text, byte| {
            // Writing to a `String` can't fail.
            let _ = write!(text, "{byte:02x}");
            text
        })
}
