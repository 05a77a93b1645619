//! The routes to everywhere else: 0.0.0.0/0, to the internet gateway or to the NAT gateway.

use std::sync::Arc;

use async_trait::async_trait;
use aws_sdk_ec2::types::{Route, RouteState};

use super::super::drift::Drift;
use super::super::lost::Creation;
use super::super::repeat::{doing, once_visible};
use super::super::{Slot, Stack, keys};
use super::{STEP, Side, look, route_table};
use crate::aws::{Answer, AwsError, AwsResult};
use crate::engine::outcome::Difference;
use crate::engine::{Failure, Observed, Progress, Resource, ResourceKey, Step};

/// Everywhere that no other route leads to.
const EVERYWHERE: &str = "0.0.0.0/0";

/// The default route of one side's table. Routes carry no tags: it is ours through its table.
pub(super) struct DefaultRoute {
    stack: Arc<Stack>,
    side: Side,
}

impl DefaultRoute {
    pub(super) const fn new(stack: Arc<Stack>, side: Side) -> Self {
        Self { stack, side }
    }

    fn target_key(&self) -> ResourceKey {
        match self.side {
            Side::Public => keys::INTERNET_GATEWAY,
            Side::Private => keys::NAT_GATEWAY,
        }
    }

    fn target_slot(&self) -> &Slot<String> {
        match self.side {
            Side::Public => &self.stack.found.internet_gateway,
            Side::Private => &self.stack.found.nat_gateway,
        }
    }

    /// The table's id, and its default route: one, as EC2 has it. What stands in for EC2 may have
    /// taken a repeated call for another route.
    async fn find(&self) -> Result<Option<(String, Vec<Route>)>, AwsError> {
        let Some(vpc) = self.stack.found.vpc.get() else {
            return Ok(None);
        };
        let key = route_table::key(self.side);
        let tables = look::own_route_tables(&self.stack, &vpc.id, &key).await?;
        let is_default = |route: &Route| route.destination_cidr_block() == Some(EVERYWHERE);
        Ok(tables.into_iter().next().map(|table| {
            let id = table.route_table_id().unwrap_or_default().to_owned();
            let routes = table.routes.unwrap_or_default();
            (id, routes.into_iter().filter(is_default).collect())
        }))
    }

    async fn find_now(&self) -> Result<Option<(String, Vec<Route>)>, AwsError> {
        self.stack.lookups.route_tables.forget();
        self.find().await
    }

    async fn create(&self, table: &str, target: &str) -> Result<(), AwsError> {
        let call = self.stack.aws.ec2.create_route().route_table_id(table);
        let call = call.destination_cidr_block(EVERYWHERE);
        let call = match self.side {
            Side::Public => call.gateway_id(target),
            Side::Private => call.nat_gateway_id(target),
        };
        let call = call.customize().config_override(look::no_retries());
        match call
            .send()
            .await
            .during("ec2:CreateRoute")
            .exists_as_none()?
        {
            Some(_) => Ok(()),
            None => self.replace(table, target).await,
        }
    }

    /// Takes away every default route of the table.
    async fn delete(&self, table: &str) -> Result<(), AwsError> {
        let call = self.stack.aws.ec2.delete_route().route_table_id(table);
        let answer = call.destination_cidr_block(EVERYWHERE).send().await;
        answer.during("ec2:DeleteRoute").absent_as_none()?;
        self.stack.lookups.route_tables.forget();
        Ok(())
    }

    async fn replace(&self, table: &str, target: &str) -> Result<(), AwsError> {
        let call = self.stack.aws.ec2.replace_route().route_table_id(table);
        let call = call.destination_cidr_block(EVERYWHERE);
        let call = match self.side {
            Side::Public => call.gateway_id(target),
            Side::Private => call.nat_gateway_id(target),
        };
        call.send().await.during("ec2:ReplaceRoute").map(drop)
    }
}

#[async_trait(?Send)]
impl Resource for DefaultRoute {
    fn key(&self) -> ResourceKey {
        key(self.side)
    }

    fn step(&self) -> Step {
        STEP
    }

