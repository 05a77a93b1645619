//! The world in memory, for tests: it obeys tokio's clock, and it can break at any step.

mod cache;
mod conformance;
mod faults;
mod gateway;
mod queues;
mod tables;

pub(crate) use cache::{FakeCache, Flaw};
pub(crate) use faults::Faults;
pub(crate) use gateway::{FakeGateway, Mood};
pub(crate) use queues::FakeQueues;
pub(crate) use tables::{FakeTables, Weather};

use std::time::Duration;

use place_canvas::{ConnectionId, Geometry, Pixel, Rgb};
use tokio::time::Instant;

use crate::broadcast::Invocation;
use crate::event::{QueueAttributes, QueueEvent, QueueMessage};

/// A connection id.
pub(crate) fn id(text: &str) -> ConnectionId {
    ConnectionId::new(text).unwrap()
}

/// Size of the fake canvas.
pub(crate) const fn geometry() -> Geometry {
    match Geometry::new(20, 10) {
        Ok(geometry) => geometry,
        Err(_) => panic!("a canvas that is not empty"),
    }
}

/// A pixel in a grey that tells one paint from another.
pub(crate) fn dot(x: u16, y: u16, grey: u8) -> Pixel {
    Pixel::new(x, y, Rgb::new(grey, grey, grey))
}

/// A batch of messages `m0`, `m1`...
pub(crate) fn batch(bodies: &[&str]) -> QueueEvent {
    let message = |(number, body): (usize, &&str)| QueueMessage {
        message_id: format!("m{number}"),
        receipt_handle: Some(format!("h{number}")),
        body: Some((*body).to_owned()),
        attributes: Some(QueueAttributes {
            group: Some(format!("g{number}")),
            receives: Some("1".to_owned()),
        }),
    };
    QueueEvent {
        records: bodies.iter().enumerate().map(message).collect(),
    }
}

/// An invocation that has `seconds`.
pub(crate) fn invocation(seconds: u64) -> Invocation<'static> {
    Invocation {
        request_id: "r",
        deadline: Instant::now() + Duration::from_secs(seconds),
    }
}
