//! The associations of the three subnets with their route tables.
//!
//! Associations carry no tags: one is ours when it is with a table of ours. What a subnet was
//! associated with before is written into a tag of that table first, and put back at the end.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use aws_sdk_ec2::types::Tag as Ec2Tag;
use place_config::stack::VpcMode;

use super::super::drift::Drift;
use super::super::lost::Creation;
use super::super::repeat::{doing, until_gone};
use super::super::{Stack, keys};
use super::current::{
    Current, current, disassociate, give_back, is_failed, replace, restore_tag, state,
};
use super::{Place, STEP, Side, guard, look, route, route_table};
use crate::aws::tags::Tag;
use crate::aws::{Answer, AwsError, AwsResult, Owner};
use crate::engine::outcome::Difference;
use crate::engine::{
    Failure, FailureKind, Left, Observed, Poll, Progress, Resource, ResourceKey, Step, Wait,
};

const WITHIN: Duration = Duration::from_mins(2);

/// What to do about a subnet that another stack routes.
const OWN_VPC: &str = "a second stack needs a VPC of its own: `vpc.mode = \"dedicated\"`";

/// What to do about a subnet with other people's things in it.
const SHARED: &str = "`--allow-shared-vpc` re-routes it all the same; or give the stack a VPC of \
                      its own: `vpc.mode = \"dedicated\"`";

/// The association of one subnet.
pub(super) struct Association {
    stack: Arc<Stack>,
    place: Place,
}

impl Association {
    pub(super) const fn new(stack: Arc<Stack>, place: Place) -> Self {
        Self { stack, place }
    }

    fn subnet_key(&self) -> ResourceKey {
        match self.place {
            Place::Public => keys::PUBLIC_SUBNET,
            Place::Private(number) => keys::PRIVATE_SUBNETS[number].clone(),
        }
    }

    fn table_key(&self) -> ResourceKey {
        route_table::key(self.place.side())
    }

    /// Ids of the VPC and of the subnet, once both are there.
    fn where_found(&self) -> Option<(String, String)> {
        let found = &self.stack.found;
        let subnet = match self.place {
            Place::Public => found.public_subnet.get(),
            Place::Private(number) => found.private_subnets.get(number),
        };
        Some((found.vpc.get()?.id, subnet?.id))
    }

    /// Every association of the subnet, those with a table of ours first.
    async fn find(&self, vpc: &str, subnet: &str) -> Result<Vec<Current>, AwsError> {
        let tables = look::route_tables(&self.stack, vpc).await?;
        let mut found = current(&tables, subnet);
        found.sort_by_key(|current| (!self.is_with_ours(current), current.id().to_owned()));
        Ok(found)
    }

    async fn find_now(&self, vpc: &str, subnet: &str) -> Result<Vec<Current>, AwsError> {
        self.stack.lookups.route_tables.forget();
        self.find(vpc, subnet).await
    }

    fn is_with_ours(&self, current: &Current) -> bool {
        look::is_ours(&self.stack, current.table.tags(), &self.table_key())
    }

    /// Whether it is with a table of the stack's own, on whichever side.
    fn is_of_stack(&self, current: &Current) -> bool {
        let ownership = &self.stack.ownership;
        let mut keys = Side::BOTH.into_iter().map(route_table::key);
        keys.any(|key| ownership.owns(&key, current.table.tags()))
    }

    /// Why the subnet must not be re-routed, if it must not, and what lets `up` go on.
    async fn objection(
        &self,
        vpc: &str,
        subnet: &str,
        current: Option<&Current>,
    ) -> Result<Option<(String, &'static str)>, AwsError> {
        if let Some(current) = current
            && let Owner::Stack(other) = self
                .stack
                .ownership
                .owner(&self.table_key(), current.table.tags())
        {
            let detail = format!("subnet `{subnet}` is routed by stack `{other}`");
            return Ok(Some((detail, OWN_VPC)));
        }
        let dedicated = self.stack.config.vpc.mode == VpcMode::Dedicated;
        if dedicated || self.stack.options.allow_shared_vpc {
            return Ok(None);
        }
        let strangers = guard::strangers(&self.stack, vpc, subnet).await?;
        Ok((!strangers.is_empty()).then(|| {
            let detail = format!(
                "subnet `{subnet}` is in use by {}: re-routing it changes how they are reached",
                strangers.join(", ")
            );
            (detail, SHARED)
        }))
    }

