//! Lists of API Gateway, page by page: its SDK has no paginators.

use aws_sdk_apigatewayv2::types::{Api, Deployment, Integration, Route};

use crate::aws::{Answer, AwsError, AwsResult};
use crate::steps::Stack;

macro_rules! list {
    ($(#[$meta:meta])* $name:ident, $call:ident, $operation:literal, $item:ty $(, $api:ident)?) => {
        $(#[$meta])*
        pub(super) async fn $name(stack: &Stack $(, $api: &str)?) -> Result<Vec<$item>, AwsError> {
            let mut items = Vec::new();
            let mut token = None;
            loop {
                let page = stack.aws.apigatewayv2.$call()$(.api_id($api))?.set_next_token(token);
                let page = page.send().await.during($operation).absent_as_none()?;
                let Some(page) = page else { return Ok(items) };
                items.extend(page.items.unwrap_or_default());
                token = page.next_token.filter(|token| !token.is_empty());
                if token.is_none() {
                    return Ok(items);
                }
            }
        }
    };
}

list! {
    /// Every API of the account in the region.
    apis, get_apis, "apigateway:GetApis", Api
}

list! {
    /// The integrations of an API; none where there is no such API.
    integrations, get_integrations, "apigateway:GetIntegrations", Integration, api
}

list! {
    /// The routes of an API; none where there is no such API.
    routes, get_routes, "apigateway:GetRoutes", Route, api
}

list! {
    /// The deployments of an API; none where there is no such API.
    deployments, get_deployments, "apigateway:GetDeployments", Deployment, api
}
