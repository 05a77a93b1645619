//! `teardown`: everything of the stack's own is removed, and looked for again at the end.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use super::event::EventKind;
use super::graph::NodeId;
use super::outcome::{Failure, FailureKind, Left, Observed, Outcome};
use super::report::Report;
use super::resource::ResourceKey;
use super::runner::Runner;
use super::survey::{Look, Survey};
use super::turn::Turn;
use super::wait::{Poll, Wait};
use super::walk::{Visit, walk};

/// How long AWS may go on listing what it has deleted.
const LISTED_WITHIN: Duration = Duration::from_secs(45);

/// What `teardown` leaves.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Spared {
    /// What people painted stays.
    pub(crate) data: bool,
}

/// What a teardown removed ahead of everything else.
#[derive(Default)]
pub(crate) struct Begun(Vec<Option<Turn>>);

impl Begun {
    /// Whether something that was to go first stands, or may stand.
    pub(crate) fn is_stuck(&self) -> bool {
        let stuck = |turn: &Option<Turn>| {
            matches!(
                turn,
                Some(Turn::Failed(_) | Turn::Blocked(_) | Turn::Interrupted)
            )
        };
        self.0.iter().any(stuck)
    }
}

impl Runner {
    /// Removes `keys` alone, of which none has to wait for another: what must be gone before
    /// something else is done that comes before the teardown itself.
    pub(crate) async fn teardown_first(&self, survey: &Survey, keys: &[ResourceKey]) -> Begun {
        let first = (0..self.graph.len()).filter(|node| {
            let free = self.graph.down().before(*node).is_empty();
            free && keys.contains(self.graph.key(*node))
        });
        let turns = first.map(|node| async move {
            let look = survey.look(node);
            let turn = self.unseen(node, look);
            let turn = turn.or_else(|| self.left_alone(node, look, Spared::default()));
            let turn = match turn {
                Some(turn) => turn,
                None if self.is_interrupted() => Turn::Interrupted,
                None => self.take_down(node).await,
            };
            (node, turn)
        });
        let mut begun: Vec<_> = (0..self.graph.len()).map(|_| None).collect();
        for (node, turn) in futures::future::join_all(turns).await {
            begun[node] = Some(turn);
        }
        Begun(begun)
    }

    /// Removes what `survey` found and `begun` did not, each resource when all are gone that must
    /// go before it, then looks again: what still stands is a failure, whatever AWS answered to
    /// its deletion. Where what was to go first is stuck, everything else stays.
    pub(crate) async fn teardown(&self, survey: &Survey, spared: Spared, begun: Begun) -> Report {
        let turns = if begun.is_stuck() {
            begun.0
        } else {
            let mut turns = self.take_all_down(survey, spared, begun).await;
            if !self.is_interrupted() {
                self.verify(&mut turns).await;
            }
            turns
        };
        let turns = turns.into_iter().enumerate();
        let entries = turns.filter_map(|(node, turn)| {
            // What was never come to may have had nothing to remove.
            let turn = turn.or_else(|| self.nothing_to_do(node, survey.look(node)));
            self.settle(node, turn)
        });
        self.report(entries.collect())
    }

    async fn take_all_down(
        &self,
        survey: &Survey,
        spared: Spared,
        Begun(mut begun): Begun,
    ) -> Vec<Option<Turn>> {
        let order = self.graph.down();
        let turns = walk(order, &self.interrupted, |node, turns| {
            if let Some(turn) = begun.get_mut(node).and_then(Option::take) {
                return Visit::Settled(turn);
            }
            let look = survey.look(node);
            let turn = self.unseen(node, look);
            let turn = turn.or_else(|| self.held_up(node, order.before(node), turns));
            let turn = turn.or_else(|| self.left_alone(node, look, spared));
            if let Some(turn) = turn {
                return Visit::Settled(turn);
            }
            let runner = self.clone();
            Visit::work(async move { runner.take_down(node).await })
        });
        let mut turns = turns.await;
        // An interrupt may have come before what is done already had its visit.
        for (turn, earlier) in turns.iter_mut().zip(begun) {
            *turn = turn.take().or(earlier);
        }
        turns
    }

    /// The turn of a resource that nobody could look at: what is not known to be ours stays.
    fn unseen(&self, node: NodeId, look: &Look) -> Option<Turn> {
        match look {
            Look::Failed(problem) => {
                self.emit_failed(node, problem);
                Some(Turn::Failed(problem.clone()))
            }
            Look::Blocked(by) => Some(self.blocked(node, by)),
            Look::Interrupted => Some(Turn::Interrupted),
            Look::Seen(_) => None,
        }
    }

