//! Security groups, and the rule between them, that EC2 takes for used or for there already.

use super::network::{fault, tag_set, with_vpc};
use super::*;

const KEY: &str = "security-group:cache";
const LOOK: &str = "DescribeSecurityGroups";
const AUTHORIZE: &str = "AuthorizeSecurityGroupIngress";
const REVOKE: &str = "RevokeSecurityGroupIngress";

/// The cache's group, as EC2 lists it with `rules`.
fn listed(stack: &Stack, rules: &str) -> String {
    let name = stack.names.cache_security_group();
    let tags = tag_set(KEY);
    format!(
        "<DescribeSecurityGroupsResponse><securityGroupInfo><item><groupId>sg-2</groupId>\
         <groupName>{name}</groupName><vpcId>vpc-1</vpcId><ipPermissions>{rules}</ipPermissions>\
         {tags}</item></securityGroupInfo></DescribeSecurityGroupsResponse>"
    )
}

/// Neither group may be known everywhere yet, and the rule may be there from a call whose answer
/// got lost.
#[tokio::test(start_paused = true)]
async fn a_rule_waits_for_its_groups_and_is_glad_to_exist_already() {
    let script = Script::default()
        .answer(AUTHORIZE, 400, &fault("InvalidGroup.NotFound"))
        .answer(AUTHORIZE, 400, &fault("InvalidGroup.NotFound"))
        .answer(AUTHORIZE, 400, &fault("InvalidPermission.Duplicate"));
    let stack = with_vpc(&script);
    stack.found.cache_group.set("sg-2".to_owned());
    stack.found.function_group.set("sg-1".to_owned());
    ensure(&stack, "security-group-rule:cache", Observed::Absent)
        .await
        .unwrap();
    assert_eq!(script.left(), 0);
    let request = script.bodies(AUTHORIZE).pop().unwrap();
    // Reads from replicas of a serverless cache come in on the port beside.
    for part in [
        "GroupId=sg-2",
        "IpPermissions.1.FromPort=6379",
        "IpPermissions.1.ToPort=6380",
        "IpPermissions.1.Groups.1.GroupId=sg-1",
    ] {
        assert!(request.contains(part), "{part}: {request}");
    }
}

/// What lets others in goes in the same run that lets the functions in.
#[tokio::test(start_paused = true)]
async fn a_group_that_lets_only_others_in_is_put_right_at_once() {
    let rule = |from: &str| {
        format!(
            "<item><ipProtocol>tcp</ipProtocol><fromPort>6379</fromPort><toPort>6380</toPort>\
             {from}</item>"
        )
    };
    let everybody = rule("<ipRanges><item><cidrIp>0.0.0.0/0</cidrIp></item></ipRanges>");
    let ours = rule("<groups><item><groupId>sg-1</groupId></item></groups>");
    let script = Script::default();
    let stack = with_vpc(&script);
    let script = script
        // The survey, and the look of `ensure`.
        .answer(LOOK, 200, &listed(&stack, &everybody))
        .answer(LOOK, 200, &listed(&stack, &everybody))
        .answer(AUTHORIZE, 200, "<AuthorizeSecurityGroupIngressResponse/>")
        .answer(REVOKE, 200, "<RevokeSecurityGroupIngressResponse/>")
        .answer(LOOK, 200, &listed(&stack, &ours));
    stack.found.cache_group.set("sg-2".to_owned());
    stack.found.function_group.set("sg-1".to_owned());
    let rule = resource(&stack, "security-group-rule:cache");
    let observed = rule.observe().await.unwrap();
    assert!(matches!(observed, Observed::Drifted { .. }), "{observed:?}");
    rule.ensure(&observed, &unwatched()).await.unwrap();
    let request = script.bodies(REVOKE).pop().unwrap();
    assert!(request.contains("CidrIp=0.0.0.0%2F0"), "{request}");
    assert!(!request.contains("sg-1"), "{request}");
    let second = rule.observe().await.unwrap();
    assert!(matches!(second, Observed::Ready { .. }), "{second:?}");
}
