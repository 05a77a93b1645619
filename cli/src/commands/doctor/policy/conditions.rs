//! In which circumstances each statement holds.

use place_config::names::{TAG_RESOURCE, TAG_STACK};

use super::place::Place;
use super::{Condition, Scope};
use crate::aws::actions::needed;
use crate::aws::tags::TAG_NAME;

/// Services that a role is handed to.
pub(super) const SERVICES: [&str; 2] = ["lambda.amazonaws.com", "scheduler.amazonaws.com"];

/// Services whose linked role an account's first cache, NAT gateway and API may make.
const LINKED: [&str; 3] = [
    "elasticache.amazonaws.com",
    "natgateway.amazonaws.com",
    "ops.apigateway.amazonaws.com",
];

/// The tag by which ElastiCache knows the endpoints that it makes for a serverless cache.
const MANAGED: &str = "AmazonElastiCacheManaged";

const EQUALS: &str = "StringEquals";
const LIKE: &str = "StringLike";

impl Scope<'_> {
    pub(super) fn conditions(&self, place: Place) -> Vec<Condition> {
        let is = |key: String, value: &str| vec![(EQUALS, key, vec![value.to_owned()])];
        match place {
            Place::Tagged => vec![self.is_tagged()],
            Place::Lost => self.has_lost_its_tag(),
            Place::TagsAtOnce => {
                let made = (EQUALS, "ec2:CreateAction".to_owned(), self.tagging());
                vec![our_keys(), self.gets_tagged(), made]
            }
            Place::Tags => vec![our_keys(), self.is_tagged()],
            Place::TagsBack => {
                let mut all = vec![our_keys(), self.gets_tagged()];
                all.extend(self.has_lost_its_tag());
                all
            }
            Place::Endpoints => is(on_it(MANAGED), "true"),
            Place::EndpointTags => is("ec2:CreateAction".to_owned(), "CreateVpcEndpoint"),
            Place::EventSources => {
                let key = "lambda:FunctionArn".to_owned();
                vec![("ArnEquals", key, self.consumers())]
            }
            Place::PassRole => {
                let key = "iam:PassedToService".to_owned();
                vec![(EQUALS, key, texts(&SERVICES))]
            }
            Place::LinkedRoles => {
                let key = "iam:AWSServiceName".to_owned();
                vec![(EQUALS, key, texts(&LINKED))]
            }
            _ => Vec::new(),
        }
    }

    fn is_tagged(&self) -> Condition {
        (
            EQUALS,
            on_it(TAG_STACK),
            vec![self.names.stack().to_owned()],
        )
    }

    fn gets_tagged(&self) -> Condition {
        let key = format!("aws:RequestTag/{TAG_STACK}");
        (EQUALS, key, vec![self.names.stack().to_owned()])
    }

    /// What [`Ownership::has`](crate::aws::tags::Ownership::has) still takes for the stack's own.
    /// Nobody can make a thing look so with this policy: our tags go only on what is made with
    /// them, on what is ours, and on this.
    fn has_lost_its_tag(&self) -> Vec<Condition> {
        let names = format!("{}-*", self.names.stack());
        vec![
            ("Null", on_it(TAG_STACK), texts(&["true"])),
            (LIKE, on_it(TAG_RESOURCE), texts(&["*"])),
            (LIKE, on_it(TAG_NAME), vec![names]),
        ]
    }

    /// The operations of EC2 that tag what they make.
    fn tagging(&self) -> Vec<String> {
        let makers = self.operations().filter_map(|operation| {
            let name = operation.strip_prefix("ec2:")?;
            let tags = needed(operation).contains(&"ec2:CreateTags") && name != "CreateTags";
            tags.then(|| name.to_owned())
        });
        makers.collect()
    }
}

/// No keys but ours.
fn our_keys() -> Condition {
    let key = "aws:TagKeys".to_owned();
    (
        "ForAllValues:StringLike",
        key,
        texts(&["place:*", TAG_NAME]),
    )
}

/// The key of a tag that a thing carries.
fn on_it(tag: &str) -> String {
    format!("aws:ResourceTag/{tag}")
}

fn texts(values: &[&str]) -> Vec<String> {
    values.iter().map(|value| (*value).to_owned()).collect()
}
