//! The associations of the three subnets with their route tables.
//!
//! Associations carry no tags: one is ours when it is with a table of ours. What a subnet was
//! associated with before is written into a tag of that table first, and put back at the end.

use std::time::Duration;

use async_trait::async_trait;
use aws_sdk_ec2::types::Tag as Ec2Tag;

use super::super::drift::Drift;
use super::super::found::missing;
use super::super::lifecycle::{Card, Kind, Reading, State, Trouble, Whose};
use super::super::{Stack, keys};
use super::current::{Current, current, disassociate, give_back, replace, restore_tag, state};
use super::network::is_dedicated;
use super::{Place, Side, guard, look, route, route_table};
use crate::aws::tags::Tag;
use crate::aws::{Answer, AwsError, AwsResult, Owner};
use crate::engine::{Observed, ResourceKey};

const PATIENCE: Duration = Duration::from_mins(2);

/// What to do about a subnet that another stack routes.
const OWN_VPC: &str = "a second stack needs a separate VPC: set `vpc.mode = \"dedicated\"`";

/// What to do about a subnet with other people's things in it.
const SHARED: &str = "`--allow-shared-vpc` re-routes the subnet anyway; or set \
                      `vpc.mode = \"dedicated\"` for a separate VPC";

/// The association of one subnet.
pub(super) struct Association(pub(super) Place);

/// Ids of the VPC and of a subnet in it.
struct Home {
    vpc: String,
    subnet: String,
}

impl Association {
    fn key(&self) -> ResourceKey {
        match self.0 {
            Place::Public => keys::PUBLIC_ASSOCIATION,
            Place::Private(number) => keys::PRIVATE_ASSOCIATIONS[number].clone(),
        }
    }

    fn table_key(&self) -> ResourceKey {
        route_table::key(self.0.side())
    }

    /// Where it is, once both are there.
    fn home(&self, stack: &Stack) -> Option<Home> {
        let subnet = match self.0 {
            Place::Public => stack.found.public_subnet.get(),
            Place::Private(number) => stack.found.private_subnets.get(number),
        };
        Some(Home {
            vpc: stack.found.vpc.get()?.id,
            subnet: subnet?.id,
        })
    }

    fn is_with_ours(&self, stack: &Stack, current: &Current) -> bool {
        look::is_ours(stack, current.table.tags(), &self.table_key())
    }

    /// What the subnet is associated with beside tables of ours.
    async fn other(&self, stack: &Stack, home: &Home) -> Result<Option<Current>, AwsError> {
        let tables = look::route_tables(stack, &home.vpc).await?;
        let mut found = current(&tables, &home.subnet);
        found.retain(|current| !self.is_with_ours(stack, current));
        found.sort_by_key(|current| current.id().to_owned());
        Ok(found.into_iter().next())
    }

    /// Why the subnet must not be re-routed, if it must not.
    async fn objection(
        &self,
        stack: &Stack,
        home: &Home,
        other: Option<&Current>,
    ) -> Result<Option<Observed>, AwsError> {
        let Home { vpc, subnet } = home;
        let refused = |detail: String, remedy: &str| Observed::Foreign {
            id: subnet.clone(),
            detail,
            remedy: Some(remedy.to_owned()),
        };
        let owner = |of: &Current| stack.ownership.owner(&self.table_key(), of.table.tags());
        if let Some(Owner::Stack(other)) = other.map(owner) {
            let detail = format!("subnet `{subnet}` is routed by stack `{other}`");
            return Ok(Some(refused(detail, OWN_VPC)));
        }
        if is_dedicated(stack) || stack.options.allow_shared_vpc {
            return Ok(None);
        }
        let strangers = guard::strangers(stack, vpc, subnet).await?;
        Ok((!strangers.is_empty()).then(|| {
            let detail = format!(
                "subnet `{subnet}` is in use by {}: re-routing the subnet changes their traffic",
                strangers.join(", ")
            );
            refused(detail, SHARED)
        }))
    }
}

