//! Stubs of what the functions talk to: Lambda's Runtime API, API Gateway's `@connections`, SQS
//! and DynamoDB. Fast, concurrent, and as faulty as a test wants.
//!
//! A crate of its own, because it is built with optimizations in every profile: what it takes of
//! the machine is missing where the functions are measured.

mod aws;
mod gateway;
mod http;
mod runtime;

pub use aws::{Again, AwsStub, Message, Rows};
pub use gateway::{GatewayStub, Memory, Mood, Post};
pub use runtime::{InvokeError, Pending, RuntimeApi};
