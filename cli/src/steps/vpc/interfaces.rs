//! The network interfaces that Lambda makes for the functions. Nobody creates them here; they are
//! a resource so that their end is waited for: Lambda takes minutes to let go of them, and needs
//! the functions' roles for it.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use aws_sdk_ec2::types::{NetworkInterface, NetworkInterfaceStatus};
use place_config::Function;

use super::super::repeat::doing;
use super::super::{Stack, keys};
use super::{STEP, look};
use crate::aws::{Answer, AwsResult, Class};
use crate::engine::{Failure, Left, Observed, Poll, Progress, Resource, ResourceKey, Step, Wait};

/// Lambda's own clean-up has a long tail: most are gone after 20 minutes, some after 45.
const GONE_WITHIN: Duration = Duration::from_mins(50);

/// The functions' network interfaces.
pub(super) struct FunctionInterfaces {
    stack: Arc<Stack>,
}

impl FunctionInterfaces {
    pub(super) const fn new(stack: Arc<Stack>) -> Self {
        Self { stack }
    }

    /// Deletes those that Lambda has detached, and says what the others hang on. Only interfaces
    /// in the functions' own security group are ever touched.
    async fn reap(&self, group: &str) -> Result<Poll<()>, Failure> {
        let action = || doing("removing", self);
        let interfaces = look::interfaces(&self.stack, "group-id", group).await;
        let mut blocker = None;
        for interface in interfaces.or_failure(action)? {
            let free = interface.status() == Some(&NetworkInterfaceStatus::Available);
            if !(free && self.delete(&interface).await?) {
                blocker.get_or_insert_with(|| describe(&interface));
            }
        }
        Ok(blocker.map_or(Poll::Ready(()), Poll::Pending))
    }

    /// Whether it is gone: a free one may be taken again by Lambda between look and deletion.
    async fn delete(&self, interface: &NetworkInterface) -> Result<bool, Failure> {
        let id = interface.network_interface_id().unwrap_or_default();
        let call = self
            .stack
            .aws
            .ec2
            .delete_network_interface()
            .network_interface_id(id);
        let answer = call
            .send()
            .await
            .during("ec2:DeleteNetworkInterface")
            .absent_as_none();
        match answer {
            Ok(_) => Ok(true),
            Err(error) if is_in_use(&error) => Ok(false),
            Err(error) => Err(error.failure(doing("removing", self)).left(Left::Ours)),
        }
    }
}

fn is_in_use(error: &crate::aws::AwsError) -> bool {
    error.class == Class::Conflict
        || error.is("InvalidNetworkInterface.InUse")
        || error.is("InvalidParameterValue")
}

#[async_trait(?Send)]
impl Resource for FunctionInterfaces {
    fn key(&self) -> ResourceKey {
        keys::INTERFACES
    }

    fn step(&self) -> Step {
        STEP
    }

    fn kind(&self) -> &'static str {
        "network interfaces"
    }

    fn name(&self) -> String {
        "functions".to_owned()
    }

    fn needs(&self) -> Vec<ResourceKey> {
        let [first, second] = keys::PRIVATE_SUBNETS;
        vec![keys::FUNCTION_GROUP, first, second]
    }

    fn removed_after(&self) -> Option<Vec<ResourceKey>> {
        Some(Function::ALL.map(keys::function).into())
    }

    /// There as long as the group is that they are in: Lambda makes and unmakes them by itself.
    async fn observe(&self) -> Result<Observed, Failure> {
        let group = self.stack.found.function_group.get();
        Ok(group.map_or(Observed::Absent, Observed::ready))
    }

    async fn ensure(&self, _: &Observed, _: &Progress) -> Result<(), Failure> {
        Ok(())
    }

    async fn remove(&self, progress: &Progress) -> Result<(), Failure> {
        let Some(group) = self.stack.found.function_group.get() else {
            return Ok(());
        };
        let mut wait = Wait::new("Lambda to release its network interfaces", GONE_WITHIN);
        wait.longest_pause = Duration::from_secs(15);
        progress
            .until(wait.usual(240, 1200), async || self.reap(&group).await)
            .await
    }
}

/// An interface, in words.
pub(super) fn describe(interface: &NetworkInterface) -> String {
    let id = interface.network_interface_id().unwrap_or_default();
    let status = interface
        .status()
        .map_or("in an unknown state", |status| status.as_str());
    match interface.description().filter(|text| !text.is_empty()) {
        Some(text) => format!("`{id}` ({text}), {status}"),
        None => format!("`{id}`, {status}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_interface_is_named_with_its_state() {
        let interface = NetworkInterface::builder()
            .network_interface_id("eni-1")
            .description("AWS Lambda VPC ENI-save-1")
            .status(NetworkInterfaceStatus::InUse)
            .build();
        assert_eq!(
            describe(&interface),
            "`eni-1` (AWS Lambda VPC ENI-save-1), in-use"
        );
    }
}
