//! What an operator must be allowed: the actions behind every call that placectl may make, each on
//! this stack's own things as far as IAM knows how to say that.

mod conditions;
mod part;
mod place;
mod resources;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use place_config::stack::{RedisMode, VpcMode};
use place_config::{Names, StackConfig};
use serde_json::{Map, Value, json};

use crate::aws::Identity;
use crate::aws::actions::{needed, operations};
use place::Place;

pub(crate) use part::Part;

/// An operator, a key, and its values.
type Condition = (&'static str, String, Vec<String>);

/// What a policy speaks of.
#[derive(Clone, Copy, Debug)]
pub(super) struct Scope<'a> {
    pub(super) identity: &'a Identity,
    pub(super) region: &'a str,
    pub(super) names: &'a Names,
    pub(super) config: &'a StackConfig,
}

/// One statement of the policy.
#[derive(Clone, Debug)]
pub(super) struct Statement {
    place: Place,
    /// What is allowed.
    pub(super) actions: Vec<&'static str>,
    /// On what.
    pub(super) resources: Vec<String>,
    /// In which circumstances.
    pub(super) conditions: Vec<Condition>,
}

/// The statements of the policy.
pub(super) fn statements(scope: Scope<'_>) -> Vec<Statement> {
    let mut places: BTreeMap<Place, Vec<&'static str>> = BTreeMap::new();
    for action in scope.operations().flat_map(needed) {
        for place in place::of(action) {
            places.entry(*place).or_default().push(action);
        }
    }
    places.retain(|place, _| *place != Place::EndpointTags || scope.is_serverless());
    let statements = places.into_iter().map(|(place, mut actions)| {
        actions.sort_unstable();
        actions.dedup();
        Statement {
            place,
            actions,
            resources: scope.resources(place),
            conditions: scope.conditions(place),
        }
    });
    statements.collect()
}

/// The policy, or a part of it, as IAM takes it.
pub(super) fn document(scope: Scope<'_>, part: Part) -> Value {
    let statements = statements(scope).into_iter();
    let statements = statements.filter(|statement| part.holds(statement.place));
    let statements: Vec<Value> = statements.map(|statement| statement.document()).collect();
    json!({ "Version": "2012-10-17", "Statement": statements })
}

impl Statement {
    fn document(&self) -> Value {
        let Self {
            place,
            actions,
            resources,
            ..
        } = self;
        let mut document = json!({
            "Sid": format!("{place:?}"), "Effect": "Allow", "Action": actions, "Resource": resources
        });
        let mut conditions = Map::new();
        for (operator, key, values) in &self.conditions {
            let keys = conditions.entry(*operator).or_insert_with(|| json!({}));
            keys[key] = json!(values);
        }
        if !conditions.is_empty() {
            document["Condition"] = Value::Object(conditions);
        }
        document
    }
}

impl Scope<'_> {
    fn is_serverless(&self) -> bool {
        self.config.redis.mode == RedisMode::Serverless
    }

    /// The operations that a stack of this configuration is ever made or mended with.
    fn operations(&self) -> impl Iterator<Item = &'static str> {
        operations().filter(|operation| self.makes(operation))
    }

    /// A cache of the other mode may be left over from before: it is looked for, and removed.
    fn makes(&self, operation: &str) -> bool {
        let dedicated = self.config.vpc.mode == VpcMode::Dedicated;
        match operation {
            "ec2:CreateVpc" | "ec2:DeleteVpc" | "ec2:CreateSubnet" | "ec2:DeleteSubnet" => {
                dedicated
            }
            "ec2:CreateDefaultVpc" | "ec2:CreateDefaultSubnet" => !dedicated,
            "elasticache:CreateServerlessCache" | "elasticache:ModifyServerlessCache" => {
                self.is_serverless()
            }
            "elasticache:CreateCacheSubnetGroup"
            | "elasticache:CreateReplicationGroup"
            | "elasticache:DecreaseReplicaCount"
            | "elasticache:IncreaseReplicaCount"
            | "elasticache:ModifyCacheSubnetGroup"
            | "elasticache:ModifyReplicationGroup" => !self.is_serverless(),
            _ => true,
        }
    }
}
