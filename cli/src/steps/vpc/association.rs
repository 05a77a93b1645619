//! The associations of the three subnets with their route tables.
//!
//! Associations carry no tags: one is ours when it is with a table of ours. What a subnet was
//! associated with before is written into a tag of that table first, and put back at the end.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use aws_sdk_ec2::types::Tag as Ec2Tag;
use place_config::stack::VpcMode;

use super::super::repeat::{doing, once_visible, until_gone};
use super::super::{Stack, keys};
use super::current::{Current, current, restore_tag, state};
use super::{Place, STEP, guard, look, route, route_table};
use crate::aws::tags::{Tag, Tags};
use crate::aws::{Answer, AwsError, AwsResult, Owner};
use crate::engine::outcome::Difference;
use crate::engine::{Failure, Left, Observed, Poll, Progress, Resource, ResourceKey, Step, Wait};

const WITHIN: Duration = Duration::from_mins(2);

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

    async fn find(&self, vpc: &str, subnet: &str) -> Result<Option<Current>, AwsError> {
        let tables = look::route_tables(&self.stack, vpc).await?;
        Ok(current(tables, subnet))
    }

    fn is_with_ours(&self, current: &Current) -> bool {
        look::is_ours(&self.stack, current.table.tags(), &self.table_key())
    }

    /// Why the subnet must not be re-routed, if it must not.
    async fn objection(
        &self,
        vpc: &str,
        subnet: &str,
        current: Option<&Current>,
    ) -> Result<Option<String>, AwsError> {
        if let Some(current) = current
            && let Owner::Stack(other) = self.stack.ownership.owner(current.table.tags())
        {
            return Ok(Some(format!(
                "subnet `{subnet}` is routed by stack `{other}`: \
                 a second stack needs `vpc.mode = \"dedicated\"`"
            )));
        }
        let dedicated = self.stack.config.vpc.mode == VpcMode::Dedicated;
        if dedicated || self.stack.options.allow_shared_vpc {
            return Ok(None);
        }
        let strangers = guard::strangers(&self.stack, vpc, subnet).await?;
        Ok((!strangers.is_empty()).then(|| {
            format!(
                "subnet `{subnet}` is in use by {}: re-routing it changes how they are reached \
                 (`--allow-shared-vpc` does it all the same)",
                strangers.join(", ")
            )
        }))
    }

    async fn associate(&self, table: &str, subnet: &str) -> Result<(), AwsError> {
        let call = self.stack.aws.ec2.associate_route_table();
        let answer = call.route_table_id(table).subnet_id(subnet).send().await;
        answer.during("ec2:AssociateRouteTable").exists_as_none()?;
        Ok(())
    }

    async fn replace(&self, association: &str, table: &str) -> Result<(), AwsError> {
        let call = self.stack.aws.ec2.replace_route_table_association();
        let call = call.association_id(association).route_table_id(table);
        call.send()
            .await
            .during("ec2:ReplaceRouteTableAssociation")
            .map(drop)
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
        if self.stack.ownership.owner(current.table.tags()) == Owner::Nobody {
            self.record(ours, subnet, current.table_id()).await?;
        }
        self.replace(current.id(), ours).await
    }

    /// Gives the subnet back to the table that it had, or to the VPC's main one.
    async fn give_back(&self, vpc: &str, current: &Current) -> Result<(), AwsError> {
        let subnet = current.association.subnet_id().unwrap_or_default();
        let before = current
            .table
            .tags()
            .value(&restore_tag(subnet))
            .map(str::to_owned);
        if let Some(before) = before {
            let tables = look::route_tables(&self.stack, vpc).await?;
            if tables
                .iter()
                .any(|table| table.route_table_id() == Some(before.as_str()))
            {
                return self
                    .replace(current.id(), &before)
                    .await
                    .absent_as_none()
                    .map(drop);
            }
        }
        let call = self
            .stack
            .aws
            .ec2
            .disassociate_route_table()
            .association_id(current.id());
        call.send()
            .await
            .during("ec2:DisassociateRouteTable")
            .absent_as_none()
            .map(drop)
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
        let current = self.find(&vpc, &subnet).await.or_failure(action)?;
        if let Some(current) = current
            .as_ref()
            .filter(|current| self.is_with_ours(current))
        {
            return Ok(state(current));
        }
        let objection = self
            .objection(&vpc, &subnet, current.as_ref())
            .await
            .or_failure(action)?;
        let ours = |of: &Current| self.stack.ownership.owner(of.table.tags()) == Owner::Us;
        Ok(match (objection, current.filter(ours)) {
            (Some(detail), _) => Observed::Foreign { id: subnet, detail },
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
        })
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
        let change = async || {
            self.stack.lookups.route_tables.forget();
            let current = self.find(&vpc, &subnet).await?;
            if current
                .as_ref()
                .is_some_and(|current| current.table_id() == ours)
            {
                return Ok(());
            }
            self.change(&ours, &subnet, current.as_ref()).await
        };
        once_visible(progress, &action, change).await?;
        self.until_associated(&vpc, &subnet, progress).await
    }

    async fn remove(&self, progress: &Progress) -> Result<(), Failure> {
        let action = doing("removing", self);
        let Some((vpc, subnet)) = self.where_found() else {
            return Ok(());
        };
        let ours = async || {
            self.stack.lookups.route_tables.forget();
            let current = self.find(&vpc, &subnet).await?;
            Ok(current.filter(|current| self.is_with_ours(current)))
        };
        if let Some(current) = ours().await.or_failure(|| action.clone())? {
            let answer = self.give_back(&vpc, &current).await;
            answer.map_err(|error| error.failure(action.clone()).left(Left::Ours))?;
        }
        let wait = Wait::new(format!("association `{}` to be gone", self.name()), WITHIN);
        let look = async || Ok(ours().await?.map(|current| current.id().to_owned()));
        until_gone(progress, wait, &action, look).await
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
            self.stack.lookups.route_tables.forget();
            let current = self
                .find(vpc, subnet)
                .await
                .or_failure(|| doing("looking for", self))?;
            let current = current.filter(|current| self.is_with_ours(current));
            Ok(match current.as_ref().map(state) {
                Some(Observed::Ready { .. }) => Poll::Ready(()),
                Some(Observed::Changing { state, .. }) => Poll::Pending(state),
                _ => Poll::Pending("not visible yet".to_owned()),
            })
        };
        progress.until(wait, look).await
    }
}
