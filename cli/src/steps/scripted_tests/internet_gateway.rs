//! Internet gateways at EC2's own pace.

use super::dedicated::dedicated;
use super::network::{fault, tag_set, with_vpc};
use super::*;

const KEY: &str = "internet-gateway";
const LOOK: &str = "DescribeInternetGateways";
const DELETE: &str = "DeleteInternetGateway";

fn gateways(ids: &[&str]) -> String {
    let tags = tag_set(KEY);
    let item = |id: &&str| {
        format!(
            "<item><internetGatewayId>{id}</internetGatewayId><attachmentSet><item>\
             <vpcId>vpc-1</vpcId><state>available</state></item></attachmentSet>{tags}</item>"
        )
    };
    let items: String = ids.iter().map(item).collect();
    format!(
        "<DescribeInternetGatewaysResponse><internetGatewaySet>{items}</internetGatewaySet>\
         </DescribeInternetGatewaysResponse>"
    )
}

const DETACH: &str = "DetachInternetGateway";

/// The gateway is listed, detached once EC2 answers `refusals` no longer, and deleted.
async fn detached_after(refusals: &[&str], then: (u16, &str)) {
    let script = Script::default()
        .answer(LOOK, 200, &gateways(&["igw-1"]))
        .always(LOOK, 200, &gateways(&[]))
        .answer(DELETE, 200, "<DeleteInternetGatewayResponse/>");
    let script = refusals.iter().fold(script, |script, code| {
        script.answer(DETACH, 400, &fault(code))
    });
    let script = script.answer(DETACH, then.0, then.1);
    let stack = with_vpc(&script);
    let gateway = resource(&stack, KEY);
    gateway.remove(&unwatched()).await.unwrap();
    assert_eq!(script.left(), 0);
    let request = script.bodies(DETACH).pop().unwrap();
    assert!(request.contains("InternetGatewayId=igw-1"), "{request}");
    assert!(request.contains("VpcId=vpc-1"), "{request}");
}

/// "has some mapped public address(es)", for as long as EC2 maps those of a NAT gateway that was
/// deleted a moment ago.
#[tokio::test(start_paused = true)]
async fn a_gateway_with_mapped_addresses_is_detached_later() {
    let refusals = ["DependencyViolation"; 3];
    detached_after(&refusals, (200, "<DetachInternetGatewayResponse/>")).await;
}

/// By a run that was killed, or by somebody.
#[tokio::test(start_paused = true)]
async fn a_gateway_that_is_detached_already_is_deleted_all_the_same() {
    detached_after(&[], (400, &fault("Gateway.NotAttached"))).await;
}

#[tokio::test(start_paused = true)]
async fn a_gateway_that_was_detached_a_moment_ago_is_deleted_later() {
    let script = Script::default()
        .answer(LOOK, 200, &gateways(&["igw-1"]))
        .always(LOOK, 200, &gateways(&[]))
        .answer(DETACH, 200, "<DetachInternetGatewayResponse/>")
        .always(DETACH, 400, &fault("Gateway.NotAttached"))
        .answer(DELETE, 400, &fault("DependencyViolation"))
        .answer(DELETE, 400, &fault("DependencyViolation"))
        .answer(DELETE, 200, "<DeleteInternetGatewayResponse/>");
    let stack = with_vpc(&script);
    let gateway = resource(&stack, KEY);
    gateway.remove(&unwatched()).await.unwrap();
    assert_eq!(script.left(), 0);
}

/// In a VPC of the stack's own nobody else attaches one; without its tags it would stay for good.
#[tokio::test(start_paused = true)]
async fn a_gateway_of_a_dedicated_vpc_is_ours_without_its_tags() {
    let untagged = gateways(&["igw-1"]).replace(&tag_set(KEY), "");
    let theirs = tag_set(KEY).replace(">place<", ">another<");
    let theirs = gateways(&["igw-1"]).replace(&tag_set(KEY), &theirs);
    let script = Script::default().always(LOOK, 200, &untagged);
    let script = script.answer("CreateTags", 200, "<CreateTagsResponse/>");
    let stack = dedicated(&script);
    let observed = resource(&stack, KEY).observe().await.unwrap();
    assert!(matches!(observed, Observed::Drifted { .. }), "{observed:?}");
    ensure(&stack, KEY, observed).await.unwrap();
    assert_eq!(script.left(), 0);
    for (script, stack) in [
        (theirs, dedicated as fn(&Script) -> Arc<Stack>),
        (untagged, with_vpc),
    ] {
        let stack = stack(&Script::default().always(LOOK, 200, &script));
        let gateway = resource(&stack, KEY);
        let observed = gateway.observe().await.unwrap();
        assert!(matches!(observed, Observed::Ready { .. }), "{observed:?}");
        assert!(!gateway.owned());
    }
}
