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

use super::integration;
use super::{DEPLOYMENT_KEY, KEY, Parts, ROUTED, list, no_retries, route_key};
use crate::aws::{Answer, AwsError, AwsResult};
use crate::engine::{Failure, Left, Observed, Poll, Progress, Resource, ResourceKey, Step, Wait};
use crate::steps::Stack;
use crate::steps::functions::hexadecimal;
use crate::steps::lost::Creation;
use crate::steps::repeat::doing;

/// Longest wait. API Gateway takes one `CreateDeployment` in five seconds for a whole account.
const PATIENCE: Duration = Duration::from_mins(2);

/// What stands for a deployment where there are none.
const NO_DEPLOYMENTS: &str = "none";

/// The deployment of the routes as they are.
#[derive(Debug)]
pub(super) struct Deployment {
    stack: Arc<Stack>,
    parts: Arc<Parts>,
}

impl Deployment {
    pub(super) fn new(stack: &Arc<Stack>, parts: &Arc<Parts>) -> Arc<Self> {
        Arc::new(Self {
            stack: Arc::clone(stack),
            parts: Arc::clone(parts),
        })
    }

    /// What the deployment is made from; none while not everything is there.
    fn fingerprint(&self) -> Option<String> {
        let mut parts = Vec::new();
        for function in ROUTED {
            let route = self.parts.routes.get(function)?;
            let integration = self.stack.found.integrations.get(function)?;
            let name = self.stack.names.function(function);
            parts.push([route, integration, name].join(" "));
        }
        parts.push(integration::settings());
        Some(fingerprint(&parts))
    }

    /// The deployments of that fingerprint.
    async fn all(&self, api: &str, fingerprint: &str) -> Result<Vec<Found>, AwsError> {
        let mut found = list::deployments(&self.stack, api).await?;
        found.retain(|deployment| deployment.description() == Some(fingerprint));
        found.sort_by(|one, other| one.deployment_id.cmp(&other.deployment_id));
        Ok(found)
    }

    async fn look(&self, api: &str, fingerprint: &str) -> Result<Option<Found>, AwsError> {
        let all = self.all(api, fingerprint).await?;
        Ok(all.into_iter().find(|deployment| !has_failed(deployment)))
    }

    async fn create(
        &self,
        api: &str,
        fingerprint: &str,
        progress: &Progress,
    ) -> Result<Found, Failure> {
        let wait = Wait::new("API Gateway's one deployment in five seconds", PATIENCE).usual(0, 10);
        let look = async || self.look(api, fingerprint).await;
        let create = async || self.try_create(api, fingerprint).await;
        let action = doing("creating", self);
        let creation = Creation::new(&self.stack, progress, &action).waiting(wait);
        creation.run(look, create).await
    }

    async fn try_create(&self, api: &str, fingerprint: &str) -> Result<Found, AwsError> {
        let create = self.stack.aws.apigatewayv2.create_deployment().api_id(api);
        let create = create
            .description(fingerprint)
            .customize()
            .config_override(no_retries());
        let created = create.send().await.during("apigateway:CreateDeployment")?;
        Ok(Found::builder()
            .set_deployment_id(created.deployment_id)
            .set_deployment_status(created.deployment_status)
            .set_deployment_status_message(created.deployment_status_message)
            .build())
    }

    /// Waits for `ours`, or another deployment of that fingerprint.
    async fn until_deployed(
        &self,
        api: &str,
        fingerprint: &str,
        ours: Option<&str>,
        progress: &Progress,
    ) -> Result<String, Failure> {
        let wait = Wait::new("the API's deployment", PATIENCE).usual(0, 10);
        let look = async || {
            let all = self.all(api, fingerprint).await;
            let all = all.or_failure(|| doing("looking at", self))?;
            let (failed, others): (Vec<Found>, Vec<Found>) = all.into_iter().partition(has_failed);
            if let Some(found) = others.into_iter().next() {
                return Ok(match (found.deployment_id, found.deployment_status) {
                    (Some(id), Some(DeploymentStatus::Deployed)) => Poll::Ready(id),
                    (_, status) => Poll::Pending(status.map_or_else(not_seen, |s| s.to_string())),
                });
            }
            // One that failed at an earlier time says nothing about ours.
            let mut failed = failed.iter();
            match failed.find(|found| ours.is_some() && found.deployment_id() == ours) {
                Some(found) => Err(self.failed(found)),
                None => Ok(Poll::Pending(not_seen())),
            }
        };
        progress.until(wait, look).await
    }

