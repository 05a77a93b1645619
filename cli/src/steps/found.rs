//! What this run found in AWS: left by `observe` and `ensure`, read by what depends on it.

use std::collections::BTreeMap;
use std::sync::{PoisonError, RwLock};

use aws_smithy_types::DateTime;
use place_config::{Function, Queue};

use crate::engine::{Failure, FailureKind, ResourceKey};

/// A place for one thing that a resource leaves for those that depend on it.
#[derive(Debug)]
pub(crate) struct Slot<T>(RwLock<Option<T>>);

impl<T> Default for Slot<T> {
    fn default() -> Self {
        Self(RwLock::new(None))
    }
}

impl<T: Clone> Slot<T> {
    /// Leaves `value`.
    pub(crate) fn set(&self, value: T) {
        self.replace(Some(value));
    }

    /// Leaves `value`, or says that nothing is there.
    pub(crate) fn replace(&self, value: Option<T>) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = value;
    }

    /// Says that nothing is there.
    pub(crate) fn clear(&self) {
        self.replace(None);
    }

    /// What is there.
    pub(crate) fn get(&self) -> Option<T> {
        self.0
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// What is there; nothing is a failure that names the resource `key` which leaves it.
    pub(crate) fn require(&self, key: &ResourceKey) -> Result<T, Failure> {
        self.get().ok_or_else(|| missing(key))
    }
}

/// A [`Slot`] for each member of a family.
#[derive(Debug)]
pub(crate) struct Slots<K, T>(RwLock<BTreeMap<K, T>>);

impl<K, T> Default for Slots<K, T> {
    fn default() -> Self {
        Self(RwLock::new(BTreeMap::new()))
    }
}

impl<K: Ord + Copy, T: Clone> Slots<K, T> {
    /// Leaves `value` for `member`.
    pub(crate) fn set(&self, member: K, value: T) {
        self.replace(member, Some(value));
    }

    /// Leaves `value` for `member`, or says that nothing is there.
    pub(crate) fn replace(&self, member: K, value: Option<T>) {
        let mut slots = self.0.write().unwrap_or_else(PoisonError::into_inner);
        match value {
            Some(value) => slots.insert(member, value),
            None => slots.remove(&member),
        };
    }

    /// Says that nothing is there for `member`.
    pub(crate) fn clear(&self, member: K) {
        self.replace(member, None);
    }

    /// What is there for `member`.
    pub(crate) fn get(&self, member: K) -> Option<T> {
        self.0
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .get(&member)
            .cloned()
    }

    /// What is there for `member`; nothing is a failure that names the resource `key`.
    pub(crate) fn require(&self, member: K, key: &ResourceKey) -> Result<T, Failure> {
        self.get(member).ok_or_else(|| missing(key))
    }
}

/// The failure of a resource that needs the missing resource `key`.
pub(crate) fn missing(key: &ResourceKey) -> Failure {
    Failure::new(format!("looking for `{key}`"))
        .caused_by("the resource does not exist")
        .hint("run `placectl up` again to create the missing resources")
        .kind(FailureKind::Incomplete)
}

/// The VPC.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Vpc {
    /// Its id.
    pub(crate) id: String,
    /// Its primary CIDR block, which its local routes are for.
    pub(crate) cidr: String,
}

/// A subnet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Subnet {
    /// Its id.
    pub(crate) id: String,
    /// Id of its availability zone (`use1-az1`), the same in every account.
    pub(crate) zone_id: String,
    /// Name of its availability zone (`us-east-1a`), which differs from account to account.
    pub(crate) zone: String,
}

/// How the functions reach the cache.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct CacheEndpoint {
    /// `redis://host:port`, or `rediss://host:port` with TLS.
    pub(crate) url: String,
    /// It speaks the cluster protocol.
    pub(crate) cluster: bool,
}

/// The role of a function.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FunctionRole {
    /// It is not there.
    Absent,
    /// It was made then.
    Made(DateTime),
}

/// A queue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct QueueAddress {
    /// Its URL.
    pub(crate) url: String,
    /// Its ARN.
    pub(crate) arn: String,
}

/// Everything that resources leave for each other.
#[derive(Debug, Default)]
pub(crate) struct Found {
    /// Step 1: the VPC.
    pub(crate) vpc: Slot<Vpc>,
    /// Step 4: the page function's own address.
    pub(crate) page_url: Slot<String>,
    /// Step 1: id of the internet gateway.
    pub(crate) internet_gateway: Slot<String>,
    /// Step 1: whether the stack made the internet gateway.
    pub(crate) internet_gateway_is_own: Slot<bool>,
    /// Step 1: the public subnet.
    pub(crate) public_subnet: Slot<Subnet>,
    /// Step 1: the private subnets, by number (0 and 1).
    pub(crate) private_subnets: Slots<usize, Subnet>,
    /// Step 1: allocation id of the elastic IP address.
    pub(crate) address: Slot<String>,
    /// Step 1: id of the NAT gateway.
    pub(crate) nat_gateway: Slot<String>,
    /// Step 1: id of the public route table.
    pub(crate) public_table: Slot<String>,
    /// Step 1: id of the private route table.
    pub(crate) private_table: Slot<String>,
    /// Step 1: id of the functions' security group.
    pub(crate) function_group: Slot<String>,
    /// Step 1: id of the cache's security group.
    pub(crate) cache_group: Slot<String>,
    /// Step 2: the cache's address.
    pub(crate) cache: Slot<CacheEndpoint>,
    /// Step 3: id of the API.
    pub(crate) api: Slot<String>,
    /// Step 3: ids of the integrations.
    pub(crate) integrations: Slots<Function, String>,
    /// Step 4: the functions' roles.
    pub(crate) roles: Slots<Function, FunctionRole>,
    /// Step 4: ARNs of the functions.
    pub(crate) functions: Slots<Function, String>,
    /// Step 5: the queues.
    pub(crate) queues: Slots<Queue, QueueAddress>,
    /// Step 5: the dead-letter queues.
    pub(crate) dead_letter_queues: Slots<Queue, QueueAddress>,
    /// Step 7: ARN of the schedule's role.
    pub(crate) scheduler_role: Slot<String>,
}

impl Found {
    /// Ids of both private subnets, once both are there.
    pub(crate) fn private_subnet_ids(&self) -> Option<[String; 2]> {
        let id = |number| {
            self.private_subnets
                .get(number)
                .map(|subnet: Subnet| subnet.id)
        };
        Some([id(0)?, id(1)?])
    }

    /// Ids of all three subnets, once all are there.
    pub(crate) fn subnet_ids(&self) -> Option<[String; 3]> {
        let [first, second] = self.private_subnet_ids()?;
        Some([self.public_subnet.get()?.id, first, second])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_thing_is_named() {
        let found = Found::default();
        let failure = found.vpc.require(&super::super::keys::VPC).unwrap_err();
        assert_eq!(failure.action, "looking for `vpc`");
        assert_eq!(failure.kind, FailureKind::Incomplete);
    }

    #[test]
    fn subnets_are_known_when_all_are() {
        let found = Found::default();
        let subnet = |id: &str| Subnet {
            id: id.to_owned(),
            zone_id: "use1-az1".to_owned(),
            zone: "us-east-1a".to_owned(),
        };
        found.private_subnets.set(0, subnet("b"));
        assert_eq!(found.private_subnet_ids(), None);
        found.private_subnets.set(1, subnet("c"));
        found.public_subnet.set(subnet("a"));
        assert_eq!(found.subnet_ids(), Some(["a", "b", "c"].map(str::to_owned)));
    }
}
