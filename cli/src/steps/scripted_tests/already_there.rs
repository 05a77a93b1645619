//! What is there already when it is made: what comes with a default VPC.

use super::network::{fault, tables, with_vpc};
use super::*;

/// Somebody else's `CreateDefaultVpc` was faster: there is one at most.
#[tokio::test(start_paused = true)]
async fn a_default_vpc_that_came_up_in_the_create_is_used() {
    let vpc = "<DescribeVpcsResponse><vpcSet><item><vpcId>vpc-1</vpcId><state>available</state>\
               <cidrBlock>172.31.0.0/16</cidrBlock><isDefault>true</isDefault></item></vpcSet>\
               </DescribeVpcsResponse>";
    let script = Script::default()
        .answer("CreateDefaultVpc", 400, &fault("DefaultVpcAlreadyExists"))
        .always("DescribeVpcs", 200, vpc);
    let stack = script.stack();
    ensure(&stack, "vpc", Observed::Absent).await.unwrap();
    assert_eq!(script.left(), 0);
    assert_eq!(stack.found.vpc.get().unwrap().id, "vpc-1");
}

/// The same for the default subnet of a zone.
#[tokio::test(start_paused = true)]
async fn a_default_subnet_that_came_up_in_the_create_is_used() {
    let subnets = |numbers: &[u8]| {
        let subnet = |number: &u8| {
            format!(
                "<item><subnetId>subnet-{number}</subnetId><defaultForAz>true</defaultForAz>\
                 <availabilityZoneId>euw1-az{number}</availabilityZoneId></item>"
            )
        };
        let items: String = numbers.iter().map(subnet).collect();
        format!("<DescribeSubnetsResponse><subnetSet>{items}</subnetSet></DescribeSubnetsResponse>")
    };
    let zone = |number: u8| {
        format!(
            "<item><zoneId>euw1-az{number}</zoneId><zoneState>available</zoneState>\
             <zoneName>eu-west-1-{number}</zoneName></item>"
        )
    };
    let zones: String = (1..=3).map(zone).collect();
    let zones = format!(
        "<DescribeAvailabilityZonesResponse><availabilityZoneInfo>{zones}</availabilityZoneInfo>\
         </DescribeAvailabilityZonesResponse>"
    );
    let create = "CreateDefaultSubnet";
    let exists = fault("DefaultSubnetAlreadyExistsInAvailabilityZone");
    let script = Script::default()
        .answer("DescribeSubnets", 200, &subnets(&[1, 2]))
        // Not listed at once.
        .answer("DescribeSubnets", 200, &subnets(&[1, 2]))
        .always("DescribeSubnets", 200, &subnets(&[1, 2, 3]))
        .always("DescribeAvailabilityZones", 200, &zones)
        .always("DescribeRouteTables", 200, &tables(&[]))
        .always(create, 400, &exists);
    let stack = with_vpc(&script);
    ensure(&stack, "subnet:private-2", Observed::Absent)
        .await
        .unwrap();
    assert_eq!(script.left(), 0);
    let request = script.bodies(create).concat();
    assert!(
        request.contains("AvailabilityZone=eu-west-1-3"),
        "{request}"
    );
    assert_eq!(stack.found.private_subnets.get(1).unwrap().id, "subnet-3");
}
