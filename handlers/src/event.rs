//! The events that the functions receive, read as tolerantly as is safe: a field that AWS adds,
//! drops or sends as null must not stop a client.

use std::collections::{HashMap, HashSet};

use place_canvas::{ConnectionId, Position, Shard};
use serde::{Deserialize, Serialize};

/// What API Gateway sends for `$connect`, `$disconnect` and `sendMessage`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SocketEvent {
    /// Who the event is from.
    #[serde(default)]
    pub request_context: RequestContext,
    /// Headers of the handshake; only `$connect` has them.
    #[serde(default)]
    pub headers: Option<HashMap<String, String>>,
    /// Parameters of the handshake's address; only `$connect` has them.
    #[serde(default)]
    pub query_string_parameters: Option<HashMap<String, String>>,
    /// The client's message, if it is one.
    #[serde(default)]
    pub body: Option<String>,
}

/// Who a [`SocketEvent`] is from.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RequestContext {
    /// Id of the connection, not yet checked.
    #[serde(default)]
    pub connection_id: Option<String>,
    /// Where it comes from.
    #[serde(default)]
    pub identity: Option<Identity>,
}

/// Where a connection comes from.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Identity {
    /// Address of the client as API Gateway saw it.
    #[serde(default, alias = "SourceIp")]
    pub source_ip: Option<String>,
}

impl SocketEvent {
    /// The connection, when its id is one.
    pub fn connection(&self) -> Option<ConnectionId> {
        ConnectionId::new(self.request_context.connection_id.as_deref()?).ok()
    }

    /// Address of the client; empty when the event has none.
    pub fn source(&self) -> &str {
        let identity = self.request_context.identity.as_ref();
        identity.and_then(|i| i.source_ip.as_deref()).unwrap_or("")
    }

    /// The player that the client says it is: 128 bits in hexadecimal digits.
    pub fn player(&self) -> Option<&str> {
        let player = self.query_string_parameters.as_ref()?.get("player")?;
        let is_token = player.len() == 32 && player.bytes().all(|b| b.is_ascii_hexdigit());
        is_token.then_some(player.as_str())
    }

    /// The position that the client holds from a connection before, `<epoch>:<position>`. No two canvases
    /// share a position, so the epoch tells nothing more.
    pub fn from(&self) -> Option<Position> {
        let held = self.query_string_parameters.as_ref()?.get("from")?;
        let (_, position) = held.split_once(':')?;
        position.parse().ok()
    }

    /// The `Origin` header of the handshake.
    pub fn origin(&self) -> Option<&str> {
        let mut headers = self.headers.as_ref()?.iter();
        let found = headers.find(|(name, _)| name.eq_ignore_ascii_case("origin"));
        found.map(|(_, value)| value.as_str())
    }
}

/// What a function answers API Gateway; anything but 2xx refuses a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct SocketAnswer {
    /// HTTP status.
    #[serde(rename = "statusCode")]
    pub status_code: u16,
}

impl SocketAnswer {
    /// Done.
    pub const OK: Self = Self { status_code: 200 };
    /// The event is none that API Gateway sends.
    pub const BAD_REQUEST: Self = Self { status_code: 400 };
    /// This origin may not connect.
    pub const FORBIDDEN: Self = Self { status_code: 403 };
    /// Full, or something that is needed did not answer.
    pub const UNAVAILABLE: Self = Self { status_code: 503 };
}

/// What Lambda sends for a batch of queue messages.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct QueueEvent {
    /// The messages, in the order of their groups.
    #[serde(rename = "Records", default)]
    pub records: Vec<QueueMessage>,
}

/// One message of a queue.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct QueueMessage {
    /// Id by which a failure is reported.
    pub message_id: String,
    /// What names this delivery of it to SQS.
    #[serde(default)]
    pub receipt_handle: Option<String>,
    /// What was sent.
    #[serde(default)]
    pub body: Option<String>,
    /// What SQS says about it.
    #[serde(default)]
    pub attributes: Option<QueueAttributes>,
}

/// What SQS says about a message.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct QueueAttributes {
    /// The group within which the order is kept.
    #[serde(rename = "MessageGroupId", default)]
    pub group: Option<String>,
    /// How often it was delivered, with this time: a number, written as a text.
    #[serde(rename = "ApproximateReceiveCount", default)]
    pub receives: Option<String>,
}

impl QueueMessage {
    fn group(&self) -> Option<&str> {
        self.attributes.as_ref()?.group.as_deref()
    }

    /// How often it was delivered, with this time.
    pub fn receives(&self) -> u32 {
        let receives = self.attributes.as_ref().and_then(|a| a.receives.as_ref());
        receives.and_then(|count| count.parse().ok()).unwrap_or(1)
    }

    /// The body as `T`, when it is one: a message that can't be read now never can be.
    pub fn read<'a, T: Deserialize<'a>>(&'a self) -> Option<T> {
        serde_json::from_str(self.body.as_deref()?).ok()
    }
}

