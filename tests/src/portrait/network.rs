//! EC2 and ElastiCache, beyond what the inventory says of them.

use aws_sdk_elasticache::types::{ReplicationGroup, ServerlessCache};

use crate::inventory::network::tags;
use crate::sdk::Sdk;

pub(super) async fn lines(sdk: &Sdk) -> Vec<String> {
    let (gateways, caches) = tokio::join!(gateways(sdk), caches(sdk));
    [gateways, caches].concat()
}

async fn gateways(sdk: &Sdk) -> Vec<String> {
    let gateways = sdk.ec2.describe_nat_gateways().send().await;
    let addresses = sdk.ec2.describe_addresses().send().await;
    let (gateways, addresses) = (gateways.expect("gateways"), addresses.expect("addresses"));
    let mut lines = Vec::new();
    for gateway in gateways.nat_gateways() {
        // AWS goes on answering a deleted gateway for about an hour.
        if gateway.state() != Some(&aws_sdk_ec2::types::NatGatewayState::Deleted) {
            let (state, kind) = (gateway.state(), gateway.connectivity_type());
            let (subnet, tags) = (gateway.subnet_id(), tags(gateway.tags()));
            lines.push(format!("nat-gateway {state:?} {kind:?} {subnet:?} {tags}"));
        }
    }
    let endpoints = sdk.ec2.describe_vpc_endpoints().send().await;
    for endpoint in endpoints.expect("endpoints").vpc_endpoints() {
        let (service, tables) = (endpoint.service_name(), endpoint.route_table_ids());
        let tags = tags(endpoint.tags());
        lines.push(format!("vpc-endpoint {service:?} {tables:?} {tags}"));
    }
    for address in addresses.addresses() {
        lines.push(format!("elastic-ip {}", tags(address.tags())));
    }
    lines
}

async fn caches(sdk: &Sdk) -> Vec<String> {
    let caches = sdk.elasticache.describe_serverless_caches().send().await;
    let groups = sdk.elasticache.describe_replication_groups().send().await;
    let (caches, groups) = (caches.expect("caches"), groups.expect("groups"));
    let mut lines = Vec::new();
    for cache in caches.serverless_caches() {
        lines.push(serverless(cache));
        lines.push(cache_tags(sdk, cache.arn()).await);
    }
    for group in groups.replication_groups() {
        lines.push(replicated(group));
        lines.push(cache_tags(sdk, group.arn()).await);
    }
    lines
}

fn serverless(cache: &ServerlessCache) -> String {
    let mut subnets = cache.subnet_ids().to_vec();
    subnets.sort();
    format!(
        "serverless cache {:?} {:?} {:?} {:?} {subnets:?} {:?} {:?}",
        cache.serverless_cache_name(),
        cache.status(),
        cache.engine(),
        cache.major_engine_version(),
        cache.security_group_ids(),
        cache.cache_usage_limits(),
    )
}

fn replicated(group: &ReplicationGroup) -> String {
    format!(
        "replication group {:?} {:?} {} nodes {:?} {:?} {:?} {:?}",
        group.replication_group_id(),
        group.status(),
        group.member_clusters().len(),
        group.cache_node_type(),
        group.automatic_failover(),
        group.multi_az(),
        group.transit_encryption_enabled(),
    )
}

async fn cache_tags(sdk: &Sdk, arn: Option<&str>) -> String {
    let call = sdk.elasticache.list_tags_for_resource();
    let answer = call.set_resource_name(arn.map(str::to_owned)).send().await;
    let answer = answer.expect("the cache's tags");
    let tags = answer.tag_list().iter();
    let mut tags: Vec<_> = tags.map(|tag| (tag.key(), tag.value())).collect();
    tags.sort_unstable();
    format!("cache tags {arn:?} {tags:?}")
}
