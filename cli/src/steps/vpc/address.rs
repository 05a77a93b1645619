//! The elastic IP address of the NAT gateway.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use aws_sdk_ec2::types::{Address, DomainType, ResourceType};

use super::super::lost::Creation;
use super::super::repeat::doing;
use super::super::{Stack, keys};
use super::{STEP, look};
use crate::aws::{Answer, AwsError, AwsResult, Class};
use crate::engine::{
    Failure, FailureKind, Left, Observed, Poll, Progress, Resource, ResourceKey, Step, Wait,
};

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
        let answer = call.send().await.during("ec2:DescribeAddresses")?;
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
        // Longer than the answers are put up with: then the last one is the failure.
        let limit = RELEASED_WITHIN + Duration::from_mins(1);
        let wait = Wait::new(format!("address `{id}` to be free"), limit).usual(1, 120);
        let began = tokio::time::Instant::now();
        let release = async || {
            let call = self.stack.aws.ec2.release_address().allocation_id(id);
            match call.send().await.during("ec2:ReleaseAddress") {
                // One of these is an "absent" of another thing, so they come first.
                Err(error) if is_too_early(&error) && began.elapsed() < RELEASED_WITHIN => {
                    Ok(Poll::Pending(error.to_string()))
                }
                Err(error) if is_too_early(&error) || error.class != Class::Absent => {
                    Err(unreleased(error, action))
                }
                _ => Ok(Poll::Ready(())),
            }
        };
        progress.until(wait, release).await
    }
}

/// The failure of `action`. An answer that passes passes for the next run too, unless it says that
/// a permission is missing: by now it may be right.
fn unreleased(error: AwsError, action: &str) -> Failure {
    let passes = is_too_early(&error) && error.class != Class::Denied;
    let failure = error.failure(action).left(Left::Ours);
    if !passes {
        return failure;
    }
    failure
        .hint("run the same command again in some minutes: the address costs money until it goes")
        .kind(FailureKind::Incomplete)
}

impl ElasticAddress {
    /// Keeps one, tagged, and releases the others.
    async fn repair(&self, progress: &Progress) -> Result<(), Failure> {
        let action = doing("repairing", self);
        let found = self.find().await.or_failure(|| action.clone())?;
        let Some((first, copies)) = found.split_first() else {
            return Ok(());
        };
        for copy in copies {
            self.release(&id(copy), &action, progress).await?;
        }
        look::mend_tags(&self.stack, &id(first), first.tags(), &keys::ADDRESS)
            .await
            .or_failure(|| action)
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
        let mut drift = look::compare_tags(&self.stack, first.tags(), &keys::ADDRESS);
        drift.compare("addresses", found.len(), 1);
        Ok(drift.verdict(id(first)))
    }

    async fn ensure(&self, observed: &Observed, progress: &Progress) -> Result<(), Failure> {
        if matches!(observed, Observed::Drifted { .. }) {
            return self.repair(progress).await;
        }
        let action = doing("allocating", self);
        let look = async || Ok(self.find().await?.first().map(id));
        let creation = Creation::new(&self.stack, progress, &action);
        let made = creation.run(look, async || self.allocate().await).await?;
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