/// Which messages of a batch Lambda has to deliver again.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct BatchAnswer {
    /// The failed messages.
    #[serde(rename = "batchItemFailures")]
    pub failures: Vec<BatchFailure>,
}

/// One message that has to come again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct BatchFailure {
    /// Its id.
    #[serde(rename = "itemIdentifier")]
    pub message_id: String,
}

impl BatchAnswer {
    /// The answer for a batch of a FIFO queue: the failures, and after each of them everything of
    /// its group, so that the order within a group is kept. Messages of other groups were dealt
    /// with, and are not to come again.
    pub fn fifo(records: &[QueueMessage], failed: impl Fn(&QueueMessage) -> bool) -> Self {
        let (mut broken, mut failures) = (HashSet::new(), Vec::new());
        for message in records {
            if broken.contains(&message.group()) || failed(message) {
                broken.insert(message.group());
                failures.push(BatchFailure {
                    message_id: message.message_id.clone(),
                });
            }
        }
        Self { failures }
    }
}

/// Message of the initialize queue: a client that waits for the picture.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Newcomer {
    /// The client.
    pub connection: ConnectionId,
    /// The position that it holds from a connection before; none for one that starts with nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<Position>,
}

/// Message of the request queue: a shard whose broadcast loop shall run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WakeUp {
    /// The shard.
    pub shard: Shard,
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Messages whose group is the letter that their id starts with.
    fn messages(ids: &[&str]) -> Vec<QueueMessage> {
        let message = |id: &&str| {
            let group = &id[..1];
            let text = format!(
                r#"{{"messageId":"{id}","attributes":{{"MessageGroupId":"{group}","SentTimestamp":"1"}}}}"#
            );
            serde_json::from_str(&text).unwrap()
        };
        ids.iter().map(message).collect()
    }

    #[test]
    fn a_fifo_batch_reports_each_failure_and_what_follows_in_its_group() {
        let batch = messages(&["a1", "b1", "a2", "b2", "c1", "a3"]);
        let answer = BatchAnswer::fifo(&batch, |m| m.message_id == "b1" || m.message_id == "a2");
        let failed: Vec<_> = answer.failures.iter().map(|f| &f.message_id).collect();
        assert_eq!(failed, ["b1", "a2", "b2", "a3"]);
        let one = BatchAnswer::fifo(&batch, |m| m.message_id == "c1");
        let expected = r#"{"batchItemFailures":[{"itemIdentifier":"c1"}]}"#;
        assert_eq!(serde_json::to_string(&one).unwrap(), expected);
        let answer = BatchAnswer::fifo(&batch, |_| false);
        assert_eq!(
            serde_json::to_string(&answer).unwrap(),
            r#"{"batchItemFailures":[]}"#
        );
    }

    #[test]
    fn an_event_with_nulls_and_unknown_fields_is_read() {
        let text = r#"{"requestContext":{"connectionId":"abc=","identity":null,"new":1},
            "headers":null,"body":null,"isBase64Encoded":false}"#;
        let event: SocketEvent = serde_json::from_str(text).unwrap();
        assert_eq!(event.connection().unwrap().as_str(), "abc=");
        assert_eq!((event.source(), event.origin()), ("", None));
        let empty: SocketEvent = serde_json::from_str("{}").unwrap();
        assert_eq!(empty.connection(), None);
    }

    #[test]
    fn a_message_tells_how_often_it_was_delivered() {
        let receives = |attributes: &str| {
            let text =
                format!(r#"{{"messageId":"m","receiptHandle":"h","attributes":{attributes}}}"#);
            let message: QueueMessage = serde_json::from_str(&text).unwrap();
            assert_eq!(message.receipt_handle.as_deref(), Some("h"));
            message.receives()
        };
        assert_eq!(receives(r#"{"ApproximateReceiveCount":"4"}"#), 4);
        for unknown in ["null", "{}", r#"{"ApproximateReceiveCount":null}"#] {
            assert_eq!(receives(unknown), 1, "{unknown}");
        }
    }

    #[test]
    fn the_origin_is_found_whatever_its_case() {
        for name in ["Origin", "origin", "ORIGIN"] {
            let text = format!(r#"{{"headers":{{"Host":"x","{name}":"https://a.example"}}}}"#);
            let event: SocketEvent = serde_json::from_str(&text).unwrap();
            assert_eq!(event.origin(), Some("https://a.example"));
        }
    }

    #[test]
    fn a_message_that_is_no_wake_up_is_none() {
        let message = |body: &str| QueueMessage {
            message_id: "1".into(),
            receipt_handle: None,
            body: Some(body.into()),
            attributes: None,
        };
        for body in [
            "",
            "{}",
            r#"{"shard":-1}"#,
            r#"{"shard":70000}"#,
            "[]",
            "\u{0}",
        ] {
            assert_eq!(message(body).read::<WakeUp>(), None, "{body}");
        }
        assert_eq!(
            message(r#"{"shard":3}"#).read(),
            Some(WakeUp { shard: Shard(3) })
        );
    }
}
