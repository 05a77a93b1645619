//! The life that all resources have in common, written once: look, whose is it, create once
//! although an answer got lost, tag, put right, wait until usable, remove, wait until gone.
//!
//! A resource says only what is particular to it ([`Kind`]). What is so particular that it would
//! need a switch in here implements the engine's [`Resource`] by itself, and says why.

mod card;
#[cfg(test)]
mod fake;
mod kind;
mod removal;
mod standing;
mod telling;
#[cfg(test)]
mod tests;
mod trouble;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use async_trait::async_trait;

pub(crate) use self::card::Card;
pub(crate) use self::kind::{Kind, Reading, State, TagMap, Whose, tag_map};
pub(crate) use self::trouble::Trouble;
use super::Stack;
use super::drift::Drift;
use crate::aws::Owner;
use crate::engine::{Failure, Observed, Progress, Resource, ResourceKey, Step};

/// The resource of one kind.
pub(crate) fn resource<K: Kind>(stack: &Arc<Stack>, kind: K) -> Arc<dyn Resource> {
    let stack = Arc::clone(stack);
    let there = AtomicBool::new(false);
    Arc::new(Lifecycle { stack, kind, there })
}

/// The driver of one resource.
struct Lifecycle<K> {
    stack: Arc<Stack>,
    kind: K,
    /// Whether there was one when it was last looked for.
    there: AtomicBool,
}

#[async_trait(?Send)]
impl<K: Kind> Resource for Lifecycle<K> {
    fn key(&self) -> ResourceKey {
        self.life().card.key
    }

    fn step(&self) -> Step {
        self.life().card.step
    }

    fn kind(&self) -> &'static str {
        self.life().card.kind
    }

    fn name(&self) -> String {
        self.life().card.name
    }

    fn needs(&self) -> Vec<ResourceKey> {
        self.life().card.needs
    }

    fn removed_after(&self) -> Option<Vec<ResourceKey>> {
        self.life().card.removed_after
    }

    fn usual(&self) -> Duration {
        self.life().card.usual()
    }

    fn billable(&self) -> bool {
        self.life().card.billable
    }

    fn owned(&self) -> bool {
        let card = self.life().card;
        card.owned && (card.wanted || self.there.load(Ordering::SeqCst))
    }

    fn holds_data(&self) -> bool {
        self.life().card.holds_data
    }

    async fn observe(&self) -> Result<Observed, Failure> {
        let life = self.life();
        let observed = life.observe().await;
        let failure = |trouble: Trouble| trouble.failure(life.card.doing("looking for"));
        let observed = observed.map_err(failure)?;
        let there = observed.id().is_some();
        self.there.store(there, Ordering::SeqCst);
        Ok(if life.card.wanted {
            observed
        } else {
            unwanted(observed)
        })
    }

    async fn ensure(&self, observed: &Observed, progress: &Progress) -> Result<(), Failure> {
        self.life().ensure(observed, progress).await
    }

    async fn remove(&self, progress: &Progress) -> Result<(), Failure> {
        self.life().remove(progress).await
    }
}

impl<K: Kind> Lifecycle<K> {
    fn life(&self) -> Life<'_, K> {
        Life {
            stack: &self.stack,
            kind: &self.kind,
            card: self.kind.card(&self.stack),
        }
    }
}

/// A resource, while a verb of the engine is at work on it.
struct Life<'a, K> {
    stack: &'a Stack,
    kind: &'a K,
    card: Card,
}

impl<K: Kind> Life<'_, K> {
    async fn observe(&self) -> Result<Observed, Trouble> {
        let (stack, kind) = (self.stack, self.kind);
        kind.forget(stack);
        let all = kind.find(stack).await?;
        let Some((first, copies)) = all.split_first() else {
            kind.leave(stack, None);
            let judged = kind.judge(stack, None, &mut Drift::default()).await?;
            return Ok(judged.unwrap_or(Observed::Absent));
        };
        let reading = kind.read(stack, first);
        match self.owner(&reading) {
            Some(Owner::Us) => {}
            Some(other) => return Ok(Observed::foreign(reading.id, other.describe())),
            // Without tags the owner is unknown, and the resource must not be changed.
            None => return Ok(changing(reading)),
        }
        if matches!(reading.state, State::Leaving(_)) {
            kind.leave(stack, None);
            return Ok(changing(reading));
        }
        kind.leave(stack, Some(first));
        let (id, reason) = match reading.state {
            State::Usable => (reading.id, None),
            State::Failed(reason) => (reading.id, Some(reason)),
            State::Changing(_) | State::Leaving(_) => return Ok(changing(reading)),
        };
        if let Some(reason) = reason {
            return Ok(Observed::Broken { id, reason });
        }
        let mut drift = self.drift(first);
        drift.compare("copies", copies.len(), 0);
        let judged = kind.judge(stack, Some(first), &mut drift).await?;
        Ok(judged.unwrap_or_else(|| drift.verdict(id)))
    }

    /// Whose a thing is; none where AWS does not say (yet).
    fn owner(&self, reading: &Reading) -> Option<Owner> {
        match &reading.whose {
            Whose::Tagged(tags) if tags.is_empty() && !reading.state.is_at_rest() => None,
            Whose::Tagged(tags) => Some(self.stack.ownership.owner(&self.card.key, tags)),
            Whose::Untold => None,
            Whose::Placed(_) | Whose::Parents | Whose::Used => Some(Owner::Us),
        }
    }

    /// How a thing differs from its configuration.
    fn drift(&self, found: &K::Found) -> Drift {
        let mut drift = Drift::default();
        if let Some(tags) = self.kind.read(self.stack, found).tags() {
            drift.tags(self.stack, &self.card.key, tags);
        }
        self.kind.compare(self.stack, found, &mut drift);
        drift
    }

    /// A look that shows what was done just now.
    async fn look(&self) -> Result<Vec<K::Found>, Failure> {
        let found = self.look_again().await;
        found.map_err(|trouble| trouble.failure(self.card.doing("looking for")))
    }

    async fn look_again(&self) -> Result<Vec<K::Found>, Trouble> {
        self.kind.refresh(self.stack);
        self.kind.find(self.stack).await
    }

    fn read(&self, found: &K::Found) -> Reading {
        self.kind.read(self.stack, found)
    }
}

/// What is to be said of what the configuration does not ask for.
fn unwanted(observed: Observed) -> Observed {
    match observed {
        Observed::Ready { id, .. } | Observed::Drifted { id, .. } | Observed::Broken { id, .. } => {
            let mut drift = Drift::default();
            drift.compare("there", "yes", "no");
            drift.verdict(id)
        }
        Observed::Changing { .. } => observed,
        Observed::Absent | Observed::Impossible { .. } | Observed::Foreign { .. } => {
            let note = "absent, as place.toml says".to_owned();
            Observed::ready("none").remark(Some(note))
        }
    }
}

fn changing(Reading { id, state, .. }: Reading) -> Observed {
    let state = state.word();
    Observed::Changing { id, state }
}
