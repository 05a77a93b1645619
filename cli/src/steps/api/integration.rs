//! What the API calls for a route: a function.

use std::collections::BTreeSet;

use async_trait::async_trait;
use aws_sdk_apigatewayv2::types::{Integration as Found, IntegrationType};
use place_config::Function;

use super::{KEY, integration_key, list, no_retries};
use crate::aws::Answer;
use crate::steps::Stack;
use crate::steps::drift::Drift;
use crate::steps::lifecycle::{Card, Kind, Reading, Trouble, Whose};

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

/// The integration with a function. It can't be tagged; its description says which one it is, also
/// when somebody has pointed it elsewhere.
pub(super) struct Integration(pub(super) Function);

impl Integration {
    fn description(&self) -> String {
        integration_key(self.0).to_string()
    }

    /// API Gateway's way to write "invoke this function".
    fn uri(&self, stack: &Stack) -> String {
        let aws = &stack.aws;
        let name = stack.names.function(self.0);
        let function = aws.arn("lambda", &format!("function:{name}"));
        let (partition, region) = (&aws.identity.partition, &aws.region);
        let path = "lambda:path/2015-03-31/functions";
        format!("arn:{partition}:apigateway:{region}:{path}/{function}/invocations")
    }
}

#[async_trait(?Send)]
impl Kind for Integration {
    type Found = Found;

    fn card(&self, stack: &Stack) -> Card {
        let (key, name) = (integration_key(self.0), stack.names.function(self.0));
        // It needs no function: the URI is known by its name, and nobody calls before the stage is
        // there. It goes with its API.
        let card = Card::new(3, key, "API integration", name);
        card.needs([KEY]).removed_after([KEY])
    }

    /// Ours and, where a create was repeated, its copies; always in the same order. One that a
    /// route leads to is first, because API Gateway refuses to delete it ("Cannot delete
    /// Integration because it is referenced by the following Routes",
    /// terraform-aws-apigateway-v2#55).
    async fn find(&self, stack: &Stack) -> Result<Vec<Found>, Trouble> {
        let Some(api) = stack.found.api.get() else {
            return Ok(Vec::new());
        };
        let mut found = list::integrations(stack, &api).await?;
        found.retain(|integration| integration.description() == Some(&self.description()));
        if found.len() < 2 {
            return Ok(found);
        }
        let routes = list::routes(stack, &api).await?;
        let targets: BTreeSet<String> = routes.into_iter().filter_map(|of| of.target).collect();
        found.sort_by_cached_key(|integration| {
            let id = integration.integration_id().unwrap_or_default();
            let is_targeted = targets.contains(&target(id));
            (!is_targeted, id.to_owned())
        });
        Ok(found)
    }

    fn read(&self, _: &Stack, found: &Found) -> Reading {
        Reading::new(found.integration_id().unwrap_or_default(), Whose::Parents)
    }

    fn compare(&self, stack: &Stack, found: &Found, drift: &mut Drift) {
        let text = |value: Option<&str>| value.unwrap_or("none").to_owned();
        drift.compare(
            "IntegrationUri",
            text(found.integration_uri()),
            self.uri(stack),
        );
        let kind = found.integration_type.as_ref().map(IntegrationType::as_str);
        drift.compare("IntegrationType", text(kind), IntegrationType::AwsProxy);
        let method = text(found.integration_method());
        drift.compare("IntegrationMethod", method, "POST");
        let timeout = found.timeout_in_millis.unwrap_or_default();
        drift.compare("TimeoutInMillis", timeout, TIMEOUT_MS);
    }

    async fn create(&self, stack: &Stack) -> Result<Found, Trouble> {
        let api = stack.found.api.require(&KEY)?;
        let create = stack.aws.apigatewayv2.create_integration().api_id(api);
        let create = create
            .integration_type(IntegrationType::AwsProxy)
            .integration_uri(self.uri(stack))
            .integration_method("POST")
            .timeout_in_millis(TIMEOUT_MS)
            .description(self.description())
            .customize()
            .config_override(no_retries());
        let created = create.send().await.during("apigateway:CreateIntegration")?;
        let id = created.integration_id;
        Ok(Found::builder().set_integration_id(id).build())
    }

    async fn mend(&self, stack: &Stack, found: &Found, _: &Drift) -> Result<(), Trouble> {
        let update = stack.aws.apigatewayv2.update_integration();
        let update = update
            .set_api_id(stack.found.api.get())
            .set_integration_id(found.integration_id.clone())
            .integration_type(IntegrationType::AwsProxy)
            .integration_uri(self.uri(stack))
            .integration_method("POST")
            .timeout_in_millis(TIMEOUT_MS);
        let updated = update.send().await.during("apigateway:UpdateIntegration");
        Ok(updated.map(drop)?)
    }

    async fn delete(&self, stack: &Stack, found: &Found) -> Result<(), Trouble> {
        let delete = stack.aws.apigatewayv2.delete_integration();
        let delete = delete.set_api_id(stack.found.api.get());
        let delete = delete.set_integration_id(found.integration_id.clone());
        let deleted = delete.send().await.during("apigateway:DeleteIntegration");
        Ok(deleted.map(drop)?)
    }

    fn leave(&self, stack: &Stack, found: Option<&Found>) {
        let id = found.and_then(|found| found.integration_id.clone());
        stack.found.integrations.replace(self.0, id);
    }
}
