//! Keys that resources of different steps refer to each other by.

use place_config::{Function, Queue};

use crate::engine::ResourceKey;

/// The VPC.
pub(crate) const VPC: ResourceKey = ResourceKey::new("vpc");
/// The internet gateway, attached to the VPC.
pub(crate) const INTERNET_GATEWAY: ResourceKey = ResourceKey::new("internet-gateway");
/// The subnet that the NAT gateway is in.
pub(crate) const PUBLIC_SUBNET: ResourceKey = ResourceKey::new("subnet:public");
/// The two subnets that the functions are in.
pub(crate) const PRIVATE_SUBNETS: [ResourceKey; 2] = [
    ResourceKey::new("subnet:private-1"),
    ResourceKey::new("subnet:private-2"),
];
/// The NAT gateway's elastic IP address.
pub(crate) const ADDRESS: ResourceKey = ResourceKey::new("elastic-ip");
/// The NAT gateway.
pub(crate) const NAT_GATEWAY: ResourceKey = ResourceKey::new("nat-gateway");
/// The route table of the public subnet.
pub(crate) const PUBLIC_TABLE: ResourceKey = ResourceKey::new("route-table:public");
/// The route table of the private subnets.
pub(crate) const PRIVATE_TABLE: ResourceKey = ResourceKey::new("route-table:private");
/// The private table's way to DynamoDB.
pub(crate) const DYNAMODB_ENDPOINT: ResourceKey = ResourceKey::new("dynamodb-endpoint");
/// The public table's way out.
pub(crate) const PUBLIC_ROUTE: ResourceKey = ResourceKey::new("route:public");
/// The private table's way out.
pub(crate) const PRIVATE_ROUTE: ResourceKey = ResourceKey::new("route:private");
/// The public subnet's association with its table.
pub(crate) const PUBLIC_ASSOCIATION: ResourceKey = ResourceKey::new("association:public");
/// The private subnets' associations with their table.
pub(crate) const PRIVATE_ASSOCIATIONS: [ResourceKey; 2] = [
    ResourceKey::new("association:private-1"),
    ResourceKey::new("association:private-2"),
];
/// The functions' security group.
pub(crate) const FUNCTION_GROUP: ResourceKey = ResourceKey::new("security-group:functions");
/// The cache's security group.
pub(crate) const CACHE_GROUP: ResourceKey = ResourceKey::new("security-group:cache");
/// The rule that lets the functions into the cache.
pub(crate) const CACHE_INGRESS: ResourceKey = ResourceKey::new("security-group-rule:cache");
/// The network interfaces that Lambda made for the functions: gone before the roles go.
pub(crate) const INTERFACES: ResourceKey = ResourceKey::new("function-network-interfaces");
/// The subnet group of a replication group.
pub(crate) const CACHE_SUBNET_GROUP: ResourceKey = ResourceKey::new("cache-subnet-group");
/// The cache, in either mode.
pub(crate) const CACHE: ResourceKey = ResourceKey::new("cache");

/// The schedule.
pub(crate) const SCHEDULE: ResourceKey = ResourceKey::new("schedule");

/// A function.
pub(crate) fn function(function: Function) -> ResourceKey {
    ResourceKey::of("function", function.binary())
}

/// A queue.
pub(crate) fn queue(queue: Queue) -> ResourceKey {
    ResourceKey::of("queue", queue_word(queue))
}

/// A queue's dead-letter queue.
pub(crate) fn dead_letter_queue(queue: Queue) -> ResourceKey {
    ResourceKey::of("dead-letter-queue", queue_word(queue))
}

const fn queue_word(queue: Queue) -> &'static str {
    match queue {
        Queue::Initialize => "initialize",
        Queue::Request => "request",
    }
}
