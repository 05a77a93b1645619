//! The NAT gateway: the functions' way out, in the public subnet.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use aws_sdk_ec2::types::{
    AvailabilityMode, ConnectivityType, NatGateway as Answered, NatGatewayState, ResourceType,
};
use sha2::{Digest, Sha256};
use tokio::time::Instant;

use super::super::lost::Creation;
use super::super::repeat::{doing, until_gone};
use super::super::{Stack, keys};
use super::{STEP, look};
use crate::aws::{Answer, AwsError, AwsResult};
use crate::engine::outcome::Difference;
use crate::engine::{
    Failure, FailureKind, Left, Observed, Poll, Progress, Resource, ResourceKey, Step, Wait,
};

const AVAILABLE_WITHIN: Duration = Duration::from_mins(10);
const DELETED_WITHIN: Duration = Duration::from_mins(15);

/// How long a NAT gateway that was just made may take to be listed.
const LISTED_WITHIN: Duration = Duration::from_mins(1);

/// Why one may fail that the next one need not: EC2's own fault, or it does not see yet what was
/// made or attached a moment ago.
const PASSING: [&str; 4] = [
    "InternalError",
    "InvalidAllocationID.NotFound",
    "InvalidSubnetID.NotFound",
    "Gateway.NotAttached",
];

