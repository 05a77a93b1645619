//! The WebSocket API itself.

use std::sync::Arc;

use async_trait::async_trait;
use aws_sdk_apigatewayv2::types::{Api, ProtocolType};
use place_config::names::TAG_STACK;

use super::tags::{self, TagMap};
use super::{KEY, list, no_retries};
use crate::aws::tags::Tags;
use crate::aws::{Answer, AwsError, AwsResult, Owner};
use crate::engine::{Failure, Observed, Progress, Resource, ResourceKey, Step};
use crate::steps::Stack;
use crate::steps::drift::{self, Drift};
use crate::steps::lost::Creation;
use crate::steps::repeat::{doing, once_visible};

/// What selects a message's route.
const SELECTION: &str = "$request.body.action";

/// The API.
#[derive(Debug)]
pub(super) struct WebSocketApi {
    stack: Arc<Stack>,
}

/// An API as API Gateway answers it.
#[derive(Clone)]
struct Found {
    id: String,
    api: Api,
    tags: TagMap,
}

/// Names of APIs are not unique, so there may be several that look like ours.
#[derive(Default)]
struct Look {
    /// The stack's own, oldest first. More than one only where a create was repeated.
    ours: Vec<Found>,
    /// With our name, and whose nobody says.
    untagged: Vec<Found>,
}

impl WebSocketApi {
    pub(super) fn new(stack: &Arc<Stack>) -> Arc<Self> {
        Arc::new(Self {
            stack: Arc::clone(stack),
        })
    }

    async fn look(&self) -> Result<Look, AwsError> {
        let stack = &self.stack;
        let mut look = Look::default();
        for mut api in list::apis(stack).await? {
            let of_ours = api.tags.as_ref().value(TAG_STACK) == Some(stack.names.stack());
            let named = api.name() == Some(&self.name());
            if !(named || of_ours) || api.protocol_type != Some(ProtocolType::Websocket) {
                continue;
            }
            let id = api.api_id.clone().unwrap_or_default();
            let tags = tags::current(stack, &id, api.tags.take()).await?;
            let found = Found { id, api, tags };
            match self.owner(&found) {
                Owner::Us => look.ours.push(found),
                // Another stack may well give its API the same name.
                Owner::Stack(_) => {}
                Owner::Nobody => look.untagged.push(found),
            }
        }
        let age = |found: &Found| (found.api.created_date, found.id.clone());
        look.ours.sort_by(|one, other| {
            age(one)
                .partial_cmp(&age(other))
                .unwrap_or(std::cmp::Ordering::Equal)
        });
        Ok(look)
    }

    /// Whose it is. Another stack's API may have the same name, so where the stack's tag was taken
    /// off, the description must say it.
    fn owner(&self, found: &Found) -> Owner {
        let owner = self.stack.ownership.owner(&KEY, &found.tags);
        let said = found.api.description() == Some(&self.description());
        if owner == Owner::Us && found.tags.value(TAG_STACK).is_none() && !said {
            return Owner::Nobody;
        }
        owner
    }

    fn description(&self) -> String {
        format!("placectl: stack {}", self.stack.names.stack())
    }

    fn compare(&self, found: &Found) -> Drift {
        let mut drift = Drift::default();
        drift.tags(&self.stack, &KEY, &found.tags);
        drift.compare("Name", found.api.name().unwrap_or("none"), self.name());
        let selection = found.api.route_selection_expression().unwrap_or("none");
        drift.compare("RouteSelectionExpression", selection, SELECTION);
        // It takes effect with a deployment (API Gateway developer guide, "Disable the default
        // endpoint for WebSocket APIs"): somebody's, instead of which the stage gets ours again.
        let off = found.api.disable_execute_api_endpoint.unwrap_or_default();
        drift.compare("DisableExecuteApiEndpoint", off, false);
        drift
    }

