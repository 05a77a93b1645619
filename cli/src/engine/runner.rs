//! A run of the engine: a graph, where events go, and how the operator interrupts.

use std::collections::BTreeMap;
use std::sync::Arc;

use tokio::sync::watch;
use tokio::time::Instant;

use super::event::{Breakdown, Event, EventKind, Planned, SharedSink};
use super::graph::{Graph, GraphError, NodeId};
use super::outcome::Outcome;
use super::report::{Entry, Problem, Report};
use super::resource::{Progress, Resource};

/// Runs one graph. Clones share everything.
#[derive(Clone)]
pub(crate) struct Runner {
    pub(super) graph: Arc<Graph>,
    pub(super) interrupted: watch::Receiver<bool>,
    sink: SharedSink,
    began: Instant,
}

impl Runner {
    /// A run over `resources` that begins now.
    pub(crate) fn new(
        resources: Vec<Arc<dyn Resource>>,
        sink: SharedSink,
        interrupted: watch::Receiver<bool>,
    ) -> Result<Self, GraphError> {
        Ok(Self {
            graph: Arc::new(Graph::new(resources)?),
            interrupted,
            sink,
            began: Instant::now(),
        })
    }

    /// Says which resources the run is about.
    pub(crate) fn announce(&self, command: &'static str) {
        let planned = self.graph.resources().map(|(key, resource)| Planned {
            key: key.clone(),
            step: resource.step(),
            kind: resource.kind(),
            name: resource.name(),
        });
        self.emit(EventKind::Started {
            command,
            resources: planned.collect(),
        });
    }

    /// Says that the run ended without an outcome for each resource.
    pub(crate) fn break_off(&self, outcome: &'static str, calls: u64, error: Breakdown) {
        self.emit(EventKind::Finished {
            outcome,
            counts: BTreeMap::new(),
            calls: Some(calls),
            elapsed: self.began.elapsed(),
            websocket_url: None,
            page_url: None,
            error: Some(error),
        });
    }

    /// Whether the operator asked to stop.
    pub(crate) fn is_interrupted(&self) -> bool {
        *self.interrupted.borrow()
    }

    /// Sends an event.
    pub(crate) fn emit(&self, kind: EventKind) {
        self.sink.event(&Event {
            at: self.began.elapsed(),
            kind,
        });
    }

    pub(super) fn progress(&self, node: NodeId) -> Progress {
        let key = self.graph.key(node).clone();
        Progress::new(
            key,
            self.began,
            Arc::clone(&self.sink),
            self.interrupted.clone(),
        )
    }

    /// The report of a run that settled `entries`.
    pub(super) fn report(&self, entries: Vec<Entry>) -> Report {
        Report::new(entries, self.began.elapsed(), self.is_interrupted())
    }

    /// The entry of `node`.
    pub(super) fn entry(&self, node: NodeId, outcome: Outcome, problem: Option<Problem>) -> Entry {
        let resource: &dyn Resource = &**self.graph.resource(node);
        let gone = matches!(outcome, Outcome::Removed | Outcome::Absent);
        Entry {
            kind: resource.kind(),
            name: resource.name(),
            outcome,
            problem,
            costs: resource.billable() && !gone,
        }
    }

    /// Says that `node` failed.
    pub(super) fn emit_failed(&self, node: NodeId, problem: &Problem) {
        let problem = problem.clone();
        self.emit(EventKind::Failed {
            key: self.graph.key(node).clone(),
            message: problem.message,
            causes: problem.causes,
            hint: problem.hint,
            left: problem.left,
            kind: problem.kind,
        });
    }
}
