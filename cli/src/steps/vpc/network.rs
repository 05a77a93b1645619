//! The VPC: the region's default one, or one of the stack's own.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use aws_sdk_ec2::types::{ResourceType, SecurityGroup, Vpc as Answered, VpcState};
use place_config::stack::VpcMode;

use super::super::repeat::{create_once, doing, until_gone, while_answer_is};
use super::super::{Stack, Vpc, keys};
use super::{STEP, look};
use crate::aws::tags::filter;
use crate::aws::{Answer, AwsError, AwsResult, Class, Owner};
use crate::engine::outcome::Difference;
use crate::engine::{Failure, Observed, Poll, Progress, Resource, ResourceKey, Step, Wait};

/// The VPC. The default one is only used; a dedicated one is the stack's own.
pub(super) struct Network {
    stack: Arc<Stack>,
}

impl Network {
    pub(super) const fn new(stack: Arc<Stack>) -> Self {
        Self { stack }
    }

    fn is_dedicated(&self) -> bool {
        self.stack.config.vpc.mode == VpcMode::Dedicated
    }

    async fn find(&self) -> Result<Option<Answered>, AwsError> {
        let pages = self.stack.aws.ec2.describe_vpcs();
        let pages = if self.is_dedicated() {
            pages.set_filters(Some(self.stack.ownership.filters(&keys::VPC)))
        } else {
            pages.filters(filter("is-default", "true"))
        };
        let mut items = pages.into_paginator().items().send();
        items.next().await.transpose().during("ec2:DescribeVpcs")
    }

    async fn create(&self) -> Result<Answered, AwsError> {
        let ec2 = &self.stack.aws.ec2;
        let vpc = if self.is_dedicated() {
            let tags = look::specification(&self.stack, &keys::VPC, ResourceType::Vpc);
            let call = ec2.create_vpc().cidr_block(&self.stack.config.vpc.cidr);
            let call = call.tag_specifications(tags).customize();
            let call = call.config_override(look::no_retries());
            call.send().await.during("ec2:CreateVpc")?.vpc
        } else {
            let answer = ec2
                .create_default_vpc()
                .send()
                .await
                .during("ec2:CreateDefaultVpc");
            match answer.exists_as_none()? {
                Some(answer) => answer.vpc,
                None => self.find().await?,
            }
        };
        vpc.ok_or_else(|| AwsError::empty("ec2:CreateVpc"))
    }

    /// A stack that was built in another VPC is not looked for in this one: said before a second
    /// stack grows beside it.
    fn refuse_other_vpc(&self, vpc: Option<&str>, groups: &[SecurityGroup]) -> Result<(), Failure> {
        let elsewhere = groups.iter().find(|group| {
            group.vpc_id() != vpc && self.stack.ownership.owner(group.tags()) == Owner::Us
        });
        let Some(group) = elsewhere else {
            return Ok(());
        };
        let other = group.vpc_id().unwrap_or_default();
        Err(Failure::new(doing("looking for", self))
            .caused_by(format!("the stack stands in another VPC, `{other}`"))
            .hint("set `vpc.mode` back, `placectl teardown`, then change it and `placectl up`"))
    }

    fn differences(&self, vpc: &Vpc) -> Vec<Difference> {
        let wanted = &self.stack.config.vpc.cidr;
        if self.is_dedicated() && vpc.cidr != *wanted {
            return vec![Difference::new("CidrBlock", &vpc.cidr, wanted).needs_replacement()];
        }
        Vec::new()
    }
}

#[async_trait(?Send)]
impl Resource for Network {
    fn key(&self) -> ResourceKey {
        keys::VPC
    }

    fn step(&self) -> Step {
        STEP
    }

    fn kind(&self) -> &'static str {
        "VPC"
    }

    fn name(&self) -> String {
        let own = || format!("{}-vpc", self.stack.names.stack());
        if self.is_dedicated() {
            own()
        } else {
            "default".to_owned()
        }
    }

    fn needs(&self) -> Vec<ResourceKey> {
        Vec::new()
    }

    fn owned(&self) -> bool {
        self.is_dedicated()
    }

    async fn observe(&self) -> Result<Observed, Failure> {
        let action = || doing("looking for", self);
        let (found, groups) = tokio::join!(self.find(), look::named_groups(&self.stack));
        let (found, groups) = (found.or_failure(action)?, groups.or_failure(action)?);
        let id = found.as_ref().and_then(|vpc| vpc.vpc_id());
        self.refuse_other_vpc(id, &groups)?;
        let Some(answered) = found else {
            self.stack.found.vpc.clear();
            return Ok(Observed::Absent);
        };
        let vpc = vpc(&answered);
        self.stack.found.vpc.set(vpc.clone());
        let (id, differences) = (vpc.id.clone(), self.differences(&vpc));
        Ok(match answered.state() {
            Some(VpcState::Pending) => Observed::Changing {
                id,
                state: "pending".to_owned(),
            },
            _ if differences.is_empty() => Observed::Ready { id },
            _ => Observed::Drifted { id, differences },
        })
    }

    async fn ensure(&self, observed: &Observed, progress: &Progress) -> Result<(), Failure> {
        if let Observed::Drifted { .. } = observed {
            return Err(Failure::new(doing("replacing", self))
                .caused_by("everything else of the stack is inside it")
                .hint("`placectl teardown` with the old `vpc.cidr`, then `placectl up`"));
        }
        let action = doing("creating", self);
        if *observed == Observed::Absent {
            let made = create_once(
                progress,
                &action,
                async || self.find().await,
                async || self.create().await,
            );
            self.stack.found.vpc.set(vpc(&made.await?));
        }
        let wait = Wait::new(format!("VPC `{}` to be available", self.name()), WITHIN).usual(1, 20);
        let available = async || {
            let answered = self.find().await.or_failure(|| action.clone())?;
            Ok(
                match answered.filter(|vpc| vpc.state() != Some(&VpcState::Pending)) {
                    Some(answered) => Poll::Ready(vpc(&answered)),
                    None => Poll::Pending("pending".to_owned()),
                },
            )
        };
        self.stack
            .found
            .vpc
            .set(progress.until(wait, available).await?);
        Ok(())
    }

    async fn remove(&self, progress: &Progress) -> Result<(), Failure> {
        let action = doing("removing", self);
        if !self.is_dedicated() {
            return Ok(());
        }
        if let Some(vpc) = self.find().await.or_failure(|| action.clone())? {
            let id = vpc.vpc_id().unwrap_or_default();
            let wait = Wait::new(format!("VPC `{id}` to be empty"), WITHIN).usual(1, 60);
            let delete = async || {
                let answer = self.stack.aws.ec2.delete_vpc().vpc_id(id).send().await;
                answer.during("ec2:DeleteVpc").absent_as_none()
            };
            while_answer_is(progress, wait, &[Class::Conflict], &action, delete).await?;
        }
        let wait = Wait::new(format!("VPC `{}` to be gone", self.name()), WITHIN);
        let look = async || Ok(self.find().await?.map(|vpc| self::vpc(&vpc).id));
        until_gone(progress, wait, &action, look).await?;
        self.stack.found.vpc.clear();
        Ok(())
    }
}

const WITHIN: Duration = Duration::from_mins(5);

fn vpc(answered: &Answered) -> Vpc {
    Vpc {
        id: answered.vpc_id().unwrap_or_default().to_owned(),
        cidr: answered.cidr_block().unwrap_or_default().to_owned(),
    }
}
