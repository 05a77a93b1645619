//! The local cloud: two child processes that stand in for AWS on one machine.
//!
//! `MiniStack` (pinned, in a private virtual environment) answers the AWS calls, `redis-server` is
//! the cache. Both keep everything in memory, listen on 127.0.0.1 only, let in whoever has what only
//! this user can read (`secrets.rs`), outlive the command that started them, and are found again
//! through a mark in their environment and a small state file, one directory a port. Nothing here prints: events go to the caller's `report`.
//!
//! Linux only, by nature: the emulator runs the functions' Linux binaries as plain processes.

mod cloud;
mod emulator;
mod error;
mod files;
mod folder;
mod install;
mod logs;
mod ports;
mod probe;
mod process;
mod profile;
mod redis;
mod secrets;
mod settings;
mod start;
mod state;
mod wait;

pub(crate) use cloud::LocalCloud;
pub(crate) use error::LocalError;
pub(crate) use logs::{LogQuery, LogSource};
pub(crate) use profile::DEFAULT_REGION;
pub(crate) use secrets::Secrets;
pub(crate) use settings::LocalSettings;
pub(crate) use state::{ChildState, LocalState, LocalStatus};

#[cfg(test)]
mod guard_tests;
#[cfg(test)]
mod tests;
