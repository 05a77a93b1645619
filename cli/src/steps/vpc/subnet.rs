//! The three subnets: default ones chosen by a fixed rule, or the stack's own in a dedicated VPC.

use std::time::Duration;

use async_trait::async_trait;
use aws_sdk_ec2::types::{ResourceType, Subnet as Answered};

use super::super::drift::Drift;
use super::super::lifecycle::{Card, Kind, Reading, Trouble, Whose, tag_map};
use super::super::{Stack, Vpc, keys};
use super::choice::{self, Taken, TooFewZones, Zone};
use super::current::explicit;
use super::network::is_dedicated;
use super::{Place, Side, look, route_table};
use crate::aws::{Answer, AwsError, Class, Owner};
use crate::engine::{Failure, Observed, ResourceKey};

/// Lambda and the cache may hold on to a subnet for as long as their network interfaces live.
const PATIENCE: Duration = Duration::from_mins(20);

/// What helps where there are too few zones.
pub(crate) const ELSEWHERE: &str = "use a region with three availability zones (`--region`)";

/// One of the three subnets.
pub(super) struct PlaceSubnet(pub(super) Place);

/// The subnets that the stack's tables are associated with.
async fn taken(stack: &Stack, vpc: &str) -> Result<Taken, AwsError> {
    let subnets = async |side| -> Result<Vec<String>, AwsError> {
        let tables = look::own_route_tables(stack, vpc, &route_table::key(side)).await?;
        let associated = tables.iter().flat_map(explicit);
        Ok(associated.map(|of| of.subnet().to_owned()).collect())
    };
    Ok(Taken {
        public: subnets(Side::Public).await?,
        private: subnets(Side::Private).await?,
    })
}

impl PlaceSubnet {
    fn key(&self) -> ResourceKey {
        self.0.subnet_key()
    }

    fn block(&self, vpc: &Vpc) -> Option<String> {
        choice::quarter(&vpc.cidr, self.0.index())
    }

    /// The subnet of the stack's own VPC, by its tags or by its block, which a VPC gives once: one
    /// whose tags were taken off would otherwise be in the way of the one made anew.
    fn own(&self, stack: &Stack, vpc: &Vpc, all: Vec<Answered>) -> Option<Answered> {
        let key = self.key();
        let tagged = |subnet: &Answered| look::is_ours(stack, subnet.tags(), &key);
        let block = self.block(vpc);
        let placed = |subnet: &Answered| {
            let owner = stack.ownership.owner(&key, subnet.tags());
            let is_block = block.is_some() && subnet.cidr_block() == block.as_deref();
            is_block && !matches!(owner, Owner::Stack(_))
        };
        let found = all.iter().position(tagged);
        let found = found.or_else(|| all.iter().position(placed));
        all.into_iter().nth(found?)
    }

    /// One of the default subnets, of which the same three are always chosen.
    async fn default(
        &self,
        stack: &Stack,
        vpc: &Vpc,
        all: Vec<Answered>,
    ) -> Result<Option<Answered>, AwsError> {
        let taken = taken(stack, &vpc.id).await?;
        if let Some(three) = choice::default_subnets(&all, &taken) {
            let wanted = &three[self.0.index()].id;
            return Ok(all.into_iter().find(|of| of.subnet_id() == Some(wanted)));
        }
        // Fewer than three: those that are there keep the place that they will have.
        let Ok(zone) = self.zone(stack, &choice::zones_with_default(&all)).await? else {
            return Ok(None);
        };
        Ok(all.into_iter().find(|subnet| {
            subnet.default_for_az() == Some(true) && subnet.availability_zone_id() == Some(&zone.id)
        }))
    }

    /// The zone that this subnet is in, or is to be in.
    async fn zone(
        &self,
        stack: &Stack,
        preferred: &[String],
    ) -> Result<Result<Zone, TooFewZones>, AwsError> {
        let usable = choice::usable(&look::zones(stack).await?);
        Ok(choice::zone(&usable, preferred, self.0.index()))
    }