/// Tokens tried, one after the other.
const SALTS: u8 = 3;

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

    async fn create(&self, subnet: &str, address: &str, token: &str) -> Result<Answered, AwsError> {
        let tags = look::specification(&self.stack, &keys::NAT_GATEWAY, ResourceType::Natgateway);
        let call = self.stack.aws.ec2.create_nat_gateway().subnet_id(subnet);
        let call = call
            .allocation_id(address)
            .connectivity_type(ConnectivityType::Public);
        let call = call
            .availability_mode(AvailabilityMode::Zonal)
            .client_token(token);
        // What stands in for EC2 may know no tokens: nothing is repeated without a look.
        let call = call.tag_specifications(tags).customize();
        let answer = call.config_override(look::no_retries()).send().await;
        let answer = answer.during("ec2:CreateNatGateway")?;
        answer
            .nat_gateway
            .ok_or_else(|| AwsError::empty("ec2:CreateNatGateway"))
    }

    /// Creates one that is really there. EC2 may remember the token of an earlier one that failed
    /// and is not listed any more, and answer with that: such an answer stays invisible.
    async fn create_visibly(
        &self,
        subnet: &str,
        address: &str,
        progress: &Progress,
    ) -> Result<String, Failure> {
        let action = doing("creating", self);
        for salt in 0..SALTS {
            let token = self.token(subnet, address, salt).await;
            let token = token.or_failure(|| action.clone())?;
            let look = async || Ok(self.living().await?.into_iter().next());
            let create = async || self.create(subnet, address, &token).await;
            let creation = Creation::new(&self.stack, progress, &action);
            let made = id(&creation.run(look, create).await?);
            if self.is_visible(&made, progress).await? {
                return Ok(made);
            }
        }
        Err(Failure::new(action)
            .caused_by("EC2 answers with NAT gateways that are gone")
            .hint("run `placectl up` again in an hour: EC2 forgets them by then")
            .kind(FailureKind::Incomplete)
            .left(Left::Unknown))
    }

    /// Whether EC2 comes to list it, in whatever state.
    async fn is_visible(&self, made: &str, progress: &Progress) -> Result<bool, Failure> {
        let began = Instant::now();
        let what = format!("NAT gateway `{made}` to be listed");
        let wait = Wait::new(what, LISTED_WITHIN * 2).usual(0, 10);
        let look = async || {
            let found = self.describe().await;
            let found = found.or_failure(|| doing("looking for", self))?;
            if found.iter().any(|nat| id(nat) == made) {
                return Ok(Poll::Ready(true));
            }
            Ok(if began.elapsed() < LISTED_WITHIN {
                Poll::Pending("not listed yet".to_owned())
            } else {
                Poll::Ready(false)
            })
        };
        progress.until(wait, look).await
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

    /// Waits until it is available, or answers it as it came out instead.
    async fn until_settled(
        &self,
        id: &str,
        progress: &Progress,
    ) -> Result<Option<Answered>, Failure> {
        let wait = Wait::new(
            format!("NAT gateway `{id}` to be available"),
            AVAILABLE_WITHIN,
        );
        let look = async || {
            let found = self
                .describe()
                .await
                .or_failure(|| doing("looking for", self))?;
            let Some(nat) = found
                .into_iter()
                .find(|nat| nat.nat_gateway_id() == Some(id))
            else {
                return Ok(Poll::Pending("not visible yet".to_owned()));
            };
            match nat.state() {
                Some(NatGatewayState::Available) => Ok(Poll::Ready(None)),
                Some(NatGatewayState::Pending) | None => Ok(Poll::Pending("pending".to_owned())),
                _ => Ok(Poll::Ready(Some(nat))),
            }
        };
        progress.until(wait.usual(60, 180), look).await
    }

    /// Makes another one instead of one that failed for what passes: once, and no more.
    async fn until_available(
        &self,
        id: &str,
        (subnet, address): (&str, &str),
        progress: &Progress,
    ) -> Result<(), Failure> {
        let Some(failed) = self.until_settled(id, progress).await? else {
            return Ok(());
        };
        if !is_passing(&failed) {
            return Err(self.failed(&failed));
        }
        self.delete_and_wait(id, progress).await?;
        let id = self.create_visibly(subnet, address, progress).await?;
        self.stack.found.nat_gateway.set(id.clone());
        let failed = self.until_settled(&id, progress).await?;
        failed.map_or(Ok(()), |failed| Err(self.failed(&failed)))
    }

    fn failed(&self, nat: &Answered) -> Failure {
        Failure::new(doing("creating", self))
            .caused_by(reason(nat))
            .hint("mend the cause and run `placectl up` again: the failed one costs nothing")
            .left(Left::Nothing)
    }

    /// A token of its own for each NAT gateway that the stack ever has: the same after a crash, so
    /// that the create is not repeated, another one once an earlier NAT gateway is dead, so that
    /// EC2 does not answer with that one.
    async fn token(&self, subnet: &str, address: &str, salt: u8) -> Result<String, AwsError> {
        let dead: Vec<String> = self.describe().await?.iter().map(id).collect();
        let aws = &self.stack.aws;
        let parts = [
            &aws.identity.account,
            &aws.region,
            self.stack.names.stack(),
            subnet,
            address,
        ];
        Ok(token(&parts, &dead, salt))
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
        let mut kept = None;
        for nat in self.living().await.or_failure(|| action.clone())? {
            let usable = nat.state() != Some(&NatGatewayState::Deleting);
            if kept.is_none() && usable && nat.subnet_id() == Some(subnet.as_str()) {
                let key = &keys::NAT_GATEWAY;
                let mended = look::mend_tags(&self.stack, &id(&nat), nat.tags(), key).await;
                mended.or_failure(|| doing("tagging", self))?;
                kept = Some(id(&nat));
            } else {
                self.delete_and_wait(&id(&nat), progress).await?;
            }
        }
        let id = if let Some(id) = kept {
            id
        } else {
            self.create_visibly(&subnet, &address, progress).await?
        };
        self.stack.found.nat_gateway.set(id.clone());
        let place = (subnet.as_str(), address.as_str());
        self.until_available(&id, place, progress).await
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

fn is_passing(nat: &Answered) -> bool {
    let is_failed = nat.state() == Some(&NatGatewayState::Failed);
    is_failed
        && nat
            .failure_code()
            .is_some_and(|code| PASSING.contains(&code))
}

fn rank(nat: &Answered) -> u8 {
    match nat.state() {
        Some(NatGatewayState::Available) => 0,
        Some(NatGatewayState::Pending) => 1,
        _ => 2,
    }
}

fn reason(nat: &Answered) -> String {
    let code = nat.failure_code().unwrap_or("no code");
    let message = nat.failure_message().unwrap_or("no message");
    format!("NAT gateway `{}` failed with {code}: {message}", id(nat))
}

/// Sixty-four characters, the most that EC2 takes.
fn token(parts: &[&str], dead: &[String], salt: u8) -> String {
    use std::fmt::Write as _;
    let mut hash = Sha256::new();
    for part in parts.iter().copied().chain(dead.iter().map(String::as_str)) {
        hash.update(part);
        hash.update([0]);
    }
    if salt > 0 {
        hash.update([salt]);
    }
    hash.finalize()
        .iter()
        .fold(String::with_capacity(64), |mut text, byte| {
            write!(text, "{byte:02x}").expect("writing to a string can't fail");
            text
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_the_same_until_a_nat_gateway_died() {
        let parts = ["123456789012", "us-east-1", "place", "eipalloc-1"];
        let first = token(&parts, &[], 0);
        assert_eq!(first, token(&parts, &[], 0));
        assert_eq!(first.len(), 64);
        assert_ne!(first, token(&parts, &["nat-1".to_owned()], 0));
        assert_ne!(first, token(&parts, &[], 1));
        let other = ["123456789012", "us-east-1", "place", "eipalloc-2"];
        assert_ne!(first, token(&other, &[], 0));
    }

    #[test]
    fn a_failed_one_is_dead_and_says_why() {
        let nat = Answered::builder()
            .nat_gateway_id("nat-1")
            .state(NatGatewayState::Failed)
            .failure_code("Gateway.NotAttached")
            .failure_message("Network vpc-1 has no Internet gateway attached")
            .build();
        assert!(is_dead(&nat));
        assert!(reason(&nat).contains("Gateway.NotAttached"));
    }
}
