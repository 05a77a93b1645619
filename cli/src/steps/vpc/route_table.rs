//! The two route tables.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use aws_sdk_ec2::types::{ResourceType, RouteTable as Answered};

use super::super::lost::Creation;
use super::super::repeat::{doing, until_gone, while_answer_is};
use super::super::{Slot, Stack, keys};
use super::current::{explicit, give_back};
use super::{STEP, Side, look};
use crate::aws::{Answer, AwsError, AwsResult, Class};
use crate::engine::{Failure, Left, Observed, Progress, Resource, ResourceKey, Step, Wait};

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

    /// The one in use, and whatever else a repeated create made.
    async fn find(&self) -> Result<Vec<Answered>, AwsError> {
        let Some(vpc) = self.stack.found.vpc.get() else {
            return Ok(Vec::new());
        };
        look::own_route_tables(&self.stack, &vpc.id, &self.key()).await
    }

    async fn find_now(&self) -> Result<Vec<Answered>, AwsError> {
        self.stack.lookups.route_tables.forget();
        self.find().await
    }

    async fn create(&self, vpc: &str) -> Result<String, AwsError> {
        // The SDK would fill in a token, but what stands in for EC2 may know none: nothing is
        // repeated without a look.
        let tags = look::specification(&self.stack, &self.key(), ResourceType::RouteTable);
        let call = self
            .stack
            .aws
            .ec2
            .create_route_table()
            .vpc_id(vpc)
            .tag_specifications(tags)
            .customize();
        let answer = call.config_override(look::no_retries()).send().await;
        let answer = answer.during("ec2:CreateRouteTable")?;
        let table = answer.route_table.and_then(|table| table.route_table_id);
        table.ok_or_else(|| AwsError::empty("ec2:CreateRouteTable"))
    }

    /// Gives back the subnets that are associated with it, and deletes it.
    async fn delete(&self, table: &Answered, progress: &Progress) -> Result<(), Failure> {
        let action = doing("removing", self);
        for current in explicit(table) {
            let given = give_back(&self.stack, &current).await;
            given.map_err(|error| error.failure(action.clone()).left(Left::Ours))?;
        }
        let id = id(table);
        let delete = async || {
            let call = self.stack.aws.ec2.delete_route_table().route_table_id(&id);
            call.send()
                .await
                .during("ec2:DeleteRouteTable")
                .absent_as_none()
        };
        let wait = Wait::new(format!("route table `{id}` to be free"), GONE_WITHIN);
        let passing = [Class::Conflict];
        while_answer_is(progress, wait.usual(0, 10), &passing, &action, delete).await?;
        let look = async || {
            let found = self.find_now().await?;
            Ok(found.iter().map(self::id).find(|found| *found == id))
        };
        let wait = Wait::new(format!("route table `{id}` to be gone"), GONE_WITHIN);
        until_gone(progress, wait.usual(0, 10), &action, look).await
    }

    /// Keeps one, tagged, and removes the others.
    async fn repair(&self, found: &[Answered], progress: &Progress) -> Result<(), Failure> {
        let Some((first, copies)) = found.split_first() else {
            return Ok(());
        };
        for copy in copies {
            self.delete(copy, progress).await?;
        }
        let mended = look::mend_tags(&self.stack, &id(first), first.tags(), &self.key()).await;
        mended.or_failure(|| doing("tagging", self))?;
        self.stack.lookups.route_tables.forget();
        self.slot().set(id(first));
        Ok(())
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
        self.slot().replace(found.first().map(id));
        let Some((first, copies)) = found.split_first() else {
            return Ok(Observed::Absent);
        };
        let mut drift = look::compare_tags(&self.stack, first.tags(), &self.key());
        drift.compare("copies", copies.len(), 0);
        Ok(drift.verdict(id(first)))
    }

    async fn ensure(&self, _: &Observed, progress: &Progress) -> Result<(), Failure> {
        let action = doing("creating", self);
        let vpc = self.stack.found.vpc.require(&keys::VPC)?.id;
        let found = self.find_now().await.or_failure(|| action.clone())?;
        if !found.is_empty() {
            return self.repair(&found, progress).await;
        }
        let look = async || Ok(self.find_now().await?.first().map(id));
        let creation = Creation::new(&self.stack, progress, &action);
        let made = creation.run(look, async || self.create(&vpc).await).await?;
        self.stack.lookups.route_tables.forget();
        self.slot().set(made);
        Ok(())
    }

    async fn remove(&self, progress: &Progress) -> Result<(), Failure> {
        let found = self.find_now().await.or_failure(|| doing("removing", self));
        for table in found? {
            self.delete(&table, progress).await?;
        }
        self.slot().clear();
        Ok(())
    }
}

fn id(table: &Answered) -> String {
    table.route_table_id().unwrap_or_default().to_owned()
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
