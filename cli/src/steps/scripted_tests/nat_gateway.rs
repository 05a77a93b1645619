//! NAT gateways that fail for what passes.

use super::network::{tag_set, with_vpc};
use super::*;

const KEY: &str = "nat-gateway";
const LOOK: &str = "DescribeNatGateways";
const CREATE: &str = "CreateNatGateway";
const DELETE: &str = "DeleteNatGateway";

fn answered(gateways: &[(&str, &str, &str)]) -> String {
    let tags = tag_set(KEY);
    let item = |(id, state, code): &(&str, &str, &str)| {
        format!(
            "<item><natGatewayId>{id}</natGatewayId><state>{state}</state>\
             <subnetId>subnet-a</subnetId><failureCode>{code}</failureCode>\
             <failureMessage>m</failureMessage>{tags}</item>"
        )
    };
    let items: String = gateways.iter().map(item).collect();
    format!(
        "<DescribeNatGatewaysResponse><natGatewaySet>{items}</natGatewaySet>\
         </DescribeNatGatewaysResponse>"
    )
}

fn created(id: &str) -> String {
    format!(
        "<CreateNatGatewayResponse><natGateway><natGatewayId>{id}</natGatewayId>\
         <state>pending</state></natGateway></CreateNatGatewayResponse>"
    )
}

/// A first one that fails with `code`, and what EC2 shows of a second one from then on.
fn failing(code: &str, second: (&str, &str, &str)) -> Script {
    let failed = ("nat-1", "failed", code);
    let script = Script::default()
        .answer(CREATE, 200, &created("nat-1"))
        .answer(CREATE, 200, &created("nat-2"))
        .answer(DELETE, 200, "<DeleteNatGatewayResponse/>")
        // Before the create, for its token.
        .answer(LOOK, 200, &answered(&[]))
        .answer(LOOK, 200, &answered(&[]))
        // Until it is listed and settled, when it is deleted, and for the second one's token.
        .answer(LOOK, 200, &answered(&[("nat-1", "pending", "")]));
    let script = (0..3).fold(script, |script, _| {
        script.answer(LOOK, 200, &answered(&[failed]))
    });
    script.always(LOOK, 200, &answered(&[failed, second]))
}

#[tokio::test(start_paused = true)]
async fn a_nat_gateway_that_fails_for_what_passes_is_made_once_more() {
    for code in [
        "InternalError",
        "InvalidAllocationID.NotFound",
        "InvalidSubnetID.NotFound",
        "Gateway.NotAttached",
    ] {
        let script = failing(code, ("nat-2", "available", ""));
        let stack = with_vpc(&script);
        ensure(&stack, KEY, Observed::Absent).await.unwrap();
        assert_eq!(script.left(), 0, "{code}");
        assert_eq!(stack.found.nat_gateway.get().as_deref(), Some("nat-2"));
        let deleted = script.bodies(DELETE).concat();
        assert!(deleted.contains("NatGatewayId=nat-1"), "{deleted}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_nat_gateway_that_fails_twice_is_told() {
    let script = failing("InternalError", ("nat-2", "failed", "Gateway.NotAttached"));
    let failure = ensure(&with_vpc(&script), KEY, Observed::Absent)
        .await
        .unwrap_err();
    let cause = failure.cause.unwrap().to_string();
    assert!(cause.contains("`nat-2` failed with Gateway"), "{cause}");
    assert_eq!((script.times(CREATE), script.times(DELETE)), (2, 1));
}

#[tokio::test(start_paused = true)]
async fn a_nat_gateway_that_fails_for_good_is_not_made_again() {
    let code = "InsufficientFreeAddressesInSubnet";
    let script = failing(code, ("nat-2", "available", ""));
    let outcome = ensure(&with_vpc(&script), KEY, Observed::Absent).await;
    outcome.unwrap_err();
    assert_eq!((script.times(CREATE), script.times(DELETE)), (1, 0));
}
