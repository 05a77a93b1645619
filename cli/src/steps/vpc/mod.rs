//! Step 1: the VPC, its subnets, the ways out, and the security groups.

mod address;
mod association;
mod cache_ingress;
mod choice;
mod current;
mod endpoint;
mod guard;
mod interfaces;
mod internet_gateway;
mod look;
mod nat_gateway;
mod network;
mod route;
mod route_table;
mod security_group;
mod subnet;

use std::sync::Arc;

use super::{Stack, keys, lifecycle};
use crate::aws::AwsError;
use crate::engine::{Resource, ResourceKey, Step};

use self::address::ElasticAddress;
use self::association::Association;
use self::cache_ingress::CacheIngress;
use self::endpoint::DynamoEndpoint;
use self::interfaces::FunctionInterfaces;
use self::internet_gateway::InternetGateway;
use self::nat_gateway::NatGateway;
use self::network::Network;
use self::route::DefaultRoute;
use self::route_table::RouteTable;
use self::security_group::SecurityGroup;
use self::subnet::PlaceSubnet;

const STEP: Step = Step(1);

pub(crate) use self::subnet::ELSEWHERE;

/// Ids of the region's availability zones among which subnets can lie.
pub(crate) async fn zones(stack: &Stack) -> Result<Vec<String>, AwsError> {
    let zones = choice::usable(&look::zones(stack).await?).into_iter();
    let mut ids: Vec<String> = zones.map(|zone| zone.id).collect();
    ids.sort();
    Ok(ids)
}

/// The resources of step 1.
pub(crate) fn resources(stack: &Arc<Stack>) -> Vec<Arc<dyn Resource>> {
    let shared = || Arc::clone(stack);
    let mut resources: Vec<Arc<dyn Resource>> = vec![
        lifecycle::resource(stack, Network),
        lifecycle::resource(stack, InternetGateway),
        lifecycle::resource(stack, ElasticAddress),
        Arc::new(NatGateway::new(shared())),
        lifecycle::resource(stack, SecurityGroup::OfFunctions),
        lifecycle::resource(stack, SecurityGroup::OfCache),
        lifecycle::resource(stack, CacheIngress),
        lifecycle::resource(stack, DynamoEndpoint),
        Arc::new(FunctionInterfaces::new(shared())),
    ];
    for side in Side::BOTH {
        resources.push(lifecycle::resource(stack, RouteTable(side)));
        resources.push(lifecycle::resource(stack, DefaultRoute(side)));
    }
    for place in Place::ALL {
        resources.push(lifecycle::resource(stack, PlaceSubnet(place)));
        resources.push(lifecycle::resource(stack, Association(place)));
    }
    resources
}

/// Which way out a subnet has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Side {
    /// The internet gateway.
    Public,
    /// The NAT gateway.
    Private,
}

impl Side {
    const BOTH: [Self; 2] = [Self::Public, Self::Private];

    const fn word(self) -> &'static str {
        match self {
            Self::Public => "public",
            Self::Private => "private",
        }
    }
}

/// One of the three subnets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    /// The public one.
    Public,
    /// A private one, by number (0 and 1).
    Private(usize),
}

impl Place {
    const ALL: [Self; 3] = [Self::Public, Self::Private(0), Self::Private(1)];

    /// Its place among the three, in the order of availability zone ids.
    const fn index(self) -> usize {
        match self {
            Self::Public => 0,
            Self::Private(number) => number + 1,
        }
    }

    /// Key of the subnet.
    fn subnet_key(self) -> ResourceKey {
        match self {
            Self::Public => keys::PUBLIC_SUBNET,
            Self::Private(number) => keys::PRIVATE_SUBNETS[number].clone(),
        }
    }

    const fn side(self) -> Side {
        match self {
            Self::Public => Side::Public,
            Self::Private(_) => Side::Private,
        }
    }

    fn word(self) -> String {
        match self {
            Self::Public => "public".to_owned(),
            Self::Private(number) => format!("private-{}", number + 1),
        }
    }
}
