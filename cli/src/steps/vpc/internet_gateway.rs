//! The internet gateway: the VPC's own way out. One that the default VPC has already is used as
//! it is; only one that the stack made is the stack's own.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use aws_sdk_ec2::types::{InternetGateway as Answered, ResourceType};
use place_config::stack::VpcMode;

use super::super::drift::Drift;
use super::super::lost::Creation;
use super::super::repeat::{doing, once_visible, until_gone, while_answer_is};
use super::super::{Stack, keys};
use super::{STEP, look};
use crate::aws::{Answer, AwsError, AwsResult, Class, Owner};
use crate::engine::outcome::Difference;
use crate::engine::{Failure, Observed, Progress, Resource, ResourceKey, Step, Wait};

/// Detaching fails while a public address of the VPC is still mapped: a NAT gateway that was
/// deleted a moment ago holds its own for some minutes.
const DETACHED_WITHIN: Duration = Duration::from_mins(20);

/// How long EC2 may refuse to delete one that it has detached.
const DELETED_WITHIN: Duration = Duration::from_mins(5);

const GONE_WITHIN: Duration = Duration::from_mins(2);

/// The internet gateway.
pub(super) struct InternetGateway {
    stack: Arc<Stack>,
}

impl InternetGateway {
    pub(super) const fn new(stack: Arc<Stack>) -> Self {
        Self { stack }
    }

    /// Every internet gateway of the account in the region: some few.
    async fn describe(&self) -> Result<Vec<Answered>, AwsError> {
        let pages = self.stack.aws.ec2.describe_internet_gateways();
        let items = pages.into_paginator().items().send();
        let items = items.collect::<Result<Vec<_>, _>>();
        items.await.during("ec2:DescribeInternetGateways")
    }

    /// The stack's own, attached or not: at most one, unless an answer got lost at the wrong
    /// moment. The attached one first.
    async fn own(&self) -> Result<Vec<Answered>, AwsError> {
        let mut own = self.describe().await?;
        own.retain(|gateway| self.is_own(gateway));
        own.sort_by_key(|gateway| (gateway.attachments().is_empty(), id(gateway)));
        Ok(own)
    }

    /// By its tags; in a VPC of the stack's own also by where it is attached: without its tags it
    /// would stay, and the VPC with it.
    fn is_own(&self, gateway: &Answered) -> bool {
        let key = &keys::INTERNET_GATEWAY;
        if look::is_ours(&self.stack, gateway.tags(), key) {
            return true;
        }
        let dedicated = self.stack.config.vpc.mode == VpcMode::Dedicated;
        let vpc = self.stack.found.vpc.get().filter(|_| dedicated);
        let owner = self.stack.ownership.owner(key, gateway.tags());
        vpc.is_some_and(|vpc| is_attached(gateway, &vpc.id)) && !matches!(owner, Owner::Stack(_))
    }

    /// The one to use: what is attached to the VPC, whosever it is, or one of the stack's own; and
    /// those of the stack's own that nobody needs.
    async fn find(&self) -> Result<(Option<Answered>, Vec<Answered>), AwsError> {
        let (mut own, others): (Vec<_>, Vec<_>) = self
            .describe()
            .await?
            .into_iter()
            .partition(|gateway| self.is_own(gateway));
        let vpc = self.stack.found.vpc.get();
        let attached = |gateway: &Answered| {
            vpc.as_ref()
                .is_some_and(|vpc| is_attached(gateway, &vpc.id))
        };
        own.sort_by_key(|gateway| (!attached(gateway), id(gateway)));
        if let Some(used) = others.into_iter().find(attached) {
            return Ok((Some(used), own));
        }
        let mut own = own.into_iter();
        Ok((own.next(), own.collect()))
    }

    fn note(&self, gateway: Option<&Answered>, copies: &[Answered]) {
        let found = &self.stack.found;
        found.internet_gateway.replace(gateway.map(id));
        let own = gateway.is_none_or(|gateway| self.is_own(gateway)) || !copies.is_empty();
        found.internet_gateway_is_own.set(own);
    }

    async fn create(&self) -> Result<Answered, AwsError> {
        let tags = look::specification(
            &self.stack,
            &keys::INTERNET_GATEWAY,
            ResourceType::InternetGateway,
        );
        let call = self
            .stack
            .aws
            .ec2
            .create_internet_gateway()
            .tag_specifications(tags);
        let call = call.customize().config_override(look::no_retries());
        let answer = call.send().await.during("ec2:CreateInternetGateway")?;
        answer
            .internet_gateway
            .ok_or_else(|| AwsError::empty("ec2:CreateInternetGateway"))
    }

    async fn attach(&self, gateway: &str, vpc: &str) -> Result<(), AwsError> {
        let call = self.stack.aws.ec2.attach_internet_gateway();
        let call = call.internet_gateway_id(gateway).vpc_id(vpc);
        call.send()
            .await
            .during("ec2:AttachInternetGateway")
            .exists_as_none()?;
        Ok(())
    }

