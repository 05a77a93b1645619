//! The NAT gateway: the functions' way out, in the public subnet.
//!
//! It implements [`Resource`] by itself. Its create call takes a token of its own for each NAT
//! gateway that the stack ever had, EC2 may answer that call with one of old that stays invisible,
//! and one that failed for a reason that passes is made once more in the same run.

mod making;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use aws_sdk_ec2::types::{NatGateway as Answered, NatGatewayState};

use super::super::repeat::{doing, until_gone};
use super::super::{Stack, keys};
use super::{STEP, look};
use crate::aws::{Answer, AwsError, AwsResult};
use crate::engine::outcome::Difference;
use crate::engine::{Failure, Left, Observed, Progress, Resource, ResourceKey, Step, Wait};

const DELETED_WITHIN: Duration = Duration::from_mins(15);

/// The NAT gateway.
pub(super) struct NatGateway {
    stack: Arc<Stack>,
}

impl NatGateway {
    pub(super) const fn new(stack: Arc<Stack>) -> Self {
        Self { stack }
    }

    /// The stack's NAT gateways, dead ones included: EC2 shows those for about an hour.
    async fn describe(&self) -> Result<Vec<Answered>, AwsError> {
        let mut found = look::nat_gateways(&self.stack).await?;
        found.sort_by_key(|nat| (rank(nat), id(nat)));
        Ok(found)
    }

    async fn living(&self) -> Result<Vec<Answered>, AwsError> {
        Ok(self
            .describe()
            .await?
            .into_iter()
            .filter(|nat| !is_dead(nat))
            .collect())
    }

    async fn delete(&self, id: &str, action: &str) -> Result<(), Failure> {
        let call = self.stack.aws.ec2.delete_nat_gateway().nat_gateway_id(id);
        let answer = call
            .send()
            .await
            .during("ec2:DeleteNatGateway")
            .absent_as_none();
        answer.map_err(|error| error.failure(action).left(Left::Ours))?;
        Ok(())
    }

    fn differences(&self, found: &[Answered]) -> Vec<Difference> {
        let mut differences = Vec::new();
        let wanted = self.stack.found.public_subnet.get().map(|subnet| subnet.id);
        if let (Some(nat), Some(wanted)) = (found.first(), wanted) {
            let subnet = nat.subnet_id().unwrap_or_default();
            if subnet != wanted {
                differences.push(Difference::new("SubnetId", subnet, wanted).needs_replacement());
            }
        }
        if let Some(nat) = found.first() {
            let mut drift = look::compare_tags(&self.stack, nat.tags(), &keys::NAT_GATEWAY);
            drift.compare("NAT gateways", found.len(), 1);
            differences.extend(drift.into_differences());
        }
        differences
    }
}

#[async_trait(?Send)]
impl Resource for NatGateway {
    fn key(&self) -> ResourceKey {
        keys::NAT_GATEWAY
    }

    fn step(&self) -> Step {
        STEP
    }

    fn kind(&self) -> &'static str {
        "NAT gateway"
    }

    fn name(&self) -> String {
        format!("{}-nat-gateway", self.stack.names.stack())
    }

    fn needs(&self) -> Vec<ResourceKey> {
        vec![keys::ADDRESS, keys::PUBLIC_SUBNET, keys::INTERNET_GATEWAY]
    }

    /// Nothing: it costs money by the hour, and what routes to it only loses its way out.
    fn removed_after(&self) -> Option<Vec<ResourceKey>> {
        Some(Vec::new())
    }

    fn usual(&self) -> Duration {
        Duration::from_mins(2)
    }

    fn billable(&self) -> bool {
        true
    }

    async fn observe(&self) -> Result<Observed, Failure> {
        let found = self
            .living()
            .await
            .or_failure(|| doing("looking for", self))?;
        let Some(nat) = found.first() else {
            self.stack.found.nat_gateway.clear();
            return Ok(Observed::Absent);
        };
        let id = id(nat);
        self.stack.found.nat_gateway.set(id.clone());
        let differences = self.differences(&found);
        Ok(match nat.state() {
            Some(NatGatewayState::Available) if differences.is_empty() => Observed::ready(id),
            Some(NatGatewayState::Available) => Observed::Drifted { id, differences },
            state => Observed::Changing {
                id,
                state: state.map_or("", |s| s.as_str()).to_owned(),
            },
        })
    }

    async fn ensure(&self, _: &Observed, progress: &Progress) -> Result<(), Failure> {
        let action = doing("creating", self);
        let subnet = self
            .stack
            .found
            .public_subnet
            .require(&keys::PUBLIC_SUBNET)?
            .id;
        let address = self.stack.found.address.require(&keys::ADDRESS)?;
        let (mut kept, mut removed) = (None, false);
        for nat in self.living().await.or_failure(|| action.clone())? {
            let usable = nat.state() != Some(&NatGatewayState::Deleting);
            if kept.is_none() && usable && nat.subnet_id() == Some(subnet.as_str()) {
                let key = &keys::NAT_GATEWAY;
                let mended = look::mend_tags(&self.stack, &id(&nat), nat.tags(), key).await;
                mended.or_failure(|| doing("tagging", self))?;
                kept = Some(id(&nat));
            } else {
                self.delete_and_wait(&id(&nat), progress).await?;
                removed = true;
            }
        }
        let id = if let Some(id) = kept {
            id
        } else {
            if removed {
                self.until_free(&address, progress).await?;
            }
            self.create_visibly(&subnet, &address, progress).await?
        };
        let place = (subnet.as_str(), address.as_str());
        self.until_available(id, place, progress).await
    }

    async fn remove(&self, progress: &Progress) -> Result<(), Failure> {
        let action = doing("removing", self);
        for nat in self.living().await.or_failure(|| action.clone())? {
            self.delete_and_wait(&id(&nat), progress).await?;
        }
        self.stack.found.nat_gateway.clear();
        Ok(())
    }
}

impl NatGateway {
    async fn delete_and_wait(&self, id: &str, progress: &Progress) -> Result<(), Failure> {
        let action = doing("removing", self);
        self.delete(id, &action).await?;
        let wait = Wait::new(format!("NAT gateway `{id}` to be deleted"), DELETED_WITHIN);
        let look = async || {
            let living = self.living().await?;
            let nat = living.iter().find(|nat| nat.nat_gateway_id() == Some(id));
            Ok(nat.map(|nat| {
                nat.state()
                    .map_or("there", |state| state.as_str())
                    .to_owned()
            }))
        };
        until_gone(progress, wait.usual(30, 120), &action, look).await
    }
}

fn id(nat: &Answered) -> String {
    nat.nat_gateway_id().unwrap_or_default().to_owned()
}

/// Deleted ones, and failed ones, which EC2 removes by itself and which cost nothing.
fn is_dead(nat: &Answered) -> bool {
    matches!(
        nat.state(),
        Some(NatGatewayState::Deleted | NatGatewayState::Failed)
    )
}

fn rank(nat: &Answered) -> u8 {
    match nat.state() {
        Some(NatGatewayState::Available) => 0,
        Some(NatGatewayState::Pending) => 1,
        _ => 2,
    }
}
