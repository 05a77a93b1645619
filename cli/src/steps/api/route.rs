//! A route of the API: which messages go to which integration.

use std::sync::Arc;

use async_trait::async_trait;
use aws_sdk_apigatewayv2::types::{AuthorizationType, Route as Found};
use place_config::Function;

use super::{KEY, Parts, integration, integration_key, list, no_retries, route_key};
use crate::aws::{Answer, AwsError, AwsResult};
use crate::engine::{Failure, Observed, Progress, Resource, ResourceKey, Step};
use crate::steps::Stack;
use crate::steps::drift::Drift;
use crate::steps::lost::Creation;
use crate::steps::repeat::{doing, once_visible};

/// A route, found by its key, of which an API has one.
#[derive(Debug)]
pub(super) struct Route {
    stack: Arc<Stack>,
    function: Function,
    parts: Arc<Parts>,
}

impl Route {
    pub(super) fn new(stack: &Arc<Stack>, function: Function, parts: &Arc<Parts>) -> Arc<Self> {
        Arc::new(Self {
            stack: Arc::clone(stack),
            function,
            parts: Arc::clone(parts),
        })
    }

    fn target(&self) -> Option<String> {
        let integration = self.stack.found.integrations.get(self.function)?;
        Some(integration::target(&integration))
    }

    async fn look(&self, api: &str) -> Result<Vec<Found>, AwsError> {
        let mut found = list::routes(&self.stack, api).await?;
        found.retain(|route| route.route_key() == Some(&self.name()));
        found.sort_by(|one, other| one.route_id.cmp(&other.route_id));
        Ok(found)
    }

    fn compare(&self, found: &Found) -> Drift {
        let mut drift = Drift::default();
        let wanted = self
            .target()
            .unwrap_or_else(|| "its integration".to_owned());
        drift.compare("Target", found.target().unwrap_or("none"), wanted);
        let authorization = found
            .authorization_type
            .as_ref()
            .unwrap_or(&AuthorizationType::None);
        drift.compare("AuthorizationType", authorization, AuthorizationType::None);
        drift
    }

    fn leave(&self, found: Option<&Found>) {
        self.parts.routes.replace(
            self.function,
            found.and_then(|found| found.route_id.clone()),
        );
    }

    /// Creates it; an answer "already exists" is met by a look, like a lost one.
    async fn create(&self, api: &str, progress: &Progress) -> Result<Found, Failure> {
        let target = self.target();
        let look = async || Ok(self.look(api).await?.into_iter().next());
        let create = async || {
            let create = self.stack.aws.apigatewayv2.create_route().api_id(api);
            let create = create.route_key(self.name()).set_target(target.clone());
            let create = create
                .authorization_type(AuthorizationType::None)
                .customize();
            let create = create.config_override(no_retries()).send().await;
            match create.during("apigateway:CreateRoute").exists_as_none()? {
                Some(created) => Ok(Found::builder().set_route_id(created.route_id).build()),
                None => look()
                    .await?
                    .ok_or_else(|| AwsError::absent("apigateway:GetRoutes", &self.name())),
            }
        };
        let action = doing("creating", self);
        let creation = Creation::new(&self.stack, progress, &action);
        creation.run(look, create).await
    }

    async fn repair(&self, api: &str, found: &Found, progress: &Progress) -> Result<(), Failure> {
        if self.compare(found) == Drift::default() {
            return Ok(());
        }
        let update = async || {
            let update = self.stack.aws.apigatewayv2.update_route().api_id(api);
            let update = update
                .set_route_id(found.route_id.clone())
                .set_target(self.target())
                .authorization_type(AuthorizationType::None);
            let updated = update.send().await.during("apigateway:UpdateRoute");
            updated.map(drop)
        };
        once_visible(progress, &doing("updating", self), update).await
    }

    async fn delete(&self, api: &str, found: &Found, progress: &Progress) -> Result<(), Failure> {
        let delete = async || {
            let delete = self.stack.aws.apigatewayv2.delete_route().api_id(api);
            let delete = delete.set_route_id(found.route_id.clone());
            let deleted = delete.send().await.during("apigateway:DeleteRoute");
            deleted.absent_as_none().map(drop)
        };
        once_visible(progress, &doing("removing", self), delete).await
    }
}

#[async_trait(?Send)]
impl Resource for Route {
    fn key(&self) -> ResourceKey {
        route_key(self.function)
    }

    fn step(&self) -> Step {
        Step(3)
    }

    fn kind(&self) -> &'static str {
        "API route"
    }

    fn name(&self) -> String {
        self.function.route().unwrap_or_default().to_owned()
    }

    fn needs(&self) -> Vec<ResourceKey> {
        vec![KEY, integration_key(self.function)]
    }

    /// It goes with its API.
    fn removed_after(&self) -> Option<Vec<ResourceKey>> {
        Some(vec![KEY])
    }

    async fn observe(&self) -> Result<Observed, Failure> {
        self.leave(None);
        let Some(api) = self.stack.found.api.get() else {
            return Ok(Observed::Absent);
        };
        let found = self
            .look(&api)
            .await
            .or_failure(|| doing("looking at", self))?;
        let Some((first, copies)) = found.split_first() else {
            return Ok(Observed::Absent);
        };
        self.leave(Some(first));
        let mut drift = self.compare(first);
        drift.compare("copies", copies.len(), 0);
        Ok(drift.verdict(first.route_id().unwrap_or_default()))
    }

    async fn ensure(&self, observed: &Observed, progress: &Progress) -> Result<(), Failure> {
        let api = self.stack.found.api.require(&KEY)?;
        self.stack
            .found
            .integrations
            .require(self.function, &integration_key(self.function))?;
        let mut found = Vec::new();
        if *observed != Observed::Absent {
            found = self
                .look(&api)
                .await
                .or_failure(|| doing("looking at", self))?;
        }
        if found.is_empty() {
            let created = self.create(&api, progress).await?;
            self.leave(Some(&created));
            // One that was there already may point anywhere.
            return if created.target.is_some() {
                self.repair(&api, &created, progress).await
            } else {
                Ok(())
            };
        }
        let (first, copies) = found.split_first().expect("found is not empty");
        for copy in copies {
            self.delete(&api, copy, progress).await?;
        }
        self.repair(&api, first, progress).await?;
        self.leave(Some(first));
        Ok(())
    }

    /// Only what is left where its API is: deleting an API deletes its routes.
    async fn remove(&self, progress: &Progress) -> Result<(), Failure> {
        if let Some(api) = self.stack.found.api.get() {
            for found in self
                .look(&api)
                .await
                .or_failure(|| doing("looking at", self))?
            {
                self.delete(&api, &found, progress).await?;
            }
        }
        self.leave(None);
        Ok(())
    }
}
