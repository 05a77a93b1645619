//! The first pass of every run: looks at all resources and changes nothing.

use std::sync::Arc;

use super::event::EventKind;
use super::graph::NodeId;
use super::outcome::{Failure, Observed};
use super::report::Problem;
use super::resource::{Resource, ResourceKey, Step};
use super::runner::Runner;
use super::walk::{Visit, walk};

/// What came of looking at one resource.
#[derive(Clone, Debug)]
pub(crate) enum Look {
    /// It was seen.
    Seen(Observed),
    /// It could not be looked at.
    Failed(Problem),
    /// It was not looked at, because something that it depends on could not be.
    Blocked(ResourceKey),
    /// It was not looked at, because the operator interrupted.
    Interrupted,
}

impl Look {
    /// One word: the state in events and in `status`.
    pub(crate) const fn label(&self) -> &'static str {
        match self {
            Self::Seen(observed) => observed.label(),
            Self::Failed(_) | Self::Blocked(_) | Self::Interrupted => "unknown",
        }
    }

    /// What is noteworthy, in words.
    pub(crate) fn detail(&self) -> Option<String> {
        match self {
            Self::Seen(observed) => observed.detail(),
            Self::Failed(problem) => {
                let chain = std::iter::once(&problem.message).chain(&problem.causes);
                Some(chain.cloned().collect::<Vec<_>>().join(": "))
            }
            Self::Blocked(by) => Some(format!("`{by}` could not be read")),
            Self::Interrupted => Some("interrupted".to_owned()),
        }
    }

    /// AWS's id of it, where it is there.
    pub(crate) fn id(&self) -> Option<&str> {
        match self {
            Self::Seen(observed) => observed.id(),
            _ => None,
        }
    }
}

/// One resource in a survey.
#[derive(Clone, Debug)]
pub(crate) struct Sighting {
    /// Its key.
    pub(crate) key: ResourceKey,
    /// Its step.
    pub(crate) step: Step,
    /// AWS's word for it.
    pub(crate) kind: &'static str,
    /// Its name.
    pub(crate) name: String,
    /// Whether the stack owns it, or merely uses it.
    pub(crate) owned: bool,
    /// What came of looking at it.
    pub(crate) look: Look,
}

/// What was found, resource by resource, in the order of the plan.
#[derive(Clone, Debug)]
pub(crate) struct Survey {
    sightings: Vec<Sighting>,
}

impl Survey {
    /// Everything that was looked at.
    pub(crate) fn sightings(&self) -> &[Sighting] {
        &self.sightings
    }

    /// Whether every resource is there as configured: `up` has nothing to do.
    pub(crate) fn is_ready(&self) -> bool {
        let ready = |look: &Look| matches!(look, Look::Seen(Observed::Ready { .. }));
        self.sightings.iter().all(|sighting| ready(&sighting.look))
    }

    /// Whether nothing of the stack's own is there, as far as could be seen: `teardown` has
    /// nothing to do.
    pub(crate) fn is_empty(&self) -> bool {
        let seen_nothing = |look: &Look| {
            matches!(
                look,
                Look::Seen(
                    Observed::Absent | Observed::Impossible { .. } | Observed::Foreign { .. }
                )
            )
        };
        let gone = |sighting: &Sighting| !sighting.owned || seen_nothing(&sighting.look);
        self.sightings.iter().all(gone)
    }

    /// Whether something could not be looked at.
    pub(crate) fn has_unknown(&self) -> bool {
        let seen = |look: &Look| matches!(look, Look::Seen(_));
        !self.sightings.iter().all(|sighting| seen(&sighting.look))
    }

    /// Whether the resource `key` is there and will stay, as configured or not.
    pub(crate) fn stands(&self, key: &ResourceKey) -> bool {
        matches!(
            self.of(key),
            Some(Look::Seen(
                Observed::Ready { .. } | Observed::Drifted { .. }
            ))
        )
    }

