//! Looks at EC2 that several resources of the step share.

use aws_sdk_ec2::types::{
    NetworkInterface, RouteTable, SecurityGroup as Group, Subnet, TagSpecification,
};

use super::super::Stack;
use crate::aws::tags::filter;
use crate::aws::{Answer, AwsError, Owner};
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

/// This stack's route table under `key`, among all of VPC `vpc`.
pub(super) async fn own_route_table(
    stack: &Stack,
    vpc: &str,
    key: &ResourceKey,
) -> Result<Option<RouteTable>, AwsError> {
    let tables = route_tables(stack, vpc).await?;
    Ok(tables
        .into_iter()
        .find(|table| is_ours(stack, table.tags(), key)))
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
    // The local cloud ignores the filter; on AWS this changes nothing.
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

/// Whether `tags` are those of this stack's resource `key`.
pub(super) fn is_ours(stack: &Stack, tags: &[aws_sdk_ec2::types::Tag], key: &ResourceKey) -> bool {
    use crate::aws::tags::Tags;
    stack.ownership.owner(tags) == Owner::Us
        && tags.value(place_config::names::TAG_RESOURCE) == Some(key.as_str())
}

/// The tags for a create call: the stack's, and a `Name` for EC2's console.
pub(super) fn specification(
    stack: &Stack,
    key: &ResourceKey,
    kind: aws_sdk_ec2::types::ResourceType,
) -> TagSpecification {
    let name = format!("{}-{}", stack.names.stack(), key.as_str().replace(':', "-"));
    stack.ownership.specification(key, kind, &name)
}

/// Configuration of a call that must not be retried blindly, because AWS takes no token for it.
pub(super) fn no_retries() -> aws_sdk_ec2::config::Builder {
    use aws_smithy_types::retry::RetryConfig;
    aws_sdk_ec2::config::Builder::new().retry_config(RetryConfig::disabled())
}