    fn failed(&self, found: &Found) -> Failure {
        let reason = found.deployment_status_message();
        let reason = reason.unwrap_or("nothing about why");
        Failure::new(doing("creating", self))
            .caused_by(format!("it failed: API Gateway says `{reason}`"))
            .hint("`placectl up` deploys again once that is put right")
            .left(Left::Ours)
    }
}

fn has_failed(deployment: &Found) -> bool {
    deployment.deployment_status == Some(DeploymentStatus::Failed)
}

fn not_seen() -> String {
    "not seen yet".to_owned()
}

#[async_trait(?Send)]
impl Resource for Deployment {
    fn key(&self) -> ResourceKey {
        DEPLOYMENT_KEY
    }

    fn step(&self) -> Step {
        Step(3)
    }

    fn kind(&self) -> &'static str {
        "API deployment"
    }

    fn name(&self) -> String {
        self.stack.names.api()
    }

    fn needs(&self) -> Vec<ResourceKey> {
        ROUTED.into_iter().map(route_key).collect()
    }

    /// It goes with its API.
    fn removed_after(&self) -> Option<Vec<ResourceKey>> {
        Some(vec![KEY])
    }

    async fn observe(&self) -> Result<Observed, Failure> {
        self.parts.deployment.clear();
        let Some(api) = self.stack.found.api.get() else {
            return Ok(Observed::Absent);
        };
        let Some(fingerprint) = self.fingerprint() else {
            return Ok(Observed::Absent);
        };
        let found = self.look(&api, &fingerprint).await;
        // moto 5.2 knows no deployments; its stages serve nothing either.
        if found
            .as_ref()
            .is_err_and(|error| self.stack.is_unknown(error))
        {
            self.parts.deployment.set(NO_DEPLOYMENTS.to_owned());
            return Ok(Observed::ready(NO_DEPLOYMENTS.to_owned()));
        }
        let Some(found) = found.or_failure(|| doing("looking at", self))? else {
            return Ok(Observed::Absent);
        };
        let id = found.deployment_id.unwrap_or_default();
        if found.deployment_status == Some(DeploymentStatus::Pending) {
            return Ok(Observed::Changing {
                id,
                state: DeploymentStatus::Pending.to_string(),
            });
        }
        self.parts.deployment.set(id.clone());
        Ok(Observed::ready(id))
    }

    async fn ensure(&self, observed: &Observed, progress: &Progress) -> Result<(), Failure> {
        let api = self.stack.found.api.require(&KEY)?;
        let Some(fingerprint) = self.fingerprint() else {
            let missing = Failure::new(doing("creating", self));
            return Err(missing.caused_by("a route or an integration is not there (any more)"));
        };
        let mut ours = observed.id().map(str::to_owned);
        if !matches!(observed, Observed::Changing { .. }) {
            let created = self.create(&api, &fingerprint, progress).await?;
            if has_failed(&created) {
                return Err(self.failed(&created));
            }
            if created.deployment_status == Some(DeploymentStatus::Deployed) {
                self.parts.deployment.replace(created.deployment_id);
                return Ok(());
            }
            ours = created.deployment_id;
        }
        let deployed = self.until_deployed(&api, &fingerprint, ours.as_deref(), progress);
        let id = deployed.await?;
        self.parts.deployment.set(id);
        Ok(())
    }

    /// Deleting an API deletes its deployments, and nobody else's API has ours.
    async fn remove(&self, _: &Progress) -> Result<(), Failure> {
        self.parts.deployment.clear();
        Ok(())
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
