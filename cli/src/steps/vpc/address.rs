//! The elastic IP address of the NAT gateway.

use async_trait::async_trait;
use aws_sdk_ec2::types::{Address, DomainType, ResourceType};

use super::super::lifecycle::{Card, Kind, Reading, Trouble};
use super::super::{Stack, keys};
use super::look;
use crate::aws::{Answer, AwsError, Class};

/// The elastic IP address.
pub(super) struct ElasticAddress;

/// What EC2 answers for some minutes after the NAT gateway of the address was deleted, the last
/// two misleadingly (kops#938, terraform-provider-aws#49299).
fn is_too_early(error: &AwsError) -> bool {
    let codes = [
        "InvalidIPAddress.InUse",
        "AuthFailure",
        "InvalidNetworkInterfaceID.NotFound",
    ];
    codes.iter().any(|code| error.is(code))
}

#[async_trait(?Send)]
impl Kind for ElasticAddress {
    type Found = Address;

    fn card(&self, stack: &Stack) -> Card {
        let name = format!("{}-elastic-ip", stack.names.stack());
        Card::new(1, keys::ADDRESS, "elastic IP", name)
            .billable()
            .goes(1, 120)
    }

    /// All addresses of the stack: one, unless an answer got lost at the wrong moment. The one in
    /// use first.
    async fn find(&self, stack: &Stack) -> Result<Vec<Address>, Trouble> {
        let answer = stack.aws.ec2.describe_addresses().send().await;
        let mut found = answer
            .during("ec2:DescribeAddresses")?
            .addresses
            .unwrap_or_default();
        found.retain(|address| look::is_ours(stack, address.tags(), &keys::ADDRESS));
        found.sort_by_key(|address| (address.association_id.is_none(), id(address)));
        Ok(found)
    }

    fn read(&self, _: &Stack, found: &Address) -> Reading {
        Reading::tagged(id(found), found.tags())
    }

    async fn create(&self, stack: &Stack) -> Result<Address, Trouble> {
        let tags = look::specification(stack, &keys::ADDRESS, ResourceType::ElasticIp);
        let call = stack.aws.ec2.allocate_address().domain(DomainType::Vpc);
        let call = call.tag_specifications(tags).customize();
        let answer = call.config_override(look::no_retries()).send().await;
        let allocation = answer.during("ec2:AllocateAddress")?.allocation_id;
        let allocation = allocation.ok_or_else(|| AwsError::empty("ec2:AllocateAddress"))?;
        Ok(Address::builder().allocation_id(allocation).build())
    }

    async fn tag(&self, stack: &Stack, found: &Address) -> Result<(), Trouble> {
        Ok(look::put_tags(stack, &id(found), &keys::ADDRESS).await?)
    }

    async fn delete(&self, stack: &Stack, found: &Address) -> Result<(), Trouble> {
        let release = stack.aws.ec2.release_address().allocation_id(id(found));
        match release.send().await.during("ec2:ReleaseAddress") {
            Err(error) if is_too_early(&error) => {
                let class = Class::Conflict;
                Err(AwsError { class, ..error }.into())
            }
            released => Ok(released.map(drop)?),
        }
    }

    fn leave(&self, stack: &Stack, found: Option<&Address>) {
        stack.found.address.replace(found.map(id));
    }
}

fn id(address: &Address) -> String {
    address.allocation_id().unwrap_or_default().to_owned()
}
