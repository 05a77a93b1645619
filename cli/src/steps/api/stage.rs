//! The stage: what clients connect to. It serves one deployment; without one it answers 403.

use std::sync::Arc;

use async_trait::async_trait;
use aws_sdk_apigatewayv2::operation::get_stage::GetStageOutput;

use super::{DEPLOYMENT_KEY, KEY, Parts, STAGE_KEY, tags};
use crate::aws::{Answer, AwsResult};
use crate::steps::Stack;
use crate::steps::drift::Drift;
use crate::steps::lifecycle::{Card, Kind, Reading, TagMap, Trouble, Whose};

/// The stage.
pub(super) struct Stage {
    pub(super) parts: Arc<Parts>,
}

/// The stage as API Gateway answers it.
pub(super) struct Found {
    stage: GetStageOutput,
    tags: TagMap,
}

fn path(stack: &Stack, api: &str) -> String {
    format!("{api}/stages/{}", stack.names.stage())
}

#[async_trait(?Send)]
impl Kind for Stage {
    type Found = Found;

    fn card(&self, stack: &Stack) -> Card {
        let card = Card::new(3, STAGE_KEY, "API stage", stack.names.stage());
        // It goes with its API.
        card.needs([KEY, DEPLOYMENT_KEY]).removed_after([KEY])
    }

    async fn find(&self, stack: &Stack) -> Result<Vec<Found>, Trouble> {
        let Some(api) = stack.found.api.get() else {
            return Ok(Vec::new());
        };
        let look = stack.aws.apigatewayv2.get_stage().api_id(&api);
        let answer = look.stage_name(stack.names.stage()).send().await;
        let Some(mut stage) = answer.during("apigateway:GetStage").absent_as_none()? else {
            return Ok(Vec::new());
        };
        let tags = tags::current(stack, &path(stack, &api), stage.tags.take()).await?;
        Ok(vec![Found { stage, tags }])
    }

    /// It is the stack's through its API, whatever tags somebody took off.
    fn read(&self, stack: &Stack, found: &Found) -> Reading {
        Reading::new(stack.names.stage(), Whose::Placed(found.tags.clone()))
    }

    fn compare(&self, _: &Stack, found: &Found, drift: &mut Drift) {
        let wanted = self.parts.deployment.get();
        let wanted = wanted.unwrap_or_else(|| "a deployment of the current routes".to_owned());
        let deployment = found.stage.deployment_id().unwrap_or("none");
        drift.compare("DeploymentId", deployment, wanted);
        let auto_deploy = found.stage.auto_deploy.unwrap_or_default();
        drift.compare("AutoDeploy", auto_deploy, false);
    }

    async fn create(&self, stack: &Stack) -> Result<Found, Trouble> {
        let tags = stack.ownership.map(&STAGE_KEY);
        let create = stack.aws.apigatewayv2.create_stage();
        let create = create
            .api_id(stack.found.api.require(&KEY)?)
            .stage_name(stack.names.stage())
            .deployment_id(self.parts.deployment.require(&DEPLOYMENT_KEY)?)
            .auto_deploy(false)
            .set_tags(Some(tags.clone()));
        create.send().await.during("apigateway:CreateStage")?;
        let stage = GetStageOutput::builder().build();
        Ok(Found { stage, tags })
    }

    async fn tag(&self, stack: &Stack, _: &Found) -> Result<(), Trouble> {
        let api = stack.found.api.require(&KEY)?;
        Ok(tags::put(stack, &path(stack, &api), &STAGE_KEY).await?)
    }

    async fn mend(&self, stack: &Stack, _: &Found, _: &Drift) -> Result<(), Trouble> {
        let update = stack.aws.apigatewayv2.update_stage();
        let update = update
            .api_id(stack.found.api.require(&KEY)?)
            .stage_name(stack.names.stage())
            .deployment_id(self.parts.deployment.require(&DEPLOYMENT_KEY)?)
            .auto_deploy(false);
        Ok(update
            .send()
            .await
            .during("apigateway:UpdateStage")
            .map(drop)?)
    }

    async fn delete(&self, stack: &Stack, _: &Found) -> Result<(), Trouble> {
        let delete = stack.aws.apigatewayv2.delete_stage();
        let delete = delete.set_api_id(stack.found.api.get());
        let deleted = delete.stage_name(stack.names.stage()).send().await;
        Ok(deleted.during("apigateway:DeleteStage").map(drop)?)
    }
}
