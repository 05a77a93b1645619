//! Names for the ids that the emulator makes up.

use aws_sdk_ec2::types::Tag;
use place_config::names::TAG_RESOURCE;

use crate::sdk::Sdk;

/// Pairs of an id and the name that takes its place. What nobody tagged keeps its id: these are
/// the things that the emulator has from the start, the same ones each time.
pub(super) async fn names(sdk: &Sdk) -> Vec<(String, String)> {
    let (network, apis) = tokio::join!(of_network(sdk), of_apis(sdk));
    let mut names = [network, apis].concat();
    // An id may begin with another one.
    names.sort_by_key(|(id, _)| std::cmp::Reverse(id.len()));
    names
}

/// The line with every id replaced.
pub(super) fn named(line: &str, names: &[(String, String)]) -> String {
    let replace = |line: String, (id, name): &(String, String)| line.replace(id, name);
    names.iter().fold(line.to_owned(), replace)
}

async fn of_network(sdk: &Sdk) -> Vec<(String, String)> {
    let tables = sdk.ec2.describe_route_tables().send().await;
    let groups = sdk.ec2.describe_security_groups().send().await;
    let gateways = sdk.ec2.describe_nat_gateways().send().await;
    let addresses = sdk.ec2.describe_addresses().send().await;
    let endpoints = sdk.ec2.describe_vpc_endpoints().send().await;
    let endpoints = endpoints.expect("endpoints");
    let (tables, groups) = (tables.expect("route tables"), groups.expect("groups"));
    let (gateways, addresses) = (gateways.expect("gateways"), addresses.expect("addresses"));
    let tables = tables.route_tables().iter();
    let mut names: Vec<_> = tables
        .filter_map(|table| by_tag(table.route_table_id(), table.tags()))
        .collect();
    let gateways = gateways.nat_gateways().iter();
    names.extend(gateways.filter_map(|gateway| by_tag(gateway.nat_gateway_id(), gateway.tags())));
    let addresses = addresses.addresses().iter();
    names.extend(addresses.filter_map(|address| by_tag(address.allocation_id(), address.tags())));
    let endpoints = endpoints.vpc_endpoints().iter();
    names.extend(endpoints.filter_map(|one| by_tag(one.vpc_endpoint_id(), one.tags())));
    let groups = groups.security_groups().iter();
    names.extend(groups.filter_map(|group| pair(group.group_id(), group.group_name())));
    names
}

async fn of_apis(sdk: &Sdk) -> Vec<(String, String)> {
    let apis = sdk.api.get_apis().send().await.expect("the list of APIs");
    let mut names = Vec::new();
    for api in apis.items() {
        let id = api.api_id().unwrap_or("?");
        let integrations = sdk.api.get_integrations().api_id(id).send().await;
        let integrations = integrations.expect("the API's integrations");
        let integrations = integrations.items().iter();
        names.extend(integrations.filter_map(|one| {
            let function = one.integration_uri()?.rsplit("function:").next()?;
            pair(one.integration_id(), Some(function))
        }));
        let deployments = sdk.api.get_deployments().api_id(id).send().await;
        let deployments = deployments.expect("the API's deployments");
        let deployments = deployments.items().iter();
        names.extend(deployments.filter_map(|one| pair(one.deployment_id(), Some("deployment"))));
        names.extend(pair(Some(id), api.name()));
    }
    names
}

fn by_tag(id: Option<&str>, tags: &[Tag]) -> Option<(String, String)> {
    let tag = tags.iter().find(|tag| tag.key() == Some(TAG_RESOURCE))?;
    pair(id, tag.value())
}

fn pair(id: Option<&str>, name: Option<&str>) -> Option<(String, String)> {
    Some((id?.to_owned(), format!("<{}>", name?)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_id_in_a_line_gets_its_name() {
        let names = [
            ("rtb-12".to_owned(), "<private>".to_owned()),
            ("rtb-1".to_owned(), "<public>".to_owned()),
        ];
        assert_eq!(
            named("route rtb-12 beside rtb-1", &names),
            "route <private> beside <public>"
        );
    }
}
