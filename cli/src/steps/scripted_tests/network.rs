//! EC2 at its own pace.

use super::super::Vpc;
use super::*;
use crate::engine::Left;

const NAT: &str = "nat-gateway";
const DESCRIBE_NAT: &str = "DescribeNatGateways";
const CREATE_NAT: &str = "CreateNatGateway";

pub(super) fn fault(code: &str) -> String {
    format!(
        "<Response><Errors><Error><Code>{code}</Code><Message>m</Message></Error></Errors>\
         <RequestID>r</RequestID></Response>"
    )
}

/// The tags that EC2 answers for a resource of the stack `place`.
pub(super) fn tag_set(key: &str) -> String {
    let item =
        |name: &str, value: &str| format!("<item><key>{name}</key><value>{value}</value></item>");
    let tags = item("place:stack", "place") + &item("place:resource", key);
    format!("<tagSet>{tags}</tagSet>")
}

fn nat(id: &str, state: &str) -> String {
    let tags = tag_set(NAT);
    format!(
        "<DescribeNatGatewaysResponse><natGatewaySet><item><natGatewayId>{id}</natGatewayId>\
         <state>{state}</state><subnetId>subnet-a</subnetId>\
         <failureCode>InsufficientFreeAddressesInSubnet</failureCode>\
         <failureMessage>no address left</failureMessage>{tags}</item></natGatewaySet>\
         </DescribeNatGatewaysResponse>"
    )
}

const NO_NAT: &str = "<DescribeNatGatewaysResponse><natGatewaySet/></DescribeNatGatewaysResponse>";

fn created(id: &str) -> String {
    format!(
        "<CreateNatGatewayResponse><natGateway><natGatewayId>{id}</natGatewayId>\
         <state>pending</state></natGateway></CreateNatGatewayResponse>"
    )
}

/// A stack whose VPC, public subnet and address are there.
pub(super) fn with_vpc(script: &Script) -> Arc<Stack> {
    let stack = script.stack();
    let [id, cidr] = ["vpc-1", "172.31.0.0/16"].map(str::to_owned);
    stack.found.vpc.set(Vpc { id, cidr });
    let [id, zone_id, zone] = ["subnet-a", "euw1-az1", "eu-west-1a"].map(str::to_owned);
    stack.found.public_subnet.set(Subnet { id, zone_id, zone });
    stack.found.address.set("eipalloc-1".to_owned());
    stack
}

#[tokio::test(start_paused = true)]
async fn a_nat_gateway_whose_answer_got_lost_is_waited_for_and_not_made_twice() {
    let mut script = Script::default().answer(CREATE_NAT, 0, "");
    // Before the create, for its token, and while it is not listed yet.
    for _ in 0..5 {
        script = script.answer(DESCRIBE_NAT, 200, NO_NAT);
    }
    for _ in 0..4 {
        script = script.answer(DESCRIBE_NAT, 200, &nat("nat-1", "pending"));
    }
    let script = script.always(DESCRIBE_NAT, 200, &nat("nat-1", "available"));
    let stack = with_vpc(&script);
    ensure(&stack, NAT, Observed::Absent).await.unwrap();
    assert_eq!(script.times(CREATE_NAT), 1);
    assert_eq!(stack.found.nat_gateway.get().as_deref(), Some("nat-1"));
}

#[tokio::test(start_paused = true)]
async fn a_nat_gateway_that_fails_says_why() {
    let script = Script::default()
        .answer(DESCRIBE_NAT, 200, &nat("nat-1", "pending"))
        .answer(DESCRIBE_NAT, 200, &nat("nat-1", "pending"))
        .always(DESCRIBE_NAT, 200, &nat("nat-1", "failed"));
    let pending = Observed::Changing {
        id: "nat-1".to_owned(),
        state: "pending".to_owned(),
    };
    let failure = ensure(&with_vpc(&script), NAT, pending).await.unwrap_err();
    let cause = failure.cause.unwrap().to_string();
    assert!(
        cause.contains("InsufficientFreeAddressesInSubnet: no address left"),
        "{cause}"
    );
    assert_eq!(
        (failure.kind, failure.left),
        (FailureKind::Permanent, Left::Nothing)
    );
}

#[tokio::test(start_paused = true)]
async fn a_token_that_brings_back_a_nat_gateway_of_old_is_given_up() {
    let mut script = Script::default()
        .answer(CREATE_NAT, 200, &created("nat-old"))
        .answer(CREATE_NAT, 200, &created("nat-new"));
    // What EC2 answered with is not listed for more than a minute.
    for _ in 0..25 {
        script = script.answer(DESCRIBE_NAT, 200, NO_NAT);
    }
    let script = script.always(DESCRIBE_NAT, 200, &nat("nat-new", "available"));
    let stack = with_vpc(&script);
    ensure(&stack, NAT, Observed::Absent).await.unwrap();
    assert_eq!(stack.found.nat_gateway.get().as_deref(), Some("nat-new"));
    let token = |body: &String| {
        let rest = body.split("ClientToken=").nth(1).unwrap().to_owned();
        rest.split('&').next().unwrap().to_owned()
    };
    let tokens: Vec<String> = script.bodies(CREATE_NAT).iter().map(token).collect();
    assert!(tokens.len() == 2 && tokens[0] != tokens[1], "{tokens:?}");
}