    /// Whether the resource `key` is known not to be there.
    pub(crate) fn is_absent(&self, key: &ResourceKey) -> bool {
        matches!(self.of(key), Some(Look::Seen(Observed::Absent)))
    }

    /// What came of looking at the resource `key`, if the plan has it.
    pub(crate) fn of(&self, key: &ResourceKey) -> Option<&Look> {
        let mut sightings = self.sightings.iter();
        let sighting = sightings.find(|sighting| sighting.key == *key);
        sighting.map(|sighting| &sighting.look)
    }

    pub(super) fn look(&self, node: NodeId) -> &Look {
        &self.sightings[node].look
    }

    /// Takes a newer look for what was seen.
    pub(super) fn replace(&mut self, node: NodeId, look: Look) {
        self.sightings[node].look = look;
    }
}

impl Runner {
    /// Looks at everything, dependencies first, and says what it saw.
    pub(crate) async fn survey(&self) -> Survey {
        self.look_at_all(true).await
    }

    /// Looks at everything; `aloud` says what it saw.
    pub(super) async fn look_at_all(&self, aloud: bool) -> Survey {
        let graph = &self.graph;
        let looks = walk(graph.up(), &self.interrupted, |node, looks| {
            if let Some(by) = unseen(graph.up().before(node), looks, |node| graph.key(node)) {
                return Visit::Settled(Look::Blocked(by));
            }
            let resource = Arc::clone(graph.resource(node));
            let runner = self.clone();
            Visit::work(async move {
                let look = look_at(&*resource).await;
                if aloud {
                    runner.emit(observed(resource.key(), &look));
                }
                look
            })
        });
        let sightings = looks.await.into_iter().zip(graph.resources());
        let sightings = sightings.map(|(look, (key, resource))| Sighting {
            key: key.clone(),
            step: resource.step(),
            kind: resource.kind(),
            name: resource.name(),
            owned: resource.owned(),
            look: look.unwrap_or(Look::Interrupted),
        });
        Survey {
            sightings: sightings.collect(),
        }
    }
}

/// The resource whose failed look blocks the look at this resource.
fn unseen<'a>(
    needs: &[NodeId],
    looks: &[Option<Look>],
    key: impl Fn(NodeId) -> &'a ResourceKey,
) -> Option<ResourceKey> {
    needs.iter().find_map(|need| match &looks[*need] {
        Some(Look::Failed(_)) => Some(key(*need).clone()),
        Some(Look::Blocked(by)) => Some(by.clone()),
        _ => None,
    })
}

pub(super) async fn look_at(resource: &dyn Resource) -> Look {
    match resource.observe().await {
        Ok(observed) => Look::Seen(observed),
        Err(failure) => Look::Failed(Problem::from(failure)),
    }
}

fn observed(key: ResourceKey, look: &Look) -> EventKind {
    EventKind::Observed {
        key,
        state: look.label(),
        detail: look.detail(),
    }
}

/// The failure of a resource that must be resolved before the first change, if any.
pub(super) fn conflict(
    resource: &dyn Resource,
    observed: &Observed,
    adopt: bool,
) -> Option<Failure> {
    let (kind, name) = (resource.kind(), resource.name());
    if let Observed::Impossible { reason, remedy } = observed {
        let failure = Failure::new(format!("{kind} `{name}` can't be set up"));
        return Some(failure.caused_by(reason.clone()).hint(remedy));
    }
    let Observed::Foreign { detail, remedy, .. } = observed else {
        return None;
    };
    if adopt && remedy.is_none() {
        return None;
    }
    let (verdict, hint) = match remedy {
        Some(remedy) => ("can't be part of the stack", remedy.as_str()),
        None => (
            "exists, but does not belong to this stack",
            "`--adopt` takes such resources over; or set other names in place.toml",
        ),
    };
    let failure = Failure::new(format!("{kind} `{name}` {verdict}"));
    Some(failure.caused_by(detail.clone()).hint(hint))
}
