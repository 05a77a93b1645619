//! The VPC: the region's default one, or one of the stack's own.

use async_trait::async_trait;
use aws_sdk_ec2::types::{ResourceType, SecurityGroup, Vpc as Answered, VpcState};
use place_config::stack::VpcMode;

use super::super::drift::Drift;
use super::super::lifecycle::{Card, Kind, Reading, State, Trouble, Whose};
use super::super::{Stack, Vpc, keys};
use super::look;
use crate::aws::tags::filter;
use crate::aws::{Answer, AwsError};
use crate::engine::outcome::Difference;
use crate::engine::{Failure, Observed};

/// The VPC. The default one is only used; a dedicated one is the stack's own.
pub(super) struct Network;

/// Whether the stack has a VPC of its own.
pub(super) fn is_dedicated(stack: &Stack) -> bool {
    stack.config.vpc.mode == VpcMode::Dedicated
}

/// Refuses to continue if the stack's resources are in another VPC: `up` would create a second
/// stack.
fn refuse_other_vpc(
    stack: &Stack,
    vpc: Option<&str>,
    groups: &[SecurityGroup],
) -> Result<(), Failure> {
    let mut groups = groups.iter();
    let elsewhere =
        |group: &&SecurityGroup| group.vpc_id() != vpc && look::is_own_group(stack, group);
    let Some(group) = groups.find(elsewhere) else {
        return Ok(());
    };
    let other = group.vpc_id().unwrap_or_default();
    Err(Failure::new("looking for the VPC")
        .caused_by(format!(
            "the stack's resources are in another VPC, `{other}`"
        ))
        .hint("set `vpc.mode` back, run `placectl teardown`, change `vpc.mode`, run `placectl up`"))
}

#[async_trait(?Send)]
impl Kind for Network {
    type Found = Answered;

    fn card(&self, stack: &Stack) -> Card {
        let name = if is_dedicated(stack) {
            format!("{}-vpc", stack.names.stack())
        } else {
            "default".to_owned()
        };
        let card = Card::new(1, keys::VPC, "VPC", name).owned(is_dedicated(stack));
        card.makes(0, 10).seen_off(1, 60)
    }

    /// The VPC; of a dedicated one, copies too, should an answer have got lost at the wrong
    /// moment. The one that the stack's security groups are in first.
    async fn find(&self, stack: &Stack) -> Result<Vec<Answered>, Trouble> {
        let mut pages = stack.aws.ec2.describe_vpcs();
        if !is_dedicated(stack) {
            pages = pages.filters(filter("is-default", "true"));
        }
        let items = pages.into_paginator().items().send();
        let found = items.collect::<Result<Vec<_>, _>>().await;
        let mut found = found.during("ec2:DescribeVpcs")?;
        if !is_dedicated(stack) {
            return Ok(found);
        }
        found.retain(|vpc| look::is_ours(stack, vpc.tags(), &keys::VPC));
        if found.len() > 1 {
            let groups = look::named_groups(stack).await?;
            let is_used = |vpc: &Answered| groups.iter().any(|of| of.vpc_id() == vpc.vpc_id());
            found.sort_by_key(|vpc| (!is_used(vpc), vpc.vpc_id.clone()));
        }
        Ok(found)
    }

    fn read(&self, stack: &Stack, found: &Answered) -> Reading {
        let mut reading = Reading::tagged(vpc(found).id, found.tags());
        if !is_dedicated(stack) {
            reading.whose = Whose::Used;
        }
        if found.state() == Some(&VpcState::Pending) {
            return reading.state(State::Changing("pending".to_owned()));
        }
        reading
    }

    fn compare(&self, stack: &Stack, found: &Answered, drift: &mut Drift) {
        let (cidr, wanted) = (vpc(found).cidr, &stack.config.vpc.cidr);
        if is_dedicated(stack) && cidr != *wanted {
            drift.note(Difference::new("CidrBlock", cidr, wanted).needs_replacement());
        }
    }

    async fn judge(
        &self,
        stack: &Stack,
        found: Option<&Answered>,
        _: &mut Drift,
    ) -> Result<Option<Observed>, Trouble> {
        let groups = look::named_groups(stack).await?;
        refuse_other_vpc(stack, found.and_then(Answered::vpc_id), &groups)?;
        Ok(None)
    }

    async fn create(&self, stack: &Stack) -> Result<Answered, Trouble> {
        let ec2 = &stack.aws.ec2;
        let vpc = if is_dedicated(stack) {
            let tags = look::specification(stack, &keys::VPC, ResourceType::Vpc);
            let call = ec2.create_vpc().cidr_block(&stack.config.vpc.cidr);
            let call = call.tag_specifications(tags).customize();
            let call = call.config_override(look::no_retries());
            call.send().await.during("ec2:CreateVpc")?.vpc
        } else {
            let call = ec2.create_default_vpc();
            call.send().await.during("ec2:CreateDefaultVpc")?.vpc
        };
        Ok(vpc.ok_or_else(|| AwsError::empty("ec2:CreateVpc"))?)
    }

    async fn tag(&self, stack: &Stack, found: &Answered) -> Result<(), Trouble> {
        Ok(look::put_tags(stack, &vpc(found).id, &keys::VPC).await?)
    }

    async fn spare(&self, _: &Stack, _: &Answered) -> Result<(), Trouble> {
        Err(Failure::new("replacing the VPC")
            .caused_by("the VPC contains all other resources of the stack")
            .hint("run `placectl teardown` with the old `vpc.cidr`, then `placectl up`")
            .into())
    }

    async fn delete(&self, stack: &Stack, found: &Answered) -> Result<(), Trouble> {
        let delete = stack.aws.ec2.delete_vpc().vpc_id(vpc(found).id);
        Ok(delete.send().await.during("ec2:DeleteVpc").map(drop)?)
    }

    fn leave(&self, stack: &Stack, found: Option<&Answered>) {
        stack.found.vpc.replace(found.map(vpc));
    }
}

fn vpc(answered: &Answered) -> Vpc {
    Vpc {
        id: answered.vpc_id().unwrap_or_default().to_owned(),
        cidr: answered.cidr_block().unwrap_or_default().to_owned(),
    }
}
