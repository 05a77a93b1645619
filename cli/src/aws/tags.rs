//! Ownership tags: written in the call that creates, read back by exact match.

use std::collections::HashMap;
use std::hash::BuildHasher;

use place_config::names::{TAG_RESOURCE, TAG_STACK};

use crate::engine::ResourceKey;

/// The tag that EC2's console shows as the name.
pub(crate) const TAG_NAME: &str = "Name";

/// Whose a tagged thing is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Owner {
    /// This stack's.
    Us,
    /// Another stack's, by name.
    Stack(String),
    /// No stack's.
    Nobody,
}

impl Owner {
    /// In words, for a conflict.
    pub(crate) fn describe(&self) -> String {
        match self {
            Self::Us => "this stack's".to_owned(),
            Self::Stack(name) => format!("tagged as part of stack `{name}`"),
            Self::Nobody => format!(
                "without the tag `{TAG_STACK}`: not created by placectl, or its tags were removed"
            ),
        }
    }
}

/// The tags of one stack.
#[derive(Clone, Debug)]
pub(crate) struct Ownership {
    stack: String,
}

impl Ownership {
    /// Tags of the stack of that name.
    pub(crate) fn new(stack: impl Into<String>) -> Self {
        Self {
            stack: stack.into(),
        }
    }

    /// The pairs that a resource carries.
    pub(crate) fn pairs(&self, key: &ResourceKey) -> [(String, String); 2] {
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        [
            pair(TAG_STACK, &self.stack),
            pair(TAG_RESOURCE, key.as_str()),
        ]
    }

    /// The pairs as Lambda, SQS, API Gateway and CloudWatch Logs take them.
    pub(crate) fn map(&self, key: &ResourceKey) -> HashMap<String, String> {
        self.pairs(key).into()
    }

    /// The pairs as a list of a service's own tag type.
    pub(crate) fn list<T: Tag>(&self, key: &ResourceKey) -> Vec<T> {
        self.pairs(key)
            .into_iter()
            .map(|(name, value)| T::pair(name, value))
            .collect()
    }

    /// The pairs and a `Name` (what EC2's console shows), for a create call of EC2.
    pub(crate) fn specification(
        &self,
        key: &ResourceKey,
        kind: aws_sdk_ec2::types::ResourceType,
        name: &str,
    ) -> aws_sdk_ec2::types::TagSpecification {
        aws_sdk_ec2::types::TagSpecification::builder()
            .resource_type(kind)
            .set_tags(Some(self.list(key)))
            .tags(Tag::pair(TAG_NAME.to_owned(), name.to_owned()))
            .build()
    }

    /// Whether a thing of EC2, which has nothing but its tags to be found by, is the resource
    /// `key`: by two of its three tags, `name` being the wanted `Name`, as long as neither of our
    /// own two says otherwise. So a tag that somebody took off is put back, and does not lead to
    /// a second thing that costs money.
    pub(crate) fn has(&self, key: &ResourceKey, name: &str, tags: &(impl Tags + ?Sized)) -> bool {
        let [stack, resource] = self
            .pairs(key)
            .map(|(name, wanted)| tags.value(&name).map(|found| found == wanted));
        let named = tags.value(TAG_NAME) == Some(name);
        match (stack, resource) {
            (Some(true), Some(true)) => true,
            (Some(true), None) | (None, Some(true)) => named,
            _ => false,
        }
    }

    /// Whose the thing with these tags is, which has the name of our resource `key`. Where only
    /// `place:stack` was taken off, name and `place:resource` together still say that it is ours.
    pub(crate) fn owner(&self, key: &ResourceKey, tags: &(impl Tags + ?Sized)) -> Owner {
        match tags.value(TAG_STACK) {
            Some(stack) if stack == self.stack => Owner::Us,
            Some(stack) => Owner::Stack(stack.to_owned()),
            None if tags.value(TAG_RESOURCE) == Some(key.as_str()) => Owner::Us,
            None => Owner::Nobody,
        }
    }

    /// Whether the thing with these tags, which has the name of our resource `key`, is ours.
    pub(crate) fn owns(&self, key: &ResourceKey, tags: &(impl Tags + ?Sized)) -> bool {
        self.owner(key, tags) == Owner::Us
    }
}

/// An EC2 filter on one value.
pub(crate) fn filter(
    name: impl Into<String>,
    value: impl Into<String>,
) -> aws_sdk_ec2::types::Filter {
    aws_sdk_ec2::types::Filter::builder()
        .name(name)
        .values(value)
        .build()
}

