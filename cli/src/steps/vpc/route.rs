//! The routes to everywhere else: 0.0.0.0/0, to the internet gateway or to the NAT gateway.

use async_trait::async_trait;
use aws_sdk_ec2::types::{Route, RouteState};

use super::super::drift::Drift;
use super::super::lifecycle::{Card, Kind, Reading, Trouble, Whose};
use super::super::{Stack, keys};
use super::{Side, look, route_table};
use crate::aws::{Answer, AwsResult};
use crate::engine::outcome::Difference;
use crate::engine::{Failure, ResourceKey};

/// Everywhere that no other route leads to.
const EVERYWHERE: &str = "0.0.0.0/0";

/// The default route of one side's table. Routes carry no tags: it is ours through its table.
pub(super) struct DefaultRoute(pub(super) Side);

impl DefaultRoute {
    const fn target_key(&self) -> ResourceKey {
        match self.0 {
            Side::Public => keys::INTERNET_GATEWAY,
            Side::Private => keys::NAT_GATEWAY,
        }
    }

    fn target(&self, stack: &Stack) -> Option<String> {
        match self.0 {
            Side::Public => stack.found.internet_gateway.get(),
            Side::Private => stack.found.nat_gateway.get(),
        }
    }

    fn wanted(&self, stack: &Stack) -> Result<String, Failure> {
        let target = self.target(stack);
        target.ok_or_else(|| crate::steps::found::missing(&self.target_key()))
    }

    fn table(&self, stack: &Stack) -> Result<String, Failure> {
        route_table::slot(stack, self.0).require(&route_table::key(self.0))
    }
}

#[async_trait(?Send)]
impl Kind for DefaultRoute {
    type Found = Route;

    fn card(&self, _: &Stack) -> Card {
        let name = format!("{} {EVERYWHERE}", self.0.word());
        let card = Card::new(1, key(self.0), "route", name);
        card.needs([route_table::key(self.0), self.target_key()])
    }

    /// The table's default route: one, as EC2 has it. What stands in for EC2 may have taken a
    /// repeated call for another route; deleting one takes all of them away.
    async fn find(&self, stack: &Stack) -> Result<Vec<Route>, Trouble> {
        let Some(vpc) = stack.found.vpc.get() else {
            return Ok(Vec::new());
        };
        let key = route_table::key(self.0);
        let tables = look::own_route_tables(stack, &vpc.id, &key).await?;
        let routes = tables.into_iter().next().and_then(|table| table.routes);
        let mut routes = routes.unwrap_or_default();
        routes.retain(|route| route.destination_cidr_block() == Some(EVERYWHERE));
        Ok(routes)
    }

    fn read(&self, _: &Stack, found: &Route) -> Reading {
        Reading::new(target(found), Whose::Parents)
    }

    fn compare(&self, stack: &Stack, found: &Route, drift: &mut Drift) {
        drift.note_all(differences(found, self.target(stack).as_deref()));
    }

    async fn create(&self, stack: &Stack) -> Result<Route, Trouble> {
        let target = self.wanted(stack)?;
        let call = stack
            .aws
            .ec2
            .create_route()
            .route_table_id(self.table(stack)?);
        let call = call.destination_cidr_block(EVERYWHERE);
        let call = match self.0 {
            Side::Public => call.gateway_id(target),
            Side::Private => call.nat_gateway_id(target),
        };
        let call = call.customize().config_override(look::no_retries());
        let made = call.send().await.during("ec2:CreateRoute");
        let (made, route) = (made.exists_as_none()?, Route::builder().build());
        if made.is_none() {
            // EC2 may not list yet what a call put there whose answer got lost.
            self.mend(stack, &route, &Drift::default()).await?;
        }
        Ok(route)
    }

    async fn mend(&self, stack: &Stack, _: &Route, _: &Drift) -> Result<(), Trouble> {
        let target = self.wanted(stack)?;
        let call = stack
            .aws
            .ec2
            .replace_route()
            .route_table_id(self.table(stack)?);
        let call = call.destination_cidr_block(EVERYWHERE);
        let call = match self.0 {
            Side::Public => call.gateway_id(target),
            Side::Private => call.nat_gateway_id(target),
        };
        Ok(call.send().await.during("ec2:ReplaceRoute").map(drop)?)
    }

    async fn delete(&self, stack: &Stack, _: &Route) -> Result<(), Trouble> {
        let call = stack
            .aws
            .ec2
            .delete_route()
            .route_table_id(self.table(stack)?);
        let answer = call.destination_cidr_block(EVERYWHERE).send().await;
        Ok(answer.during("ec2:DeleteRoute").map(drop)?)
    }

    fn refresh(&self, stack: &Stack) {
        stack.lookups.route_tables.forget();
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
