//! What the API calls for a route: a function.

use std::collections::BTreeSet;
use std::sync::Arc;

use async_trait::async_trait;
use aws_sdk_apigatewayv2::types::{Integration as Found, IntegrationType};
use place_config::Function;

use super::{KEY, integration_key, list, no_retries};
use crate::aws::{Answer, AwsError, AwsResult};
use crate::engine::{Failure, Observed, Progress, Resource, ResourceKey, Step};
use crate::steps::Stack;
use crate::steps::drift::Drift;
use crate::steps::lost::Creation;
use crate::steps::repeat::{doing, once_visible};

/// How long API Gateway waits for a function, in milliseconds: the longest that it allows, so that
/// the function's own time-out decides.
const TIMEOUT_MS: i32 = 29_000;

/// What all integrations have in common, for the fingerprint of a deployment.
pub(super) fn settings() -> String {
    format!("{} POST {TIMEOUT_MS}", IntegrationType::AwsProxy)
}

/// How a route says that it leads to the integration `id`.
pub(super) fn target(id: &str) -> String {
    format!("integrations/{id}")
}

/// An integration. It can't be tagged; its description says which one it is, also when somebody
/// has pointed it elsewhere.
#[derive(Debug)]
pub(super) struct Integration {
    stack: Arc<Stack>,
    function: Function,
}

impl Integration {
    pub(super) fn new(stack: &Arc<Stack>, function: Function) -> Arc<Self> {
        Arc::new(Self {
            stack: Arc::clone(stack),
            function,
        })
    }

    fn description(&self) -> String {
        self.key().to_string()
    }

    /// API Gateway's way to write "invoke this function".
    fn uri(&self) -> String {
        let aws = &self.stack.aws;
        let name = self.stack.names.function(self.function);
        let function = aws.arn("lambda", &format!("function:{name}"));
        let (partition, region) = (&aws.identity.partition, &aws.region);
        let path = "lambda:path/2015-03-31/functions";
        format!("arn:{partition}:apigateway:{region}:{path}/{function}/invocations")
    }

    /// Ours and, where a create was repeated, its copies; always in the same order. One that a
    /// route leads to is first, because API Gateway refuses to delete it ("Cannot delete
    /// Integration because it is referenced by the following Routes",
    /// terraform-aws-apigateway-v2#55).
    async fn look(&self, api: &str) -> Result<Vec<Found>, AwsError> {
        let mut found = list::integrations(&self.stack, api).await?;
        found.retain(|integration| integration.description() == Some(&self.description()));
        if found.len() < 2 {
            return Ok(found);
        }
        let routes = list::routes(&self.stack, api).await?;
        let targets: BTreeSet<String> = routes.into_iter().filter_map(|of| of.target).collect();
        found.sort_by_cached_key(|integration| {
            let id = integration.integration_id().unwrap_or_default();
            let is_targeted = targets.contains(&target(id));
            (!is_targeted, id.to_owned())
        });
        Ok(found)
    }

    fn compare(&self, found: &Found) -> Drift {
        let mut drift = Drift::default();
        let text = |value: Option<&str>| value.unwrap_or("none").to_owned();
        drift.compare("IntegrationUri", text(found.integration_uri()), self.uri());
        let kind = found.integration_type.as_ref().map(IntegrationType::as_str);
        drift.compare("IntegrationType", text(kind), IntegrationType::AwsProxy);
        drift.compare(
            "IntegrationMethod",
            text(found.integration_method()),
            "POST",
        );
        let timeout = found.timeout_in_millis.unwrap_or_default();
        drift.compare("TimeoutInMillis", timeout, TIMEOUT_MS);
        drift
    }

    fn leave(&self, found: Option<&Found>) {
        let id = found.and_then(|found| found.integration_id.clone());
        self.stack.found.integrations.replace(self.function, id);
    }

    async fn create(&self, api: &str, progress: &Progress) -> Result<String, Failure> {
        let look = async || {
            Ok(self
                .look(api)
                .await?
                .into_iter()
                .next()
                .and_then(|found| found.integration_id))
        };
        let create = async || {
            let create = self.stack.aws.apigatewayv2.create_integration().api_id(api);
            let create = create
                .integration_type(IntegrationType::AwsProxy)
                .integration_uri(self.uri())
                .integration_method("POST")
                .timeout_in_millis(TIMEOUT_MS)
                .description(self.description())
                .customize()
                .config_override(no_retries());
            let created = create.send().await.during("apigateway:CreateIntegration")?;
            created
                .integration_id
                .ok_or_else(|| AwsError::empty("apigateway:CreateIntegration"))
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
            let update = self.stack.aws.apigatewayv2.update_integration().api_id(api);
            let update = update
                .set_integration_id(found.integration_id.clone())
                .integration_type(IntegrationType::AwsProxy)
                .integration_uri(self.uri())
                .integration_method("POST")
                .timeout_in_millis(TIMEOUT_MS);
            let updated = update.send().await.during("apigateway:UpdateIntegration");
            updated.map(drop)
        };
        once_visible(progress, &doing("updating", self), update).await
    }

    async fn delete(&self, api: &str, found: &Found, progress: &Progress) -> Result<(), Failure> {
        let delete = async || {
            let delete = self.stack.aws.apigatewayv2.delete_integration().api_id(api);
            let delete = delete.set_integration_id(found.integration_id.clone());
            let deleted = delete.send().await.during("apigateway:DeleteIntegration");
            deleted.absent_as_none().map(drop)
        };
        once_visible(progress, &doing("removing", self), delete).await
    }
}

#[async_trait(?Send)]
impl Resource for Integration {
    fn key(&self) -> ResourceKey {
        integration_key(self.function)
    }

    fn step(&self) -> Step {
        Step(3)
    }

    fn kind(&self) -> &'static str {
        "API integration"
    }

    fn name(&self) -> String {
        self.stack.names.function(self.function)
    }

    /// Not the function: the URI is known by its name, and nobody calls before the stage is there.
    fn needs(&self) -> Vec<ResourceKey> {
        vec![KEY]
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
        Ok(drift.verdict(first.integration_id().unwrap_or_default()))
    }

    async fn ensure(&self, observed: &Observed, progress: &Progress) -> Result<(), Failure> {
        let api = self.stack.found.api.require(&KEY)?;
        if *observed != Observed::Absent {
            let found = self
                .look(&api)
                .await
                .or_failure(|| doing("looking at", self))?;
            if let Some((first, copies)) = found.split_first() {
                for copy in copies {
                    self.delete(&api, copy, progress).await?;
                }
                self.repair(&api, first, progress).await?;
                self.leave(Some(first));
                return Ok(());
            }
        }
        let id = self.create(&api, progress).await?;
        self.stack.found.integrations.set(self.function, id);
        Ok(())
    }

    /// Only what is left where its API is: deleting an API deletes its integrations.
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