/// Whether it is with a table of the stack's own, on whichever side.
fn is_of_stack(stack: &Stack, current: &Current) -> bool {
    let mut keys = Side::BOTH.into_iter().map(route_table::key);
    keys.any(|key| stack.ownership.owns(&key, current.table.tags()))
}

/// Writes down what the subnet was associated with, on the table that takes over.
async fn record(stack: &Stack, ours: &str, before: &Current) -> Result<(), AwsError> {
    let tag = restore_tag(before.subnet());
    let tag = Ec2Tag::pair(tag, before.table_id().to_owned());
    let call = stack.aws.ec2.create_tags().resources(ours).tags(tag);
    call.send().await.during("ec2:CreateTags").map(drop)
}

async fn associate(stack: &Stack, table: &str, subnet: &str) -> Result<(), AwsError> {
    let call = stack.aws.ec2.associate_route_table();
    let call = call.route_table_id(table).subnet_id(subnet).customize();
    let answer = call.config_override(look::no_retries()).send().await;
    let answer = answer.during("ec2:AssociateRouteTable");
    answer.exists_as_none().map(drop)
}

#[async_trait(?Send)]
impl Kind for Association {
    type Found = Current;

    fn card(&self, _: &Stack) -> Card {
        let card = Card::new(1, self.key(), "subnet association", self.0.word());
        let card = card.patience(PATIENCE).seen_off(0, 10);
        // The route too: whoever else is in the subnet keeps a way out at every moment.
        let route = route::key(self.0.side());
        card.needs([self.0.subnet_key(), self.table_key(), route])
    }

    /// The subnet's associations with tables of ours.
    async fn find(&self, stack: &Stack) -> Result<Vec<Current>, Trouble> {
        let Some(home) = self.home(stack) else {
            return Ok(Vec::new());
        };
        let tables = look::route_tables(stack, &home.vpc).await?;
        let mut found = current(&tables, &home.subnet);
        found.retain(|current| self.is_with_ours(stack, current));
        found.sort_by_key(|current| current.id().to_owned());
        Ok(found)
    }

    fn read(&self, _: &Stack, found: &Current) -> Reading {
        Reading::new(found.id(), Whose::Parents).state(state(found))
    }

    /// With no table, or with one that is none of ours: the association is not there.
    async fn judge(
        &self,
        stack: &Stack,
        found: Option<&Current>,
        drift: &mut Drift,
    ) -> Result<Option<Observed>, Trouble> {
        let Some(home) = self.home(stack).filter(|_| found.is_none()) else {
            return Ok(None);
        };
        let other = self.other(stack, &home).await?;
        let objection = self.objection(stack, &home, other.as_ref()).await?;
        let Some(other) = other.filter(|other| objection.is_none() && is_of_stack(stack, other))
        else {
            return Ok(objection);
        };
        drift.compare("RouteTableId", other.table_id(), self.table_key());
        Ok(Some(drift.clone().verdict(other.id())))
    }

    async fn create(&self, stack: &Stack) -> Result<Current, Trouble> {
        let home = self.home(stack);
        let home = home.ok_or_else(|| missing(&self.0.subnet_key()))?;
        let ours = route_table::slot(stack, self.0.side()).require(&self.table_key())?;
        self.refresh(stack);
        match self.other(stack, &home).await? {
            None => associate(stack, &ours, &home.subnet).await?,
            Some(other) => {
                if !is_of_stack(stack, &other) {
                    record(stack, &ours, &other).await?;
                }
                replace(stack, other.id(), &ours).await?;
            }
        }
        // What came of it is seen in the table.
        Ok(Current::on_its_way())
    }

    async fn delete(&self, stack: &Stack, found: &Current) -> Result<(), Trouble> {
        let failed = matches!(state(found), State::Failed(_));
        let copied = self.find(stack).await?.len() > 1;
        let gone = if failed || copied {
            disassociate(stack, found).await
        } else {
            give_back(stack, found).await
        };
        self.refresh(stack);
        Ok(gone?)
    }

    fn refresh(&self, stack: &Stack) {
        stack.lookups.route_tables.forget();
    }
}
