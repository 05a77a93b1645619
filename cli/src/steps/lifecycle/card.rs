//! What is known of a resource before anybody looks.

use std::time::Duration;

use crate::engine::{ResourceKey, Step};

/// EC2's own advice on eventual consistency is up to five minutes.
const PATIENCE: Duration = Duration::from_mins(5);

/// A range of seconds.
pub(crate) type Seconds = (u64, u64);

/// The fixed facts about a resource.
#[derive(Clone, Debug)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a fact of its own, set by the method of its name"
)]
pub(crate) struct Card {
    pub(super) key: ResourceKey,
    pub(super) step: Step,
    pub(super) kind: &'static str,
    pub(super) name: String,
    pub(super) needs: Vec<ResourceKey>,
    pub(super) removed_after: Option<Vec<ResourceKey>>,
    pub(super) billable: bool,
    pub(super) holds_data: bool,
    pub(super) owned: bool,
    pub(super) wanted: bool,
    pub(super) patience: Duration,
    pub(super) takes: Seconds,
    pub(super) makes: Seconds,
    pub(super) goes: Seconds,
    pub(super) seen_off: bool,
    pub(super) shows_within: Option<Duration>,
}

impl Card {
    /// The resource `key` of step `step`: AWS's word for its kind, and its AWS name, or what stands
    /// in for one.
    pub(crate) fn new(
        step: u8,
        key: ResourceKey,
        kind: &'static str,
        name: impl Into<String>,
    ) -> Self {
        Self {
            key,
            step: Step(step),
            kind,
            name: name.into(),
            needs: Vec::new(),
            removed_after: None,
            billable: false,
            holds_data: false,
            owned: true,
            wanted: true,
            patience: PATIENCE,
            takes: (0, 5),
            makes: (0, 2),
            goes: (0, 10),
            seen_off: false,
            shows_within: None,
        }
    }

    /// Resources that must be usable before this one can be.
    pub(crate) fn needs(mut self, keys: impl IntoIterator<Item = ResourceKey>) -> Self {
        self.needs.extend(keys);
        self
    }

    /// Resources that must be gone before this one can go, instead of all that need it.
    pub(crate) fn removed_after(mut self, keys: impl IntoIterator<Item = ResourceKey>) -> Self {
        self.removed_after = Some(keys.into_iter().collect());
        self
    }

    /// It costs money by merely existing.
    pub(crate) const fn billable(mut self) -> Self {
        self.billable = true;
        self
    }

    /// It holds what people painted.
    pub(crate) const fn holds_data(mut self) -> Self {
        self.holds_data = true;
        self
    }

    /// Whether it is the stack's own, and not merely used.
    pub(crate) const fn owned(mut self, owned: bool) -> Self {
        self.owned = owned;
        self
    }

    /// Whether the configuration asks for it. What it does not ask for is removed.
    pub(crate) const fn wanted(mut self, wanted: bool) -> Self {
        self.wanted = wanted;
        self
    }

    /// Longest wait for AWS, whatever is waited for: five minutes where nothing is said.
    pub(crate) const fn patience(mut self, limit: Duration) -> Self {
        self.patience = limit;
        self
    }

    /// How long AWS usually refuses its creation: a name is still held, a role too young.
    pub(crate) const fn takes(mut self, from: u64, to: u64) -> Self {
        self.takes = (from, to);
        self
    }

    /// How long it usually takes from nothing to usable. The middle is what forecasts count with.
    pub(crate) const fn makes(mut self, from: u64, to: u64) -> Self {
        self.makes = (from, to);
        self
    }

    /// How long AWS usually refuses its deletion, because something still uses it.
    pub(crate) const fn goes(mut self, from: u64, to: u64) -> Self {
        self.goes = (from, to);
        self
    }

    /// The same, and it is there for some time after its deletion was taken: its end is waited for.
    pub(crate) const fn seen_off(mut self, from: u64, to: u64) -> Self {
        self.seen_off = true;
        self.goes(from, to)
    }

    /// A change shows only after some time, at most `limit`: it is waited for.
    pub(crate) const fn shows_within(mut self, limit: Duration) -> Self {
        self.shows_within = Some(limit);
        self
    }

    /// The usual time from nothing to usable.
    pub(super) const fn usual(&self) -> Duration {
        Duration::from_secs(self.makes.0.midpoint(self.makes.1))
    }

    /// What is being done to it: "creating NAT gateway `place`".
    pub(super) fn doing(&self, verb: &str) -> String {
        format!("{verb} {self}")
    }
}

impl std::fmt::Display for Card {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} `{}`", self.kind, self.name)
    }
}