    async fn detach(&self, gateway: &str, vpc: &str) -> Result<(), AwsError> {
        let call = self.stack.aws.ec2.detach_internet_gateway();
        let answer = call.internet_gateway_id(gateway).vpc_id(vpc).send().await;
        match answer.during("ec2:DetachInternetGateway").absent_as_none() {
            // AWS's word for "it is not attached to that VPC (any more)".
            Err(error) if error.is("Gateway.NotAttached") => Ok(()),
            other => other.map(drop),
        }
    }

    async fn detach_and_delete(
        &self,
        gateway: &Answered,
        action: &str,
        progress: &Progress,
    ) -> Result<(), Failure> {
        let id = id(gateway);
        for vpc in gateway.attachments().iter().filter_map(|to| to.vpc_id()) {
            let wait = Wait::new(
                format!("internet gateway `{id}` to be free"),
                DETACHED_WITHIN,
            );
            let detach = async || self.detach(&id, vpc).await;
            while_answer_is(
                progress,
                wait.usual(1, 300),
                &[Class::Conflict],
                action,
                detach,
            )
            .await?;
        }
        // EC2 may take it for attached for a moment longer.
        let what = format!("internet gateway `{id}` to be free");
        let wait = Wait::new(what, DELETED_WITHIN).usual(0, 10);
        let delete = async || self.delete(&id).await;
        while_answer_is(progress, wait, &[Class::Conflict], action, delete).await
    }

    async fn delete(&self, gateway: &str) -> Result<(), AwsError> {
        let call = self.stack.aws.ec2.delete_internet_gateway();
        let answer = call.internet_gateway_id(gateway).send().await;
        let answer = answer.during("ec2:DeleteInternetGateway");
        answer.absent_as_none().map(drop)
    }
}

#[async_trait(?Send)]
impl Resource for InternetGateway {
    fn key(&self) -> ResourceKey {
        keys::INTERNET_GATEWAY
    }

    fn step(&self) -> Step {
        STEP
    }

    fn kind(&self) -> &'static str {
        "internet gateway"
    }

    fn name(&self) -> String {
        format!("{}-internet-gateway", self.stack.names.stack())
    }

    fn needs(&self) -> Vec<ResourceKey> {
        vec![keys::VPC]
    }

    fn owned(&self) -> bool {
        self.stack
            .found
            .internet_gateway_is_own
            .get()
            .unwrap_or(true)
    }

    async fn observe(&self) -> Result<Observed, Failure> {
        let found = self
            .find()
            .await
            .or_failure(|| doing("looking for", self))?;
        let (found, copies) = found;
        self.note(found.as_ref(), &copies);
        let Some(gateway) = found else {
            return Ok(Observed::Absent);
        };
        let id = id(&gateway);
        let Some(vpc) = self.stack.found.vpc.get() else {
            return Ok(Observed::Broken {
                id,
                reason: "its VPC is gone".to_owned(),
            });
        };
        let mut drift = Drift::default();
        if !is_attached(&gateway, &vpc.id) {
            drift.note(Difference::new("Attachment", "none", vpc.id));
        }
        if self.is_own(&gateway) {
            let tags = look::compare_tags(&self.stack, gateway.tags(), &self.key());
            drift.note_all(tags.into_differences());
        }
        drift.compare("copies", copies.len(), 0);
        Ok(drift.verdict(id))
    }

    async fn ensure(&self, _: &Observed, progress: &Progress) -> Result<(), Failure> {
        let action = doing("creating", self);
        let vpc = self.stack.found.vpc.require(&keys::VPC)?.id;
        let (found, copies) = self.find().await.or_failure(|| action.clone())?;
        for copy in &copies {
            self.detach_and_delete(copy, &action, progress).await?;
        }
        let gateway = if let Some(gateway) = found {
            if self.is_own(&gateway) {
                let (id, tags) = (id(&gateway), gateway.tags());
                let mended = look::mend_tags(&self.stack, &id, tags, &self.key()).await;
                mended.or_failure(|| doing("tagging", self))?;
            }
            gateway
        } else {
            let look = async || Ok(self.own().await?.into_iter().next());
            let creation = Creation::new(&self.stack, progress, &action);
            creation.run(look, async || self.create().await).await?
        };
        if !is_attached(&gateway, &vpc) {
            let attach = async || self.attach(&id(&gateway), &vpc).await;
            once_visible(progress, &action, attach).await?;
        }
        self.note(Some(&gateway), &[]);
        Ok(())
    }

    async fn remove(&self, progress: &Progress) -> Result<(), Failure> {
        let action = doing("removing", self);
        for gateway in self.own().await.or_failure(|| action.clone())? {
            self.detach_and_delete(&gateway, &action, progress).await?;
        }
        let wait = Wait::new(
            format!("internet gateway `{}` to be gone", self.name()),
            GONE_WITHIN,
        );
        let look = async || Ok(self.own().await?.first().map(id));
        until_gone(progress, wait.usual(0, 10), &action, look).await?;
        self.note(None, &[]);
        Ok(())
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
