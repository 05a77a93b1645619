//! The internet gateway: the VPC's own way out. One that the default VPC has already is used as
//! it is; only one that the stack made is the stack's own.

use std::time::Duration;

use async_trait::async_trait;
use aws_sdk_ec2::types::{InternetGateway as Answered, ResourceType};

use super::super::drift::Drift;
use super::super::lifecycle::{Card, Kind, Reading, State, Trouble, Whose, tag_map};
use super::super::{Stack, keys};
use super::look;
use super::network::is_dedicated;
use crate::aws::{Answer, AwsError, AwsResult, Owner};

/// Detaching fails while a public address of the VPC is still mapped: a NAT gateway that was
/// deleted a moment ago holds its own for some minutes. After that EC2 may take the gateway for
/// attached for a moment longer.
const PATIENCE: Duration = Duration::from_mins(20);

/// The internet gateway.
pub(super) struct InternetGateway;

/// Whether it is the stack's own: by its tags; in a VPC of the stack's own also by where it is
/// attached, because without its tags it would stay, and the VPC with it.
fn is_own(stack: &Stack, gateway: &Answered) -> bool {
    let key = &keys::INTERNET_GATEWAY;
    if look::is_ours(stack, gateway.tags(), key) {
        return true;
    }
    let owner = stack.ownership.owner(key, gateway.tags());
    is_dedicated(stack) && is_used(stack, gateway) && !matches!(owner, Owner::Stack(_))
}

/// Whether it is attached to the VPC.
fn is_used(stack: &Stack, gateway: &Answered) -> bool {
    let vpc = stack.found.vpc.get();
    vpc.is_some_and(|vpc| is_attached(gateway, &vpc.id))
}

async fn attach(stack: &Stack, gateway: &Answered) -> Result<(), Trouble> {
    let vpc = stack.found.vpc.require(&keys::VPC)?;
    let call = stack.aws.ec2.attach_internet_gateway().vpc_id(vpc.id);
    let answer = call.internet_gateway_id(id(gateway)).send().await;
    let answer = answer.during("ec2:AttachInternetGateway");
    Ok(answer.exists_as_none().map(drop)?)
}

async fn detach(stack: &Stack, gateway: &Answered, vpc: &str) -> Result<(), AwsError> {
    let call = stack.aws.ec2.detach_internet_gateway().vpc_id(vpc);
    let answer = call.internet_gateway_id(id(gateway)).send().await;
    match answer.during("ec2:DetachInternetGateway").absent_as_none() {
        // AWS's word for "it is not attached to that VPC (any more)".
        Err(error) if error.is("Gateway.NotAttached") => Ok(()),
        other => other.map(drop),
    }
}

#[async_trait(?Send)]
impl Kind for InternetGateway {
    type Found = Answered;

    fn card(&self, stack: &Stack) -> Card {
        let name = format!("{}-internet-gateway", stack.names.stack());
        let card = Card::new(1, keys::INTERNET_GATEWAY, "internet gateway", name);
        let own = stack.found.internet_gateway_is_own.get().unwrap_or(true);
        let card = card.needs([keys::VPC]).owned(own);
        card.patience(PATIENCE).seen_off(1, 300)
    }

    /// What is attached to the VPC, whosever it is, and those of the stack's own: at most one,
    /// unless an answer got lost at the wrong moment.
    async fn find(&self, stack: &Stack) -> Result<Vec<Answered>, Trouble> {
        let pages = stack.aws.ec2.describe_internet_gateways();
        let items = pages.into_paginator().items().send();
        let items = items.collect::<Result<Vec<_>, _>>().await;
        let mut found = items.during("ec2:DescribeInternetGateways")?;
        found.retain(|gateway| is_own(stack, gateway) || is_used(stack, gateway));
        found.sort_by_key(|gateway| {
            let (own, used) = (is_own(stack, gateway), is_used(stack, gateway));
            (own, !used, id(gateway))
        });
        let own = found.last().is_none_or(|last| is_own(stack, last));
        stack.found.internet_gateway_is_own.set(own);
        Ok(found)
    }

    fn read(&self, stack: &Stack, found: &Answered) -> Reading {
        let own = is_own(stack, found);
        let placed = || Whose::Placed(tag_map(found.tags()));
        let whose = if own { placed() } else { Whose::Used };
        let reading = Reading::new(id(found), whose);
        if stack.found.vpc.get().is_none() {
            return reading.state(State::Failed("the VPC was deleted".to_owned()));
        }
        reading
    }

    fn compare(&self, stack: &Stack, found: &Answered, drift: &mut Drift) {
        if let Some(vpc) = stack.found.vpc.get()
            && !is_attached(found, &vpc.id)
        {
            drift.compare("Attachment", "none", vpc.id);
        }
    }

    async fn create(&self, stack: &Stack) -> Result<Answered, Trouble> {
        let kind = ResourceType::InternetGateway;
        let tags = look::specification(stack, &keys::INTERNET_GATEWAY, kind);
        let call = stack.aws.ec2.create_internet_gateway();
        let call = call.tag_specifications(tags).customize();
        let answer = call.config_override(look::no_retries()).send().await;
        let answer = answer.during("ec2:CreateInternetGateway")?;
        let made = answer.internet_gateway;
        Ok(made.ok_or_else(|| AwsError::empty("ec2:CreateInternetGateway"))?)
    }

    async fn finish(&self, stack: &Stack, made: &Answered) -> Result<(), Trouble> {
        attach(stack, made).await
    }

    async fn tag(&self, stack: &Stack, found: &Answered) -> Result<(), Trouble> {
        Ok(look::put_tags(stack, &id(found), &keys::INTERNET_GATEWAY).await?)
    }

    async fn mend(&self, stack: &Stack, found: &Answered, _: &Drift) -> Result<(), Trouble> {
        attach(stack, found).await
    }

    async fn delete(&self, stack: &Stack, found: &Answered) -> Result<(), Trouble> {
        for vpc in found.attachments().iter().filter_map(|to| to.vpc_id()) {
            detach(stack, found, vpc).await?;
        }
        let call = stack.aws.ec2.delete_internet_gateway();
        let answer = call.internet_gateway_id(id(found)).send().await;
        Ok(answer.during("ec2:DeleteInternetGateway").map(drop)?)
    }

    fn leave(&self, stack: &Stack, found: Option<&Answered>) {
        stack.found.internet_gateway.replace(found.map(id));
    }
}

fn id(gateway: &Answered) -> String {
    gateway.internet_gateway_id().unwrap_or_default().to_owned()
}

fn is_attached(gateway: &Answered, vpc: &str) -> bool {
    gateway
        .attachments()
        .iter()
        .any(|to| to.vpc_id() == Some(vpc))
}

#[cfg(test)]
mod tests {
    use aws_sdk_ec2::types::InternetGatewayAttachment;

    use super::*;

    #[test]
    fn attached_to_another_vpc_is_not_attached() {
        let attachment = InternetGatewayAttachment::builder().vpc_id("vpc-1").build();
        let gateway = Answered::builder().attachments(attachment).build();
        assert!(is_attached(&gateway, "vpc-1"));
        assert!(!is_attached(&gateway, "vpc-2"));
    }
}
