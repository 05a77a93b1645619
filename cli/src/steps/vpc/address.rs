//! The elastic IP address of the NAT gateway.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use aws_sdk_ec2::types::{Address, DomainType, ResourceType};

use super::super::repeat::{create_once, doing};
use super::super::{Stack, keys};
use super::{STEP, look};
use crate::aws::{Answer, AwsError, AwsResult};
use crate::engine::outcome::Difference;
use crate::engine::{Failure, Observed, Poll, Progress, Resource, ResourceKey, Step, Wait};

/// A NAT gateway keeps its address for a while after it reports to be deleted.
const RELEASED_WITHIN: Duration = Duration::from_mins(5);

/// The elastic IP address.
pub(super) struct ElasticAddress {
    stack: Arc<Stack>,
}

impl ElasticAddress {
    pub(super) const fn new(stack: Arc<Stack>) -> Self {
        Self { stack }
    }

    /// All addresses of the stack: one, unless an answer got lost at the wrong moment. The one in
    /// use first.
    async fn find(&self) -> Result<Vec<Address>, AwsError> {
        let call = self.stack.aws.ec2.describe_addresses();
        let call = call.set_filters(Some(self.stack.ownership.filters(&keys::ADDRESS)));
        let answer = call.send().await.during("ec2:DescribeAddresses")?;
        // The local cloud ignores the filters; on AWS this changes nothing.
        let ours = |address: &Address| look::is_ours(&self.stack, address.tags(), &keys::ADDRESS);
        let mut found: Vec<Address> = answer
            .addresses
            .unwrap_or_default()
            .into_iter()
            .filter(ours)
            .collect();
        found.sort_by_key(|address| (address.association_id().is_none(), id(address)));
        Ok(found)
    }

    async fn allocate(&self) -> Result<String, AwsError> {
        let tags = look::specification(&self.stack, &keys::ADDRESS, ResourceType::ElasticIp);
        let call = self
            .stack
            .aws
            .ec2
            .allocate_address()
            .domain(DomainType::Vpc);
        let call = call.tag_specifications(tags).customize();
        let answer = call.config_override(look::no_retries()).send().await;
        let allocation = answer.during("ec2:AllocateAddress")?.allocation_id;
        allocation.ok_or_else(|| AwsError::empty("ec2:AllocateAddress"))
    }

    async fn release(&self, id: &str, action: &str, progress: &Progress) -> Result<(), Failure> {
        let wait = Wait::new(format!("address `{id}` to be free"), RELEASED_WITHIN).usual(1, 120);
        let began = tokio::time::Instant::now();
        let release = async || {
            let call = self.stack.aws.ec2.release_address().allocation_id(id);
            let answer = call
                .send()
                .await
                .during("ec2:ReleaseAddress")
                .absent_as_none();
            match answer {
                Ok(_) => Ok(Poll::Ready(())),
                Err(error) if is_too_early(&error) && began.elapsed() < RELEASED_WITHIN / 2 => {
                    Ok(Poll::Pending(error.to_string()))
                }
                Err(error) => Err(error.failure(action).left(crate::engine::Left::Ours)),
            }
        };
        progress.until(wait, release).await
    }
}

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
impl Resource for ElasticAddress {
    fn key(&self) -> ResourceKey {
        keys::ADDRESS
    }

    fn step(&self) -> Step {
        STEP
    }

    fn kind(&self) -> &'static str {
        "elastic IP"
    }

    fn name(&self) -> String {
        format!("{}-elastic-ip", self.stack.names.stack())
    }

    fn needs(&self) -> Vec<ResourceKey> {
        Vec::new()
    }

    fn billable(&self) -> bool {
        true
    }

    async fn observe(&self) -> Result<Observed, Failure> {
        let found = self
            .find()
            .await
            .or_failure(|| doing("looking for", self))?;
        self.stack.found.address.replace(found.first().map(id));
        let Some(first) = found.first() else {
            return Ok(Observed::Absent);
        };
        if found.len() == 1 {
            return Ok(Observed::Ready { id: id(first) });
        }
        let differences = vec![Difference::new("addresses", found.len().to_string(), "1")];
        Ok(Observed::Drifted {
            id: id(first),
            differences,
        })
    }

    async fn ensure(&self, observed: &Observed, progress: &Progress) -> Result<(), Failure> {
        if matches!(observed, Observed::Drifted { .. }) {
            let action = doing("releasing all but one", self);
            for surplus in self
                .find()
                .await
                .or_failure(|| action.clone())?
                .iter()
                .skip(1)
            {
                self.release(&id(surplus), &action, progress).await?;
            }
            return Ok(());
        }
        let action = doing("allocating", self);
        let look = async || Ok(self.find().await?.first().map(id));
        let made = create_once(progress, &action, look, async || self.allocate().await).await?;
        self.stack.found.address.set(made);
        Ok(())
    }

    async fn remove(&self, progress: &Progress) -> Result<(), Failure> {
        let action = doing("releasing", self);
        for address in self.find().await.or_failure(|| action.clone())? {
            self.release(&id(&address), &action, progress).await?;
        }
        self.stack.found.address.clear();
        Ok(())
    }
}

fn id(address: &Address) -> String {
    address.allocation_id().unwrap_or_default().to_owned()
}
