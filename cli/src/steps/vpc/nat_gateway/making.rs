//! A NAT gateway is made: with a token, seen, and waited for.

use std::time::Duration;

use aws_sdk_ec2::types::{
    AvailabilityMode, ConnectivityType, NatGateway as Answered, NatGatewayState, ResourceType,
};
use sha2::{Digest, Sha256};
use tokio::time::Instant;

use super::super::look;
use super::{NatGateway, id};
use crate::aws::{Answer, AwsError, AwsResult};
use crate::engine::{Failure, FailureKind, Left, Poll, Progress, Wait};
use crate::steps::digest::hexadecimal;
use crate::steps::keys;
use crate::steps::lost::Creation;
use crate::steps::repeat::doing;

const AVAILABLE_WITHIN: Duration = Duration::from_mins(10);

/// How long a NAT gateway that was just made may take to be listed.
const LISTED_WITHIN: Duration = Duration::from_mins(1);

/// How long EC2 may hold the address of a NAT gateway that is gone.
const FREE_WITHIN: Duration = Duration::from_mins(5);

/// Failure codes that a second NAT gateway may escape: an internal error of EC2, or EC2 does not
/// see yet what was created, attached or released a moment ago.
const PASSING: [&str; 5] = [
    "InternalError",
    "Resource.AlreadyAssociated",
    "InvalidAllocationID.NotFound",
    "InvalidSubnetID.NotFound",
    "Gateway.NotAttached",
];

/// Tokens tried, one after the other.
const SALTS: u8 = 3;

impl NatGateway {
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

    /// Creates a NAT gateway that EC2 lists. EC2 may answer a token with an earlier NAT gateway
    /// that failed and is no longer listed: such an answer never becomes visible.
    pub(super) async fn create_visibly(
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
            .caused_by("EC2 keeps returning deleted NAT gateways")
            .hint(
                "run `placectl up` again in an hour, when EC2 no longer lists deleted NAT gateways",
            )
            .kind(FailureKind::Incomplete)
            .left(Left::Unknown))
    }

    /// Waits until the address is free: EC2 may hold the address for a while after the NAT gateway
    /// is deleted (kubernetes/kops#938), and the next NAT gateway would fail.
    pub(super) async fn until_free(
        &self,
        address: &str,
        progress: &Progress,
    ) -> Result<(), Failure> {
        let what = format!("address `{address}` to be free");
        let wait = Wait::new(what, FREE_WITHIN).usual(0, 60);
        let look = async || {
            let call = self.stack.aws.ec2.describe_addresses();
            let answer = call.allocation_ids(address).send().await;
            let answer = answer.during("ec2:DescribeAddresses").absent_as_none();
            let found = answer.or_failure(|| doing("looking at the address of", self))?;
            let found = found.and_then(|answer| answer.addresses);
            let held = found
                .iter()
                .flatten()
                .find_map(|address| address.association_id());
            Ok(held.map_or(Poll::Ready(()), |held| {
                Poll::Pending(format!("held by association `{held}`"))
            }))
        };
        progress.until(wait, look).await
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

    /// Waits until the NAT gateway is available; answers a NAT gateway that failed or was deleted.
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

    /// Waits until the NAT gateway is available; after a passing failure creates another, once.
    pub(super) async fn until_available(
        &self,
        mut id: String,
        (subnet, address): (&str, &str),
        progress: &Progress,
    ) -> Result<(), Failure> {
        let mut again = true;
        loop {
            self.stack.found.nat_gateway.set(id.clone());
            let Some(failed) = self.until_settled(&id, progress).await? else {
                return Ok(());
            };
            if !(again && is_passing(&failed)) {
                return Err(self.failed(&failed));
            }
            again = false;
            self.delete_and_wait(&id, progress).await?;
            self.until_free(address, progress).await?;
            id = self.create_visibly(subnet, address, progress).await?;
        }
    }

    fn failed(&self, nat: &Answered) -> Failure {
        Failure::new(doing("creating", self))
            .caused_by(reason(nat))
            .hint("fix the cause, then run `placectl up` again; a failed NAT gateway costs nothing")
            .left(Left::Nothing)
    }

    /// The client token of a NAT gateway. After a crash the token is the same, so that EC2 creates
    /// only one NAT gateway. Once an earlier NAT gateway is dead the token differs, so that EC2
    /// does not answer with the dead NAT gateway.
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

fn is_passing(nat: &Answered) -> bool {
    let is_failed = nat.state() == Some(&NatGatewayState::Failed);
    is_failed
        && nat
            .failure_code()
            .is_some_and(|code| PASSING.contains(&code))
}

fn reason(nat: &Answered) -> String {
    let code = nat.failure_code().unwrap_or("no code");
    let message = nat.failure_message().unwrap_or("no message");
    format!("NAT gateway `{}` failed with {code}: {message}", id(nat))
}

/// Sixty-four characters, the most that EC2 takes.
fn token(parts: &[&str], dead: &[String], salt: u8) -> String {
    let mut hash = Sha256::new();
    for part in parts.iter().copied().chain(dead.iter().map(String::as_str)) {
        hash.update(part);
        hash.update([0]);
    }
    if salt > 0 {
        hash.update([salt]);
    }
    hexadecimal(&hash.finalize())
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
        assert!(super::super::is_dead(&nat));
        assert!(reason(&nat).contains("Gateway.NotAttached"));
    }
}
