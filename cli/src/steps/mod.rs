//! The seven numbered steps of the setup guide, as one table of resources.
//!
//! Each resource is one file, which says how it is found, what it should be like, and how it is
//! made, changed and removed (a `Kind`). The driver in `lifecycle` does what all have in common.

pub(crate) mod api;
pub(crate) mod cache;
pub(crate) mod canvas;
mod digest;
pub(crate) mod drift;
#[cfg(test)]
mod emulators_tests;
pub(crate) mod found;
pub(crate) mod functions;
pub(crate) mod keys;
mod lifecycle;
pub(crate) mod lookup;
pub(crate) mod lost;
pub(crate) mod memory;
#[cfg(test)]
mod on_paper;
#[cfg(test)]
mod pace_tests;
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
pub(crate) mod vpc;

pub(crate) use found::{CacheEndpoint, QueueAddress, Slot, Subnet, Vpc};
pub(crate) use plan::plan;
pub(crate) use stack::{Options, Stack};
