//! `up`: every resource is made what the configuration says, as soon as all that it needs is.

use std::sync::Arc;

use tokio::time::Instant;

use super::event::EventKind;
use super::graph::NodeId;
use super::outcome::{Failure, Observed, Outcome};
use super::report::{Problem, Report};
use super::resource::{Resource, ResourceKey};
use super::runner::Runner;
use super::survey::{Look, Survey, conflict};
use super::turn::Turn;
use super::walk::{Visit, walk};

/// What the operator allowed `up` to do.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Allowed {
    /// Take over what has our names but is not ours.
    pub(crate) adopt: bool,
    /// Replace what can't be changed in place.
    pub(crate) replace: bool,
}

impl Runner {
    /// Makes everything what it should be, starting from what `survey` found.
    ///
    /// Something of somebody else's under a name of ours stops the run before the first change,
    /// unless adopting is allowed; so does what can't be made at all. A resource that fails blocks
    /// those that need it, and nothing else. What is not as configured is looked at again right before it is touched: by then the
    /// operator lease is held, and what it depends on may have changed.
    pub(crate) async fn up(&self, survey: &Survey, allowed: Allowed) -> Report {
        let conflicts = self.conflicts(survey, allowed);
        if !conflicts.is_empty() {
            return self.refuse(survey, conflicts);
        }
        let order = self.graph.up();
        let turns = walk(order, &self.interrupted, |node, turns| {
            let needs = order.before(node);
            if let Some(turn) = self.held_up(node, needs, turns) {
                return Visit::Settled(turn);
            }
            let stale = needs
                .iter()
                .any(|need| turns[*need].as_ref().is_some_and(Turn::changed));
            let look = survey.look(node);
            if !stale && matches!(look, Look::Seen(Observed::Ready { .. })) {
                return Visit::Settled(self.done(node, Outcome::Unchanged, Instant::now()));
            }
            let (runner, look) = (self.clone(), look.clone());
            Visit::work(async move { runner.bring_up(node, &look, allowed).await })
        });
        let turns = turns.await.into_iter().enumerate();
        let entries = turns.filter_map(|(node, turn)| self.settle(node, turn));
        self.report(entries.collect())
    }

    /// Whether something of somebody else's, or something impossible, stops `up` before its first
    /// change.
    pub(crate) fn refuses(&self, survey: &Survey, allowed: Allowed) -> bool {
        !self.conflicts(survey, allowed).is_empty()
    }

    /// Everything in `survey` that would stop `up`, or a part of it.
    pub(crate) fn objections(
        &self,
        survey: &Survey,
        allowed: Allowed,
    ) -> Vec<(ResourceKey, Problem)> {
        let objection = |node| {
            let key = self.graph.key(node).clone();
            let resource = &**self.graph.resource(node);
            let problem = match survey.look(node) {
                Look::Seen(observed) => refusal(resource, observed, allowed).map(Problem::from),
                Look::Failed(problem) => Some(problem.clone()),
                Look::Blocked(_) | Look::Interrupted => None,
            };
            Some((key, problem?))
        };
        (0..self.graph.len()).filter_map(objection).collect()
    }

    /// What stands in the way of a first change, all at once.
    fn conflicts(&self, survey: &Survey, allowed: Allowed) -> Vec<(NodeId, Problem)> {
        let nodes = (0..self.graph.len()).filter_map(|node| {
            let Look::Seen(observed) = survey.look(node) else {
                return None;
            };
            let refused = conflict(&**self.graph.resource(node), observed, allowed.adopt)?;
            Some((node, Problem::from(refused)))
        });
        nodes.collect()
    }

    fn refuse(&self, survey: &Survey, conflicts: Vec<(NodeId, Problem)>) -> Report {
        for (node, problem) in &conflicts {
            self.emit_failed(*node, problem);
        }
        let mut conflicts = conflicts.into_iter().peekable();
        let entries = (0..self.graph.len()).map(|node| {
            if let Some((_, problem)) = conflicts.next_if(|(foreign, _)| *foreign == node) {
                return self.entry(node, Outcome::Failed, Some(problem));
            }
            let ready = matches!(survey.look(node), Look::Seen(Observed::Ready { .. }));
            let outcome = if ready {
                Outcome::Unchanged
            } else {
                Outcome::Blocked
            };
            self.entry(node, outcome, None)
        });
        self.report(entries.collect())
    }

    async fn bring_up(&self, node: NodeId, look: &Look, allowed: Allowed) -> Turn {
        let began = Instant::now();
        let resource = Arc::clone(self.graph.resource(node));
        let observed = match resource.observe().await {
            Ok(observed) => observed,
            Err(failure) => return self.failed(node, failure),
        };
        if matches!(observed, Observed::Ready { .. }) {
            // It became right with something that it depends on, or by itself.
            return self.done(node, outcome_of(look), began);
        }
        if self.is_interrupted() {
            return Turn::Interrupted;
        }
        if let Some(refusal) = refusal(&*resource, &observed, allowed) {
            return self.failed(node, refusal);
        }
        self.emit(EventKind::Working {
            key: self.graph.key(node).clone(),
            verb: verb_for(&observed),
        });
        match resource.ensure(&observed, &self.progress(node)).await {
            Ok(()) => {
                let created = matches!(observed, Observed::Absent);
                let outcome = if created {
                    Outcome::Created
                } else {
                    Outcome::Repaired
                };
                self.done(node, outcome, began)
            }
            Err(failure) => self.failed(node, failure),
        }
    }
}

/// How a resource that is ready now ended, seen from how the survey found it.
const fn outcome_of(look: &Look) -> Outcome {
    match look {
        Look::Seen(Observed::Absent | Observed::Impossible { .. }) => Outcome::Created,
        // Where nobody knows how it was before, nothing was done to it.
        Look::Seen(Observed::Ready { .. })
        | Look::Interrupted
        | Look::Failed(_)
        | Look::Blocked(_) => Outcome::Unchanged,
        Look::Seen(_) => Outcome::Repaired,
    }
}

const fn verb_for(observed: &Observed) -> &'static str {
    match observed {
        Observed::Absent | Observed::Impossible { .. } => "creating",
        Observed::Changing { .. } => "finishing",
        Observed::Foreign { .. } => "adopting",
        Observed::Ready { .. } | Observed::Drifted { .. } | Observed::Broken { .. } => "repairing",
    }
}

/// Why `observed` must be left as it is.
fn refusal(resource: &dyn Resource, observed: &Observed, allowed: Allowed) -> Option<Failure> {
    match observed {
        Observed::Foreign { .. } | Observed::Impossible { .. } => {
            conflict(resource, observed, allowed.adopt)
        }
        Observed::Drifted { differences, .. } if !allowed.replace => {
            let fixed = differences
                .iter()
                .filter(|difference| difference.needs_replacement);
            let fixed: Vec<String> = fixed.map(ToString::to_string).collect();
            (!fixed.is_empty()).then(|| needs_replacement(resource, &fixed))
        }
        _ => None,
    }
}

fn needs_replacement(resource: &dyn Resource, differences: &[String]) -> Failure {
    let (kind, name) = (resource.kind(), resource.name());
    let loss = if resource.holds_data() {
        " and its data"
    } else {
        ""
    };
    Failure::new(format!("{kind} `{name}` can't be changed in place"))
        .caused_by(differences.join("; "))
        .hint(format!(
            "`placectl up --replace` removes the {kind}{loss}, then creates the {kind} again"
        ))
        .left(super::outcome::Left::Ours)
}

#[cfg(test)]
#[path = "run_tests.rs"]
mod tests;
