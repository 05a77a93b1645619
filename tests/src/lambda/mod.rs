//! The functions alone: their real binaries on a stub of Lambda's Runtime API, with a real Redis
//! and stubs of SQS, DynamoDB and API Gateway that are fast and fail as they are told.

pub mod event;
mod function;
pub mod play;
mod rig;

pub use function::Function;
pub use place_stubs::{
    AwsStub, GatewayStub, InvokeError, Memory, Message, Mood, Pending, Post, Rows, RuntimeApi,
};
pub use rig::{Rig, Start, client};
