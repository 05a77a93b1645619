//! Step 1: the VPC.

use std::collections::BTreeSet;

use aws_sdk_ec2::types::{NatGateway, NatGatewayState, RouteTable, Subnet, Tag, Vpc};
use place_config::names::{TAG_RESOURCE, TAG_STACK};
use place_tests::{LocalCloud, Operator, Sdk};

use crate::support::shared;

const PUBLIC: &str = "route-table:public";
const PRIVATE: &str = "route-table:private";

/// What EC2 says of the network.
struct Network {
    vpc: Vpc,
    subnets: Vec<Subnet>,
    tables: Vec<RouteTable>,
    gateways: Vec<NatGateway>,
}

impl Network {
    async fn look(sdk: &Sdk) -> Self {
        let vpcs = sdk.ec2.describe_vpcs().send().await.unwrap();
        let gateways = sdk.ec2.describe_nat_gateways().send().await.unwrap();
        let default = vpcs
            .vpcs()
            .iter()
            .find(|vpc| vpc.is_default() == Some(true));
        Self {
            vpc: default.unwrap().clone(),
            subnets: sdk
                .ec2
                .describe_subnets()
                .send()
                .await
                .unwrap()
                .subnets()
                .to_vec(),
            tables: sdk
                .ec2
                .describe_route_tables()
                .send()
                .await
                .unwrap()
                .route_tables()
                .to_vec(),
            gateways: gateways.nat_gateways().to_vec(),
        }
    }

    /// The one table that is tagged as this resource of the stack `place`.
    fn table(&self, resource: &str) -> &RouteTable {
        let ours = |table: &&RouteTable| {
            has_tag(table.tags(), TAG_STACK, "place")
                && has_tag(table.tags(), TAG_RESOURCE, resource)
        };
        let found: Vec<_> = self.tables.iter().filter(ours).collect();
        assert_eq!(found.len(), 1, "tables tagged `{resource}`: {found:#?}");
        found[0]
    }

    /// The subnets that are explicitly associated with a table.
    fn subnets_of(&self, resource: &str) -> Vec<&Subnet> {
        let associations = self.table(resource).associations().iter();
        associations
            .filter_map(|association| self.subnet(association.subnet_id()?))
            .collect()
    }

    fn subnet(&self, id: &str) -> Option<&Subnet> {
        self.subnets
            .iter()
            .find(|subnet| subnet.subnet_id() == Some(id))
    }

    fn three_subnets(&self) -> Vec<&Subnet> {
        [self.subnets_of(PUBLIC), self.subnets_of(PRIVATE)].concat()
    }

    /// Which subnet is associated with which table.
    fn roles_of_subnets(&self) -> BTreeSet<(&'static str, String)> {
        let of = |table| {
            let subnets = self.subnets_of(table).into_iter();
            subnets.map(move |subnet| (table, subnet.subnet_id().unwrap().to_owned()))
        };
        of(PUBLIC).chain(of(PRIVATE)).collect()
    }

    fn gateway(&self) -> &NatGateway {
        let available = Some(&NatGatewayState::Available);
        let found: Vec<_> = self
            .gateways
            .iter()
            .filter(|g| g.state() == available)
            .collect();
        assert_eq!(found.len(), 1, "available NAT gateways: {found:#?}");
        found[0]
    }

    /// A table's routes: destination and what it leads to.
    fn routes(&self, resource: &str) -> BTreeSet<(&str, &str)> {
        let routes = self.table(resource).routes().iter();
        routes
            .map(|route| {
                let target = route.nat_gateway_id().or(route.gateway_id());
                (route.destination_cidr_block().unwrap(), target.unwrap())
            })
            .collect()
    }
}

fn has_tag(tags: &[Tag], key: &str, value: &str) -> bool {
    tags.iter()
        .any(|tag| tag.key() == Some(key) && tag.value() == Some(value))
}

async fn network() -> Network {
    Network::look(&shared().await.operator.sdk()).await
}

#[tokio::test]
async fn row_1_1_default_vpc_three_subnets_in_three_zones_and_a_gateway() {
    let shared = shared().await;
    let network = network().await;
    let three = network.three_subnets();
    assert_eq!(three.len(), 3);
    assert!(
        three
            .iter()
            .all(|subnet| subnet.vpc_id() == network.vpc.vpc_id())
    );
    let zones: BTreeSet<_> = three
        .iter()
        .map(|subnet| subnet.availability_zone_id())
        .collect();
    assert_eq!(zones.len(), 3, "{zones:?}");
    let gateways = shared
        .operator
        .sdk()
        .ec2
        .describe_internet_gateways()
        .send()
        .await
        .unwrap();
    let attached = |gateway: &aws_sdk_ec2::types::InternetGateway| {
        gateway
            .attachments()
            .iter()
            .any(|a| a.vpc_id() == network.vpc.vpc_id())
    };
    assert_eq!(
        gateways
            .internet_gateways()
            .iter()
            .filter(|g| attached(g))
            .count(),
        1
    );
}

