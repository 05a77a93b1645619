//! Runs a graph of resources up or down: everything independent in parallel, every step an event.
//!
//! Knows neither AWS nor the terminal. Resources come in as [`Resource`] trait objects; what
//! happens goes out as [`Event`]s, which user interface, JSON output and tests consume alike.

pub(crate) mod event;
mod graph;
pub(crate) mod outcome;
pub(crate) mod report;
pub(crate) mod resource;
mod rest;
mod run;
mod runner;
mod survey;
mod timeline;
mod turn;
mod unwind;
pub(crate) mod wait;
mod walk;
#[cfg(test)]
mod world;

pub(crate) use event::{Breakdown, Event, EventKind, EventSink, SharedSink};
pub(crate) use graph::GraphError;
pub(crate) use outcome::{Failure, FailureKind, Left, Observed, Outcome};
pub(crate) use report::{Addresses, Problem, Report, Verdict, causes};
pub(crate) use resource::{Progress, Resource, ResourceKey, Step};
pub(crate) use run::Allowed;
pub(crate) use runner::Runner;
pub(crate) use survey::{Look, Sighting, Survey};
pub(crate) use timeline::{Span, Timeline};
pub(crate) use unwind::{Begun, Spared};
pub(crate) use wait::{Poll, Reminder, Wait};
