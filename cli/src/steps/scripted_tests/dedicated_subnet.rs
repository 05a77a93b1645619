//! Subnets of a VPC of the stack's own.

use super::dedicated::dedicated;
use super::network::{fault, tag_set};
use super::*;

const KEY: &str = "subnet:public";
const LOOK: &str = "DescribeSubnets";
const CREATE: &str = "CreateSubnet";
const BLOCK: &str = "172.31.0.0/18";

/// A subnet with a block and a tag set.
fn subnets(block: &str, tags: &str) -> String {
    format!(
        "<DescribeSubnetsResponse><subnetSet><item><subnetId>subnet-1</subnetId>\
         <availabilityZoneId>euw1-az1</availabilityZoneId><cidrBlock>{block}</cidrBlock>{tags}\
         </item></subnetSet></DescribeSubnetsResponse>"
    )
}

const NONE: &str = "<DescribeSubnetsResponse><subnetSet/></DescribeSubnetsResponse>";

fn with_zones(script: Script) -> Script {
    let zone = |number| {
        format!(
            "<item><zoneId>euw1-az{number}</zoneId><zoneState>available</zoneState>\
             <zoneName>eu-west-1{number}</zoneName></item>"
        )
    };
    let zones: String = (1..=3).map(zone).collect();
    let zones = format!(
        "<DescribeAvailabilityZonesResponse><availabilityZoneInfo>{zones}</availabilityZoneInfo>\
         </DescribeAvailabilityZonesResponse>"
    );
    script.always("DescribeAvailabilityZones", 200, &zones)
}

#[tokio::test(start_paused = true)]
async fn a_subnet_without_its_tags_is_known_by_its_block_and_tagged_again() {
    let script = Script::default()
        .always(LOOK, 200, &subnets(BLOCK, ""))
        .answer("CreateTags", 200, "<CreateTagsResponse/>");
    let stack = dedicated(&script);
    let observed = resource(&stack, KEY).observe().await.unwrap();
    let Observed::Drifted { id, differences } = &observed else {
        panic!("{observed:?}");
    };
    assert_eq!((id.as_str(), differences.len()), ("subnet-1", 2));
    ensure(&stack, KEY, observed).await.unwrap();
    assert_eq!(script.times("CreateTags"), 1);
    assert_eq!(script.times(CREATE), 0);
}

#[tokio::test(start_paused = true)]
async fn a_subnet_of_another_block_or_stack_is_not_taken_for_ours() {
    let theirs = tag_set(KEY).replace(">place<", ">another<");
    let others = [
        subnets("172.31.64.0/18", ""),
        subnets(BLOCK, &theirs),
        NONE.to_owned(),
    ];
    for other in others {
        let script = with_zones(Script::default().always(LOOK, 200, &other));
        let observed = resource(&dedicated(&script), KEY).observe().await.unwrap();
        assert_eq!(observed, Observed::Absent, "{other}");
    }
}

/// `CreateSubnet` takes no token: the second attempt after a lost answer meets the first one's.
#[tokio::test(start_paused = true)]
async fn a_subnet_whose_answer_got_lost_is_waited_for_until_it_is_visible() {
    let script = with_zones(Script::default())
        .answer(LOOK, 200, NONE)
        .answer(CREATE, 0, "")
        .always(CREATE, 400, &fault("InvalidSubnet.Conflict"))
        .answer(LOOK, 200, NONE)
        .answer(LOOK, 200, NONE)
        .always(LOOK, 200, &subnets(BLOCK, &tag_set(KEY)));
    let stack = dedicated(&script);
    ensure(&stack, KEY, Observed::Absent).await.unwrap();
    assert!(script.times(CREATE) > 1);
    assert_eq!(stack.found.public_subnet.get().unwrap().id, "subnet-1");
}

#[tokio::test(start_paused = true)]
async fn what_is_in_the_way_of_a_subnet_is_told_in_aws_s_words() {
    let script = with_zones(Script::default())
        .always(LOOK, 200, &subnets("172.31.0.0/20", ""))
        .always(CREATE, 400, &fault("InvalidSubnet.Conflict"));
    let failure = ensure(&dedicated(&script), KEY, Observed::Absent).await;
    let failure = failure.unwrap_err();
    assert_eq!(failure.kind, FailureKind::Incomplete);
    let cause = failure.cause.unwrap().to_string();
    assert!(cause.contains("InvalidSubnet.Conflict"), "{cause}");
}
