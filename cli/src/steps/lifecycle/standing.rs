//! Brings a resource into its configured state: look, one call, look again, until the state is
//! right.

use std::time::Duration;

use super::Life;
use super::kind::{Kind, Reading, State, Whose};
use super::telling::Telling;
use super::trouble::Trouble;
use crate::aws::{AwsError, Class, Owner};
use crate::engine::outcome::Difference;
use crate::engine::{Failure, FailureKind, Left, Observed, Poll, Progress, Wait};
use crate::steps::drift::{self, Drift};
use crate::steps::lost::Creation;
use crate::steps::repeat::CATCHING_UP;

/// Changes in a row, where AWS takes one at a time.
const CHANGES: usize = 3;

/// Creates in a row that say "already exists" of what is not to be seen.
const ATTEMPTS: usize = 3;

/// How a thing came to be there.
enum Made<T> {
    /// It was created.
    Now(T),
    /// It was there already, perhaps by a call whose answer got lost.
    Before,
}

impl<K: Kind> Life<'_, K> {
    pub(super) async fn ensure(
        &self,
        observed: &Observed,
        progress: &Progress,
    ) -> Result<(), Failure> {
        if !self.card.wanted {
            return self.remove(progress).await;
        }
        let mut standing = match observed {
            Observed::Absent | Observed::Impossible { .. } => None,
            _ => self.standing(progress).await?,
        };
        for _ in 0..ATTEMPTS {
            if let Some(found) = standing {
                return self.put_right(found, progress).await;
            }
            if let Made::Now(made) = self.make(progress).await? {
                return self.complete(made, progress).await;
            }
            standing = self.standing(progress).await?;
        }
        Err(self.vanished())
    }

    /// The one that stands, alone, at rest and the stack's; none once there is none any more.
    async fn standing(&self, progress: &Progress) -> Result<Option<K::Found>, Failure> {
        loop {
            let mut all = self.at_rest(true, progress).await?;
            if all.is_empty() {
                return Ok(None);
            }
            let copies = all.split_off(1);
            let reading = self.read(&all[0]);
            self.refuse_foreign(&reading)?;
            let failed = matches!(reading.state, State::Failed(_));
            if failed || self.is_to_be_replaced(&all[0]) {
                if !failed {
                    let spared = self.kind.spare(self.stack, &all[0]).await;
                    spared.map_err(|trouble| trouble.failure(self.card.doing("replacing")))?;
                }
                self.remove_all(&all, progress).await?;
            } else if copies.is_empty() {
                return Ok(all.pop());
            }
            self.remove_all(&copies, progress).await?;
        }
    }

    fn is_to_be_replaced(&self, found: &K::Found) -> bool {
        let differences = self.drift(found).into_differences();
        let fixed = |difference: &Difference| difference.needs_replacement;
        self.stack.options.replace && differences.iter().any(fixed)
    }

    /// All that there are, once it is known whose the first one is and, where `rest` is asked for,
    /// once that one has come to rest.
    pub(super) async fn at_rest(
        &self,
        rest: bool,
        progress: &Progress,
    ) -> Result<Vec<K::Found>, Failure> {
        let what = format!("{} to become stable", self.card);
        let mut telling = Telling::default();
        let look = async || {
            let all = self.look().await?;
            let Some(reading) = all.first().map(|found| self.read(found)) else {
                return Ok(Poll::Ready(all));
            };
            let at_rest = reading.state.is_at_rest();
            let adopted = self.stack.options.adopt && reading.whose != Whose::Untold;
            let known = reading.is_told() || (adopted && at_rest);
            let moves = rest && !at_rest && self.owner(&reading) == Some(Owner::Us);
            Ok(if telling.is_due(known, at_rest) || moves {
                Poll::Pending(reading.state.word())
            } else {
                Poll::Ready(all)
            })
        };
        progress.until(self.wait(what), look).await
    }

    /// Creates the resource. After a lost answer, and after "already exists", looks for the
    /// resource.
    async fn make(&self, progress: &Progress) -> Result<Made<K::Found>, Failure> {
        let action = self.card.doing("creating");
        let what = format!("AWS to accept the call for {action}");
        let (from, to) = self.card.takes;
        let wait = Wait::new(what, self.card.patience).usual(from, to);
        let creation = Creation::new(self.stack, progress, &action).waiting(wait);
        let look = async || -> Result<Option<Made<K::Found>>, Trouble> {
            let all = self.look_again().await?;
            let leaves = |found| matches!(self.read(found).state, State::Leaving(_));
            let stands = all.first().is_some_and(|first| !leaves(first));
            Ok(stands.then_some(Made::Before))
        };
        let create = async || match self.kind.create(self.stack).await {
            Err(Trouble::Aws(error)) if error.class == Class::Exists => {
                let class = Class::NotYet;
                look()
                    .await?
                    .ok_or_else(|| AwsError { class, ..error }.into())
            }
            made => made.map(Made::Now),
        };
        creation.run(look, create).await
    }

    /// Waits until the new resource is usable, and sets what the create call could not.
    async fn complete(&self, made: K::Found, progress: &Progress) -> Result<(), Failure> {
        let made = self.until_usable(made, progress).await?;
        let finish = async || self.kind.finish(self.stack, &made).await;
        self.once_ready("finishing", progress, finish).await?;
        self.kind.leave(self.stack, Some(&made));
        self.kind.refresh(self.stack);
        Ok(())
    }

    async fn until_usable(&self, made: K::Found, progress: &Progress) -> Result<K::Found, Failure> {
        let mut made = Some(made);
        let (from, to) = self.card.makes;
        let wait = Wait::new(format!("{} to be available", self.card), self.card.patience);
        let look = async || {
            let found = match made.take() {
                Some(made) => Some(made),
                None => self.look().await?.into_iter().next(),
            };
            let Some(found) = found else {
                return Ok(Poll::Pending("not visible yet".to_owned()));
            };
            Ok(match self.read(&found).state {
                State::Usable => Poll::Ready(found),
                State::Changing(state) | State::Leaving(state) => Poll::Pending(state),
                State::Failed(reason) => return Err(self.failed(&reason)),
            })
        };
        progress.until(wait.usual(from, to), look).await
    }

    /// Tags an existing resource, and repairs its drift.
    async fn put_right(&self, mut found: K::Found, progress: &Progress) -> Result<(), Failure> {
        if self.drift(&found).has(drift::TAGS) {
            let tag = async || self.kind.tag(self.stack, &found).await;
            self.once_ready("tagging", progress, tag).await?;
        }
        for _ in 0..CHANGES {
            let mut drift = Drift::default();
            self.kind.compare(self.stack, &found, &mut drift);
            if drift == Drift::default() {
                break;
            }
            let mend = async || self.kind.mend(self.stack, &found, &drift).await;
            self.once_ready("repairing", progress, mend).await?;
            let Some(limit) = self.card.shows_within else {
                break;
            };
            found = self.until_shown(&drift, limit, progress).await?;
        }
        self.kind.refresh(self.stack);
        self.kind.leave(self.stack, Some(&found));
        Ok(())
    }

    /// Waits until the resource is usable again and shows the change.
    async fn until_shown(
        &self,
        before: &Drift,
        limit: Duration,
        progress: &Progress,
    ) -> Result<K::Found, Failure> {
        let wait = Wait::new(format!("{} to show the changes", self.card), limit);
        let (from, to) = self.card.makes;
        let look = async || {
            let Some(found) = self.look().await?.into_iter().next() else {
                return Err(self.vanished());
            };
            Ok(match self.read(&found).state {
                State::Usable => {
                    let mut drift = Drift::default();
                    self.kind.compare(self.stack, &found, &mut drift);
                    if drift == *before {
                        Poll::Pending(format!("not changed yet: {drift}"))
                    } else {
                        Poll::Ready(found)
                    }
                }
                State::Changing(state) | State::Leaving(state) => Poll::Pending(state),
                State::Failed(reason) => return Err(self.failed(&reason)),
            })
        };
        progress.until(wait.usual(from, to), look).await
    }

    /// Makes a call until AWS has caught up: all that it names is visible, and nothing else is being
    /// done to it (or, at API Gateway, to another part of the same API).
    async fn once_ready(
        &self,
        verb: &str,
        progress: &Progress,
        mut call: impl AsyncFnMut() -> Result<(), Trouble>,
    ) -> Result<(), Failure> {
        let action = self.card.doing(verb);
        let wait = self.wait(format!("AWS to be ready for {action}"));
        let call = async || match call().await {
            Ok(()) => Ok(Poll::Ready(())),
            Err(trouble) => match trouble.answered(&CATCHING_UP) {
                Some(error) => Ok(Poll::Pending(error.to_string())),
                None => Err(trouble.failure(action.clone())),
            },
        };
        progress.until(wait, call).await
    }

    pub(super) fn wait(&self, what: String) -> Wait {
        Wait::new(what, self.card.patience).usual(0, 10)
    }

    /// Refuses a resource of another owner, unless the operator said `--adopt`: for a resource that
    /// shows up only during creation.
    fn refuse_foreign(&self, reading: &Reading) -> Result<(), Failure> {
        let owner = self.owner(reading).unwrap_or(Owner::Nobody);
        if owner == Owner::Us || self.stack.options.adopt {
            return Ok(());
        }
        Err(drift::not_ours(&self.card.to_string(), &owner))
    }

    fn failed(&self, reason: &str) -> Failure {
        Failure::new(self.card.doing("creating"))
            .caused_by(reason.to_owned())
            .hint("fix the cause, then run `placectl up` again to replace the failed resource")
            .left(Left::Ours)
    }

    fn vanished(&self) -> Failure {
        Failure::new(self.card.doing("looking for"))
            .caused_by("somebody else removed the resource meanwhile")
            .hint("run `placectl up` again to create the missing resources")
            .kind(FailureKind::Incomplete)
    }
}
