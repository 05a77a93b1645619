//! The three subnets: default ones chosen by a fixed rule, or the stack's own in a dedicated VPC.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use aws_sdk_ec2::types::{ResourceType, Subnet as Answered};
use place_config::stack::VpcMode;

use super::super::repeat::{doing, once_visible, until_gone, while_answer_is};
use super::super::{Stack, Subnet, Vpc, keys};
use super::choice::{self, Taken, Zone};
use super::current::explicit;
use super::{Place, STEP, Side, look, route_table};
use crate::aws::{Answer, AwsError, AwsResult, Class, Owner};
use crate::engine::{Failure, Observed, Progress, Resource, ResourceKey, Step, Wait};

/// Lambda and the cache may hold on to a subnet for as long as their network interfaces live.
const FREE_WITHIN: Duration = Duration::from_mins(20);

const GONE_WITHIN: Duration = Duration::from_mins(2);

/// What helps where there are too few zones.
pub(crate) const ELSEWHERE: &str = "use a region with three availability zones (`--region`)";

/// One of the three subnets.
pub(super) struct PlaceSubnet {
    stack: Arc<Stack>,
    place: Place,
}

impl PlaceSubnet {
    pub(super) const fn new(stack: Arc<Stack>, place: Place) -> Self {
        Self { stack, place }
    }

    fn is_dedicated(&self) -> bool {
        self.stack.config.vpc.mode == VpcMode::Dedicated
    }

    fn note(&self, subnet: Option<Subnet>) {
        let found = &self.stack.found;
        match self.place {
            Place::Public => found.public_subnet.replace(subnet),
            Place::Private(number) => found.private_subnets.replace(number, subnet),
        }
    }

    async fn find(&self, vpc: &Vpc) -> Result<Option<Subnet>, AwsError> {
        if self.is_dedicated() {
            let found = self.find_own(vpc).await?;
            return Ok(found.as_ref().map(choice::subnet));
        }
        let all = look::subnets(&self.stack, &vpc.id).await?;
        let taken = self.taken(&vpc.id).await?;
        if let Some(three) = choice::default_subnets(&all, &taken) {
            let [public, first, second] = three;
            return Ok(Some(match self.place {
                Place::Public => public,
                Place::Private(0) => first,
                Place::Private(_) => second,
            }));
        }
        // Fewer than three: those that are there keep the place that they will have.
        let Ok(zone) = self.zone(&choice::zones_with_default(&all)).await? else {
            return Ok(None);
        };
        let in_zone = |subnet: &&Answered| {
            subnet.default_for_az() == Some(true)
                && subnet.availability_zone_id() == Some(zone.id.as_str())
        };
        Ok(all.iter().find(in_zone).map(choice::subnet))
    }

    async fn find_own(&self, vpc: &Vpc) -> Result<Option<Answered>, AwsError> {
        let all = look::subnets(&self.stack, &vpc.id).await?;
        Ok(self.own(vpc, &all).cloned())
    }

    /// What was found of the stack's own subnet.
    fn compare(&self, found: &Answered) -> Observed {
        let id = found.subnet_id().unwrap_or_default();
        look::compare_tags(&self.stack, found.tags(), &self.key()).verdict(id)
    }

    /// The subnets that the stack's tables are associated with.
    async fn taken(&self, vpc: &str) -> Result<Taken, AwsError> {
        let subnets = async |side| -> Result<Vec<String>, AwsError> {
            let key = route_table::key(side);
            let tables = look::own_route_tables(&self.stack, vpc, &key).await?;
            let associated = tables.iter().flat_map(explicit);
            Ok(associated.map(|of| of.subnet().to_owned()).collect())
        };
        Ok(Taken {
            public: subnets(Side::Public).await?,
            private: subnets(Side::Private).await?,
        })
    }

    /// The subnet of the stack's own VPC, by its tags or by its block, which a VPC gives once: one
    /// whose tags were taken off would otherwise be in the way of the one made anew.
    fn own<'a>(&self, vpc: &Vpc, all: &'a [Answered]) -> Option<&'a Answered> {
        let key = self.key();
        let tagged = |subnet: &&Answered| look::is_ours(&self.stack, subnet.tags(), &key);
        let block = self.block(vpc);
        let placed = |subnet: &&Answered| {
            let owner = self.stack.ownership.owner(&key, subnet.tags());
            let is_block = block.is_some() && subnet.cidr_block() == block.as_deref();
            is_block && !matches!(owner, Owner::Stack(_))
        };
        all.iter().find(tagged).or_else(|| all.iter().find(placed))
    }

    fn block(&self, vpc: &Vpc) -> Option<String> {
        choice::quarter(&vpc.cidr, self.place.index())
    }

    /// The zone that this subnet is in, or is to be in.
    async fn zone(
        &self,
        preferred: &[String],
    ) -> Result<Result<Zone, choice::TooFewZones>, AwsError> {
        let usable = choice::usable(&look::zones(&self.stack).await?);
        Ok(choice::zone(&usable, preferred, self.place.index()))
    }

    /// What is to be said where it is not there: that three zones are too many for some regions is
    /// known before anything is made.
    async fn absent(&self) -> Result<Observed, Failure> {
        let zone = self.zone(&[]).await;
        let zone = zone.or_failure(|| doing("looking for a place for", self))?;
        Ok(match zone {
            Ok(_) => Observed::Absent,
            Err(few) => Observed::Impossible {
                reason: few.to_string(),
                remedy: ELSEWHERE.to_owned(),
            },
        })
    }

    async fn create(&self, vpc: &Vpc, zone: &Zone) -> Result<(), AwsError> {
        let ec2 = &self.stack.aws.ec2;
        if self.is_dedicated() {
            let tags = look::specification(&self.stack, &self.key(), ResourceType::Subnet);
            let call = ec2
                .create_subnet()
                .vpc_id(&vpc.id)
                .availability_zone_id(&zone.id);
            let call = call.set_cidr_block(self.block(vpc));
            let answer = call.tag_specifications(tags).send().await;
            return answer.during("ec2:CreateSubnet").map(drop);
        }
        let call = ec2.create_default_subnet().availability_zone(&zone.name);
        call.send()
            .await
            .during("ec2:CreateDefaultSubnet")
            .exists_as_none()?;
        Ok(())
    }
}

