//! How a NAT gateway is asked for, and those that fail for what passes.

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

/// The address, held by an association or by none.
fn address(association: &str) -> String {
    let held = format!("<associationId>{association}</associationId>");
    let held = if association.is_empty() { "" } else { &held };
    format!(
        "<DescribeAddressesResponse><addressesSet><item><allocationId>eipalloc-1</allocationId>\
         {held}</item></addressesSet></DescribeAddressesResponse>"
    )
}

/// A first one that fails with `code`, and what EC2 shows of a second one from then on.
fn failing(code: &str, second: (&str, &str, &str)) -> Script {
    let failed = ("nat-1", "failed", code);
    let script = Script::default()
        .answer(CREATE, 200, &created("nat-1"))
        .answer(CREATE, 200, &created("nat-2"))
        .answer(DELETE, 200, "<DeleteNatGatewayResponse/>")
        // EC2 lets go of the address some time after that.
        .answer("DescribeAddresses", 200, &address("eipassoc-1"))
        .answer("DescribeAddresses", 200, &address("eipassoc-1"))
        .answer("DescribeAddresses", 200, &address(""))
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
        "Resource.AlreadyAssociated",
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

/// The parts of a request in EC2's protocol.
fn parts(request: &str) -> Vec<&str> {
    request.split('&').collect()
}

/// Without an address it would be private, without a zone EC2 may spread it over the region; and
/// the token, the same in every run, is what keeps a killed `up` from paying for two.
#[tokio::test(start_paused = true)]
async fn a_nat_gateway_is_asked_for_in_public_in_one_zone_and_with_a_token_that_lasts() {
    let mut tokens = Vec::new();
    for _ in 0..2 {
        let script = Script::default()
            .answer(CREATE, 200, &created("nat-1"))
            .answer(LOOK, 200, &answered(&[]))
            .answer(LOOK, 200, &answered(&[]))
            .always(LOOK, 200, &answered(&[("nat-1", "available", "")]));
        let outcome = ensure(&with_vpc(&script), KEY, Observed::Absent).await;
        outcome.unwrap();
        let request = script.bodies(CREATE).pop().unwrap();
        let parts = parts(&request);
        for part in [
            "AllocationId=eipalloc-1",
            "SubnetId=subnet-a",
            "ConnectivityType=public",
            "AvailabilityMode=zonal",
            "TagSpecification.1.ResourceType=natgateway",
        ] {
            assert!(parts.contains(&part), "{part}: {request}");
        }
        let mut parts = parts.iter();
        let token = parts.find_map(|part| part.strip_prefix("ClientToken="));
        tokens.push(token.unwrap().to_owned());
    }
    // EC2 takes sixty-four characters at most.
    assert_eq!(tokens[0].len(), 64);
    assert_eq!(tokens[0], tokens[1]);
}

/// EC2 goes on listing one that it has deleted for about an hour.
#[tokio::test(start_paused = true)]
async fn a_nat_gateway_is_gone_when_it_is_deleted_and_not_before() {
    let in_state = |state| answered(&[("nat-0", "deleted", ""), ("nat-1", state, "")]);
    let script = Script::default()
        .answer(LOOK, 200, &in_state("available"))
        .answer(DELETE, 200, "<DeleteNatGatewayResponse/>")
        .answer(LOOK, 200, &in_state("available"))
        .answer(LOOK, 200, &in_state("deleting"))
        .answer(LOOK, 200, &in_state("deleting"))
        .answer(LOOK, 200, &in_state("deleted"));
    let stack = with_vpc(&script);
    stack.found.nat_gateway.set("nat-1".to_owned());
    let nat = resource(&stack, KEY);
    nat.remove(&unwatched()).await.unwrap();
    assert_eq!((script.left(), script.times(DELETE)), (0, 1));
    let deleted = script.bodies(DELETE).concat();
    assert!(deleted.contains("NatGatewayId=nat-1"), "{deleted}");
    assert!(stack.found.nat_gateway.get().is_none());
}
