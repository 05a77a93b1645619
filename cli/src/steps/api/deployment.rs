//! A deployment: the picture of routes and integrations that a stage serves.
//!
//! API Gateway serves what was deployed, not what was changed since. So the deployment's
//! description carries a fingerprint of what it was made from, and a changed route or integration
//! asks for another deployment.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use aws_sdk_apigatewayv2::types::{Deployment as Found, DeploymentStatus};
use sha2::{Digest, Sha256};

use super::{DEPLOYMENT_KEY, KEY, Parts, ROUTED, integration, integration_key, list};
use super::{no_retries, route_key};
use crate::aws::Answer;
use crate::engine::Failure;
use crate::steps::digest::hexadecimal;
use crate::steps::lifecycle::{Card, Kind, Reading, State, Trouble, Whose};
use crate::steps::{Slot, Stack};

/// Longest wait. API Gateway takes one `CreateDeployment` in five seconds for a whole account.
const PATIENCE: Duration = Duration::from_mins(2);

/// The deployment of the routes as they are.
pub(super) struct Deployment {
    parts: Arc<Parts>,
    /// Id of the one that this run asked for.
    asked: Slot<String>,
}

impl Deployment {
    pub(super) fn new(parts: &Arc<Parts>) -> Self {
        Self {
            parts: Arc::clone(parts),
            asked: Slot::default(),
        }
    }

    /// What the deployment is made from; a failure while not everything is there.
    fn fingerprint(&self, stack: &Stack) -> Result<String, Failure> {
        let mut parts = Vec::new();
        for function in ROUTED {
            let route = self.parts.routes.require(function, &route_key(function))?;
            let key = integration_key(function);
            let integration = stack.found.integrations.require(function, &key)?;
            parts.push([route, integration, stack.names.function(function)].join(" "));
        }
        parts.push(integration::settings());
        Ok(fingerprint(&parts))
    }
}

fn id(found: &Found) -> String {
    found.deployment_id.clone().unwrap_or_default()
}

#[async_trait(?Send)]
impl Kind for Deployment {
    type Found = Found;

    fn card(&self, stack: &Stack) -> Card {
        let card = Card::new(3, DEPLOYMENT_KEY, "API deployment", stack.names.api());
        let card = card.patience(PATIENCE).takes(0, 10);
        // It goes with its API.
        card.needs(ROUTED.map(route_key)).removed_after([KEY])
    }

    /// One of that fingerprint. One that failed at an earlier time says nothing about the next.
    async fn find(&self, stack: &Stack) -> Result<Vec<Found>, Trouble> {
        let (Some(api), Ok(fingerprint)) = (stack.found.api.get(), self.fingerprint(stack)) else {
            return Ok(Vec::new());
        };
        let mut found = list::deployments(stack, &api).await?;
        found.retain(|deployment| {
            let failed = deployment.deployment_status == Some(DeploymentStatus::Failed);
            let asked = deployment.deployment_id == self.asked.get();
            deployment.description() == Some(&fingerprint) && (!failed || asked)
        });
        Ok(found.into_iter().min_by_key(id).into_iter().collect())
    }

    fn read(&self, _: &Stack, found: &Found) -> Reading {
        let reading = Reading::new(id(found), Whose::Parents);
        let reason = found.deployment_status_message();
        match &found.deployment_status {
            Some(DeploymentStatus::Failed) => {
                let reason = reason.unwrap_or("no reason given").to_owned();
                reading.state(State::Failed(reason))
            }
            Some(DeploymentStatus::Pending) => {
                reading.state(State::Changing(DeploymentStatus::Pending.to_string()))
            }
            _ => reading,
        }
    }

    async fn create(&self, stack: &Stack) -> Result<Found, Trouble> {
        let api = stack.found.api.require(&KEY)?;
        let create = stack.aws.apigatewayv2.create_deployment().api_id(api);
        let create = create.description(self.fingerprint(stack)?).customize();
        let created = create.config_override(no_retries()).send().await;
        let created = created.during("apigateway:CreateDeployment")?;
        self.asked.replace(created.deployment_id.clone());
        Ok(Found::builder()
            .set_deployment_id(created.deployment_id)
            .set_deployment_status(created.deployment_status)
            .set_deployment_status_message(created.deployment_status_message)
            .build())
    }

    /// Deleting an API deletes its deployments, and nobody else's API has ours.
    async fn delete(&self, _: &Stack, _: &Found) -> Result<(), Trouble> {
        self.asked.clear();
        Ok(())
    }

    fn leave(&self, _: &Stack, found: Option<&Found>) {
        self.parts.deployment.replace(found.map(id));
    }
}

/// A fingerprint fit for a description.
fn fingerprint(parts: &[String]) -> String {
    let digest = hexadecimal(&Sha256::digest(parts.join("\n")));
    format!("place {}", digest.get(..24).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::fingerprint;

    #[test]
    fn any_other_part_gives_another_fingerprint() {
        let of = |parts: [&str; 2]| fingerprint(&parts.map(str::to_owned));
        assert_eq!(of(["a", "b"]), of(["a", "b"]));
        assert_ne!(of(["a", "b"]), of(["a", "c"]));
        assert_ne!(of(["a", "b"]), of(["b", "a"]));
    }
}