    async fn associate(&self, table: &str, subnet: &str) -> Result<(), AwsError> {
        let call = self.stack.aws.ec2.associate_route_table();
        let call = call.route_table_id(table).subnet_id(subnet).customize();
        let answer = call.config_override(look::no_retries()).send().await;
        answer.during("ec2:AssociateRouteTable").exists_as_none()?;
        Ok(())
    }

    /// Writes down what the subnet was associated with, on the table that takes over.
    async fn record(&self, ours: &str, subnet: &str, before: &str) -> Result<(), AwsError> {
        let tag = Ec2Tag::pair(restore_tag(subnet), before.to_owned());
        let call = self.stack.aws.ec2.create_tags().resources(ours).tags(tag);
        call.send().await.during("ec2:CreateTags").map(drop)
    }

    async fn change(
        &self,
        ours: &str,
        subnet: &str,
        current: Option<&Current>,
    ) -> Result<(), AwsError> {
        let Some(current) = current else {
            return self.associate(ours, subnet).await;
        };
        if !self.is_of_stack(current) {
            self.record(ours, subnet, current.table_id()).await?;
        }
        replace(&self.stack, current.id(), ours).await
    }
}

#[async_trait(?Send)]
impl Resource for Association {
    fn key(&self) -> ResourceKey {
        match self.place {
            Place::Public => keys::PUBLIC_ASSOCIATION,
            Place::Private(number) => keys::PRIVATE_ASSOCIATIONS[number].clone(),
        }
    }

    fn step(&self) -> Step {
        STEP
    }

    fn kind(&self) -> &'static str {
        "subnet association"
    }

    fn name(&self) -> String {
        self.place.word()
    }

    /// The route too: whoever else is in the subnet keeps a way out at every moment.
    fn needs(&self) -> Vec<ResourceKey> {
        vec![
            self.subnet_key(),
            self.table_key(),
            route::key(self.place.side()),
        ]
    }

    async fn observe(&self) -> Result<Observed, Failure> {
        let action = || doing("looking for", self);
        let Some((vpc, subnet)) = self.where_found() else {
            return Ok(Observed::Absent);
        };
        let found = self.find(&vpc, &subnet).await.or_failure(action)?;
        let (current, copies) = match found.split_first() {
            Some((current, copies)) => (Some(current), copies.len()),
            None => (None, 0),
        };
        if let Some(current) = current.filter(|current| self.is_with_ours(current)) {
            return Ok(match state(current) {
                Observed::Ready { id, .. } => {
                    let mut drift = Drift::default();
                    drift.compare("copies", copies, 0);
                    drift.verdict(id)
                }
                other => other,
            });
        }
        let objection = self.objection(&vpc, &subnet, current).await;
        let ours = |of: &&Current| self.is_of_stack(of);
        Ok(
            match (objection.or_failure(action)?, current.filter(ours)) {
                (Some((detail, remedy)), _) => Observed::Foreign {
                    id: subnet,
                    detail,
                    remedy: Some(remedy.to_owned()),
                },
                // With no table, or with one that is none of ours: the association is not there.
                (None, None) => Observed::Absent,
                (None, Some(current)) => Observed::Drifted {
                    id: current.id().to_owned(),
                    differences: vec![Difference::new(
                        "RouteTableId",
                        current.table_id(),
                        self.table_key().as_str(),
                    )],
                },
            },
        )
    }

    async fn ensure(&self, observed: &Observed, progress: &Progress) -> Result<(), Failure> {
        let action = doing("creating", self);
        if let Observed::Foreign { detail, .. } = observed {
            return Err(Failure::new(action).caused_by(detail.clone()));
        }
        let (vpc, subnet) = self.where_found().ok_or_else(|| {
            Failure::new(action.clone()).caused_by("the subnet is not there (any more)")
        })?;
        let ours = route_table::slot(&self.stack, self.place.side()).require(&self.table_key())?;
        self.drop_failed(&vpc, &subnet, progress).await?;
        let there = async || {
            let found = self.find_now(&vpc, &subnet).await?;
            let is_right = |current: &&Current| current.table_id() == ours;
            Ok(found.iter().find(is_right).map(drop))
        };
        let change = async || {
            let found = self.find_now(&vpc, &subnet).await?;
            match found.first() {
                Some(current) if current.table_id() == ours => Ok(()),
                current => self.change(&ours, &subnet, current).await,
            }
        };
        Creation::new(&self.stack, progress, &action)
            .run(there, change)
            .await?;
        self.drop_copies(&vpc, &subnet).await?;
        self.until_associated(&vpc, &subnet, progress).await
    }

    async fn remove(&self, progress: &Progress) -> Result<(), Failure> {
        let action = doing("removing", self);
        let Some((vpc, subnet)) = self.where_found() else {
            return Ok(());
        };
        let ours = async || {
            let mut found = self.find_now(&vpc, &subnet).await?;
            found.retain(|current| self.is_with_ours(current));
            Ok(found)
        };
        self.drop_copies(&vpc, &subnet).await?;
        for current in ours().await.or_failure(|| action.clone())? {
            let answer = give_back(&self.stack, &current).await;
            answer.map_err(|error| error.failure(action.clone()).left(Left::Ours))?;
        }
        let wait = Wait::new(format!("association `{}` to be gone", self.name()), WITHIN);
        let look = async || Ok(ours().await?.first().map(|current| current.id().to_owned()));
        until_gone(progress, wait.usual(0, 10), &action, look).await
    }
}

