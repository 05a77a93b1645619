//! The gateway endpoint for DynamoDB on the private route table. It is free, and takes the saves'
//! traffic off the NAT gateway, which costs money by the gigabyte. EC2 adds its route to the table
//! by itself.

use async_trait::async_trait;
use aws_sdk_ec2::types::{ResourceType, State as Status, VpcEndpoint, VpcEndpointType};
use serde_json::Value;

use super::super::drift::Drift;
use super::super::lifecycle::{Card, Kind, Reading, State, Trouble};
use super::super::{Stack, keys};
use super::look;
use crate::aws::tags::filter;
use crate::aws::{Answer, AwsError};

/// Attributes as differences name them.
const ROUTE_TABLES: &str = "RouteTableIds";
const POLICY: &str = "PolicyDocument";

/// The gateway endpoint for DynamoDB.
pub(super) struct DynamoEndpoint;

fn service(stack: &Stack) -> String {
    format!("com.amazonaws.{}.dynamodb", stack.aws.region)
}

fn id(endpoint: &VpcEndpoint) -> String {
    endpoint.vpc_endpoint_id().unwrap_or_default().to_owned()
}

/// EC2's word for its state: the documentation writes it with a capital, the service without.
fn status(endpoint: &VpcEndpoint) -> String {
    let status = endpoint.state().map_or("available", Status::as_str);
    status.to_lowercase()
}

/// Whether a policy of an endpoint lets everything through, as that of a new one does.
fn is_open(policy: &str) -> bool {
    let policy: Value = serde_json::from_str(policy).unwrap_or_default();
    let statements = policy["Statement"].as_array().cloned().unwrap_or_default();
    let open = |of: &Value| of["Effect"] == "Allow" && of["Action"] == "*" && of["Resource"] == "*";
    let shut = |of: &Value| of["Effect"] == "Deny";
    statements.iter().any(open) && !statements.iter().any(shut)
}

#[async_trait(?Send)]
impl Kind for DynamoEndpoint {
    type Found = VpcEndpoint;

    fn card(&self, stack: &Stack) -> Card {
        let name = format!("{}-dynamodb-endpoint", stack.names.stack());
        let card = Card::new(1, keys::DYNAMODB_ENDPOINT, "gateway endpoint", name);
        let card = card.needs([keys::PRIVATE_TABLE]).seen_off(0, 30);
        card.wanted(stack.config.vpc.dynamodb_endpoint)
    }

    async fn find(&self, stack: &Stack) -> Result<Vec<VpcEndpoint>, Trouble> {
        let Some(vpc) = stack.found.vpc.get() else {
            return Ok(Vec::new());
        };
        let pages = stack.aws.ec2.describe_vpc_endpoints();
        let pages = pages.filters(filter("vpc-id", vpc.id)).into_paginator();
        let found = pages.items().send().collect::<Result<Vec<_>, _>>().await;
        let mut found = found.during("ec2:DescribeVpcEndpoints")?;
        let key = &keys::DYNAMODB_ENDPOINT;
        found.retain(|of| status(of) != "deleted" && look::is_ours(stack, of.tags(), key));
        found.sort_by_key(|of| (of.route_table_ids().is_empty(), id(of)));
        Ok(found)
    }

    fn read(&self, _: &Stack, found: &VpcEndpoint) -> Reading {
        let (reading, status) = (Reading::tagged(id(found), found.tags()), status(found));
        match status.as_str() {
            "pending" => reading.state(State::Changing(status)),
            "deleting" => reading.state(State::Leaving(status)),
            "failed" | "rejected" | "expired" => reading.state(State::Failed(status)),
            _ => reading,
        }
    }

    fn compare(&self, stack: &Stack, found: &VpcEndpoint, drift: &mut Drift) {
        if let Some(table) = stack.found.private_table.get() {
            drift.compare(ROUTE_TABLES, found.route_table_ids().join(", "), table);
        }
        let is_shut = found
            .policy_document()
            .is_some_and(|policy| !is_open(policy));
        drift.compare(POLICY, if is_shut { "restricted" } else { "open" }, "open");
    }

    async fn create(&self, stack: &Stack) -> Result<VpcEndpoint, Trouble> {
        let kind = ResourceType::VpcEndpoint;
        let tags = look::specification(stack, &keys::DYNAMODB_ENDPOINT, kind);
        let call = stack.aws.ec2.create_vpc_endpoint();
        let call = call
            .vpc_endpoint_type(VpcEndpointType::Gateway)
            .vpc_id(stack.found.vpc.require(&keys::VPC)?.id)
            .service_name(service(stack))
            .route_table_ids(stack.found.private_table.require(&keys::PRIVATE_TABLE)?)
            .tag_specifications(tags)
            .customize()
            .config_override(look::no_retries());
        let made = call.send().await.during("ec2:CreateVpcEndpoint")?;
        let made = made.vpc_endpoint;
        Ok(made.ok_or_else(|| AwsError::empty("ec2:CreateVpcEndpoint"))?)
    }

    async fn tag(&self, stack: &Stack, found: &VpcEndpoint) -> Result<(), Trouble> {
        Ok(look::put_tags(stack, &id(found), &keys::DYNAMODB_ENDPOINT).await?)
    }

    async fn mend(&self, stack: &Stack, found: &VpcEndpoint, drift: &Drift) -> Result<(), Trouble> {
        let table = stack.found.private_table.require(&keys::PRIVATE_TABLE)?;
        let mut others = found.route_table_ids().to_vec();
        let missing = !others.contains(&table);
        others.retain(|other| *other != table);
        let call = stack
            .aws
            .ec2
            .modify_vpc_endpoint()
            .vpc_endpoint_id(id(found));
        let mut call = call.set_remove_route_table_ids((!others.is_empty()).then_some(others));
        if missing {
            call = call.add_route_table_ids(table);
        }
        if drift.has(POLICY) {
            call = call.reset_policy(true);
        }
        Ok(call
            .send()
            .await
            .during("ec2:ModifyVpcEndpoint")
            .map(drop)?)
    }

    /// EC2 answers what it refuses in the answer itself.
    async fn delete(&self, stack: &Stack, found: &VpcEndpoint) -> Result<(), Trouble> {
        let operation = "ec2:DeleteVpcEndpoints";
        let call = stack.aws.ec2.delete_vpc_endpoints();
        let answer = call.vpc_endpoint_ids(id(found)).send().await;
        let answer = answer.during(operation)?;
        match answer.unsuccessful().iter().find_map(|item| item.error()) {
            Some(error) => Err(AwsError::listed(operation, error.code(), error.message()).into()),
            None => Ok(()),
        }
    }

    fn refresh(&self, stack: &Stack) {
        // The table shows the endpoint's route.
        stack.lookups.route_tables.forget();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_policy_that_lets_everything_through_is_open() {
        let policy = |effect: &str, action: &str| {
            let statement = serde_json::json!({
                "Effect": effect, "Principal": "*", "Action": action, "Resource": "*",
            });
            serde_json::json!({ "Version": "2008-10-17", "Statement": [statement] }).to_string()
        };
        assert!(is_open(&policy("Allow", "*")));
        assert!(!is_open(&policy("Allow", "dynamodb:GetItem")));
        assert!(!is_open(&policy("Deny", "*")));
        assert!(!is_open("nonsense"));
    }
}