    fn kind(&self) -> &'static str {
        "route"
    }

    fn name(&self) -> String {
        format!("{} {EVERYWHERE}", self.side.word())
    }

    fn needs(&self) -> Vec<ResourceKey> {
        vec![route_table::key(self.side), self.target_key()]
    }

    async fn observe(&self) -> Result<Observed, Failure> {
        let found = self
            .find()
            .await
            .or_failure(|| doing("looking for", self))?;
        let routes = found.map(|(_, routes)| routes).unwrap_or_default();
        let Some((route, copies)) = routes.split_first() else {
            return Ok(Observed::Absent);
        };
        let mut drift = Drift::default();
        drift.note_all(differences(route, self.target_slot().get().as_deref()));
        drift.compare("copies", copies.len(), 0);
        Ok(drift.verdict(target(route)))
    }

    async fn ensure(&self, observed: &Observed, progress: &Progress) -> Result<(), Failure> {
        let table_key = route_table::key(self.side);
        let table = route_table::slot(&self.stack, self.side).require(&table_key)?;
        let target = self.target_slot().require(&self.target_key())?;
        let found = self.find_now().await;
        let found = found.or_failure(|| doing("looking for", self))?;
        let routes = found.map(|(_, routes)| routes).unwrap_or_default();
        if routes.len() > 1 {
            let deleted = self.delete(&table).await;
            deleted.or_failure(|| doing("repairing", self))?;
        }
        if routes.len() == 1 && *observed != Observed::Absent {
            let replace = async || self.replace(&table, &target).await;
            once_visible(progress, &doing("repairing", self), replace).await?;
        } else {
            self.make(&table, &target, progress).await?;
        }
        self.stack.lookups.route_tables.forget();
        Ok(())
    }

    async fn remove(&self, _: &Progress) -> Result<(), Failure> {
        let action = doing("removing", self);
        let found = self.find_now().await.or_failure(|| action.clone())?;
        match found {
            Some((table, routes)) if !routes.is_empty() => {
                self.delete(&table).await.or_failure(|| action)
            }
            _ => Ok(()),
        }
    }
}

impl DefaultRoute {
    async fn make(&self, table: &str, target: &str, progress: &Progress) -> Result<(), Failure> {
        let look = async || {
            let routes = self.find_now().await?.map(|(_, routes)| routes);
            let is_right = |route: &Route| self::target(route) == target;
            Ok(routes
                .is_some_and(|routes| routes.iter().any(is_right))
                .then_some(()))
        };
        let create = async || self.create(table, target).await;
        let action = doing("creating", self);
        let creation = Creation::new(&self.stack, progress, &action);
        creation.run(look, create).await
    }
}

/// Key of the route of one side.
pub(super) fn key(side: Side) -> ResourceKey {
    match side {
        Side::Public => keys::PUBLIC_ROUTE,
        Side::Private => keys::PRIVATE_ROUTE,
    }
}

fn target(route: &Route) -> &str {
    let others = [
        route.nat_gateway_id(),
        route.instance_id(),
        route.network_interface_id(),
    ];
    let targets = [route.gateway_id()].into_iter().chain(others);
    targets
        .flatten()
        .find(|target| !target.is_empty())
        .unwrap_or("something else")
}

fn differences(route: &Route, wanted: Option<&str>) -> Vec<Difference> {
    let mut differences = Vec::new();
    if let Some(wanted) = wanted
        && target(route) != wanted
    {
        differences.push(Difference::new(EVERYWHERE, target(route), wanted));
    }
    if route.state() == Some(&RouteState::Blackhole) {
        differences.push(Difference::new("State", "blackhole", "active"));
    }
    differences
}

#[cfg(test)]
mod tests {
    use super::*;

    fn route() -> aws_sdk_ec2::types::builders::RouteBuilder {
        Route::builder()
            .destination_cidr_block(EVERYWHERE)
            .state(RouteState::Active)
    }

    #[test]
    fn the_right_target_is_no_difference() {
        let route = route().nat_gateway_id("nat-1").build();
        assert_eq!(differences(&route, Some("nat-1")), []);
        assert_eq!(differences(&route, None), []);
    }

    #[test]
    fn another_target_and_a_black_hole_are() {
        let route = route()
            .gateway_id("igw-1")
            .state(RouteState::Blackhole)
            .build();
        let found = differences(&route, Some("nat-1"));
        let attributes: Vec<&str> = found.iter().map(|d| d.attribute.as_str()).collect();
        assert_eq!(attributes, [EVERYWHERE, "State"]);
    }
}
