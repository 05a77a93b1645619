//! The Lambda functions of a canvas: one module a function, and a thin binary for each in `bin/`.
//!
//! A function is an async fn over a typed event, with what it needs from the world ([`ports`])
//! passed in; [`boot`] builds that from the environment.

pub mod adapters;
pub mod admin;
pub mod boot;
pub mod broadcast;
pub mod connect;
#[cfg(test)]
mod convergence;
pub mod disconnect;
pub mod error;
pub mod event;
#[cfg(test)]
mod fakes;
pub mod gateway;
pub mod initialize;
pub mod page;
pub mod ports;
pub mod queues;
pub mod save;
pub mod send_message;

pub use error::Error;
