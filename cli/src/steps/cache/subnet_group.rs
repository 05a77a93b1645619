//! The subnet group of a replication group: all three subnets, so that its nodes can be in all
//! three zones.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use aws_sdk_elasticache::types::CacheSubnetGroup;

use super::super::drift::Drift;
use super::super::repeat::{doing, once_visible, while_answer_is};
use super::super::{Stack, keys};
use super::STEP;
use super::mode::compare_ids;
use super::owner::{Marks, adopt, owner};
use crate::aws::{Answer, AwsError, AwsResult, Class, Owner};
use crate::engine::{Failure, Observed, Progress, Resource, ResourceKey, Step, Wait};

/// Nodes of a deleted group may be listed for some minutes more.
const FREE_WITHIN: Duration = Duration::from_mins(20);

/// The subnet group.
pub(super) struct SubnetGroup {
    stack: Arc<Stack>,
}

impl SubnetGroup {
    pub(super) const fn new(stack: Arc<Stack>) -> Self {
        Self { stack }
    }

    fn subnets(&self) -> Option<Vec<String>> {
        self.stack.found.subnet_ids().map(Vec::from)
    }

    async fn create(&self, subnets: &[String]) -> Result<(), AwsError> {
        let call = self.stack.aws.elasticache.create_cache_subnet_group();
        let call = call.cache_subnet_group_name(self.name());
        let call = call.cache_subnet_group_description("Subnets of a place");
        let call = call.set_subnet_ids(Some(subnets.to_vec()));
        let call = call.set_tags(Some(self.stack.ownership.list(&self.key())));
        let answer = call
            .send()
            .await
            .during("elasticache:CreateCacheSubnetGroup");
        answer.exists_as_none().map(drop)
    }

    async fn modify(&self, subnets: &[String]) -> Result<(), AwsError> {
        let call = self.stack.aws.elasticache.modify_cache_subnet_group();
        let call = call.cache_subnet_group_name(self.name());
        let call = call.set_subnet_ids(Some(subnets.to_vec()));
        call.send()
            .await
            .during("elasticache:ModifyCacheSubnetGroup")
            .map(drop)
    }
}

#[async_trait(?Send)]
impl Resource for SubnetGroup {
    fn key(&self) -> ResourceKey {
        keys::CACHE_SUBNET_GROUP
    }

    fn step(&self) -> Step {
        STEP
    }

    fn kind(&self) -> &'static str {
        "cache subnet group"
    }

    fn name(&self) -> String {
        self.stack.names.cache_subnet_group()
    }

    fn needs(&self) -> Vec<ResourceKey> {
        let [first, second] = keys::PRIVATE_SUBNETS;
        vec![keys::PUBLIC_SUBNET, first, second]
    }

    async fn observe(&self) -> Result<Observed, Failure> {
        let action = || doing("looking for", self);
        let Some(group) = find(&self.stack).await.or_failure(action)? else {
            return Ok(Observed::Absent);
        };
        let id = self.name();
        let marks = Marks::of(&self.stack, &arn(&self.stack, &group)).await;
        let mut drift = Drift::default();
        if let Some(marks) = marks.or_failure(action)? {
            let owner = marks.owner(&self.stack, &self.key());
            if owner != Owner::Us {
                return Ok(Observed::foreign(id, owner.describe()));
            }
            drift = marks.compare(&self.stack, &self.key());
        }
        let subnets = group.subnets().iter();
        let found = subnets
            .filter_map(|subnet| subnet.subnet_identifier.clone())
            .collect();
        drift.extend(compare_ids("Subnets", found, self.subnets()));
        Ok(drift.verdict(id))
    }

    async fn ensure(&self, observed: &Observed, progress: &Progress) -> Result<(), Failure> {
        let created = *observed == Observed::Absent;
        let action = doing(if created { "creating" } else { "repairing" }, self);
        let subnets = self.subnets().ok_or_else(|| {
            Failure::new(action.clone()).caused_by("the subnets are not there (any more)")
        })?;
        if !created {
            let found = find(&self.stack).await.or_failure(|| action.clone())?;
            if let Some(group) = found {
                let arn = arn(&self.stack, &group);
                adopt(&self.stack, &arn, &self.key())
                    .await
                    .or_failure(|| action.clone())?;
            }
        }
        let change = async || {
            if created {
                self.create(&subnets).await
            } else {
                self.modify(&subnets).await
            }
        };
        once_visible(progress, &action, change).await
    }

    async fn remove(&self, progress: &Progress) -> Result<(), Failure> {
        remove(&self.stack, progress).await
    }
}

/// Whether the stack has a subnet group.
pub(super) async fn is_there(stack: &Stack) -> Result<bool, AwsError> {
    let Some(group) = find(stack).await? else {
        return Ok(false);
    };
    let whose = owner(stack, &arn(stack, &group), &keys::CACHE_SUBNET_GROUP).await?;
    Ok(whose == Some(Owner::Us))
}

/// Removes the stack's subnet group, if there is one.
pub(super) async fn remove(stack: &Stack, progress: &Progress) -> Result<(), Failure> {
    let name = stack.names.cache_subnet_group();
    let action = format!("removing cache subnet group `{name}`");
    let Some(group) = find(stack).await.or_failure(|| action.clone())? else {
        return Ok(());
    };
    let whose = owner(stack, &arn(stack, &group), &keys::CACHE_SUBNET_GROUP)
        .await
        .or_failure(|| action.clone())?;
    if whose != Some(Owner::Us) {
        return Ok(());
    }
    let wait = Wait::new(
        format!("cache subnet group `{name}` to be free"),
        FREE_WITHIN,
    );
    let delete = async || {
        let call = stack.aws.elasticache.delete_cache_subnet_group();
        let answer = call.cache_subnet_group_name(&name).send().await;
        answer
            .during("elasticache:DeleteCacheSubnetGroup")
            .absent_as_none()
            .map(drop)
    };
    while_answer_is(
        progress,
        wait.usual(1, 300),
        &[Class::Conflict],
        &action,
        delete,
    )
    .await
}

async fn find(stack: &Stack) -> Result<Option<CacheSubnetGroup>, AwsError> {
    let call = stack.aws.elasticache.describe_cache_subnet_groups();
    let answer = call
        .cache_subnet_group_name(stack.names.cache_subnet_group())
        .send()
        .await;
    let answer = answer
        .during("elasticache:DescribeCacheSubnetGroups")
        .absent_as_none()?;
    let groups = answer
        .and_then(|answer| answer.cache_subnet_groups)
        .unwrap_or_default();
    Ok(groups.into_iter().next())
}

fn arn(stack: &Stack, group: &CacheSubnetGroup) -> String {
    let name = format!("subnetgroup:{}", stack.names.cache_subnet_group());
    group
        .arn
        .clone()
        .unwrap_or_else(|| stack.aws.arn("elasticache", &name))
}
