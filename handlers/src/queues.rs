//! The two queues: newcomers that wait for the picture, shards that wait for their loop.

use aws_sdk_sqs::Client;
use aws_sdk_sqs::types::ChangeMessageVisibilityBatchRequestEntry as Change;
use place_canvas::{ConnectionId, Position, Shard, Token};
use serde::Serialize;

use crate::error::Error;
use crate::event::{Newcomer, WakeUp};

/// Why a shard is woken.
///
/// It is part of the message's deduplication id. SQS drops a message whose id it has seen within
/// five minutes, also when that one was consumed long ago, so a second reason to wake the same
/// shard at the same position must not have the first one's id.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reason {
    /// A paint or a ping, which made the call under this name, found nobody at work.
    Paint(Token),
    /// The invocation of this request id ends and leaves its loop to the next one.
    HandOver(String),
    /// The invocation of this request id found the shard behind, and nobody at work.
    Lagging(String),
    /// The loop of the invocation of this request id failed.
    Broke(String),
}

/// A wake-up to send.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call {
    /// The shard to wake.
    pub shard: Shard,
    /// The position that it was called for.
    pub at: Position,
    /// Why.
    pub reason: Reason,
}

impl Call {
    /// Message group and deduplication id. A group of its own for each call, because the group of
    /// a consumer that died stays blocked until its visibility time-out.
    pub fn id(&self) -> String {
        let (shard, at) = (self.shard, self.at);
        match &self.reason {
            Reason::Paint(caller) => format!("{shard}-{at}-{}", caller.as_str()),
            Reason::HandOver(request) => format!("{shard}-{at}-over-{request}"),
            Reason::Lagging(request) => format!("{shard}-{at}-late-{request}"),
            Reason::Broke(request) => format!("{shard}-{at}-again-{request}"),
        }
    }
}

/// A delivered message that was not dealt with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unserved {
    /// Names its delivery.
    pub receipt_handle: String,
    /// Seconds after which it shall come again.
    pub pause_s: u32,
}

/// The stack's queues.
pub struct Queues {
    client: Client,
    initialize_url: String,
    request_url: String,
}

impl Queues {
    /// The queues at these addresses.
    pub const fn new(client: Client, initialize_url: String, request_url: String) -> Self {
        Self {
            client,
            initialize_url,
            request_url,
        }
    }

    /// Queues a newcomer.
    pub async fn announce(&self, newcomer: &Newcomer) -> Result<(), Error> {
        let url = &self.initialize_url;
        self.send(url, newcomer.connection.as_str(), newcomer).await
    }

    /// Queues a client that the cache had lost, at this position: under an id of its own, because
    /// SQS drops a message whose id it has seen within five minutes.
    pub async fn announce_again(&self, client: &ConnectionId, at: Position) -> Result<(), Error> {
        let body = Newcomer {
            connection: client.clone(),
            from: None,
        };
        let id = format!("{client}-{at}");
        self.send(&self.initialize_url, &id, &body).await
    }

    /// Lets newcomers that were not served come again sooner than their queue's visibility time-out
    /// would have it.
    #[expect(
        clippy::missing_panics_doc,
        reason = "an id and a handle are all that is required"
    )]
    pub async fn again(&self, unserved: &[Unserved]) -> Result<(), Error> {
        let queue = &self.initialize_url;
        let request = self.client.change_message_visibility_batch();
        let changes = unserved.iter().enumerate().map(|(number, message)| {
            Change::builder()
                .id(number.to_string())
                .receipt_handle(&message.receipt_handle)
                .visibility_timeout(i32::try_from(message.pause_s).unwrap_or(i32::MAX))
                .build()
                .expect("an id and a handle are all that is required")
        });
        let request = request
            .queue_url(queue)
            .set_entries(Some(changes.collect()));
        // Boxed, because what the SDK's calls nest is near the compiler's limit for one future.
        let answer = Box::pin(request.send()).await;
        let answer = answer.map_err(|error| Error::queue(queue, &error))?;
        answer.failed.first().map_or(Ok(()), |failed| {
            Err(Error::Queue {
                queue: queue.clone(),
                code: failed.code.clone(),
            })
        })
    }

    /// Queues a wake-up.
    pub async fn call(&self, call: &Call) -> Result<(), Error> {
        self.send(&self.request_url, &call.id(), &WakeUp { shard: call.shard })
            .await
    }

    async fn send(&self, queue: &str, id: &str, body: &impl Serialize) -> Result<(), Error> {
        let body = serde_json::to_string(body).expect("queue messages have only text and numbers");
        let request = self
            .client
            .send_message()
            .queue_url(queue)
            .message_body(body);
        let request = request.message_group_id(id).message_deduplication_id(id);
        // Boxed, because what the SDK's calls nest is near the compiler's limit for one future.
        Box::pin(request.send())
            .await
            .map(drop)
            .map_err(|error| Error::queue(queue, &error))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_reasons_share_an_id() {
        let call = |reason| Call {
            shard: Shard(2),
            at: Position::new(7, 1),
            reason,
        };
        let caller = Token::random();
        let paint = call(Reason::Paint(caller.clone())).id();
        assert_eq!(paint, format!("2-7-1-{}", caller.as_str()));
        let over = call(Reason::HandOver("r1".into())).id();
        let late = call(Reason::Lagging("r1".into())).id();
        let again = call(Reason::Broke("r1".into())).id();
        assert!(over != late && late != again && again != over);
        assert_ne!(over, call(Reason::HandOver("r2".into())).id());
    }
}
