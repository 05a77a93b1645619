//! The functions alone: their real binaries on a stub of Lambda's Runtime API, with a real Redis
//! and stubs of SQS, DynamoDB and API Gateway that are fast and fail as they are told.

mod aws;
pub mod event;
mod function;
mod gateway;
mod http;
mod rig;
mod runtime;

pub use aws::{AwsStub, Message, Rows};
pub use function::Function;
pub use gateway::{GatewayStub, Memory, Mood, Post};
pub use rig::{Rig, Start, client};
pub use runtime::{InvokeError, Pending, RuntimeApi};
