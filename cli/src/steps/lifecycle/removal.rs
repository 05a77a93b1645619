//! A resource is removed: look, one act, until nothing of ours is found.

use super::Life;
use super::kind::{Kind, Reading, State, Whose};
use crate::aws::{Class, Owner};
use crate::engine::{Failure, Left, Poll, Progress, Wait};

/// Answers to a deletion that pass by themselves.
const PASSING: [Class; 3] = [Class::Conflict, Class::NotYet, Class::Throttled];

impl<K: Kind> Life<'_, K> {
    pub(super) async fn remove(&self, progress: &Progress) -> Result<(), Failure> {
        let mut all = self.at_rest(false, progress).await?;
        all.retain(|found| self.is_own(&self.read(found)));
        self.remove_all(&all, progress).await?;
        self.kind.forget(self.stack);
        Ok(())
    }

    fn is_own(&self, reading: &Reading) -> bool {
        reading.whose != Whose::Used && self.owner(reading) == Some(Owner::Us)
    }

    /// Deletes all of these, and waits until they are gone.
    pub(super) async fn remove_all(
        &self,
        all: &[K::Found],
        progress: &Progress,
    ) -> Result<(), Failure> {
        for found in all {
            if !matches!(self.read(found).state, State::Leaving(_)) {
                self.delete(found, progress).await?;
            }
        }
        self.kind.refresh(self.stack);
        if self.card.seen_off && !all.is_empty() {
            let ids = all.iter().map(|found| self.read(found).id).collect();
            self.until_gone(ids, progress).await?;
        }
        Ok(())
    }

    async fn delete(&self, found: &K::Found, progress: &Progress) -> Result<(), Failure> {
        let action = self.card.doing("removing");
        let Reading { id, .. } = self.read(found);
        let what = format!("{} `{id}` to accept the deletion", self.card.kind);
        let call = async || match self.kind.delete(self.stack, found).await {
            Ok(()) => Ok(Poll::Ready(())),
            Err(trouble) if trouble.answered(&[Class::Absent]).is_some() => Ok(Poll::Ready(())),
            Err(trouble) => match trouble.answered(&PASSING) {
                Some(error) => Ok(Poll::Pending(error.to_string())),
                None => Err(trouble.failure(action.clone()).left(Left::Ours)),
            },
        };
        progress.until(self.going(what), call).await
    }

    async fn until_gone(&self, ids: Vec<String>, progress: &Progress) -> Result<(), Failure> {
        let look = async || {
            let mut readings = self
                .look()
                .await?
                .into_iter()
                .map(|found| self.read(&found));
            let left = readings.find(|reading| ids.contains(&reading.id));
            Ok(left.map_or(Poll::Ready(()), |left| Poll::Pending(left.state.word())))
        };
        let what = format!("{} to be deleted", self.card);
        progress.until(self.going(what), look).await
    }

    fn going(&self, what: String) -> Wait {
        let (from, to) = self.card.goes;
        Wait::new(what, self.card.patience).usual(from, to)
    }
}
