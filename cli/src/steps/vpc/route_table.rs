//! The two route tables.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use aws_sdk_ec2::types::{ResourceType, RouteTable as Answered};

use super::super::repeat::{doing, once_visible, until_gone, while_answer_is};
use super::super::{Slot, Stack, keys};
use super::{STEP, Side, look};
use crate::aws::{Answer, AwsError, AwsResult, Class};
use crate::engine::{Failure, Observed, Progress, Resource, ResourceKey, Step, Wait};

const GONE_WITHIN: Duration = Duration::from_mins(2);

/// The route table of one side. EC2 puts the route to the VPC's own block (`local`) into every
/// table by itself.
pub(super) struct RouteTable {
    stack: Arc<Stack>,
    side: Side,
}

impl RouteTable {
    pub(super) const fn new(stack: Arc<Stack>, side: Side) -> Self {
        Self { stack, side }
    }

    fn slot(&self) -> &Slot<String> {
        slot(&self.stack, self.side)
    }

    async fn find(&self) -> Result<Option<Answered>, AwsError> {
        let Some(vpc) = self.stack.found.vpc.get() else {
            return Ok(None);
        };
        look::own_route_table(&self.stack, &vpc.id, &self.key()).await
    }

    async fn create(&self, vpc: &str) -> Result<String, AwsError> {
        // The SDK fills in a token, so its own retries make one table; a crash in between leaves
        // a tagged one, which `observe` finds.
        let tags = look::specification(&self.stack, &self.key(), ResourceType::RouteTable);
        let call = self
            .stack
            .aws
            .ec2
            .create_route_table()
            .vpc_id(vpc)
            .tag_specifications(tags);
        let answer = call.send().await.during("ec2:CreateRouteTable")?;
        let table = answer.route_table.and_then(|table| table.route_table_id);
        table.ok_or_else(|| AwsError::empty("ec2:CreateRouteTable"))
    }
}

#[async_trait(?Send)]
impl Resource for RouteTable {
    fn key(&self) -> ResourceKey {
        key(self.side)
    }

    fn step(&self) -> Step {
        STEP
    }

    fn kind(&self) -> &'static str {
        "route table"
    }

    fn name(&self) -> String {
        self.side.word().to_owned()
    }

    fn needs(&self) -> Vec<ResourceKey> {
        vec![keys::VPC]
    }

    async fn observe(&self) -> Result<Observed, Failure> {
        let found = self
            .find()
            .await
            .or_failure(|| doing("looking for", self))?;
        let id = found.and_then(|table| table.route_table_id);
        self.slot().replace(id.clone());
        Ok(id.map_or(Observed::Absent, |id| Observed::Ready { id }))
    }

    async fn ensure(&self, _: &Observed, progress: &Progress) -> Result<(), Failure> {
        let action = doing("creating", self);
        let vpc = self.stack.found.vpc.require(&keys::VPC)?.id;
        let id = once_visible(progress, &action, async || self.create(&vpc).await).await?;
        self.stack.lookups.route_tables.forget();
        self.slot().set(id);
        Ok(())
    }

    async fn remove(&self, progress: &Progress) -> Result<(), Failure> {
        let action = doing("removing", self);
        let wait = || {
            Wait::new(
                format!("route table `{}` to be gone", self.name()),
                GONE_WITHIN,
            )
        };
        let look = async || {
            self.stack.lookups.route_tables.forget();
            Ok(self.find().await?.and_then(|table| table.route_table_id))
        };
        if let Some(id) = look().await.or_failure(|| action.clone())? {
            let delete = async || {
                let call = self.stack.aws.ec2.delete_route_table().route_table_id(&id);
                call.send()
                    .await
                    .during("ec2:DeleteRouteTable")
                    .absent_as_none()
            };
            while_answer_is(progress, wait(), &[Class::Conflict], &action, delete).await?;
            until_gone(progress, wait(), &action, look).await?;
        }
        self.slot().clear();
        Ok(())
    }
}

/// Key of the table of one side.
pub(super) fn key(side: Side) -> ResourceKey {
    match side {
        Side::Public => keys::PUBLIC_TABLE,
        Side::Private => keys::PRIVATE_TABLE,
    }
}

/// Where the id of the table of one side is left.
pub(super) fn slot(stack: &Stack, side: Side) -> &Slot<String> {
    match side {
        Side::Public => &stack.found.public_table,
        Side::Private => &stack.found.private_table,
    }
}
