//! Changes of the VPC, the cache, the queues and the tables.

use aws_sdk_ec2::types::{NatGatewayState, RouteTable, Tag};
use aws_sdk_sqs::types::QueueAttributeName;
use place_config::names::TAG_RESOURCE;
use place_tests::Sdk;

use super::{Change, tags};
use crate::repair::{close_cache, encrypt_queue, set_queue};

pub(super) const CHANGES: &[Change] = &[
    (
        "route removed",
        |sdk| Box::pin(remove_route(sdk)),
        &["route:private"],
    ),
    (
        "endpoint deleted",
        |sdk| Box::pin(delete_endpoint(sdk)),
        &["dynamodb-endpoint"],
    ),
    (
        "endpoint moved",
        |sdk| Box::pin(move_endpoint(sdk)),
        &["dynamodb-endpoint"],
    ),
    (
        "association removed",
        |sdk| Box::pin(disassociate(sdk)),
        &["association:public"],
    ),
    (
        "association moved",
        |sdk| Box::pin(move_association(sdk)),
        &["association:public"],
    ),
    (
        "cache closed",
        |sdk| Box::pin(async move { close_cache(&sdk).await }),
        &["security-group-rule:cache"],
    ),
    (
        "NAT gateway deleted",
        |sdk| Box::pin(delete_nat_gateway(sdk)),
        // The route's target is not known until there is a gateway again.
        &["nat-gateway"],
    ),
    (
        "address released",
        |sdk| Box::pin(release_address(sdk)),
        // EC2 releases no address that a gateway has.
        &["elastic-ip", "nat-gateway"],
    ),
    (
        "functions shut in",
        |sdk| Box::pin(shut_in(sdk)),
        &["security-group:functions"],
    ),
    (
        "cache deleted",
        |sdk| Box::pin(delete_cache(sdk)),
        // The functions' environments name the cache that is gone.
        &[
            "cache",
            "environment:initializeConnection",
            "environment:placev2admin",
            "environment:placev2broadcast",
            "environment:placev2disconnect",
            "environment:placev2handler",
            "environment:placev2page",
            "environment:save",
            "environment:sendMessage",
        ],
    ),
    (
        "queue encrypted",
        |sdk| Box::pin(async move { encrypt_queue(&sdk).await }),
        &["queue:request"],
    ),
    (
        "visibility time-out changed",
        |sdk| Box::pin(hurry_queue(sdk)),
        &["queue:initialize"],
    ),
    (
        "table deleted",
        |sdk| Box::pin(delete_table(sdk)),
        &["canvas", "table:mru"],
    ),
    (
        "stack's tags taken off",
        |sdk| Box::pin(tags::taken_off_network_and_data(sdk)),
        &[
            "cache",
            "dead-letter-queue:initialize",
            "dead-letter-queue:request",
            "dynamodb-endpoint",
            "elastic-ip",
            "nat-gateway",
            "queue:initialize",
            "queue:request",
            "route-table:private",
            "route-table:public",
            "security-group:cache",
            "security-group:functions",
            "table:history",
            "table:journal",
            "table:mru",
        ],
    ),
];

pub(super) async fn table(sdk: &Sdk, resource: &str) -> RouteTable {
    let answer = sdk.ec2.describe_route_tables().send().await.unwrap();
    let tagged = |tag: &Tag| tag.key() == Some(TAG_RESOURCE) && tag.value() == Some(resource);
    let mut tables = answer.route_tables().iter();
    let found = tables.find(|table| table.tags().iter().any(tagged));
    found.unwrap().clone()
}

async fn remove_route(sdk: Sdk) {
    let table = table(&sdk, "route-table:private").await;
    let call = sdk.ec2.delete_route().destination_cidr_block("0.0.0.0/0");
    let call = call.route_table_id(table.route_table_id().unwrap());
    call.send().await.unwrap();
}

async fn endpoint(sdk: &Sdk) -> String {
    let answer = sdk.ec2.describe_vpc_endpoints().send().await.unwrap();
    let endpoint = &answer.vpc_endpoints()[0];
    endpoint.vpc_endpoint_id().unwrap().to_owned()
}

async fn delete_endpoint(sdk: Sdk) {
    let endpoint = endpoint(&sdk).await;
    let call = sdk.ec2.delete_vpc_endpoints().vpc_endpoint_ids(endpoint);
    call.send().await.unwrap();
}

async fn move_endpoint(sdk: Sdk) {
    let public = table(&sdk, "route-table:public").await;
    let private = table(&sdk, "route-table:private").await;
    let call = sdk.ec2.modify_vpc_endpoint();
    let call = call
        .vpc_endpoint_id(endpoint(&sdk).await)
        .add_route_table_ids(public.route_table_id().unwrap())
        .remove_route_table_ids(private.route_table_id().unwrap());
    call.send().await.unwrap();
}

async fn public_association(sdk: &Sdk) -> String {
    let table = table(sdk, "route-table:public").await;
    let association = &table.associations()[0];
    association.route_table_association_id().unwrap().to_owned()
}

async fn disassociate(sdk: Sdk) {
    let association = public_association(&sdk).await;
    let call = sdk.ec2.disassociate_route_table();
    call.association_id(association).send().await.unwrap();
}

async fn move_association(sdk: Sdk) {
    let association = public_association(&sdk).await;
    let private = table(&sdk, "route-table:private").await;
    let call = sdk.ec2.replace_route_table_association();
    let call = call.association_id(association);
    let call = call.route_table_id(private.route_table_id().unwrap());
    call.send().await.unwrap();
}

async fn delete_nat_gateway(sdk: Sdk) {
    let answer = sdk.ec2.describe_nat_gateways().send().await.unwrap();
    let mut gateways = answer.nat_gateways().iter();
    let gateway = gateways.find(|of| of.state() == Some(&NatGatewayState::Available));
    let gateway = gateway.unwrap().nat_gateway_id().unwrap();
    let call = sdk.ec2.delete_nat_gateway().nat_gateway_id(gateway);
    call.send().await.unwrap();
}

async fn release_address(sdk: Sdk) {
    delete_nat_gateway(sdk.clone()).await;
    let answer = sdk.ec2.describe_addresses().send().await.unwrap();
    let call = sdk.ec2.release_address();
    let call = call.allocation_id(answer.addresses()[0].allocation_id().unwrap());
    call.send().await.unwrap();
}

/// Takes away the rule that EC2 puts into every new group.
async fn shut_in(sdk: Sdk) {
    let answer = sdk.ec2.describe_security_groups().send().await.unwrap();
    let mut groups = answer.security_groups().iter();
    let group = groups.find(|group| group.group_name() == Some("place-functions"));
    let group = group.unwrap();
    let rules = group.ip_permissions_egress().to_vec();
    assert_eq!(rules.len(), 1);
    let call = sdk.ec2.revoke_security_group_egress();
    let call = call.group_id(group.group_id().unwrap());
    let call = call.set_ip_permissions(Some(rules));
    call.send().await.unwrap();
}

async fn delete_cache(sdk: Sdk) {
    let call = sdk.elasticache.delete_serverless_cache();
    let call = call.serverless_cache_name("placev2cache");
    call.send().await.unwrap();
}

async fn hurry_queue(sdk: Sdk) {
    let time_out = QueueAttributeName::VisibilityTimeout;
    set_queue(&sdk, "place2InitializeQueue.fifo", time_out, "1").await;
}

async fn delete_table(sdk: Sdk) {
    let call = sdk.dynamodb.delete_table().table_name("mru_pixels");
    call.send().await.unwrap();
}
