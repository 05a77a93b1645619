//! Collects what differs between a thing and its configuration.

use std::fmt::{self, Display};

use place_config::names::{TAG_RESOURCE, TAG_STACK};

use super::Stack;
use crate::aws::Owner;
use crate::aws::tags::Tags;
use crate::engine::outcome::Difference;
use crate::engine::{Failure, Observed, ResourceKey};

/// Attribute under which missing or wrong ownership tags are reported.
pub(crate) const TAGS: &str = "Tags";

/// Differences found so far.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Drift(Vec<Difference>);

impl Drift {
    /// Notes a difference of `attribute` where what was found does not read as what is wanted.
    pub(crate) fn compare(&mut self, attribute: &str, found: impl Display, wanted: impl Display) {
        let (found, wanted) = (found.to_string(), wanted.to_string());
        if found != wanted {
            self.0.push(Difference::new(attribute, found, wanted));
        }
    }

    /// Notes a difference that is known already.
    pub(crate) fn note(&mut self, difference: Difference) {
        self.0.push(difference);
    }

    /// Notes a difference, if there is one.
    pub(crate) fn extend(&mut self, difference: Option<Difference>) {
        self.0.extend(difference);
    }

    /// Compares the ownership tags.
    pub(crate) fn tags(&mut self, stack: &Stack, key: &ResourceKey, tags: &(impl Tags + ?Sized)) {
        for (name, wanted) in stack.ownership.pairs(key) {
            if tags.value(&name) != Some(&wanted) {
                let found = tags.value(&name).unwrap_or("none");
                self.0.push(Difference::new(
                    TAGS,
                    format!("{name}={found}"),
                    format!("{name}={wanted}"),
                ));
            }
        }
    }

    /// Whether `attribute` differs.
    pub(crate) fn has(&self, attribute: &str) -> bool {
        self.0
            .iter()
            .any(|difference| difference.attribute == attribute)
    }

    /// Whether anything but the attributes in `others` differs.
    pub(crate) fn has_beside(&self, others: &[&str]) -> bool {
        self.0
            .iter()
            .any(|difference| !others.contains(&difference.attribute.as_str()))
    }

    /// Notes differences that are known already.
    pub(crate) fn note_all(&mut self, differences: impl IntoIterator<Item = Difference>) {
        self.0.extend(differences);
    }

    /// Every difference noted.
    pub(crate) fn into_differences(self) -> Vec<Difference> {
        self.0
    }

    /// The verdict on the thing `id`.
    pub(crate) fn verdict(self, id: impl Into<String>) -> Observed {
        let id = id.into();
        if self.0.is_empty() {
            Observed::ready(id)
        } else {
            Observed::Drifted {
                id,
                differences: self.0,
            }
        }
    }
}

impl fmt::Display for Drift {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let all: Vec<&str> = self.0.iter().map(|of| of.attribute.as_str()).collect();
        f.write_str(&all.join(", "))
    }
}

/// The observation of something under our name that is not ours.
pub(crate) fn foreign(
    stack: &Stack,
    id: impl Into<String>,
    key: &ResourceKey,
    tags: &(impl Tags + ?Sized),
) -> Option<Observed> {
    match stack.ownership.owner(key, tags) {
        Owner::Us => None,
        other => Some(Observed::foreign(id, other.describe())),
    }
}

/// Refuses a resource of another owner under our name, unless the operator said `--adopt`: for a
/// resource that shows up only when a create call answers "already exists".
pub(crate) fn refuse_foreign(
    stack: &Stack,
    what: &str,
    key: &ResourceKey,
    tags: &(impl Tags + ?Sized),
) -> Result<(), Failure> {
    let owner = stack.ownership.owner(key, tags);
    if owner == Owner::Us || stack.options.adopt {
        return Ok(());
    }
    Err(not_ours(what, &owner))
}

/// The failure of creating `what`, which exists and has another owner.
pub(crate) fn not_ours(what: &str, owner: &Owner) -> Failure {
    Failure::new(format!("creating {what}"))
        .caused_by(format!("{what} already exists, {}", owner.describe()))
        .hint(format!(
            "`--adopt` takes the resource over, with the tags `{TAG_STACK}`, `{TAG_RESOURCE}`"
        ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_differs_is_told() {
        let mut drift = Drift::default();
        drift.compare("Timeout", 3, 15);
        drift.compare("MemorySize", 512, 512);
        assert!(drift.has("Timeout") && !drift.has("MemorySize"));
        assert!(!drift.has_beside(&["Timeout"]));
        let wanted = vec![Difference::new("Timeout", "3", "15")];
        assert_eq!(
            drift.verdict("save"),
            Observed::Drifted {
                id: "save".to_owned(),
                differences: wanted
            }
        );
        assert_eq!(Drift::default().verdict("save"), Observed::ready("save"));
    }
}
