//! Internet gateways at EC2's own pace.

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

fn detached() -> Script {
    Script::default()
        .answer(LOOK, 200, &gateways(&["igw-1"]))
        .always(LOOK, 200, &gateways(&[]))
        .answer(
            "DetachInternetGateway",
            200,
            "<DetachInternetGatewayResponse/>",
        )
}

#[tokio::test(start_paused = true)]
async fn a_gateway_that_was_detached_a_moment_ago_is_deleted_later() {
    let script = detached()
        .answer(DELETE, 400, &fault("DependencyViolation"))
        .answer(DELETE, 400, &fault("DependencyViolation"))
        .answer(DELETE, 200, "<DeleteInternetGatewayResponse/>");
    let stack = with_vpc(&script);
    let gateway = resource(&stack, KEY);
    gateway.remove(&unwatched()).await.unwrap();
    assert_eq!(script.left(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_gateway_that_is_never_free_is_not_waited_for_for_ever() {
    let script = detached().always(DELETE, 400, &fault("DependencyViolation"));
    let stack = with_vpc(&script);
    let gateway = resource(&stack, KEY);
    let failure = gateway.remove(&unwatched()).await.unwrap_err();
    assert_eq!(failure.kind, FailureKind::Incomplete);
}
