//! The network interfaces of the functions, and the security group that they hold.

use super::network::{fault, tag_set, with_vpc};
use super::*;
use crate::engine::Left;

const GROUP: &str = "security-group:functions";

fn group(tags: &str) -> String {
    format!(
        "<DescribeSecurityGroupsResponse><securityGroupInfo><item><groupId>sg-1</groupId>\
         <groupName>place-functions</groupName><vpcId>vpc-1</vpcId>{tags}</item>\
         </securityGroupInfo></DescribeSecurityGroupsResponse>"
    )
}

#[tokio::test(start_paused = true)]
async fn a_group_of_somebody_elses_is_nothing_to_build_on_or_to_empty() {
    let script = Script::default().always("DescribeSecurityGroups", 200, &group(""));
    let stack = with_vpc(&script);
    stack.found.function_group.set("sg-1".to_owned());
    let observed = resource(&stack, GROUP).observe().await.unwrap();
    assert!(matches!(observed, Observed::Foreign { .. }), "{observed:?}");
    let interfaces = resource(&stack, "function-network-interfaces");
    assert_eq!(interfaces.observe().await.unwrap(), Observed::Absent);
    interfaces.remove(&unwatched()).await.unwrap();
    assert_eq!(script.times("DescribeNetworkInterfaces"), 0);
}

fn interface(status: &str) -> String {
    format!(
        "<DescribeNetworkInterfacesResponse><networkInterfaceSet><item>\
         <networkInterfaceId>eni-1</networkInterfaceId><status>{status}</status>\
         <description>AWS Lambda VPC ENI-save-1</description>\
         <groupSet><item><groupId>sg-1</groupId></item></groupSet></item></networkInterfaceSet>\
         </DescribeNetworkInterfacesResponse>"
    )
}

const NO_INTERFACE: &str = "<DescribeNetworkInterfacesResponse><networkInterfaceSet/>\
                            </DescribeNetworkInterfacesResponse>";

#[tokio::test(start_paused = true)]
async fn interfaces_that_lambda_detached_are_reaped_and_the_others_waited_for() {
    let script = Script::default()
        .answer("DescribeNetworkInterfaces", 200, &interface("in-use"))
        .answer("DescribeNetworkInterfaces", 200, &interface("available"))
        .answer(
            "DeleteNetworkInterface",
            400,
            &fault("InvalidNetworkInterface.InUse"),
        )
        .answer("DescribeNetworkInterfaces", 200, &interface("available"))
        .answer(
            "DeleteNetworkInterface",
            200,
            "<DeleteNetworkInterfaceResponse/>",
        )
        .always("DescribeNetworkInterfaces", 200, NO_INTERFACE);
    let stack = with_vpc(&script);
    stack.found.function_group.set("sg-1".to_owned());
    let interfaces = resource(&stack, "function-network-interfaces");
    interfaces.remove(&unwatched()).await.unwrap();
    assert_eq!(script.left(), 0);
}

#[tokio::test(start_paused = true)]
async fn interfaces_that_linger_for_most_of_an_hour_end_in_incomplete_and_are_named() {
    let began = tokio::time::Instant::now();
    let script = Script::default().always("DescribeNetworkInterfaces", 200, &interface("in-use"));
    let stack = with_vpc(&script);
    stack.found.function_group.set("sg-1".to_owned());
    let interfaces = resource(&stack, "function-network-interfaces");
    let failure = interfaces.remove(&unwatched()).await.unwrap_err();
    assert_eq!(
        (failure.kind, failure.left),
        (FailureKind::Incomplete, Left::Ours)
    );
    let cause = failure.cause.unwrap().to_string();
    assert!(
        cause.contains("`eni-1` (AWS Lambda VPC ENI-save-1), in-use"),
        "{cause}"
    );
    assert!(began.elapsed().as_secs() > 45 * 60);
}

#[tokio::test(start_paused = true)]
async fn a_group_in_use_names_what_uses_it() {
    let script = Script::default()
        .always("DescribeSecurityGroups", 200, &group(&tag_set(GROUP)))
        .always("DeleteSecurityGroup", 400, &fault("DependencyViolation"))
        .always("DescribeNetworkInterfaces", 200, &interface("in-use"));
    let failure = resource(&with_vpc(&script), GROUP)
        .remove(&unwatched())
        .await
        .unwrap_err();
    assert_eq!(failure.kind, FailureKind::Incomplete);
    let cause = failure.cause.unwrap().to_string();
    assert!(cause.contains("`eni-1`"), "{cause}");
}