    async fn make(&self, stack: &Stack, vpc: &Vpc, zone: &Zone) -> Result<Answered, AwsError> {
        let ec2 = &stack.aws.ec2;
        let subnet = if is_dedicated(stack) {
            let tags = look::specification(stack, &self.key(), ResourceType::Subnet);
            let call = ec2.create_subnet().vpc_id(&vpc.id);
            let call = call.availability_zone_id(&zone.id).tag_specifications(tags);
            let call = call.set_cidr_block(self.block(vpc));
            call.send().await.during("ec2:CreateSubnet")?.subnet
        } else {
            let call = ec2.create_default_subnet().availability_zone(&zone.name);
            call.send().await.during("ec2:CreateDefaultSubnet")?.subnet
        };
        subnet.ok_or_else(|| AwsError::empty("ec2:CreateSubnet"))
    }
}

#[async_trait(?Send)]
impl Kind for PlaceSubnet {
    type Found = Answered;

    fn card(&self, stack: &Stack) -> Card {
        let card = Card::new(1, self.key(), "subnet", self.0.word());
        let card = card.needs([keys::VPC]).owned(is_dedicated(stack));
        card.patience(PATIENCE).seen_off(1, 300)
    }

    async fn find(&self, stack: &Stack) -> Result<Vec<Answered>, Trouble> {
        let Some(vpc) = stack.found.vpc.get() else {
            return Ok(Vec::new());
        };
        let all = look::subnets(stack, &vpc.id).await?;
        let found = if is_dedicated(stack) {
            self.own(stack, &vpc, all)
        } else {
            self.default(stack, &vpc, all).await?
        };
        Ok(found.into_iter().collect())
    }

    fn read(&self, stack: &Stack, found: &Answered) -> Reading {
        let whose = if is_dedicated(stack) {
            Whose::Placed(tag_map(found.tags()))
        } else {
            Whose::Used
        };
        Reading::new(found.subnet_id().unwrap_or_default(), whose)
    }

    /// That three zones are too many for some regions is known before anything is made.
    async fn judge(
        &self,
        stack: &Stack,
        found: Option<&Answered>,
        _: &mut Drift,
    ) -> Result<Option<Observed>, Trouble> {
        if found.is_some() {
            return Ok(None);
        }
        let few = self.zone(stack, &[]).await?.err();
        Ok(few.map(|few| Observed::Impossible {
            reason: few.to_string(),
            remedy: ELSEWHERE.to_owned(),
        }))
    }

    /// A block can't be given twice: a second attempt after a lost answer finds its own, which may
    /// not be visible yet, or what somebody else put in the way.
    async fn create(&self, stack: &Stack) -> Result<Answered, Trouble> {
        let vpc = stack.found.vpc.require(&keys::VPC)?;
        let all = look::subnets(stack, &vpc.id).await?;
        let zone = self.zone(stack, &choice::zones_with_default(&all)).await?;
        let refuse = |few: TooFewZones| {
            let failure = Failure::new(format!("creating subnet `{}`", self.0.word()));
            failure.caused_by(few).hint(ELSEWHERE)
        };
        match self.make(stack, &vpc, &zone.map_err(refuse)?).await {
            Err(error) if error.is("InvalidSubnet.Conflict") => {
                let class = Class::Exists;
                Err(AwsError { class, ..error }.into())
            }
            made => Ok(made?),
        }
    }

    async fn tag(&self, stack: &Stack, found: &Answered) -> Result<(), Trouble> {
        let id = found.subnet_id().unwrap_or_default();
        Ok(look::put_tags(stack, id, &self.key()).await?)
    }

    async fn delete(&self, stack: &Stack, found: &Answered) -> Result<(), Trouble> {
        let delete = stack.aws.ec2.delete_subnet();
        let delete = delete.set_subnet_id(found.subnet_id.clone());
        Ok(delete.send().await.during("ec2:DeleteSubnet").map(drop)?)
    }

    fn leave(&self, stack: &Stack, found: Option<&Answered>) {
        let subnet = found.map(choice::subnet);
        match self.0 {
            Place::Public => stack.found.public_subnet.replace(subnet),
            Place::Private(number) => stack.found.private_subnets.replace(number, subnet),
        }
    }

    fn refresh(&self, stack: &Stack) {
        stack.lookups.subnets.forget();
    }
}
