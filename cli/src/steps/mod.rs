//! The seven numbered steps of the setup guide, as one table of resources.
//!
//! Each resource is found, made and removed in one place: what it is, `observe`, `ensure`,
//! `remove`, tests, in this order.

pub(crate) mod api;
pub(crate) mod cache;
mod canvas;
pub(crate) mod drift;
#[cfg(test)]
mod emulators_tests;
pub(crate) mod found;
pub(crate) mod functions;
pub(crate) mod keys;
pub(crate) mod lookup;
pub(crate) mod lost;
#[cfg(test)]
mod on_paper;
pub(crate) mod pace;
mod plan;
pub(crate) mod queues;
pub(crate) mod repeat;
pub(crate) mod schedule;
#[cfg(test)]
pub(crate) mod scripted;
#[cfg(test)]
mod scripted_tests;
pub(crate) mod stack;
pub(crate) mod tables;
mod telling;
pub(crate) mod vpc;

pub(crate) use found::{CacheEndpoint, QueueAddress, Slot, Subnet, Vpc};
pub(crate) use plan::plan;
pub(crate) use stack::{Options, Stack};
