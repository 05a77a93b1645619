//! The VPC: the region's default one, or one of the stack's own.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use aws_sdk_ec2::types::{ResourceType, SecurityGroup, Vpc as Answered, VpcState};
use place_config::stack::VpcMode;

use super::super::drift::Drift;
use super::super::lost::Creation;
use super::super::repeat::{doing, until_gone, while_answer_is};
use super::super::{Stack, Vpc, keys};
use super::{STEP, look};
use crate::aws::tags::filter;
use crate::aws::{Answer, AwsError, AwsResult, Class};
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

    /// The VPC; of a dedicated one, copies too, should an answer have got lost at the wrong
    /// moment. The one that the stack's security groups are in first.
    async fn find(&self) -> Result<Vec<Answered>, AwsError> {
        let pages = self.stack.aws.ec2.describe_vpcs();
        let pages = if self.is_dedicated() {
            pages
        } else {
            pages.filters(filter("is-default", "true"))
        };
        let items = pages.into_paginator().items().send();
        let items = items.collect::<Result<Vec<_>, _>>().await;
        let mut found = items.during("ec2:DescribeVpcs")?;
        if !self.is_dedicated() {
            return Ok(found);
        }
        found.retain(|vpc| look::is_ours(&self.stack, vpc.tags(), &keys::VPC));
        if found.len() > 1 {
            let groups = look::named_groups(&self.stack).await?;
            let is_used = |vpc: &Answered| groups.iter().any(|of| of.vpc_id() == vpc.vpc_id());
            found.sort_by_key(|vpc| (!is_used(vpc), vpc.vpc_id.clone()));
        }
        Ok(found)
    }

    async fn first(&self) -> Result<Option<Answered>, AwsError> {
        Ok(self.find().await?.into_iter().next())
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
                None => self.first().await?,
            }
        };
        vpc.ok_or_else(|| AwsError::empty("ec2:CreateVpc"))
    }

    /// A stack that was built in another VPC is not looked for in this one: said before a second
    /// stack grows beside it.
    fn refuse_other_vpc(&self, vpc: Option<&str>, groups: &[SecurityGroup]) -> Result<(), Failure> {
        let elsewhere = groups
            .iter()
            .find(|group| group.vpc_id() != vpc && look::is_own_group(&self.stack, group));
        let Some(group) = elsewhere else {
            return Ok(());
        };
        let other = group.vpc_id().unwrap_or_default();
        Err(Failure::new(doing("looking for", self))
            .caused_by(format!("the stack stands in another VPC, `{other}`"))
            .hint("set `vpc.mode` back, `placectl teardown`, then change it and `placectl up`"))
    }

    /// How a dedicated VPC differs. The default one is as it is.
    fn compare(&self, first: &Answered, copies: usize) -> Drift {
        let mut drift = Drift::default();
        if self.is_dedicated() {
            let (found, wanted) = (vpc(first).cidr, &self.stack.config.vpc.cidr);
            if found != *wanted {
                drift.note(Difference::new(CIDR, found, wanted).needs_replacement());
            }
            let tags = look::compare_tags(&self.stack, first.tags(), &keys::VPC);
            drift.note_all(tags.into_differences());
            drift.compare("copies", copies, 0);
        }
        drift
    }

    /// Tags the first one and removes the others, which are empty.
    async fn repair(&self, progress: &Progress) -> Result<(), Failure> {
        let action = doing("repairing", self);
        let found = self.find().await.or_failure(|| action.clone())?;
        let Some((first, copies)) = found.split_first() else {
            return Ok(());
        };
        for copy in copies {
            self.delete(copy, progress).await?;
        }
        let id = first.vpc_id().unwrap_or_default();
        look::mend_tags(&self.stack, id, first.tags(), &keys::VPC)
            .await
            .or_failure(|| action)
    }

    async fn delete(&self, vpc: &Answered, progress: &Progress) -> Result<(), Failure> {
        let id = vpc.vpc_id().unwrap_or_default();
        let wait = Wait::new(format!("VPC `{id}` to be empty"), WITHIN).usual(1, 60);
        let delete = async || {
            let answer = self.stack.aws.ec2.delete_vpc().vpc_id(id).send().await;
            answer.during("ec2:DeleteVpc").absent_as_none()
        };
        let action = doing("removing", self);
        while_answer_is(progress, wait, &[Class::Conflict], &action, delete)
            .await
            .map(drop)
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
        let id = found.first().and_then(|vpc| vpc.vpc_id());
        self.refuse_other_vpc(id, &groups)?;
        let Some((first, copies)) = found.split_first() else {
            self.stack.found.vpc.clear();
            return Ok(Observed::Absent);
        };
        let vpc = vpc(first);
        self.stack.found.vpc.set(vpc.clone());
        if first.state() == Some(&VpcState::Pending) {
            return Ok(Observed::Changing {
                id: vpc.id,
                state: "pending".to_owned(),
            });
        }
        Ok(self.compare(first, copies.len()).verdict(vpc.id))
    }

    async fn ensure(&self, observed: &Observed, progress: &Progress) -> Result<(), Failure> {
        if let Observed::Drifted { differences, .. } = observed {
            if differences.iter().all(|of| of.attribute != CIDR) {
                return self.repair(progress).await;
            }
            return Err(Failure::new(doing("replacing", self))
                .caused_by("everything else of the stack is inside it")
                .hint("`placectl teardown` with the old `vpc.cidr`, then `placectl up`"));
        }
        let action = doing("creating", self);
        if *observed == Observed::Absent {
            let creation = Creation::new(&self.stack, progress, &action);
            let look = async || self.first().await;
            let made = creation.run(look, async || self.create().await).await?;
            self.stack.found.vpc.set(vpc(&made));
        }
        let wait = Wait::new(format!("VPC `{}` to be available", self.name()), WITHIN).usual(1, 20);
        let available = async || {
            let answered = self.first().await.or_failure(|| action.clone())?;
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
        for vpc in self.find().await.or_failure(|| action.clone())? {
            self.delete(&vpc, progress).await?;
        }
        let wait = Wait::new(format!("VPC `{}` to be gone", self.name()), WITHIN);
        let look = async || Ok(self.first().await?.map(|vpc| self::vpc(&vpc).id));
        until_gone(progress, wait.usual(0, 10), &action, look).await?;
        self.stack.found.vpc.clear();
        Ok(())
    }
}

const WITHIN: Duration = Duration::from_mins(5);

/// Attribute as differences name it.
const CIDR: &str = "CidrBlock";

fn vpc(answered: &Answered) -> Vpc {
    Vpc {
        id: answered.vpc_id().unwrap_or_default().to_owned(),
        cidr: answered.cidr_block().unwrap_or_default().to_owned(),
    }
}