/// EC2's list of the stack's addresses.
fn addresses(ids: &[&str]) -> String {
    let tags = tag_set("elastic-ip");
    let item = |id: &&str| format!("<item><allocationId>{id}</allocationId>{tags}</item>");
    let items: String = ids.iter().map(item).collect();
    format!(
        "<DescribeAddressesResponse><addressesSet>{items}</addressesSet>\
         </DescribeAddressesResponse>"
    )
}

#[tokio::test(start_paused = true)]
async fn an_address_that_can_not_be_released_yet_is_released_later() {
    let script = Script::default()
        .answer("DescribeAddresses", 200, &addresses(&["eipalloc-1"]))
        .answer("ReleaseAddress", 400, &fault("AuthFailure"))
        .answer("ReleaseAddress", 400, &fault("InvalidIPAddress.InUse"))
        .answer(
            "ReleaseAddress",
            400,
            &fault("InvalidNetworkInterfaceID.NotFound"),
        )
        .answer("ReleaseAddress", 200, "<ReleaseAddressResponse/>");
    let stack = script.stack();
    let address = resource(&stack, "elastic-ip");
    address.remove(&unwatched()).await.unwrap();
    assert_eq!(script.left(), 0);
}

fn table(id: &str, tags: &str, subnets: &[&str]) -> String {
    let association = |subnet: &&str| {
        format!(
            "<item><routeTableAssociationId>assoc-{subnet}</routeTableAssociationId>\
             <subnetId>{subnet}</subnetId></item>"
        )
    };
    let associations: String = subnets.iter().map(association).collect();
    format!(
        "<item><routeTableId>{id}</routeTableId><vpcId>vpc-1</vpcId>\
         <associationSet>{associations}</associationSet>{tags}</item>"
    )
}

pub(super) fn tables(tables: &[String]) -> String {
    let tables = tables.concat();
    format!(
        "<DescribeRouteTablesResponse><routeTableSet>{tables}</routeTableSet>\
         </DescribeRouteTablesResponse>"
    )
}

#[tokio::test(start_paused = true)]
async fn of_two_route_tables_the_one_in_use_stays() {
    let key = "route-table:public";
    let tags = tag_set(key);
    let [idle, used] = [
        table("rtb-1", &tags, &[]),
        table("rtb-2", &tags, &["subnet-a"]),
    ];
    let two = tables(&[idle, used.clone()]);
    let script = Script::default()
        .answer("DescribeRouteTables", 200, &two)
        .answer("DescribeRouteTables", 200, &two)
        .always("DescribeRouteTables", 200, &tables(&[used]))
        .answer("DeleteRouteTable", 200, "<DeleteRouteTableResponse/>");
    let stack = with_vpc(&script);
    let observed = resource(&stack, key).observe().await.unwrap();
    assert_eq!(observed.id(), Some("rtb-2"));
    assert_eq!(
        observed.detail().as_deref(),
        Some("copies is 1, should be 0")
    );
    ensure(&stack, key, observed).await.unwrap();
    let deleted = script.bodies("DeleteRouteTable").concat();
    assert!(deleted.contains("RouteTableId=rtb-1"), "{deleted}");
    assert_eq!(script.left(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_subnet_with_strangers_is_said_to_need_more_than_adopting() {
    let stranger = "<DescribeNetworkInterfacesResponse><networkInterfaceSet><item>\
                    <networkInterfaceId>eni-9</networkInterfaceId><subnetId>subnet-a</subnetId>\
                    </item></networkInterfaceSet></DescribeNetworkInterfacesResponse>";
    let no_groups = "<DescribeSecurityGroupsResponse><securityGroupInfo/>\
                     </DescribeSecurityGroupsResponse>";
    let script = Script::default()
        .always("DescribeRouteTables", 200, &tables(&[]))
        .always("DescribeNetworkInterfaces", 200, stranger)
        .always("DescribeSecurityGroups", 200, no_groups)
        .always(DESCRIBE_NAT, 200, NO_NAT);
    let stack = with_vpc(&script);
    let observed = resource(&stack, "association:public").observe().await;
    let Observed::Foreign { detail, remedy, .. } = observed.unwrap() else {
        panic!("a stranger is a conflict");
    };
    assert!(detail.contains("`eni-9`"), "{detail}");
    assert!(remedy.unwrap().contains("--allow-shared-vpc"));
}

#[tokio::test(start_paused = true)]
async fn an_association_that_was_made_twice_is_said_and_one_of_them_dropped() {
    let key = "association:public";
    let tags = tag_set("route-table:public");
    let once = table("rtb-1", &tags, &["subnet-a"]);
    let twice = table("rtb-1", &tags, &["subnet-a", "subnet-a"]);
    let twice = tables(&[twice.replacen("assoc-subnet-a", "assoc-z", 1)]);
    let script = Script::default()
        .answer("DescribeRouteTables", 200, &twice)
        .answer("DescribeRouteTables", 200, &twice)
        .answer("DescribeRouteTables", 200, &twice)
        .answer("DescribeRouteTables", 200, &twice)
        .always("DescribeRouteTables", 200, &tables(&[once]))
        .answer(
            "DisassociateRouteTable",
            200,
            "<DisassociateRouteTableResponse/>",
        );
    let stack = with_vpc(&script);
    stack.found.public_table.set("rtb-1".to_owned());
    let observed = resource(&stack, key).observe().await.unwrap();
    assert_eq!(
        observed.detail().as_deref(),
        Some("copies is 1, should be 0")
    );
    ensure(&stack, key, observed).await.unwrap();
    assert_eq!(script.left(), 0);
    assert_eq!(script.times("AssociateRouteTable"), 0);
}
