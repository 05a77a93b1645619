//! The subnet group of a replication group: the three subnets that its nodes stand in.

use std::time::Duration;

use async_trait::async_trait;
use aws_sdk_elasticache::types::CacheSubnetGroup;

use super::super::drift::Drift;
use super::super::found::missing;
use super::super::lifecycle::{Card, Kind, Reading, Trouble, Whose};
use super::super::{Stack, keys};
use super::mode::compare_ids;
use super::owner::{Marks, adopt};
use crate::aws::{Answer, AwsResult};
use crate::engine::Failure;

/// Nodes of a deleted group may be listed for some minutes more.
const PATIENCE: Duration = Duration::from_mins(20);

/// The subnet group.
pub(super) struct SubnetGroup;

/// The subnet group as ElastiCache answers it.
pub(super) struct Found {
    group: CacheSubnetGroup,
    marks: Option<Marks>,
}

fn arn(stack: &Stack, group: &CacheSubnetGroup) -> String {
    let name = format!("subnetgroup:{}", stack.names.cache_subnet_group());
    let made = || stack.aws.arn("elasticache", &name);
    group.arn.clone().unwrap_or_else(made)
}

fn subnets(stack: &Stack) -> Result<Vec<String>, Failure> {
    let found = stack.found.subnet_ids().map(Vec::from);
    found.ok_or_else(|| missing(&keys::PUBLIC_SUBNET))
}

#[async_trait(?Send)]
impl Kind for SubnetGroup {
    type Found = Found;

    fn card(&self, stack: &Stack) -> Card {
        let (key, name) = (keys::CACHE_SUBNET_GROUP, stack.names.cache_subnet_group());
        let card = Card::new(2, key, "cache subnet group", name);
        let card = card.patience(PATIENCE).goes(1, 300);
        card.needs([keys::PUBLIC_SUBNET])
            .needs(keys::PRIVATE_SUBNETS)
    }

    async fn find(&self, stack: &Stack) -> Result<Vec<Found>, Trouble> {
        let call = stack.aws.elasticache.describe_cache_subnet_groups();
        let call = call.cache_subnet_group_name(stack.names.cache_subnet_group());
        let answer = call.send().await;
        let answer = answer.during("elasticache:DescribeCacheSubnetGroups");
        let groups = answer
            .absent_as_none()?
            .and_then(|of| of.cache_subnet_groups);
        let Some(group) = groups.unwrap_or_default().into_iter().next() else {
            return Ok(Vec::new());
        };
        let marks = Marks::of(stack, &arn(stack, &group)).await?;
        Ok(vec![Found { group, marks }])
    }

    fn read(&self, stack: &Stack, found: &Found) -> Reading {
        let whose = found.marks.as_ref().map(|marks| Whose::Tagged(marks.map()));
        let name = stack.names.cache_subnet_group();
        Reading::new(name, whose.unwrap_or(Whose::Untold))
    }

    fn compare(&self, stack: &Stack, found: &Found, drift: &mut Drift) {
        let has = found.group.subnets().iter();
        let has = has.filter_map(|subnet| subnet.subnet_identifier.clone());
        drift.extend(compare_ids("Subnets", has.collect(), subnets(stack).ok()));
    }

    async fn create(&self, stack: &Stack) -> Result<Found, Trouble> {
        let tags = stack.ownership.list(&keys::CACHE_SUBNET_GROUP);
        let call = stack.aws.elasticache.create_cache_subnet_group();
        let call = call
            .cache_subnet_group_name(stack.names.cache_subnet_group())
            .cache_subnet_group_description("Subnets of a place")
            .set_subnet_ids(Some(subnets(stack)?))
            .set_tags(Some(tags));
        let answer = call.send().await;
        answer.during("elasticache:CreateCacheSubnetGroup")?;
        let group = CacheSubnetGroup::builder().build();
        Ok(Found { group, marks: None })
    }

    async fn tag(&self, stack: &Stack, found: &Found) -> Result<(), Trouble> {
        let arn = arn(stack, &found.group);
        Ok(adopt(stack, &arn, &keys::CACHE_SUBNET_GROUP).await?)
    }

    async fn mend(&self, stack: &Stack, _: &Found, _: &Drift) -> Result<(), Trouble> {
        let call = stack.aws.elasticache.modify_cache_subnet_group();
        let call = call.cache_subnet_group_name(stack.names.cache_subnet_group());
        let answer = call.set_subnet_ids(Some(subnets(stack)?)).send().await;
        Ok(answer
            .during("elasticache:ModifyCacheSubnetGroup")
            .map(drop)?)
    }

    async fn delete(&self, stack: &Stack, _: &Found) -> Result<(), Trouble> {
        let call = stack.aws.elasticache.delete_cache_subnet_group();
        let call = call.cache_subnet_group_name(stack.names.cache_subnet_group());
        let answer = call.send().await;
        Ok(answer
            .during("elasticache:DeleteCacheSubnetGroup")
            .map(drop)?)
    }
}
