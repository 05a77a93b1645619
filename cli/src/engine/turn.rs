//! How a resource's turn ends, in `up` as in `teardown`.

use tokio::time::Instant;

use super::event::EventKind;
use super::graph::NodeId;
use super::outcome::{Failure, FailureKind, Outcome};
use super::report::{Entry, Problem};
use super::resource::ResourceKey;
use super::runner::Runner;

/// How a resource's turn ended.
pub(super) enum Turn {
    /// As it should.
    Done(Outcome),
    /// The resource is not the stack's own: nothing to do, and nothing to say at the end.
    NotOurs,
    /// Not as it should.
    Failed(Problem),
    /// It never began, because of another resource.
    Blocked(ResourceKey),
    /// The operator stopped the run.
    Interrupted,
}

impl Turn {
    /// Whether the resource is not what it was before.
    pub(super) const fn changed(&self) -> bool {
        matches!(self, Self::Done(outcome) if !matches!(outcome, Outcome::Unchanged))
    }
}

impl Runner {
    /// The turn of a resource that must wait for `earlier` ones, if one of these did not end well.
    pub(super) fn held_up(
        &self,
        node: NodeId,
        earlier: &[NodeId],
        turns: &[Option<Turn>],
    ) -> Option<Turn> {
        let mut interrupted = false;
        for other in earlier {
            match &turns[*other] {
                Some(Turn::Failed(_)) => return Some(self.blocked(node, self.graph.key(*other))),
                Some(Turn::Blocked(by)) => return Some(self.blocked(node, by)),
                Some(Turn::Interrupted) => interrupted = true,
                Some(Turn::Done(_) | Turn::NotOurs) | None => {}
            }
        }
        interrupted.then_some(Turn::Interrupted)
    }

    /// The turn of a resource that waits for `by` in vain, said aloud.
    pub(super) fn blocked(&self, node: NodeId, by: &ResourceKey) -> Turn {
        self.emit(EventKind::Blocked {
            key: self.graph.key(node).clone(),
            by: by.clone(),
        });
        Turn::Blocked(by.clone())
    }

    /// The turn that this failure ended, said aloud.
    pub(super) fn failed(&self, node: NodeId, failure: Failure) -> Turn {
        if failure.kind == FailureKind::Interrupted {
            return Turn::Interrupted;
        }
        let problem = Problem::from(failure);
        self.emit_failed(node, &problem);
        Turn::Failed(problem)
    }

    /// The turn that `began` then and ended as it should, said aloud.
    pub(super) fn done(&self, node: NodeId, outcome: Outcome, began: Instant) -> Turn {
        self.emit(EventKind::Done {
            key: self.graph.key(node).clone(),
            outcome,
            elapsed: began.elapsed(),
        });
        Turn::Done(outcome)
    }

    /// What the report says of a turn; `None` is one that never came.
    pub(super) fn settle(&self, node: NodeId, turn: Option<Turn>) -> Option<Entry> {
        let (outcome, problem) = match turn {
            Some(Turn::Done(outcome)) => (outcome, None),
            Some(Turn::NotOurs) => return None,
            Some(Turn::Failed(problem)) => (Outcome::Failed, Some(problem)),
            Some(Turn::Blocked(_)) => (Outcome::Blocked, None),
            Some(Turn::Interrupted) | None => (Outcome::Interrupted, None),
        };
        Some(self.entry(node, outcome, problem))
    }
}
