//! The WebSocket API itself.

use async_trait::async_trait;
use aws_sdk_apigatewayv2::types::{Api, ProtocolType};
use place_config::names::{TAG_RESOURCE, TAG_STACK};

use super::{KEY, list, no_retries, tags};
use crate::aws::tags::Tags;
use crate::aws::{Answer, AwsError, Owner};
use crate::steps::Stack;
use crate::steps::drift::Drift;
use crate::steps::lifecycle::{Card, Kind, Reading, TagMap, Trouble, Whose};

/// What selects a message's route.
const SELECTION: &str = "$request.body.action";

/// The API.
pub(super) struct WebSocketApi;

/// An API as API Gateway answers it.
pub(super) struct Found {
    id: String,
    api: Api,
    tags: TagMap,
}

fn description(stack: &Stack) -> String {
    format!("placectl: stack {}", stack.names.stack())
}

/// The tags that say whose an API is. Another stack's may have the same name, so where the stack's
/// tag was taken off, the description must say it.
fn telling_tags(stack: &Stack, api: &Api, mut tags: TagMap) -> TagMap {
    if tags.value(TAG_STACK).is_none() && api.description() != Some(&description(stack)) {
        tags.remove(TAG_RESOURCE);
    }
    tags
}

#[async_trait(?Send)]
impl Kind for WebSocketApi {
    type Found = Found;

    fn card(&self, stack: &Stack) -> Card {
        let card = Card::new(3, KEY, "WebSocket API", stack.names.api());
        // It goes at once: it closes every socket and stops new work, and takes all its parts along.
        card.removed_after([])
    }

    /// Names of APIs are not unique. The stack's own, oldest first, or else one with our name of
    /// which nobody says whose it is.
    async fn find(&self, stack: &Stack) -> Result<Vec<Found>, Trouble> {
        let (mut ours, mut untagged) = (Vec::new(), None);
        for mut api in list::apis(stack).await? {
            let of_ours = api.tags.as_ref().value(TAG_STACK) == Some(stack.names.stack());
            let named = api.name() == Some(&stack.names.api());
            if !(named || of_ours) || api.protocol_type != Some(ProtocolType::Websocket) {
                continue;
            }
            let id = api.api_id.clone().unwrap_or_default();
            let tags = tags::current(stack, &id, api.tags.take()).await?;
            let tags = telling_tags(stack, &api, tags);
            match stack.ownership.owner(&KEY, &tags) {
                Owner::Us => ours.push(Found { id, api, tags }),
                // Another stack may well give its API the same name.
                Owner::Stack(_) => {}
                Owner::Nobody => untagged = untagged.or(Some(Found { id, api, tags })),
            }
        }
        let created = |found: &Found| found.api.created_date.map(|date| date.as_nanos());
        ours.sort_by_key(|found| (created(found), found.id.clone()));
        Ok(match ours.as_slice() {
            [] => untagged.into_iter().collect(),
            _ => ours,
        })
    }

    fn read(&self, _: &Stack, found: &Found) -> Reading {
        Reading::new(&found.id, Whose::Tagged(found.tags.clone()))
    }

    fn compare(&self, stack: &Stack, found: &Found, drift: &mut Drift) {
        let name = found.api.name().unwrap_or("none");
        drift.compare("Name", name, stack.names.api());
        let selection = found.api.route_selection_expression().unwrap_or("none");
        drift.compare("RouteSelectionExpression", selection, SELECTION);
        // It takes effect with a deployment (API Gateway developer guide, "Disable the default
        // endpoint for WebSocket APIs"): somebody's, instead of which the stage gets ours again.
        let off = found.api.disable_execute_api_endpoint.unwrap_or_default();
        drift.compare("DisableExecuteApiEndpoint", off, false);
    }

    async fn create(&self, stack: &Stack) -> Result<Found, Trouble> {
        let tags = stack.ownership.map(&KEY);
        let create = stack.aws.apigatewayv2.create_api();
        let create = create
            .name(stack.names.api())
            .protocol_type(ProtocolType::Websocket)
            .route_selection_expression(SELECTION)
            .description(description(stack))
            .set_tags(Some(tags.clone()))
            .customize()
            .config_override(no_retries());
        let id = create.send().await.during("apigateway:CreateApi")?.api_id;
        Ok(Found {
            id: id.ok_or_else(|| AwsError::empty("apigateway:CreateApi"))?,
            api: Api::builder().build(),
            tags,
        })
    }

    async fn tag(&self, stack: &Stack, found: &Found) -> Result<(), Trouble> {
        Ok(tags::put(stack, &found.id, &KEY).await?)
    }

    async fn mend(&self, stack: &Stack, found: &Found, _: &Drift) -> Result<(), Trouble> {
        let update = stack.aws.apigatewayv2.update_api().api_id(&found.id);
        let update = update
            .name(stack.names.api())
            .route_selection_expression(SELECTION)
            .disable_execute_api_endpoint(false);
        Ok(update
            .send()
            .await
            .during("apigateway:UpdateApi")
            .map(drop)?)
    }

    async fn delete(&self, stack: &Stack, found: &Found) -> Result<(), Trouble> {
        let delete = stack.aws.apigatewayv2.delete_api().api_id(&found.id);
        Ok(delete
            .send()
            .await
            .during("apigateway:DeleteApi")
            .map(drop)?)
    }

    fn leave(&self, stack: &Stack, found: Option<&Found>) {
        stack.found.api.replace(found.map(|found| found.id.clone()));
    }
}