/// Subnets that somebody else made in the default VPC are not the default ones.
#[tokio::test]
async fn row_1_1_always_the_same_three_of_more_subnets() {
    let cloud = LocalCloud::start().await;
    let operator = Operator::new(&cloud);
    let ec2 = operator.sdk().ec2;
    let zones = [
        ("us-east-1a", "172.31.96.0/20"),
        ("us-east-1d", "172.31.112.0/20"),
    ];
    for (zone, cidr) in zones {
        let call = ec2.create_subnet().vpc_id("vpc-00000001").cidr_block(cidr);
        call.availability_zone(zone).send().await.unwrap();
    }
    let mut chosen = Vec::new();
    for _ in 0..2 {
        operator.up().await;
        chosen.push(Network::look(&operator.sdk()).await.roles_of_subnets());
        operator.teardown().await;
    }
    assert_eq!(chosen[0], chosen[1]);
    let all: BTreeSet<_> = chosen[0].iter().map(|(_, id)| id.as_str()).collect();
    assert_eq!(
        all,
        BTreeSet::from(["subnet-00000001", "subnet-00000002", "subnet-00000003"])
    );
}

/// Free, and it keeps the saves off the NAT gateway.
#[tokio::test]
async fn row_1_2_the_private_table_leads_to_dynamodb_through_an_endpoint_of_its_own() {
    let network = network().await;
    let sdk = shared().await.operator.sdk();
    let answer = sdk.ec2.describe_vpc_endpoints().send().await.unwrap();
    let found = answer.vpc_endpoints();
    assert_eq!(found.len(), 1, "{found:?}");
    let table = network.table(PRIVATE).route_table_id().unwrap();
    assert_eq!(found[0].route_table_ids(), [table]);
    let service = found[0].service_name().unwrap();
    assert_eq!(service, "com.amazonaws.us-east-1.dynamodb");
    assert!(has_tag(found[0].tags(), TAG_STACK, "place"));
}

#[tokio::test]
async fn an_endpoint_that_is_switched_off_goes_and_is_not_missed() {
    let cloud = LocalCloud::start().await;
    let operator = Operator::new(&cloud);
    operator.up().await;
    let without = Operator::with(&cloud, |config| {
        config.vpc.dynamodb_endpoint = false;
    });
    let check = ["plan", "--check"];
    let _ = without.placectl().args(check).run().await.expect_code(4);
    without.up().await;
    without.placectl().args(check).succeed().await;
    let answer = operator.sdk().ec2.describe_vpc_endpoints().send().await;
    assert_eq!(answer.unwrap().vpc_endpoints().len(), 0);
    without.teardown().await;
}

#[tokio::test]
async fn row_1_2_nat_gateway_with_its_address_on_the_public_subnet() {
    let network = network().await;
    let gateway = network.gateway();
    let public = network.subnets_of(PUBLIC);
    assert_eq!(gateway.subnet_id(), public[0].subnet_id());
    let public = aws_sdk_ec2::types::ConnectivityType::Public;
    assert_eq!(gateway.connectivity_type(), Some(&public));
    let answer = shared()
        .await
        .operator
        .sdk()
        .ec2
        .describe_addresses()
        .send()
        .await
        .unwrap();
    let tagged = |tags| has_tag(tags, TAG_STACK, "place");
    let ours: Vec<_> = answer
        .addresses()
        .iter()
        .filter(|a| tagged(a.tags()))
        .collect();
    assert_eq!(ours.len(), 1, "elastic IPs of the stack: {ours:?}");
    assert!(has_tag(gateway.tags(), TAG_STACK, "place"));
}

#[tokio::test]
async fn row_1_3_public_route_table() {
    let network = network().await;
    let sdk = shared().await.operator.sdk();
    let answer = sdk.ec2.describe_internet_gateways().send().await.unwrap();
    let gateway = answer.internet_gateways()[0].internet_gateway_id().unwrap();
    let cidr = network.vpc.cidr_block().unwrap();
    assert_eq!(
        network.routes(PUBLIC),
        BTreeSet::from([("0.0.0.0/0", gateway), (cidr, "local")])
    );
}

#[tokio::test]
async fn row_1_4_private_route_table() {
    let network = network().await;
    let gateway = network.gateway().nat_gateway_id().unwrap();
    let cidr = network.vpc.cidr_block().unwrap();
    assert_eq!(
        network.routes(PRIVATE),
        BTreeSet::from([("0.0.0.0/0", gateway), (cidr, "local")])
    );
}

#[tokio::test]
async fn row_1_5_two_private_subnets() {
    assert_eq!(network().await.subnets_of(PRIVATE).len(), 2);
}

#[tokio::test]
async fn row_1_6_one_public_subnet() {
    let network = network().await;
    let public = network.subnets_of(PUBLIC);
    assert_eq!(public.len(), 1);
    let private = network.subnets_of(PRIVATE);
    assert!(
        private
            .iter()
            .all(|subnet| subnet.subnet_id() != public[0].subnet_id())
    );
}
