//! What a resource says of itself: how it is found and read, what it should be like, and one call
//! each to make, tag, change and delete it.

use std::collections::HashMap;

use async_trait::async_trait;

use super::card::Card;
use super::trouble::Trouble;
use crate::aws::tags::Tag;
use crate::engine::Observed;
use crate::steps::Stack;
use crate::steps::drift::Drift;

/// Tags by name.
pub(crate) type TagMap = HashMap<String, String>;

/// A list of tags by name.
pub(crate) fn tag_map<T: Tag>(list: &[T]) -> TagMap {
    let pairs = list.iter().filter_map(|tag| {
        let value = tag.text().unwrap_or_default();
        Some((tag.name()?.to_owned(), value.to_owned()))
    });
    pairs.collect()
}

/// Whose a thing is, as far as AWS says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Whose {
    /// Whose its tags say. None while it is on its way may mean that they are not told yet.
    Tagged(TagMap),
    /// AWS does not tell its tags (yet).
    Untold,
    /// The stack's, by where it is, whatever its tags say.
    Placed(TagMap),
    /// The stack's through its parent, as it can't be tagged.
    Parents,
    /// Somebody's. The stack uses it as it is, and never removes it.
    Used,
}

/// How a thing is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum State {
    /// Usable, and it takes changes.
    Usable,
    /// On its way to another state: AWS's word for it.
    Changing(String),
    /// On its way out: AWS's word for it.
    Leaving(String),
    /// Failed for good, and only a new one helps: AWS's reason.
    Failed(String),
}

impl State {
    /// Neither being made or changed nor on its way out.
    pub(super) const fn is_at_rest(&self) -> bool {
        matches!(self, Self::Usable | Self::Failed(_))
    }

    /// In a word.
    pub(super) fn word(&self) -> String {
        match self {
            Self::Usable => "usable".to_owned(),
            Self::Changing(word) | Self::Leaving(word) | Self::Failed(word) => word.clone(),
        }
    }
}

/// What can be read from a thing of any kind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Reading {
    /// AWS's id or name of it.
    pub(crate) id: String,
    /// Whose it is.
    pub(crate) whose: Whose,
    /// How it is.
    pub(crate) state: State,
}

impl Reading {
    /// A thing that is usable from its creation on.
    pub(crate) fn new(id: impl Into<String>, whose: Whose) -> Self {
        Self {
            id: id.into(),
            whose,
            state: State::Usable,
        }
    }

    /// A thing that is usable from its creation on, with these tags.
    pub(crate) fn tagged<T: Tag>(id: impl Into<String>, tags: &[T]) -> Self {
        Self::new(id, Whose::Tagged(tag_map(tags)))
    }

    /// The same in another state.
    pub(crate) fn state(mut self, state: State) -> Self {
        self.state = state;
        self
    }

    /// The tags that are to be as configured.
    pub(super) const fn tags(&self) -> Option<&TagMap> {
        match &self.whose {
            Whose::Tagged(tags) | Whose::Placed(tags) => Some(tags),
            Whose::Untold | Whose::Parents | Whose::Used => None,
        }
    }

    /// Whether AWS says whose it is.
    pub(super) fn is_told(&self) -> bool {
        match &self.whose {
            Whose::Tagged(tags) => !tags.is_empty(),
            Whose::Untold => false,
            Whose::Placed(_) | Whose::Parents | Whose::Used => true,
        }
    }
}

/// One kind of resource. The driver repeats what AWS refuses for a moment, so no verb waits.
#[async_trait(?Send)]
pub(crate) trait Kind: Send + Sync + 'static {
    /// A thing of this kind, as AWS answers it.
    type Found;

    /// The fixed facts.
    fn card(&self, stack: &Stack) -> Card;

    /// Everything that can be taken for the resource, the best one first. More than one only where
    /// nothing keeps a repeated create from making a second one.
    async fn find(&self, stack: &Stack) -> Result<Vec<Self::Found>, Trouble>;

    /// What the driver has to know of a thing.
    fn read(&self, stack: &Stack, found: &Self::Found) -> Reading;

    /// Notes what is not as configured, but for the tags.
    fn compare(&self, _stack: &Stack, _found: &Self::Found, _drift: &mut Drift) {}

    /// Says more of what was looked at than the thing itself shows, or that it can't be made.
    async fn judge(
        &self,
        _stack: &Stack,
        _found: Option<&Self::Found>,
        _drift: &mut Drift,
    ) -> Result<Option<Observed>, Trouble> {
        Ok(None)
    }

    /// Creates one, tagged. Where AWS takes no token, the SDK must not repeat the call by itself.
    async fn create(&self, stack: &Stack) -> Result<Self::Found, Trouble>;

    /// Does what the create call can't, to one that was just made and is usable.
    async fn finish(&self, _stack: &Stack, _made: &Self::Found) -> Result<(), Trouble> {
        Ok(())
    }

    /// Puts the stack's tags on.
    async fn tag(&self, _stack: &Stack, _found: &Self::Found) -> Result<(), Trouble> {
        Ok(())
    }

    /// Puts back what differs, or a part of it where AWS takes one change at a time.
    async fn mend(
        &self,
        _stack: &Stack,
        _found: &Self::Found,
        _drift: &Drift,
    ) -> Result<(), Trouble> {
        Ok(())
    }

    /// Refuses to replace one that can't be changed in place, although the operator allowed it.
    async fn spare(&self, _stack: &Stack, _found: &Self::Found) -> Result<(), Trouble> {
        Ok(())
    }

    /// Deletes one. That it is not there (any more) is no error for the driver.
    async fn delete(&self, stack: &Stack, found: &Self::Found) -> Result<(), Trouble>;

    /// Leaves what dependants look for, or says that there is none.
    fn leave(&self, _stack: &Stack, _found: Option<&Self::Found>) {}

    /// Says that nobody knows (yet) whether there is one.
    fn forget(&self, stack: &Stack) {
        self.leave(stack, None);
    }

    /// Says that the next look must be a new one, where looks are shared.
    fn refresh(&self, _stack: &Stack) {}
}
