//! Regions with fewer availability zones than a stack needs.

use place_config::stack::VpcMode;

use super::network::{tables, with_vpc};
use super::*;

/// The default subnets of a region with so many zones, and the zones.
fn zones(script: Script, count: usize) -> Script {
    let subnet = |number| {
        format!(
            "<item><subnetId>subnet-{number}</subnetId><defaultForAz>true</defaultForAz>\
             <availabilityZoneId>usw1-az{number}</availabilityZoneId></item>"
        )
    };
    let subnets: String = (1..=count).map(subnet).collect();
    let subnets = format!(
        "<DescribeSubnetsResponse><subnetSet>{subnets}</subnetSet></DescribeSubnetsResponse>"
    );
    let zone = |number| {
        format!(
            "<item><zoneId>usw1-az{number}</zoneId><zoneState>available</zoneState>\
             <zoneName>us-west-1{number}</zoneName></item>"
        )
    };
    let zones: String = (1..=count).map(zone).collect();
    let zones = format!(
        "<DescribeAvailabilityZonesResponse><availabilityZoneInfo>{zones}</availabilityZoneInfo>\
         </DescribeAvailabilityZonesResponse>"
    );
    let script = script.always("DescribeSubnets", 200, &subnets);
    let script = script.always("DescribeAvailabilityZones", 200, &zones);
    script.always("DescribeRouteTables", 200, &tables(&[]))
}

#[tokio::test(start_paused = true)]
async fn the_third_subnet_has_no_place_in_a_region_with_two_zones() {
    let stack = with_vpc(&zones(Script::default(), 2));
    for key in ["subnet:public", "subnet:private-1"] {
        let observed = resource(&stack, key).observe().await.unwrap();
        assert!(matches!(observed, Observed::Ready { .. }), "{observed:?}");
    }
    let third = resource(&stack, "subnet:private-2").observe().await;
    let Observed::Impossible { reason, remedy } = third.unwrap() else {
        panic!("there is no third zone");
    };
    assert!(reason.contains("usw1-az1, usw1-az2"), "{reason}");
    assert!(remedy.contains("--region"), "{remedy}");
    // A VPC of the stack's own, which is still to be made, has no more zones.
    let script = zones(Script::default(), 2);
    let mut config = StackConfig::default();
    config.vpc.mode = VpcMode::Dedicated;
    let stack = script.stack_of(config, Options::default());
    let third = resource(&stack, "subnet:private-2")
        .observe()
        .await
        .unwrap();
    assert!(matches!(third, Observed::Impossible { .. }), "{third:?}");
}