impl Association {
    async fn until_associated(
        &self,
        vpc: &str,
        subnet: &str,
        progress: &Progress,
    ) -> Result<(), Failure> {
        let wait = Wait::new(format!("subnet `{subnet}` to be associated"), WITHIN);
        let look = async || {
            let found = self.find_now(vpc, subnet).await;
            let found = found.or_failure(|| doing("looking for", self))?;
            let current = found.first().filter(|current| self.is_with_ours(current));
            Ok(match current.map(state) {
                Some(Observed::Ready { .. }) => Poll::Ready(()),
                Some(Observed::Changing { state, .. }) => Poll::Pending(state),
                Some(Observed::Broken { reason, .. }) => return Err(self.failed(reason)),
                _ => Poll::Pending("not visible yet".to_owned()),
            })
        };
        progress.until(wait.usual(0, 10), look).await
    }

    fn failed(&self, reason: String) -> Failure {
        Failure::new(doing("creating", self))
            .caused_by(reason)
            .hint("run `placectl up` again: it associates the subnet anew")
            .kind(FailureKind::Incomplete)
            .left(Left::Ours)
    }

    /// Takes away those that EC2 failed to make, and sees them go: until then the subnet counts as
    /// associated, and nothing is made in their stead.
    async fn drop_failed(
        &self,
        vpc: &str,
        subnet: &str,
        progress: &Progress,
    ) -> Result<(), Failure> {
        let action = doing("repairing", self);
        let mut failed = self.find_now(vpc, subnet).await.or_failure(|| &*action)?;
        failed.retain(|current| self.is_with_ours(current) && is_failed(current));
        if failed.is_empty() {
            return Ok(());
        }
        for current in &failed {
            let dropped = disassociate(&self.stack, current).await;
            dropped.or_failure(|| &*action)?;
        }
        let what = format!("failed association `{}` to be gone", self.name());
        let look = async || {
            let mut found = self.find_now(vpc, subnet).await?;
            found.retain(|now| failed.iter().any(|failed| failed.id() == now.id()));
            Ok(found.first().map(|current| current.id().to_owned()))
        };
        until_gone(
            progress,
            Wait::new(what, WITHIN).usual(0, 10),
            &action,
            look,
        )
        .await
    }

    /// Takes away all but the first of several associations with tables of ours.
    async fn drop_copies(&self, vpc: &str, subnet: &str) -> Result<(), Failure> {
        let action = || doing("repairing", self);
        let found = self.find_now(vpc, subnet).await.or_failure(action)?;
        for copy in found.iter().skip(1).filter(|copy| self.is_with_ours(copy)) {
            let dropped = disassociate(&self.stack, copy).await;
            dropped.or_failure(action)?;
        }
        Ok(())
    }
}
