//! Looks at EC2 that several resources of the step share.

use std::cmp::Reverse;

use aws_sdk_ec2::types::{
    AvailabilityZone, NatGateway, NetworkInterface, RouteTable, SecurityGroup as Group, Subnet,
    Tag, TagSpecification,
};

use super::super::drift::Drift;
use super::super::{Stack, keys};
use crate::aws::tags::filter;
use crate::aws::{Answer, AwsError};
use crate::engine::ResourceKey;

/// The subnets of VPC `vpc`.
pub(super) async fn subnets(stack: &Stack, vpc: &str) -> Result<Vec<Subnet>, AwsError> {
    let call = async || {
        let pages = stack
            .aws
            .ec2
            .describe_subnets()
            .filters(filter("vpc-id", vpc));
        let items = pages
            .into_paginator()
            .items()
            .send()
            .collect::<Result<Vec<_>, _>>();
        items.await.during("ec2:DescribeSubnets")
    };
    stack.lookups.subnets.get(call).await
}

/// The region's availability zones.
pub(super) async fn zones(stack: &Stack) -> Result<Vec<AvailabilityZone>, AwsError> {
    let call = async || {
        let answer = stack.aws.ec2.describe_availability_zones().send().await;
        let answer = answer.during("ec2:DescribeAvailabilityZones")?;
        Ok(answer.availability_zones.unwrap_or_default())
    };
    stack.lookups.zones.get(call).await
}

/// The route tables of VPC `vpc`.
pub(super) async fn route_tables(stack: &Stack, vpc: &str) -> Result<Vec<RouteTable>, AwsError> {
    let call = async || {
        let pages = stack
            .aws
            .ec2
            .describe_route_tables()
            .filters(filter("vpc-id", vpc));
        let items = pages
            .into_paginator()
            .items()
            .send()
            .collect::<Result<Vec<_>, _>>();
        items.await.during("ec2:DescribeRouteTables")
    };
    stack.lookups.route_tables.get(call).await
}

/// This stack's route tables under `key`, among all of VPC `vpc`: one, unless an answer got lost
/// at the wrong moment. The one that subnets are associated with first.
pub(super) async fn own_route_tables(
    stack: &Stack,
    vpc: &str,
    key: &ResourceKey,
) -> Result<Vec<RouteTable>, AwsError> {
    let mut tables = route_tables(stack, vpc).await?;
    tables.retain(|table| is_ours(stack, table.tags(), key));
    tables.sort_by_key(|table| {
        (
            Reverse(table.associations().len()),
            table.route_table_id.clone(),
        )
    });
    Ok(tables)
}

/// This stack's NAT gateways, dead ones included: EC2 shows those for about an hour.
pub(super) async fn nat_gateways(stack: &Stack) -> Result<Vec<NatGateway>, AwsError> {
    let pages = stack.aws.ec2.describe_nat_gateways().into_paginator();
    let items = pages.items().send().collect::<Result<Vec<_>, _>>();
    let mut found = items.await.during("ec2:DescribeNatGateways")?;
    found.retain(|nat| is_ours(stack, nat.tags(), &keys::NAT_GATEWAY));
    Ok(found)
}

/// The security groups that have the names of this stack's, in whichever VPC, whosever they are.
pub(super) async fn named_groups(stack: &Stack) -> Result<Vec<Group>, AwsError> {
    let names = [
        stack.names.function_security_group(),
        stack.names.cache_security_group(),
    ];
    let by_name = aws_sdk_ec2::types::Filter::builder()
        .name("group-name")
        .set_values(Some(names.into()))
        .build();
    let call = async || {
        let pages = stack.aws.ec2.describe_security_groups().filters(by_name);
        let items = pages.into_paginator().items().send();
        let items = items.collect::<Result<Vec<_>, _>>();
        items.await.during("ec2:DescribeSecurityGroups")
    };
    stack.lookups.security_groups.get(call).await
}

/// The same, of VPC `vpc` alone.
pub(super) async fn security_groups(stack: &Stack, vpc: &str) -> Result<Vec<Group>, AwsError> {
    let groups = named_groups(stack).await?.into_iter();
    Ok(groups.filter(|group| group.vpc_id() == Some(vpc)).collect())
}

/// The network interfaces that a filter of EC2 selects.
pub(super) async fn interfaces(
    stack: &Stack,
    name: &str,
    value: &str,
) -> Result<Vec<NetworkInterface>, AwsError> {
    let pages = stack
        .aws
        .ec2
        .describe_network_interfaces()
        .filters(filter(name, value));
    let items = pages
        .into_paginator()
        .items()
        .send()
        .collect::<Result<Vec<_>, _>>();
    let items = items.await.during("ec2:DescribeNetworkInterfaces")?;
    // MiniStack 1.5.33 ignores the filter; on AWS this changes nothing.
    Ok(items
        .into_iter()
        .filter(|interface| matches(interface, name, value))
        .collect())
}

fn matches(interface: &NetworkInterface, name: &str, value: &str) -> bool {
    match name {
        "group-id" => interface
            .groups()
            .iter()
            .any(|group| group.group_id() == Some(value)),
        "subnet-id" => interface.subnet_id() == Some(value),
        _ => true,
    }
}

/// Whether a security group with one of our names is ours.
pub(super) fn is_own_group(stack: &Stack, group: &Group) -> bool {
    let mut keys = [keys::FUNCTION_GROUP, keys::CACHE_GROUP].into_iter();
    keys.any(|key| stack.ownership.owns(&key, group.tags()))
}

/// Whether `tags` are those of this stack's resource `key`.
pub(super) fn is_ours(stack: &Stack, tags: &[Tag], key: &ResourceKey) -> bool {
    stack.ownership.has(key, &name(stack, key), tags)
}

/// How the tags of this stack's resource `key` differ.
pub(super) fn compare_tags(stack: &Stack, tags: &[Tag], key: &ResourceKey) -> Drift {
    let mut drift = Drift::default();
    drift.tags(stack, key, tags);
    drift
}

/// Puts the tags of the resource `key` on the thing `id`, where any is missing in `tags`.
pub(super) async fn mend_tags(
    stack: &Stack,
    id: &str,
    tags: &[Tag],
    key: &ResourceKey,
) -> Result<(), AwsError> {
    if compare_tags(stack, tags, key) == Drift::default() {
        return Ok(());
    }
    put_tags(stack, id, key).await
}

/// Puts the tags of the resource `key` on the thing `id`.
pub(super) async fn put_tags(stack: &Stack, id: &str, key: &ResourceKey) -> Result<(), AwsError> {
    let call = stack.aws.ec2.create_tags().resources(id);
    let call = call.set_tags(Some(stack.ownership.list(key)));
    call.send().await.during("ec2:CreateTags").map(drop)
}

/// The tags for a create call: the stack's, and a `Name` for EC2's console.
pub(super) fn specification(
    stack: &Stack,
    key: &ResourceKey,
    kind: aws_sdk_ec2::types::ResourceType,
) -> TagSpecification {
    stack.ownership.specification(key, kind, &name(stack, key))
}

/// What EC2's console shows as the name of the resource `key`.
fn name(stack: &Stack, key: &ResourceKey) -> String {
    format!("{}-{}", stack.names.stack(), key.as_str().replace(':', "-"))
}

/// Configuration of a call that must not be retried blindly, because AWS takes no token for it.
pub(super) fn no_retries() -> aws_sdk_ec2::config::Builder {
    use aws_smithy_types::retry::RetryConfig;
    aws_sdk_ec2::config::Builder::new().retry_config(RetryConfig::disabled())
}
