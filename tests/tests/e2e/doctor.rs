//! What would stop `up`, said before it is tried.

use place_config::StackConfig;
use place_config::stack::VpcMode;
use place_tests::proxy::{Fault, When};
use place_tests::{LocalCloud, Operator, Proxy, inventory};
use serde_json::Value;

use crate::support::shared;

fn check<'a>(diagnosis: &'a Value, name: &str) -> &'a Value {
    let checks = diagnosis["checks"].as_array().unwrap();
    let check = checks.iter().find(|check| check["name"] == name);
    check.unwrap_or_else(|| panic!("no `{name}` in {diagnosis:#}"))
}

#[tokio::test]
async fn a_stack_that_stands_is_well() {
    let operator = &shared().await.operator;
    let doctor = operator.placectl().args(["doctor", "-o", "json"]);
    let doctor = doctor.succeed().await.json();
    assert_eq!(doctor["ok"], true, "{doctor:#}");
    for name in [
        "credentials",
        "binaries",
        "region",
        "vpc",
        "subnets",
        "addresses",
        "gateways",
        "resources",
    ] {
        assert_eq!(check(&doctor, name)["state"], "ok", "{doctor:#}");
    }
    let text = operator.placectl().args(["doctor"]).succeed().await;
    assert!(text.stdout.contains("No problem found"), "{text}");
}

#[tokio::test]
async fn what_would_stop_up_is_said_at_once_and_nothing_is_changed() {
    let cloud = LocalCloud::start().await;
    let operator = Operator::with(&cloud, |c| c.functions.artifacts = "nowhere".to_owned());
    let sdk = operator.sdk();
    let group = sdk
        .logs
        .create_log_group()
        .log_group_name("/aws/lambda/save");
    group.send().await.unwrap();
    for _ in 0..5 {
        sdk.ec2.allocate_address().send().await.unwrap();
    }
    let before = inventory(&sdk).await;
    let doctor = operator
        .placectl()
        .args(["doctor", "-o", "json"])
        .run()
        .await;
    let doctor = doctor.expect_code(1).json();
    assert_eq!(doctor["ok"], false, "{doctor:#}");
    for (name, said) in [
        ("binaries", "nowhere"),
        ("addresses", "5 of 5"),
        ("resources", "/aws/lambda/save"),
    ] {
        let check = check(&doctor, name);
        assert_eq!(check["state"], "problem", "{doctor:#}");
        assert!(check["detail"].as_str().unwrap().contains(said), "{check}");
        assert!(check["hint"].is_string(), "{check}");
    }
    assert_eq!(inventory(&sdk).await, before);
}

/// A region as `DescribeAvailabilityZones` answers for it.
const TWO_ZONES: &str = "<DescribeAvailabilityZonesResponse><availabilityZoneInfo>\
    <item><zoneId>use1-az1</zoneId><zoneName>us-east-1a</zoneName><zoneState>available</zoneState>\
    </item><item><zoneId>use1-az2</zoneId><zoneName>us-east-1b</zoneName>\
    <zoneState>available</zoneState></item></availabilityZoneInfo>\
    </DescribeAvailabilityZonesResponse>";

const NO_VPC: &str = "<DescribeVpcsResponse><vpcSet/></DescribeVpcsResponse>";

const NO_GATEWAY: &str =
    "<DescribeInternetGatewaysResponse><internetGatewaySet/></DescribeInternetGatewaysResponse>";

/// The third subnet would fail after half of the stack was made.
#[tokio::test]
async fn a_region_with_two_zones_is_refused_before_the_first_change() {
    let cloud = LocalCloud::start().await;
    let proxy = Proxy::start(&cloud.endpoint());
    let through = |config: &mut StackConfig| config.endpoints.aws = Some(proxy.endpoint());
    let operator = Operator::with(&cloud, through);
    let own = Operator::with(&cloud, |config| {
        through(config);
        config.vpc.mode = VpcMode::Dedicated;
    });
    let zones = When::Operation("DescribeAvailabilityZones");
    proxy.plan(zones, usize::MAX, Fault::Answer(TWO_ZONES));
    let subnets = operator.sdk().ec2.describe_subnets().send().await.unwrap();
    let last = subnets
        .subnets()
        .iter()
        .max_by_key(|of| of.availability_zone_id());
    let call = operator.sdk().ec2.delete_subnet();
    let call = call.subnet_id(last.unwrap().subnet_id().unwrap());
    call.send().await.unwrap();
    for operator in [&operator, &own] {
        let doctor = operator.placectl().args(["doctor", "-o", "json"]);
        let doctor = doctor.run().await.expect_code(1).json();
        let region = check(&doctor, "region");
        assert_eq!(region["state"], "problem", "{doctor:#}");
        assert!(region["hint"].as_str().unwrap().contains("--region"));
        assert_eq!(check(&doctor, "subnets")["state"], "warning", "{doctor:#}");
        let up = operator.placectl().args(["up"]).run().await.expect_code(1);
        assert!(up.stderr.contains("three availability zones"), "{up}");
        assert!(up.stderr.contains("use1-az1, use1-az2"), "{up}");
        assert_eq!(proxy.changes(), Vec::<String>::new(), "{up}");
    }
}

#[tokio::test]
async fn what_the_network_lacks_is_said_with_what_helps() {
    let cloud = LocalCloud::start().await;
    let proxy = Proxy::start(&cloud.endpoint());
    let operator = Operator::with(&cloud, |c| c.endpoints.aws = Some(proxy.endpoint()));
    for (operation, answer, said) in [
        ("DescribeVpcs", NO_VPC, "no default VPC"),
        (
            "DescribeInternetGateways",
            NO_GATEWAY,
            "has no internet gateway",
        ),
    ] {
        proxy.clear();
        proxy.plan(
            When::Operation(operation),
            usize::MAX,
            Fault::Answer(answer),
        );
        let doctor = operator.placectl().args(["doctor", "-o", "json"]);
        let doctor = doctor.succeed().await.json();
        let vpc = check(&doctor, "vpc");
        assert_eq!(vpc["state"], "warning", "{doctor:#}");
        assert!(vpc["detail"].as_str().unwrap().contains(said), "{vpc}");
        assert!(vpc["hint"].as_str().unwrap().contains("dedicated"), "{vpc}");
        assert_eq!(check(&doctor, "subnets")["state"], "ok", "{doctor:#}");
    }
    proxy.clear();
    // One of the default subnets was deleted.
    let subnets = operator.sdk().ec2.describe_subnets().send().await.unwrap();
    let call = operator.sdk().ec2.delete_subnet();
    let call = call.subnet_id(subnets.subnets()[0].subnet_id().unwrap());
    call.send().await.unwrap();
    let doctor = operator.placectl().args(["doctor", "-o", "json"]);
    let doctor = doctor.succeed().await.json();
    let subnets = check(&doctor, "subnets");
    assert_eq!(subnets["state"], "warning", "{doctor:#}");
    assert!(
        subnets["detail"]
            .as_str()
            .unwrap()
            .starts_with("1 of three"),
        "{subnets}"
    );
}

#[tokio::test]
async fn the_policy_names_this_stacks_own_things() {
    let operator = &shared().await.operator;
    let words = ["doctor", "--print-policy"];
    let policy = operator.placectl().args(words).succeed().await.json();
    assert_eq!(policy["Version"], "2012-10-17");
    let text = policy.to_string();
    for part in ["table/mru_pixels", "iam:PassRole", "sqs:CreateQueue"] {
        assert!(text.contains(part), "`{part}` in {policy:#}");
    }
}
