//! Whether the account's quotas leave room for the stack.

use aws_sdk_ec2::types::{AccountAttributeName, NatGateway, NatGatewayState};
use aws_sdk_lambda::types::AccountLimit;
use place_config::quota;

use super::{Check, State};
use crate::aws::tags::filter;
use crate::aws::{Answer, AwsError};
use crate::engine::Survey;
use crate::steps::{Stack, keys};
use crate::ui::words;

/// Elastic IP addresses a region, where the account doesn't say.
const ADDRESSES: usize = 5;

/// NAT gateways a zone: AWS's default. What the account was granted only Service Quotas knows.
const NAT_GATEWAYS: usize = 5;

/// Below this many functions at once a busy canvas is throttled; new accounts start with 10.
const CONCURRENCY: i32 = 100;

/// Every quota that the stack may run into.
pub(super) async fn check(stack: &Stack, survey: &Survey) -> Vec<Check> {
    let (addresses, gateways, functions) = tokio::join!(
        addresses(stack, survey.is_absent(&keys::ADDRESS)),
        gateways(stack, survey.is_absent(&keys::NAT_GATEWAY)),
        functions(stack),
    );
    let unknown = |name| move |error: AwsError| Check::new(name, State::Unknown, error.to_string());
    vec![
        requests(stack),
        addresses.unwrap_or_else(unknown("addresses")),
        gateways.unwrap_or_else(unknown("gateways")),
        functions.unwrap_or_else(unknown("concurrency")),
    ]
}

async fn addresses(stack: &Stack, needed: bool) -> Result<Check, AwsError> {
    let used = stack.aws.ec2.describe_addresses().send().await;
    let used = used.during("ec2:DescribeAddresses")?.addresses().len();
    let limit = stack
        .aws
        .ec2
        .describe_account_attributes()
        .attribute_names(AccountAttributeName::from("vpc-max-elastic-ips"))
        .send()
        .await
        .during("ec2:DescribeAccountAttributes");
    // What stands in for AWS may not know the call.
    let limit = limit.ok().and_then(|answer| {
        let value = answer
            .account_attributes()
            .first()?
            .attribute_values()
            .first()?;
        value.attribute_value()?.parse().ok()
    });
    let limit = limit.unwrap_or(ADDRESSES);
    let detail = format!("{used} of {limit} elastic IP addresses used");
    Ok(if needed && used >= limit {
        Check::new("addresses", State::Problem, detail).hint(
            "release an unused address, or raise the quota `EC2-VPC Elastic IPs` in Service Quotas",
        )
    } else {
        Check::new("addresses", State::Ok, detail)
    })
}

async fn gateways(stack: &Stack, needed: bool) -> Result<Check, AwsError> {
    let Some(subnet) = stack.found.public_subnet.get() else {
        let detail = "can't count NAT gateways: no public subnet yet";
        return Ok(Check::new("gateways", State::Unknown, detail));
    };
    let call = stack.aws.ec2.describe_nat_gateways();
    let call = call.filter(filter("subnet-id", &subnet.id));
    let answer = call.send().await.during("ec2:DescribeNatGateways")?;
    let counts = |gateway: &&NatGateway| {
        let counted = matches!(
            gateway.state(),
            Some(NatGatewayState::Pending | NatGatewayState::Available | NatGatewayState::Deleting)
        );
        counted && gateway.subnet_id() == Some(&subnet.id)
    };
    let used = answer.nat_gateways().iter().filter(counts).count();
    let detail = format!(
        "{used} of {NAT_GATEWAYS} NAT gateways used in zone {}, counted in the public subnet",
        subnet.zone
    );
    Ok(if needed && used >= NAT_GATEWAYS {
        Check::new("gateways", State::Warning, detail)
            .hint("check the quota `NAT gateways per Availability Zone` in Service Quotas")
    } else {
        Check::new("gateways", State::Ok, detail)
    })
}

/// Whether the posts to clients leave room for the clients' own messages, as far as the account has
/// what it has by default: what it was granted only Service Quotas knows.
fn requests(stack: &Stack) -> Check {
    let region = &stack.aws.region;
    let posts = stack.config.broadcast.posts_per_second(region);
    let quota = quota::requests_per_second(region);
    let detail = format!(
        "{} a second to clients; API Gateway's default quota in {region} is {} a second",
        words::count(posts.into(), "post"),
        words::count(quota.into(), "request"),
    );
    if posts > quota / 4 * 3 {
        Check::new("requests", State::Warning, detail).hint(
            "too few requests remain for paints: lower `broadcast.max_posts_per_second`, or raise \
             the quota `Throttle rate` in Service Quotas",
        )
    } else {
        Check::new("requests", State::Ok, detail)
    }
}

