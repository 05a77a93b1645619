//! Who else lives in a subnet: re-routing it would cut their connections from outside.

use aws_sdk_ec2::types::NetworkInterface;

use super::super::Stack;
use super::look;
use crate::aws::AwsError;

/// What tells the stack's own network interfaces from others.
#[derive(Debug, Default)]
struct Marks {
    /// Security groups of the functions and of the cache.
    groups: Vec<String>,
    /// Network interfaces of the NAT gateway.
    interfaces: Vec<String>,
    /// The NAT gateway, which EC2 names in the text that it describes its interface with
    /// ("Interface for NAT Gateway nat-1"), and the allocation of its address.
    names: Vec<String>,
}

/// Network interfaces in `subnet` that are not this stack's, described for an operator.
pub(super) async fn strangers(
    stack: &Stack,
    vpc: &str,
    subnet: &str,
) -> Result<Vec<String>, AwsError> {
    let interfaces = look::interfaces(stack, "subnet-id", subnet).await?;
    if interfaces.is_empty() {
        return Ok(Vec::new());
    }
    let marks = Marks::of(stack, vpc).await?;
    let strange = |interface: &&NetworkInterface| !marks.fit(interface);
    Ok(interfaces.iter().filter(strange).map(describe).collect())
}

impl Marks {
    async fn of(stack: &Stack, vpc: &str) -> Result<Self, AwsError> {
        let mut marks = Self::default();
        for group in look::security_groups(stack, vpc).await? {
            if look::is_own_group(stack, &group) {
                marks.groups.extend(group.group_id);
            }
        }
        for nat in look::nat_gateways(stack).await? {
            marks.names.extend(nat.nat_gateway_id);
            for address in nat.nat_gateway_addresses.unwrap_or_default() {
                marks.interfaces.extend(address.network_interface_id);
                marks.names.extend(address.allocation_id);
            }
        }
        Ok(marks)
    }

    fn fit(&self, interface: &NetworkInterface) -> bool {
        let mut groups = interface
            .groups()
            .iter()
            .filter_map(|group| group.group_id.as_ref());
        let id = interface.network_interface_id.as_ref();
        let association = interface.association.as_ref();
        let allocation = association.and_then(|association| association.allocation_id.as_ref());
        let description = interface.description().unwrap_or_default();
        groups.any(|group| self.groups.contains(group))
            || id.is_some_and(|id| self.interfaces.contains(id))
            || allocation.is_some_and(|allocation| self.names.contains(allocation))
            || self
                .names
                .iter()
                .any(|nat| description.ends_with(&format!(" {nat}")))
    }
}

fn describe(interface: &NetworkInterface) -> String {
    let id = interface.network_interface_id().unwrap_or_default();
    let address = interface
        .association()
        .and_then(|association| association.public_ip());
    let public = address
        .map(|ip| format!(", public address {ip}"))
        .unwrap_or_default();
    match interface.description().filter(|text| !text.is_empty()) {
        Some(text) => format!("`{id}` ({text}{public})"),
        None => format!("`{id}`{public}"),
    }
}

#[cfg(test)]
mod tests {
    use aws_sdk_ec2::types::{GroupIdentifier, NetworkInterfaceAssociation};

    use super::*;

    fn marks() -> Marks {
        Marks {
            groups: vec!["sg-1".to_owned()],
            interfaces: vec!["eni-1".to_owned()],
            names: vec!["nat-1".to_owned(), "eipalloc-1".to_owned()],
        }
    }

    fn interface() -> aws_sdk_ec2::types::builders::NetworkInterfaceBuilder {
        NetworkInterface::builder().network_interface_id("eni-2")
    }

    #[test]
    fn our_nat_gateway_is_no_stranger_and_anothers_is() {
        let of = |nat: &str| format!("Interface for NAT Gateway {nat}");
        assert!(marks().fit(&interface().description(of("nat-1")).build()));
        assert!(!marks().fit(&interface().description(of("nat-11")).build()));
        assert!(marks().fit(&interface().network_interface_id("eni-1").build()));
        let association = NetworkInterfaceAssociation::builder().allocation_id("eipalloc-1");
        assert!(marks().fit(&interface().association(association.build()).build()));
        assert!(!marks().fit(&interface().build()));
    }

    #[test]
    fn our_functions_are_no_strangers() {
        let group = |id: &str| GroupIdentifier::builder().group_id(id).build();
        assert!(marks().fit(&interface().groups(group("sg-1")).build()));
        assert!(!marks().fit(&interface().groups(group("sg-2")).build()));
    }

    #[test]
    fn a_public_address_is_said() {
        let association = NetworkInterfaceAssociation::builder()
            .public_ip("192.0.2.1")
            .build();
        let interface = NetworkInterface::builder()
            .network_interface_id("eni-1")
            .description("web server")
            .association(association)
            .build();
        assert_eq!(
            describe(&interface),
            "`eni-1` (web server, public address 192.0.2.1)"
        );
    }
}
