//! What the CLI asks the admin function, and what it answers.
//!
//! The cache has no way in from outside the VPC, so the function is the CLI's only way to it. A
//! synchronous invocation carries at most 6 MB in either direction, so long answers come in pages.

use serde::{Deserialize, Serialize};

use crate::connection::{ConnectionId, Shard};
use crate::position::Position;
use crate::store::Stats;

/// Most bytes of a PNG file in one answer, before base64: with it and the JSON around it the
/// answer stays under Lambda's limit of 6 MB.
pub const CANVAS_PART_BYTES: usize = 4 * 1024 * 1024;

/// How the save function calls the error that the canvas is another than the configuration says.
pub const CANVAS_DIFFERS: &str = "CanvasDiffers";

/// A question of the CLI.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "request", rename_all = "snake_case")]
pub enum Request {
    /// A page of the connected clients.
    Clients {
        /// Where the page starts: nothing for the first, then what the answer before says.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        page: Option<ClientCursor>,
    },
    /// One client.
    Client {
        /// Its id.
        id: ConnectionId,
    },
    /// Close these clients' connections and forget them.
    Disconnect {
        /// Their ids.
        ids: Vec<ConnectionId>,
    },
    /// Forget the clients whose connections are gone.
    Prune,
    /// The canvas as a PNG file, from `offset` on.
    Canvas {
        /// The position of the part before; nothing asks for the newest.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        at: Option<Position>,
        /// Bytes of the file that the caller has.
        #[serde(default)]
        offset: u64,
    },
    /// The store's figures.
    Stats,
    /// Wake the broadcast of every shard that lags.
    Wake,
    /// Paint a picture, as one change after the others: history keeps what it covers.
    Restore {
        /// Column of its left edge.
        left: u16,
        /// Row of its upper edge.
        top: u16,
        /// Base64 of a PNG file. A big picture is sent in strips.
        png: String,
    },
}

/// Where a page of clients starts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClientCursor {
    /// The shard that is being read.
    pub shard: Shard,
    /// Where in the shard.
    pub scan: u64,
}

/// An answer to the CLI.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "response", rename_all = "snake_case")]
pub enum Response {
    /// A page of clients.
    Clients {
        /// Some clients; a client may be on two pages.
        rows: Vec<ClientRow>,
        /// Where the next page starts, if there is one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        next: Option<ClientCursor>,
    },
    /// One client, if it is connected.
    Client {
        /// What is known of it.
        row: Option<ClientRow>,
    },
    /// The connections that were closed.
    Disconnected {
        /// Their ids.
        ids: Vec<ConnectionId>,
    },
    /// Clients whose connections were gone.
    Pruned {
        /// How many were looked at.
        checked: u64,
        /// Those that were forgotten.
        removed: Vec<ConnectionId>,
    },
    /// A part of the canvas.
    Canvas(CanvasPart),
    /// The store's figures.
    Stats(Stats),
    /// The shards that were woken.
    Woken {
        /// Their numbers.
        shards: Vec<Shard>,
    },
    /// A picture was painted.
    Restored {
        /// Pixels that it changed.
        pixels: u64,
        /// Position of its last change, if it changed anything.
        at: Option<Position>,
    },
    /// The question could not be answered.
    Error {
        /// Why.
        message: String,
    },
}

/// A part of the canvas as a PNG file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CanvasPart {
    /// The position that the file shows. When it is not the one that was asked for, the file has
    /// changed: this part is its first, and the caller drops what it has.
    pub at: Position,
    /// Where in the file this part starts.
    pub offset: u64,
    /// Bytes of the whole file.
    pub total: u64,
    /// Base64 of this part, of at most [`CANVAS_PART_BYTES`].
    pub png: String,
}

/// One connected client.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClientRow {
    /// Its connection id.
    pub id: ConnectionId,
    /// Its shard.
    pub shard: Shard,
    /// When it connected (RFC 3339), if the gateway knows it.
    pub connected_at: Option<String>,
    /// Its address, if the gateway knows it.
    pub source_ip: Option<String>,
    /// When it last sent or was sent something (RFC 3339), if the gateway knows it.
    pub last_active_at: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_are_plain_json() {
        let cases = [
            (r#"{"request":"stats"}"#, Request::Stats),
            (
                r#"{"request":"canvas"}"#,
                Request::Canvas {
                    at: None,
                    offset: 0,
                },
            ),
            (r#"{"request":"clients"}"#, Request::Clients { page: None }),
        ];
        for (text, request) in cases {
            assert_eq!(serde_json::from_str::<Request>(text).unwrap(), request);
        }
        assert!(serde_json::from_str::<Request>(r#"{"request":"client","id":"a b"}"#).is_err());
    }

    #[test]
    fn answers_come_back() {
        let answers = [
            Response::Woken {
                shards: vec![Shard(3)],
            },
            Response::Canvas(CanvasPart {
                at: Position::new(5, 1),
                offset: 0,
                total: 3,
                png: "AAAA".into(),
            }),
            Response::Clients {
                rows: vec![ClientRow {
                    id: ConnectionId::new("a").unwrap(),
                    shard: Shard(0),
                    connected_at: None,
                    source_ip: Some("192.0.2.1".into()),
                    last_active_at: None,
                }],
                next: Some(ClientCursor {
                    shard: Shard(1),
                    scan: 7,
                }),
            },
        ];
        for answer in answers {
            let text = serde_json::to_string(&answer).unwrap();
            assert_eq!(
                serde_json::from_str::<Response>(&text).unwrap(),
                answer,
                "{text}"
            );
        }
    }

    #[test]
    fn a_part_fits_the_invocation_limit() {
        const LAMBDA_BYTES: usize = 6 * 1000 * 1000;
        const { assert!(CANVAS_PART_BYTES.div_ceil(3) * 4 + 1000 < LAMBDA_BYTES) };
    }
}