    /// The turn of a resource on which nothing is to be done, said aloud.
    fn left_alone(&self, node: NodeId, look: &Look, spared: Spared) -> Option<Turn> {
        let resource = self.graph.resource(node);
        let kept = || {
            let kept = matches!(look, Look::Seen(_)) && spared.data && resource.holds_data();
            kept.then_some(Turn::Done(Outcome::Kept))
        };
        let mut turn = self.nothing_to_do(node, look).or_else(kept)?;
        if let Turn::Done(outcome) = turn {
            turn = self.done(node, outcome, Instant::now());
        }
        if let Look::Seen(Observed::Foreign { detail, .. }) = look {
            let (kind, name) = (resource.kind(), resource.name());
            let message = format!("{kind} `{name}` was not removed: {detail}");
            self.emit(EventKind::Note { message });
        }
        Some(turn)
    }

    /// The turn of what is not there, or is not ours.
    fn nothing_to_do(&self, node: NodeId, look: &Look) -> Option<Turn> {
        match look {
            Look::Seen(Observed::Absent | Observed::Impossible { .. }) => {
                Some(Turn::Done(Outcome::Absent))
            }
            Look::Seen(Observed::Foreign { .. }) => Some(Turn::NotOurs),
            Look::Seen(_) if !self.graph.resource(node).owned() => Some(Turn::NotOurs),
            _ => None,
        }
    }

    async fn take_down(&self, node: NodeId) -> Turn {
        let began = Instant::now();
        let resource = Arc::clone(self.graph.resource(node));
        self.emit(EventKind::Working {
            key: self.graph.key(node).clone(),
            verb: "removing",
        });
        match resource.remove(&self.progress(node)).await {
            Ok(()) => self.done(node, Outcome::Removed, began),
            Err(failure) => self.failed(node, failure),
        }
    }

    /// Looks again at everything that is said to be gone, or not to be there: the survey may be
    /// older than somebody else's run. What was removed may be listed for some seconds more, by IAM
    /// and CloudWatch Logs above all, and is looked for as long.
    async fn verify(&self, turns: &mut [Option<Turn>]) {
        let removed = |turn: &Option<Turn>| matches!(turn, Some(Turn::Done(Outcome::Removed)));
        let first = turns.iter().position(removed).unwrap_or_default();
        if turns.is_empty() {
            return;
        }
        let mut left = Vec::new();
        let look = async || {
            left = self.left_standing(turns).await;
            let listed = left.iter().filter(|(node, _)| removed(&turns[*node]));
            let keys: Vec<&str> = listed
                .map(|(node, _)| self.graph.key(*node).as_str())
                .collect();
            Ok(if keys.is_empty() {
                Poll::Ready(())
            } else {
                Poll::Pending(format!("still listed: {}", keys.join(", ")))
            })
        };
        let wait = Wait {
            first_pause: Duration::from_secs(1),
            ..Wait::new("AWS to stop listing removed resources", LISTED_WITHIN).usual(0, 15)
        };
        let outcome = self.progress(first).until(wait, look).await;
        if outcome.is_err_and(|failure| failure.kind == FailureKind::Interrupted) {
            return;
        }
        for (node, failure) in left {
            turns[node] = Some(self.failed(node, failure));
        }
    }

    /// What is said to be gone and stands.
    async fn left_standing(&self, turns: &[Option<Turn>]) -> Vec<(NodeId, Failure)> {
        let survey = self.look_at_all(false).await;
        let gone = |turn: &Option<Turn>| {
            matches!(turn, Some(Turn::Done(Outcome::Removed | Outcome::Absent)))
        };
        let nodes = (0..turns.len()).filter(|node| gone(&turns[*node]));
        nodes
            .filter_map(|node| Some((node, self.still_there(node, survey.look(node))?)))
            .collect()
    }

    fn still_there(&self, node: NodeId, look: &Look) -> Option<Failure> {
        let resource = self.graph.resource(node);
        let (kind, name) = (resource.kind(), resource.name());
        let failure = |cause: String| {
            Failure::new(format!("checking that {kind} `{name}` is removed"))
                .caused_by(cause)
                .hint("run `placectl teardown` again to resume")
                .kind(FailureKind::Incomplete)
        };
        match look {
            Look::Seen(
                Observed::Absent | Observed::Impossible { .. } | Observed::Foreign { .. },
            )
            | Look::Interrupted => None,
            Look::Seen(observed) if resource.owned() => {
                let id = observed.id().unwrap_or(&name);
                let state = observed.label();
                Some(failure(format!("`{id}` still exists, {state}")).left(Left::Ours))
            }
            Look::Seen(_) => None,
            Look::Failed(_) | Look::Blocked(_) => {
                let detail = look.detail().unwrap_or_default();
                Some(failure(detail).left(Left::Unknown))
            }
        }
    }
}

#[cfg(test)]
#[path = "unwind_tests.rs"]
mod tests;
