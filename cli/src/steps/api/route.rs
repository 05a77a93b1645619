//! A route of the API: which messages go to which integration.

use std::sync::Arc;

use async_trait::async_trait;
use aws_sdk_apigatewayv2::types::{AuthorizationType, Route as Found};
use place_config::Function;

use super::{KEY, Parts, integration, integration_key, list, no_retries, route_key};
use crate::aws::Answer;
use crate::steps::Stack;
use crate::steps::drift::Drift;
use crate::steps::lifecycle::{Card, Kind, Reading, Trouble, Whose};

/// The route to a function, found by its key, of which an API has one.
pub(super) struct Route {
    function: Function,
    parts: Arc<Parts>,
}

impl Route {
    pub(super) fn new(function: Function, parts: &Arc<Parts>) -> Self {
        let parts = Arc::clone(parts);
        Self { function, parts }
    }

    fn name(&self) -> &'static str {
        self.function.route().unwrap_or_default()
    }

    fn target(&self, stack: &Stack) -> Option<String> {
        let integration = stack.found.integrations.get(self.function)?;
        Some(integration::target(&integration))
    }
}

#[async_trait(?Send)]
impl Kind for Route {
    type Found = Found;

    fn card(&self, _: &Stack) -> Card {
        let card = Card::new(3, route_key(self.function), "API route", self.name());
        // It goes with its API.
        let card = card.removed_after([KEY]);
        card.needs([KEY, integration_key(self.function)])
    }

    async fn find(&self, stack: &Stack) -> Result<Vec<Found>, Trouble> {
        let Some(api) = stack.found.api.get() else {
            return Ok(Vec::new());
        };
        let mut found = list::routes(stack, &api).await?;
        found.retain(|route| route.route_key() == Some(self.name()));
        found.sort_by(|one, other| one.route_id.cmp(&other.route_id));
        Ok(found)
    }

    fn read(&self, _: &Stack, found: &Found) -> Reading {
        Reading::new(found.route_id().unwrap_or_default(), Whose::Parents)
    }

    fn compare(&self, stack: &Stack, found: &Found, drift: &mut Drift) {
        let wanted = self.target(stack);
        let wanted = wanted.unwrap_or_else(|| "the route's integration".to_owned());
        drift.compare("Target", found.target().unwrap_or("none"), wanted);
        let none = AuthorizationType::None;
        let authorization = found.authorization_type.as_ref().unwrap_or(&none);
        drift.compare("AuthorizationType", authorization, &none);
    }

    async fn create(&self, stack: &Stack) -> Result<Found, Trouble> {
        let api = stack.found.api.require(&KEY)?;
        let key = integration_key(self.function);
        stack.found.integrations.require(self.function, &key)?;
        let create = stack.aws.apigatewayv2.create_route().api_id(api);
        let create = create.route_key(self.name()).set_target(self.target(stack));
        let create = create.authorization_type(AuthorizationType::None);
        let create = create.customize().config_override(no_retries());
        let created = create.send().await.during("apigateway:CreateRoute")?;
        Ok(Found::builder().set_route_id(created.route_id).build())
    }

    async fn mend(&self, stack: &Stack, found: &Found, _: &Drift) -> Result<(), Trouble> {
        let key = integration_key(self.function);
        stack.found.integrations.require(self.function, &key)?;
        let update = stack.aws.apigatewayv2.update_route();
        let update = update
            .set_api_id(stack.found.api.get())
            .set_route_id(found.route_id.clone())
            .set_target(self.target(stack))
            .authorization_type(AuthorizationType::None);
        Ok(update
            .send()
            .await
            .during("apigateway:UpdateRoute")
            .map(drop)?)
    }

    async fn delete(&self, stack: &Stack, found: &Found) -> Result<(), Trouble> {
        let delete = stack.aws.apigatewayv2.delete_route();
        let delete = delete.set_api_id(stack.found.api.get());
        let deleted = delete.set_route_id(found.route_id.clone()).send().await;
        Ok(deleted.during("apigateway:DeleteRoute").map(drop)?)
    }

    fn leave(&self, _: &Stack, found: Option<&Found>) {
        let id = found.and_then(|found| found.route_id.clone());
        self.parts.routes.replace(self.function, id);
    }
}