    async fn create(&self, progress: &Progress) -> Result<String, Failure> {
        let look = async || {
            Ok(self
                .look()
                .await?
                .ours
                .into_iter()
                .next()
                .map(|found| found.id))
        };
        let create = async || {
            let create = self.stack.aws.apigatewayv2.create_api().name(self.name());
            let create = create
                .protocol_type(ProtocolType::Websocket)
                .route_selection_expression(SELECTION)
                .description(self.description())
                .set_tags(Some(self.stack.ownership.map(&KEY)))
                .customize()
                .config_override(no_retries());
            let created = create.send().await.during("apigateway:CreateApi")?;
            created
                .api_id
                .ok_or_else(|| AwsError::empty("apigateway:CreateApi"))
        };
        let action = doing("creating", self);
        let creation = Creation::new(&self.stack, progress, &action);
        creation.run(look, create).await
    }

    async fn repair(&self, found: &Found, progress: &Progress) -> Result<(), Failure> {
        let drift = self.compare(found);
        if drift.has(drift::TAGS) {
            let tag = async || tags::put(&self.stack, &found.id, &KEY).await;
            once_visible(progress, &doing("tagging", self), tag).await?;
        }
        if !drift.has_beside(&[drift::TAGS]) {
            return Ok(());
        }
        let update = async || {
            let update = self.stack.aws.apigatewayv2.update_api().api_id(&found.id);
            let update = update
                .name(self.name())
                .route_selection_expression(SELECTION)
                .disable_execute_api_endpoint(false);
            update.send().await.during("apigateway:UpdateApi").map(drop)
        };
        once_visible(progress, &doing("updating", self), update).await
    }

    async fn delete(&self, found: &Found, progress: &Progress) -> Result<(), Failure> {
        let delete = async || {
            let delete = self.stack.aws.apigatewayv2.delete_api().api_id(&found.id);
            let deleted = delete.send().await.during("apigateway:DeleteApi");
            deleted.absent_as_none().map(drop)
        };
        once_visible(progress, &doing("removing", self), delete).await
    }
}

#[async_trait(?Send)]
impl Resource for WebSocketApi {
    fn key(&self) -> ResourceKey {
        KEY
    }

    fn step(&self) -> Step {
        Step(3)
    }

    fn kind(&self) -> &'static str {
        "WebSocket API"
    }

    fn name(&self) -> String {
        self.stack.names.api()
    }

    fn needs(&self) -> Vec<ResourceKey> {
        Vec::new()
    }

    /// At once: it closes every socket and stops new work, and takes all its parts along.
    fn removed_after(&self) -> Option<Vec<ResourceKey>> {
        Some(Vec::new())
    }

    async fn observe(&self) -> Result<Observed, Failure> {
        let look = self.look().await.or_failure(|| doing("looking at", self))?;
        self.stack
            .found
            .api
            .replace(look.ours.first().map(|found| found.id.clone()));
        let Some((first, copies)) = look.ours.split_first() else {
            let foreign = look.untagged.first();
            let foreign = foreign.map(|f| Observed::foreign(&f.id, Owner::Nobody.describe()));
            return Ok(foreign.unwrap_or(Observed::Absent));
        };
        let mut drift = self.compare(first);
        drift.compare("copies", copies.len(), 0);
        Ok(drift.verdict(&first.id))
    }

    async fn ensure(&self, observed: &Observed, progress: &Progress) -> Result<(), Failure> {
        if *observed == Observed::Absent {
            let id = self.create(progress).await?;
            self.stack.found.api.set(id);
            return Ok(());
        }
        let look = self.look().await.or_failure(|| doing("looking at", self))?;
        // An untagged one is only ever taken over on request: else `observe` would say "absent".
        let adoptable = look.untagged.first().filter(|_| self.stack.options.adopt);
        let Some(found) = look.ours.first().or(adoptable) else {
            let id = self.create(progress).await?;
            self.stack.found.api.set(id);
            return Ok(());
        };
        for copy in look.ours.iter().skip(1) {
            self.delete(copy, progress).await?;
        }
        self.repair(found, progress).await?;
        self.stack.found.api.set(found.id.clone());
        Ok(())
    }

    async fn remove(&self, progress: &Progress) -> Result<(), Failure> {
        let look = self.look().await.or_failure(|| doing("looking at", self))?;
        for found in &look.ours {
            self.delete(found, progress).await?;
        }
        self.stack.found.api.clear();
        Ok(())
    }
}