async fn functions(stack: &Stack) -> Result<Check, AwsError> {
    let answer = stack.aws.lambda.get_account_settings().send().await;
    let answer = answer.during("lambda:GetAccountSettings")?;
    let limit = answer
        .account_limit()
        .map_or(0, AccountLimit::concurrent_executions);
    let count = words::count(u64::try_from(limit).unwrap_or(0), "function");
    let detail = format!("the account runs at most {count} at once");
    Ok(if limit < CONCURRENCY {
        Check::new("concurrency", State::Warning, detail)
            .hint("Lambda throttles more calls: raise `Concurrent executions` in Service Quotas")
    } else {
        Check::new("concurrency", State::Ok, detail)
    })
}

#[cfg(test)]
mod tests {
    use place_config::StackConfig;

    use super::*;
    use crate::steps::scripted::Script;
    use crate::steps::{Options, Subnet};

    fn described(count: usize) -> String {
        let address = "<item><publicIp>1.2.3.4</publicIp></item>";
        format!(
            "<DescribeAddressesResponse><addressesSet>{}</addressesSet></DescribeAddressesResponse>",
            address.repeat(count)
        )
    }

    const LIMIT: &str = "<DescribeAccountAttributesResponse><accountAttributeSet><item>\
        <attributeName>vpc-max-elastic-ips</attributeName><attributeValueSet><item>\
        <attributeValue>7</attributeValue></item></attributeValueSet></item>\
        </accountAttributeSet></DescribeAccountAttributesResponse>";

    async fn with_addresses(count: usize, needed: bool) -> Check {
        let script = Script::default()
            .answer("DescribeAddresses", 200, &described(count))
            .answer("DescribeAccountAttributes", 200, LIMIT);
        addresses(&script.stack(), needed).await.unwrap()
    }

    #[tokio::test]
    async fn a_region_without_a_free_address_stops_up() {
        assert_eq!(with_addresses(6, true).await.state, State::Ok);
        assert_eq!(with_addresses(7, true).await.state, State::Problem);
        assert_eq!(
            with_addresses(7, false).await.state,
            State::Ok,
            "it has one"
        );
    }

    #[test]
    fn posts_that_leave_no_room_for_paints_are_warned_of() {
        let with = |posts| {
            let mut config = StackConfig::default();
            config.broadcast.max_posts_per_second = posts;
            requests(&Script::default().stack_of(config, Options::default())).state
        };
        assert_eq!(with(None), State::Ok);
        assert_eq!(with(Some(7500)), State::Ok);
        assert_eq!(with(Some(7501)), State::Warning);
    }

    /// So many NAT gateways in each of these states, in that subnet.
    fn gateways_in(subnet: &str, states: &[(usize, &str)]) -> String {
        let item = |state: &str| {
            format!("<item><subnetId>{subnet}</subnetId><state>{state}</state></item>")
        };
        let items = states
            .iter()
            .map(|(count, state)| item(state).repeat(*count));
        items.collect()
    }

    async fn with_gateways(items: &str, needed: bool) -> Check {
        let answer = format!(
            "<DescribeNatGatewaysResponse><natGatewaySet>{items}</natGatewaySet>\
             </DescribeNatGatewaysResponse>"
        );
        let script = Script::default().answer("DescribeNatGateways", 200, &answer);
        let stack = script.stack();
        let [id, zone_id, zone] = ["subnet-a", "euw1-az1", "eu-west-1a"].map(str::to_owned);
        stack.found.public_subnet.set(Subnet { id, zone_id, zone });
        gateways(&stack, needed).await.unwrap()
    }

    #[tokio::test]
    async fn a_subnet_full_of_nat_gateways_is_warned_of() {
        let full = gateways_in(
            "subnet-a",
            &[(3, "available"), (1, "pending"), (1, "deleting")],
        );
        let check = with_gateways(&full, true).await;
        assert_eq!(check.state, State::Warning);
        assert!(check.detail.contains("5 of 5"), "{check:?}");
        let hint = check.hint.unwrap();
        assert!(hint.contains("Service Quotas"), "{hint}");
        assert_eq!(
            with_gateways(&full, false).await.state,
            State::Ok,
            "it has one"
        );
    }

    #[tokio::test]
    async fn nat_gateways_that_are_gone_or_elsewhere_count_for_nothing() {
        let states = [(4, "available"), (3, "deleted"), (3, "failed")];
        let items = gateways_in("subnet-a", &states) + &gateways_in("subnet-z", &states);
        let check = with_gateways(&items, true).await;
        assert_eq!(check.state, State::Ok);
        assert!(check.detail.contains("4 of 5"), "{check:?}");
    }

    #[tokio::test]
    async fn without_a_public_subnet_there_is_nothing_to_count() {
        let script = Script::default();
        let check = gateways(&script.stack(), true).await.unwrap();
        assert_eq!(check.state, State::Unknown);
    }

    #[tokio::test]
    async fn a_new_account_is_warned_of_its_ten_functions() {
        let answer = r#"{"AccountLimit":{"ConcurrentExecutions":10}}"#;
        let script = Script::default().answer("GET /2016-08-19/account-settings", 200, answer);
        let check = functions(&script.stack()).await.unwrap();
        assert_eq!(check.state, State::Warning);
        assert!(check.detail.contains("10 functions"), "{check:?}");
    }
}
