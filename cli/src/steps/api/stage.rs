//! The stage: what clients connect to. It serves one deployment; without one it answers 403.

use std::sync::Arc;

use async_trait::async_trait;
use aws_sdk_apigatewayv2::operation::get_stage::GetStageOutput;

use super::tags::{self, TagMap};
use super::{DEPLOYMENT_KEY, KEY, Parts, STAGE_KEY};
use crate::aws::{Answer, AwsError, AwsResult};
use crate::engine::{Failure, Observed, Progress, Resource, ResourceKey, Step};
use crate::steps::Stack;
use crate::steps::drift::{self, Drift};
use crate::steps::lost::{Creation, Made};
use crate::steps::repeat::{doing, once_visible};

/// The stage.
#[derive(Debug)]
pub(super) struct Stage {
    stack: Arc<Stack>,
    parts: Arc<Parts>,
}

/// The stage as API Gateway answers it.
struct Found {
    stage: GetStageOutput,
    tags: TagMap,
}

impl Stage {
    pub(super) fn new(stack: &Arc<Stack>, parts: &Arc<Parts>) -> Arc<Self> {
        Arc::new(Self {
            stack: Arc::clone(stack),
            parts: Arc::clone(parts),
        })
    }

    fn path(&self, api: &str) -> String {
        format!("{api}/stages/{}", self.name())
    }

    async fn look(&self, api: &str) -> Result<Option<Found>, AwsError> {
        let look = self
            .stack
            .aws
            .apigatewayv2
            .get_stage()
            .api_id(api)
            .stage_name(self.name());
        let answer = look
            .send()
            .await
            .during("apigateway:GetStage")
            .absent_as_none()?;
        let Some(mut stage) = answer else {
            return Ok(None);
        };
        let tags = tags::current(&self.stack, &self.path(api), stage.tags.take()).await?;
        Ok(Some(Found { stage, tags }))
    }

    fn compare(&self, found: &Found) -> Drift {
        let mut drift = Drift::default();
        drift.tags(&self.stack, &STAGE_KEY, &found.tags);
        let deployment = self.parts.deployment.get();
        let wanted = deployment.unwrap_or_else(|| "one of the routes as they are".to_owned());
        drift.compare(
            "DeploymentId",
            found.stage.deployment_id().unwrap_or("none"),
            wanted,
        );
        drift.compare(
            "AutoDeploy",
            found.stage.auto_deploy.unwrap_or_default(),
            false,
        );
        drift
    }

    /// Creates it, or finds the one that is there already.
    async fn create(
        &self,
        api: &str,
        deployment: &str,
        progress: &Progress,
    ) -> Result<Made<(), Found>, Failure> {
        let create = async || {
            let create = self.stack.aws.apigatewayv2.create_stage().api_id(api);
            let create = create
                .stage_name(self.name())
                .deployment_id(deployment)
                .auto_deploy(false)
                .set_tags(Some(self.stack.ownership.map(&STAGE_KEY)));
            let created = create.send().await.during("apigateway:CreateStage");
            Ok(created.exists_as_none()?.map(drop))
        };
        let action = doing("creating", self);
        let creation = Creation::new(&self.stack, progress, &action);
        let look = async || self.look(api).await;
        creation.run_named(look, create).await
    }

    async fn repair(
        &self,
        api: &str,
        deployment: &str,
        found: &Found,
        progress: &Progress,
    ) -> Result<(), Failure> {
        let drift = self.compare(found);
        if drift.has(drift::TAGS) {
            let tag = async || tags::put(&self.stack, &self.path(api), &STAGE_KEY).await;
            once_visible(progress, &doing("tagging", self), tag).await?;
        }
        if !drift.has_beside(&[drift::TAGS]) {
            return Ok(());
        }
        let update = async || {
            let update = self.stack.aws.apigatewayv2.update_stage().api_id(api);
            let update = update.stage_name(self.name()).deployment_id(deployment);
            let updated = update.auto_deploy(false).send().await;
            updated.during("apigateway:UpdateStage").map(drop)
        };
        once_visible(progress, &doing("updating", self), update).await
    }
}

#[async_trait(?Send)]
impl Resource for Stage {
    fn key(&self) -> ResourceKey {
        STAGE_KEY
    }

    fn step(&self) -> Step {
        Step(3)
    }

    fn kind(&self) -> &'static str {
        "API stage"
    }

    fn name(&self) -> String {
        self.stack.names.stage().to_owned()
    }

    fn needs(&self) -> Vec<ResourceKey> {
        vec![KEY, DEPLOYMENT_KEY]
    }

    /// It goes with its API.
    fn removed_after(&self) -> Option<Vec<ResourceKey>> {
        Some(vec![KEY])
    }

    async fn observe(&self) -> Result<Observed, Failure> {
        let Some(api) = self.stack.found.api.get() else {
            return Ok(Observed::Absent);
        };
        let found = self
            .look(&api)
            .await
            .or_failure(|| doing("looking at", self))?;
        let Some(found) = found else {
            return Ok(Observed::Absent);
        };
        Ok(self.compare(&found).verdict(self.name()))
    }

    async fn ensure(&self, _: &Observed, progress: &Progress) -> Result<(), Failure> {
        let api = self.stack.found.api.require(&KEY)?;
        let deployment = self.parts.deployment.require(&DEPLOYMENT_KEY)?;
        let found = self.look(&api).await;
        let found = match found.or_failure(|| doing("looking at", self))? {
            Some(found) => found,
            None => match self.create(&api, &deployment, progress).await? {
                Made::Now(()) => return Ok(()),
                Made::Before(found) => found,
            },
        };
        self.repair(&api, &deployment, &found, progress).await
    }

    /// Only what is left where its API is: deleting an API deletes its stages.
    async fn remove(&self, progress: &Progress) -> Result<(), Failure> {
        let Some(api) = self.stack.found.api.get() else {
            return Ok(());
        };
        let delete = async || {
            let delete = self.stack.aws.apigatewayv2.delete_stage().api_id(&api);
            let deleted = delete.stage_name(self.name()).send().await;
            let deleted = deleted.during("apigateway:DeleteStage");
            deleted.absent_as_none().map(drop)
        };
        once_visible(progress, &doing("removing", self), delete).await
    }
}
