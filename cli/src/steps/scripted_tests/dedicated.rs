//! A VPC of the stack's own, taken down while EC2 still takes its parts for used.

use place_config::stack::VpcMode;

use super::super::Vpc;
use super::network::{fault, tables, tag_set};
use super::*;

/// A stack whose own VPC is there.
pub(super) fn dedicated(script: &Script) -> Arc<Stack> {
    let mut config = StackConfig::default();
    config.vpc.mode = VpcMode::Dedicated;
    let [id, cidr] = ["vpc-1".to_owned(), config.vpc.cidr.clone()];
    let stack = script.stack_of(config, Options::default());
    stack.found.vpc.set(Vpc { id, cidr });
    stack
}

/// EC2's list of the parts of one kind: one of the stack's own, or none.
struct Listed {
    look: &'static str,
    one: String,
    none: String,
}

fn subnets() -> Listed {
    let list = |items: &str| {
        format!("<DescribeSubnetsResponse><subnetSet>{items}</subnetSet></DescribeSubnetsResponse>")
    };
    let one = format!(
        "<item><subnetId>subnet-b</subnetId><vpcId>vpc-1</vpcId>{}</item>",
        tag_set("subnet:private-1")
    );
    Listed {
        look: "DescribeSubnets",
        one: list(&one),
        none: list(""),
    }
}

fn route_tables() -> Listed {
    let one = format!(
        "<item><routeTableId>rtb-1</routeTableId><vpcId>vpc-1</vpcId>{}</item>",
        tag_set("route-table:private")
    );
    Listed {
        look: "DescribeRouteTables",
        one: tables(&[one]),
        none: tables(&[]),
    }
}

fn vpcs() -> Listed {
    let list = |items: &str| {
        format!("<DescribeVpcsResponse><vpcSet>{items}</vpcSet></DescribeVpcsResponse>")
    };
    let one = format!("<item><vpcId>vpc-1</vpcId>{}</item>", tag_set("vpc"));
    Listed {
        look: "DescribeVpcs",
        one: list(&one),
        none: list(""),
    }
}

/// Removes the resource `key`: EC2 calls it used twice, takes the `delete`, and lists it once more.
/// The last request for it.
async fn removed(key: &str, delete: &str, listed: &Listed) -> String {
    let Listed { look, one, none } = listed;
    let used = fault("DependencyViolation");
    let script = Script::default()
        .answer(look, 200, one)
        .answer(delete, 400, &used)
        .answer(delete, 400, &used)
        .answer(delete, 200, &format!("<{delete}Response/>"))
        .answer(look, 200, one)
        .always(look, 200, none);
    let stack = dedicated(&script);
    resource(&stack, key).remove(&unwatched()).await.unwrap();
    assert_eq!(script.left(), 0);
    assert_eq!(script.times(delete), 3);
    script.bodies(delete).pop().unwrap()
}

/// What came of a resource `key` that EC2 calls used for ever.
async fn never_removed(key: &str, delete: &str, listed: &Listed) -> FailureKind {
    let script = Script::default()
        .always(listed.look, 200, &listed.one)
        .always(delete, 400, &fault("DependencyViolation"));
    let stack = dedicated(&script);
    let removed = resource(&stack, key).remove(&unwatched()).await;
    removed.unwrap_err().kind
}

/// Network interfaces of Lambda and of a cache outlive what they were made for.
#[tokio::test(start_paused = true)]
async fn a_subnet_that_is_not_empty_yet_is_deleted_later() {
    let (key, delete) = ("subnet:private-1", "DeleteSubnet");
    let request = removed(key, delete, &subnets()).await;
    assert!(request.contains("SubnetId=subnet-b"), "{request}");
    let never = never_removed(key, delete, &subnets()).await;
    assert_eq!(never, FailureKind::Incomplete);
}

/// A subnet that was given back a moment ago may count as associated for a moment longer.
#[tokio::test(start_paused = true)]
async fn a_route_table_that_is_not_free_yet_is_deleted_later() {
    let (key, delete) = ("route-table:private", "DeleteRouteTable");
    let request = removed(key, delete, &route_tables()).await;
    assert!(request.contains("RouteTableId=rtb-1"), "{request}");
    let never = never_removed(key, delete, &route_tables()).await;
    assert_eq!(never, FailureKind::Incomplete);
}

#[tokio::test(start_paused = true)]
async fn a_vpc_that_is_not_empty_yet_is_deleted_later() {
    let (key, delete) = ("vpc", "DeleteVpc");
    let request = removed(key, delete, &vpcs()).await;
    assert!(request.contains("VpcId=vpc-1"), "{request}");
    let never = never_removed(key, delete, &vpcs()).await;
    assert_eq!(never, FailureKind::Incomplete);
}
