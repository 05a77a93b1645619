//! Access to AWS: clients, identity, errors in one vocabulary, ownership tags, the operator lease.

pub(crate) mod account;
pub(crate) mod actions;
pub(crate) mod calls;
pub(crate) mod classify;
mod codes;
pub(crate) mod connect_error;
#[cfg(test)]
pub(crate) mod fake;
mod farewell_mark;
pub(crate) mod holder;
pub(crate) mod lease;
pub(crate) mod lease_table;
mod lease_watch;
#[cfg(test)]
mod offline;
pub(crate) mod sdk;
pub(crate) mod tags;
mod throttle;

pub(crate) use account::Identity;
pub(crate) use classify::{Answer, AwsError, AwsResult, Class};
pub(crate) use connect_error::ConnectError;
pub(crate) use farewell_mark::FarewellMark;
pub(crate) use lease::{Lease, LeaseError};
pub(crate) use lease_table::LeaseTable;
pub(crate) use lease_watch::Watch;
pub(crate) use sdk::{Access, Aws};
pub(crate) use tags::{Owner, Ownership};