/// Tags as a service answers them.
pub(crate) trait Tags {
    /// The value of one tag.
    fn value(&self, name: &str) -> Option<&str>;
}

impl<S: BuildHasher> Tags for HashMap<String, String, S> {
    fn value(&self, name: &str) -> Option<&str> {
        self.get(name).map(String::as_str)
    }
}

impl<T: Tag> Tags for [T] {
    fn value(&self, name: &str) -> Option<&str> {
        self.iter()
            .find(|tag| tag.name() == Some(name))
            .and_then(Tag::text)
    }
}

impl<T: Tags + ?Sized> Tags for Option<&T> {
    fn value(&self, name: &str) -> Option<&str> {
        self.and_then(|tags| tags.value(name))
    }
}

/// One service's type of a tag.
pub(crate) trait Tag: Sized {
    /// A tag.
    fn pair(name: String, value: String) -> Self;
    /// Its key.
    fn name(&self) -> Option<&str>;
    /// Its value.
    fn text(&self) -> Option<&str>;
}

macro_rules! optional_tag {
    ($($service:ident),*) => {$(
        impl Tag for $service::types::Tag {
            fn pair(name: String, value: String) -> Self {
                Self::builder().key(name).value(value).build()
            }

            fn name(&self) -> Option<&str> {
                self.key()
            }

            fn text(&self) -> Option<&str> {
                self.value()
            }
        }
    )*};
}

macro_rules! required_tag {
    ($($service:ident),*) => {$(
        impl Tag for $service::types::Tag {
            fn pair(name: String, value: String) -> Self {
                let tag = Self::builder().key(name).value(value).build();
                tag.expect("a tag with key and value is complete")
            }

            fn name(&self) -> Option<&str> {
                Some(self.key())
            }

            fn text(&self) -> Option<&str> {
                Some(self.value())
            }
        }
    )*};
}

optional_tag!(aws_sdk_ec2, aws_sdk_elasticache);
required_tag!(aws_sdk_dynamodb, aws_sdk_iam, aws_sdk_scheduler);

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: ResourceKey = ResourceKey::new("nat-gateway");

    #[test]
    fn what_is_written_is_read_back_as_ours() {
        let ours = Ownership::new("test");
        let tags: Vec<aws_sdk_ec2::types::Tag> = ours.list(&KEY);
        assert_eq!(ours.owner(&KEY, tags.as_slice()), Owner::Us);
        assert_eq!(ours.owner(&KEY, &ours.map(&KEY)), Owner::Us);
    }

    #[test]
    fn a_longer_name_is_another_stack() {
        let theirs = Ownership::new("test2").map(&KEY);
        assert_eq!(
            Ownership::new("test").owner(&KEY, &theirs),
            Owner::Stack("test2".to_owned())
        );
    }

    #[test]
    fn a_tag_that_was_taken_off_is_missed_but_the_thing_is_not_lost() {
        let ours = Ownership::new("test");
        let whole = ours.map(&KEY);
        let has = |tags: &HashMap<String, String>| ours.has(&KEY, "test-nat-gateway", tags);
        assert!(has(&whole));
        for tag in [TAG_STACK, TAG_RESOURCE] {
            let mut tags = whole.clone();
            tags.remove(tag);
            assert!(!has(&tags), "one tag alone proves nothing");
            tags.insert(TAG_NAME.to_owned(), "test-nat-gateway".to_owned());
            assert!(has(&tags), "{tag}");
            tags.insert(tag.to_owned(), "test2".to_owned());
            assert!(!has(&tags), "{tag} of another");
        }
        assert!(!has(&HashMap::from([(
            TAG_NAME.to_owned(),
            "test-nat-gateway".to_owned()
        )])));
    }

    #[test]
    fn untagged_things_are_nobodys() {
        let none: Option<&[aws_sdk_ec2::types::Tag]> = None;
        assert_eq!(Ownership::new("test").owner(&KEY, &none), Owner::Nobody);
    }

    #[test]
    fn under_our_name_the_other_tag_is_proof_enough() {
        let ours = Ownership::new("test");
        let other = |value: &str| HashMap::from([(TAG_RESOURCE.to_owned(), value.to_owned())]);
        assert_eq!(ours.owner(&KEY, &other("nat-gateway")), Owner::Us);
        assert_eq!(ours.owner(&KEY, &other("elastic-ip")), Owner::Nobody);
        let mut theirs = other("nat-gateway");
        theirs.insert(TAG_STACK.to_owned(), "test2".to_owned());
        assert_eq!(ours.owner(&KEY, &theirs), Owner::Stack("test2".to_owned()));
    }
}
