//! The two route tables.

use async_trait::async_trait;
use aws_sdk_ec2::types::{ResourceType, RouteTable as Answered};

use super::super::lifecycle::{Card, Kind, Reading, Trouble};
use super::super::{Slot, Stack, keys};
use super::current::{explicit, give_back};
use super::{Side, look};
use crate::aws::{Answer, AwsError};
use crate::engine::ResourceKey;

/// The route table of one side. EC2 puts the route to the VPC's own block (`local`) into every
/// table by itself.
pub(super) struct RouteTable(pub(super) Side);

#[async_trait(?Send)]
impl Kind for RouteTable {
    type Found = Answered;

    fn card(&self, _: &Stack) -> Card {
        let card = Card::new(1, key(self.0), "route table", self.0.word());
        card.needs([keys::VPC]).seen_off(0, 10)
    }

    /// The one in use, and whatever else a repeated create made.
    async fn find(&self, stack: &Stack) -> Result<Vec<Answered>, Trouble> {
        let Some(vpc) = stack.found.vpc.get() else {
            return Ok(Vec::new());
        };
        Ok(look::own_route_tables(stack, &vpc.id, &key(self.0)).await?)
    }

    fn read(&self, _: &Stack, found: &Answered) -> Reading {
        Reading::tagged(id(found), found.tags())
    }

    async fn create(&self, stack: &Stack) -> Result<Answered, Trouble> {
        // The SDK would fill in a token, but what stands in for EC2 may know none: nothing is
        // repeated without a look.
        let vpc = stack.found.vpc.require(&keys::VPC)?.id;
        let tags = look::specification(stack, &key(self.0), ResourceType::RouteTable);
        let call = stack.aws.ec2.create_route_table().vpc_id(vpc);
        let call = call.tag_specifications(tags).customize();
        let answer = call.config_override(look::no_retries()).send().await;
        let table = answer.during("ec2:CreateRouteTable")?.route_table;
        Ok(table.ok_or_else(|| AwsError::empty("ec2:CreateRouteTable"))?)
    }

    async fn tag(&self, stack: &Stack, found: &Answered) -> Result<(), Trouble> {
        Ok(look::put_tags(stack, &id(found), &key(self.0)).await?)
    }

    /// Gives back the subnets that are associated with it, and deletes it.
    async fn delete(&self, stack: &Stack, found: &Answered) -> Result<(), Trouble> {
        for current in explicit(found) {
            give_back(stack, &current).await?;
        }
        let delete = stack.aws.ec2.delete_route_table();
        let deleted = delete.route_table_id(id(found)).send().await;
        Ok(deleted.during("ec2:DeleteRouteTable").map(drop)?)
    }

    fn leave(&self, stack: &Stack, found: Option<&Answered>) {
        slot(stack, self.0).replace(found.map(id));
    }

    fn refresh(&self, stack: &Stack) {
        stack.lookups.route_tables.forget();
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