impl PlaceSubnet {
    /// Puts the tags back.
    async fn repair(&self) -> Result<(), Failure> {
        let action = doing("repairing", self);
        let vpc = self.stack.found.vpc.require(&keys::VPC)?;
        self.stack.lookups.subnets.forget();
        let found = self.find_own(&vpc).await.or_failure(|| action.clone())?;
        if let Some(found) = found {
            let id = found.subnet_id().unwrap_or_default();
            let mended = look::mend_tags(&self.stack, id, found.tags(), &self.key()).await;
            mended.or_failure(|| action)?;
        }
        self.stack.lookups.subnets.forget();
        Ok(())
    }
}

#[async_trait(?Send)]
impl Resource for PlaceSubnet {
    fn key(&self) -> ResourceKey {
        match self.place {
            Place::Public => keys::PUBLIC_SUBNET,
            Place::Private(number) => keys::PRIVATE_SUBNETS[number].clone(),
        }
    }

    fn step(&self) -> Step {
        STEP
    }

    fn kind(&self) -> &'static str {
        "subnet"
    }

    fn name(&self) -> String {
        self.place.word()
    }

    fn needs(&self) -> Vec<ResourceKey> {
        vec![keys::VPC]
    }

    fn owned(&self) -> bool {
        self.is_dedicated()
    }

    async fn observe(&self) -> Result<Observed, Failure> {
        let Some(vpc) = self.stack.found.vpc.get() else {
            self.note(None);
            return self.absent().await;
        };
        let action = || doing("looking for", self);
        if self.is_dedicated() {
            let found = self.find_own(&vpc).await.or_failure(action)?;
            self.note(found.as_ref().map(choice::subnet));
            return match found {
                Some(found) => Ok(self.compare(&found)),
                None => self.absent().await,
            };
        }
        let found = self.find(&vpc).await.or_failure(action)?;
        self.note(found.clone());
        match found {
            Some(subnet) => Ok(Observed::ready(subnet.id)),
            None => self.absent().await,
        }
    }

    async fn ensure(&self, observed: &Observed, progress: &Progress) -> Result<(), Failure> {
        if matches!(observed, Observed::Drifted { .. }) {
            return self.repair().await;
        }
        let action = doing("creating", self);
        let vpc = self.stack.found.vpc.require(&keys::VPC)?;
        let all = look::subnets(&self.stack, &vpc.id)
            .await
            .or_failure(|| action.clone())?;
        let zone = self.zone(&choice::zones_with_default(&all)).await;
        let zone = zone
            .or_failure(|| action.clone())?
            .map_err(|few| Failure::new(action.clone()).caused_by(few).hint(ELSEWHERE))?;
        let refused = once_visible(progress, &action, async || {
            match self.create(&vpc, &zone).await {
                // A block can't be given twice: a second attempt after a lost answer finds its own,
                // which may not be visible yet, or what somebody else put in the way.
                Err(error) if error.is("InvalidSubnet.Conflict") => Ok(Some(AwsError {
                    class: Class::NotYet,
                    ..error
                })),
                other => other.map(|()| None),
            }
        });
        let refused = refused.await?;
        let look = async || {
            self.stack.lookups.subnets.forget();
            let found = self.find(&vpc).await?;
            found.ok_or_else(|| {
                let absent = || AwsError::absent("ec2:DescribeSubnets", &self.key());
                refused.clone().unwrap_or_else(absent)
            })
        };
        self.note(Some(once_visible(progress, &action, look).await?));
        Ok(())
    }

    async fn remove(&self, progress: &Progress) -> Result<(), Failure> {
        let action = doing("removing", self);
        let vpc = self.stack.found.vpc.get();
        let Some(vpc) = vpc.filter(|_| self.is_dedicated()) else {
            return Ok(());
        };
        self.stack.lookups.subnets.forget();
        if let Some(subnet) = self.find(&vpc).await.or_failure(|| action.clone())? {
            let wait = Wait::new(format!("subnet `{}` to be empty", subnet.id), FREE_WITHIN);
            let delete = async || {
                let call = self.stack.aws.ec2.delete_subnet().subnet_id(&subnet.id);
                call.send()
                    .await
                    .during("ec2:DeleteSubnet")
                    .absent_as_none()
            };
            while_answer_is(
                progress,
                wait.usual(1, 300),
                &[Class::Conflict],
                &action,
                delete,
            )
            .await?;
        }
        let wait = Wait::new(format!("subnet `{}` to be gone", self.name()), GONE_WITHIN);
        let look = async || {
            self.stack.lookups.subnets.forget();
            Ok(self.find(&vpc).await?.map(|subnet| subnet.id))
        };
        until_gone(progress, wait.usual(0, 10), &action, look).await?;
        self.note(None);
        Ok(())
    }
}
