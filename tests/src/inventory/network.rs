//! EC2 and ElastiCache.

use aws_sdk_ec2::types::{RouteTable, SecurityGroup, Tag};

use crate::sdk::Sdk;

pub(super) async fn lines(sdk: &Sdk) -> Vec<String> {
    let (vpcs, tables, groups, gateways, caches) = tokio::join!(
        vpcs_and_subnets(sdk),
        route_tables(sdk),
        security_groups(sdk),
        gateways(sdk),
        caches(sdk),
    );
    [vpcs, tables, groups, gateways, caches].concat()
}

async fn vpcs_and_subnets(sdk: &Sdk) -> Vec<String> {
    let vpcs = sdk
        .ec2
        .describe_vpcs()
        .send()
        .await
        .expect("the list of VPCs");
    let subnets = sdk
        .ec2
        .describe_subnets()
        .send()
        .await
        .expect("the list of subnets");
    let mut lines = Vec::new();
    for vpc in vpcs.vpcs() {
        let (id, cidr) = (text(vpc.vpc_id()), text(vpc.cidr_block()));
        lines.push(format!("ec2 vpc {id} {cidr} {}", tags(vpc.tags())));
    }
    for subnet in subnets.subnets() {
        let (id, cidr) = (text(subnet.subnet_id()), text(subnet.cidr_block()));
        let public = subnet.map_public_ip_on_launch().unwrap_or_default();
        let tags = tags(subnet.tags());
        lines.push(format!(
            "ec2 subnet {id} {cidr} maps public addresses: {public} {tags}"
        ));
    }
    lines
}

async fn route_tables(sdk: &Sdk) -> Vec<String> {
    let answer = sdk
        .ec2
        .describe_route_tables()
        .send()
        .await
        .expect("the list of route tables");
    answer.route_tables().iter().flat_map(route_table).collect()
}

fn route_table(table: &RouteTable) -> Vec<String> {
    let id = text(table.route_table_id());
    let mut lines = vec![format!("ec2 route-table {id} {}", tags(table.tags()))];
    for route in table.routes() {
        let target = route.gateway_id().or(route.nat_gateway_id()).unwrap_or("?");
        let destination = text(route.destination_cidr_block());
        lines.push(format!("ec2 route {id}: {destination} -> {target}"));
    }
    for association in table.associations() {
        let main = association.main().unwrap_or_default();
        let subnet = association.subnet_id().unwrap_or("-");
        lines.push(format!("ec2 association {id}: {subnet} main: {main}"));
    }
    lines
}

async fn security_groups(sdk: &Sdk) -> Vec<String> {
    let answer = sdk
        .ec2
        .describe_security_groups()
        .send()
        .await
        .expect("the security groups");
    answer
        .security_groups()
        .iter()
        .flat_map(security_group)
        .collect()
}

fn security_group(group: &SecurityGroup) -> Vec<String> {
    let (id, name) = (text(group.group_id()), text(group.group_name()));
    let mut lines = vec![format!(
        "ec2 security-group {id} {name} {}",
        tags(group.tags())
    )];
    for (way, rules) in [
        ("in", group.ip_permissions()),
        ("out", group.ip_permissions_egress()),
    ] {
        for rule in rules {
            let ports = (rule.from_port(), rule.to_port());
            let groups: Vec<_> = rule
                .user_id_group_pairs()
                .iter()
                .map(|p| p.group_id())
                .collect();
            let ranges: Vec<_> = rule.ip_ranges().iter().map(|r| r.cidr_ip()).collect();
            lines.push(format!(
                "ec2 rule {id}: {way} {ports:?} {groups:?} {ranges:?}"
            ));
        }
    }
    lines
}

async fn gateways(sdk: &Sdk) -> Vec<String> {
    let internet = sdk
        .ec2
        .describe_internet_gateways()
        .send()
        .await
        .expect("internet gateways");
    let nat = sdk
        .ec2
        .describe_nat_gateways()
        .send()
        .await
        .expect("the NAT gateways");
    let addresses = sdk
        .ec2
        .describe_addresses()
        .send()
        .await
        .expect("the elastic IPs");
    let interfaces = sdk
        .ec2
        .describe_network_interfaces()
        .send()
        .await
        .expect("the interfaces");
    let endpoints = sdk
        .ec2
        .describe_vpc_endpoints()
        .send()
        .await
        .expect("the VPC endpoints");
    let mut lines = Vec::new();
    let there = |of: &&aws_sdk_ec2::types::VpcEndpoint| {
        let state = of.state().map_or("", |state| state.as_str());
        !state.eq_ignore_ascii_case("deleted")
    };
    for endpoint in endpoints.vpc_endpoints().iter().filter(there) {
        lines.push(format!(
            "ec2 vpc-endpoint {}",
            text(endpoint.vpc_endpoint_id())
        ));
    }
    for gateway in internet.internet_gateways() {
        let vpcs: Vec<_> = gateway
            .attachments()
            .iter()
            .map(|a| text(a.vpc_id()))
            .collect();
        let (id, tags) = (text(gateway.internet_gateway_id()), tags(gateway.tags()));
        lines.push(format!(
            "ec2 internet-gateway {id} attached to {vpcs:?} {tags}"
        ));
    }
    for gateway in nat.nat_gateways() {
        // AWS goes on answering a deleted gateway for about an hour.
        let state = gateway.state().map_or("?", |state| state.as_str());
        if state != "deleted" {
            lines.push(format!(
                "ec2 nat-gateway {} {state}",
                text(gateway.nat_gateway_id())
            ));
        }
    }
    for address in addresses.addresses() {
        lines.push(format!("ec2 elastic-ip {}", text(address.allocation_id())));
    }
    for interface in interfaces.network_interfaces() {
        lines.push(format!(
            "ec2 network-interface {}",
            text(interface.network_interface_id())
        ));
    }
    lines
}

async fn caches(sdk: &Sdk) -> Vec<String> {
    let cache = &sdk.elasticache;
    let serverless = cache
        .describe_serverless_caches()
        .send()
        .await
        .expect("serverless caches");
    let groups = cache
        .describe_replication_groups()
        .send()
        .await
        .expect("replication groups");
    let clusters = cache
        .describe_cache_clusters()
        .send()
        .await
        .expect("the cache clusters");
    let subnets = cache
        .describe_cache_subnet_groups()
        .send()
        .await
        .expect("the subnet groups");
    let mut lines = Vec::new();
    for one in serverless.serverless_caches() {
        lines.push(format!(
            "elasticache serverless {}",
            text(one.serverless_cache_name())
        ));
    }
    for one in groups.replication_groups() {
        lines.push(format!(
            "elasticache group {}",
            text(one.replication_group_id())
        ));
    }
    for one in clusters.cache_clusters() {
        lines.push(format!(
            "elasticache cluster {}",
            text(one.cache_cluster_id())
        ));
    }
    for one in subnets.cache_subnet_groups() {
        lines.push(format!(
            "elasticache subnet-group {}",
            text(one.cache_subnet_group_name())
        ));
    }
    lines
}

fn text(value: Option<&str>) -> &str {
    value.unwrap_or("?")
}

/// A thing's tags, sorted.
pub(crate) fn tags(tags: &[Tag]) -> String {
    let mut all: Vec<_> = tags
        .iter()
        .map(|tag| format!("{}={}", text(tag.key()), text(tag.value())))
        .collect();
    all.sort();
    all.join(",")
}
