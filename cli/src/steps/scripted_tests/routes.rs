//! Default routes that are there before they are made, or lead nowhere.

use super::network::{fault, tables, tag_set, with_vpc};
use super::*;

const KEY: &str = "route:private";
const LOOK: &str = "DescribeRouteTables";
const CREATE: &str = "CreateRoute";
const REPLACE: &str = "ReplaceRoute";

/// The stack's private table, with a default route in `state` to the NAT gateway `to`, or none.
fn answered(route: Option<(&str, &str)>) -> String {
    let route = route.map_or_else(String::new, |(to, state)| {
        format!(
            "<item><destinationCidrBlock>0.0.0.0/0</destinationCidrBlock>\
             <natGatewayId>{to}</natGatewayId><state>{state}</state></item>"
        )
    });
    let tags = tag_set("route-table:private");
    tables(&[format!(
        "<item><routeTableId>rtb-1</routeTableId><vpcId>vpc-1</vpcId>\
         <routeSet>{route}</routeSet>{tags}</item>"
    )])
}

fn with_table(script: &Script) -> Arc<Stack> {
    let stack = with_vpc(script);
    stack.found.private_table.set("rtb-1".to_owned());
    stack.found.nat_gateway.set("nat-2".to_owned());
    stack
}

/// Fails unless the one replacement leads everywhere through the stack's NAT gateway.
fn was_replaced(script: &Script) {
    let requests = script.bodies(REPLACE);
    assert_eq!(requests.len(), 1);
    for part in [
        "RouteTableId=rtb-1",
        "NatGatewayId=nat-2",
        "DestinationCidrBlock=0.0.0.0%2F0",
    ] {
        assert!(requests[0].contains(part), "{part}: {requests:?}");
    }
}

/// EC2 may list a table without the route that a killed run put into it.
#[tokio::test(start_paused = true)]
async fn a_route_that_exists_already_is_replaced() {
    let script = Script::default()
        .always(LOOK, 200, &answered(None))
        .answer(CREATE, 400, &fault("RouteAlreadyExists"))
        .answer(REPLACE, 200, "<ReplaceRouteResponse/>");
    let stack = with_table(&script);
    ensure(&stack, KEY, Observed::Absent).await.unwrap();
    assert_eq!(script.left(), 0);
    was_replaced(&script);
}

/// EC2 keeps the route to a NAT gateway that was deleted, as a black hole.
#[tokio::test(start_paused = true)]
async fn a_black_hole_is_said_and_led_to_the_new_nat_gateway() {
    let script = Script::default()
        .answer(LOOK, 200, &answered(Some(("nat-1", "blackhole"))))
        .answer(LOOK, 200, &answered(Some(("nat-1", "blackhole"))))
        .always(LOOK, 200, &answered(Some(("nat-2", "active"))))
        .answer(REPLACE, 200, "<ReplaceRouteResponse/>");
    let stack = with_table(&script);
    let observed = resource(&stack, KEY).observe().await.unwrap();
    let detail = observed.detail().unwrap();
    assert!(detail.contains("blackhole"), "{detail}");
    ensure(&stack, KEY, observed).await.unwrap();
    assert_eq!((script.left(), script.times(CREATE)), (0, 0));
    was_replaced(&script);
    let second = resource(&stack, KEY).observe().await.unwrap();
    assert!(matches!(second, Observed::Ready { .. }), "{second:?}");
}
