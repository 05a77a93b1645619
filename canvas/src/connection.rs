//! Connection ids and the shards that they are spread over.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use thiserror::Error;

/// Longest connection id that is accepted, in bytes (API Gateway's own have about 16).
const MAX_BYTES: usize = 128;

/// The id that API Gateway gives a connection.
///
/// It goes into Redis members, queue messages and URLs, so only letters, digits and `-_=+/.~` are
/// accepted.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ConnectionId(String);

/// A text that is not a connection id.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
#[error("not a connection id (1 to {MAX_BYTES} letters, digits or `-_=+/.~`)")]
pub struct ConnectionIdError;

impl ConnectionId {
    /// The connection id `text`.
    pub fn new(text: impl Into<String>) -> Result<Self, ConnectionIdError> {
        let text = text.into();
        let known = |b: u8| b.is_ascii_alphanumeric() || b"-_=+/.~".contains(&b);
        let valid = (1..=MAX_BYTES).contains(&text.len()) && text.bytes().all(known);
        valid.then_some(Self(text)).ok_or(ConnectionIdError)
    }

    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ConnectionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for ConnectionId {
    type Err = ConnectionIdError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::new(text)
    }
}

impl TryFrom<String> for ConnectionId {
    type Error = ConnectionIdError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        Self::new(text)
    }
}

impl From<ConnectionId> for String {
    fn from(id: ConnectionId) -> Self {
        id.0
    }
}

impl AsRef<str> for ConnectionId {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

/// One of the parts that the clients are spread over; each has a broadcast loop of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Shard(pub u16);

impl fmt::Display for Shard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl FromStr for Shard {
    type Err = std::num::ParseIntError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.parse().map(Self)
    }
}

/// The shard of a connection: the same one in every process and every version.
///
/// `shards` below 1 count as 1.
pub fn shard_of(id: &ConnectionId, shards: u16) -> Shard {
    let digest = Sha256::digest(id.as_str());
    let number = u32::from_be_bytes([digest[0], digest[1], digest[2], digest[3]]);
    let remainder = number % u32::from(shards.max(1));
    // A remainder of a `u16` fits a `u16`.
    Shard(u16::try_from(remainder).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(text: &str) -> ConnectionId {
        ConnectionId::new(text).unwrap()
    }

    #[test]
    fn the_shard_of_an_id_never_changes() {
        // First four bytes of `printf %s L0SM9cOFvHcCIhw= | sha256sum`, modulo the shards.
        assert_eq!(shard_of(&id("L0SM9cOFvHcCIhw="), 1000), Shard(653));
        assert_eq!(shard_of(&id("abc"), 1000), Shard(319));
        assert_eq!(shard_of(&id("abc"), 1), Shard(0));
        assert_eq!(shard_of(&id("abc"), 0), Shard(0));
    }

    #[test]
    fn ids_spread_over_all_shards() {
        let mut counts = [0_u32; 8];
        for n in 0..8000 {
            counts[usize::from(shard_of(&id(&format!("client-{n}")), 8).0)] += 1;
        }
        assert!(
            counts.iter().all(|count| (850..1150).contains(count)),
            "{counts:?}"
        );
    }

    #[test]
    fn what_could_do_harm_elsewhere_is_no_id() {
        for text in [
            "",
            "a b",
            "a\n",
            "a{b}",
            "é",
            "a*",
            "a?b",
            "a%2f",
            &"a".repeat(129),
        ] {
            assert!(ConnectionId::new(text).is_err(), "{text}");
        }
        assert!(ConnectionId::new("a".repeat(128)).is_ok());
    }
}
