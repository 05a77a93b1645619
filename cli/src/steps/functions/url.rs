//! The address of the page function, open to everybody.
//!
//! `AuthType` `NONE` lets nobody in by itself: two statements of the function's policy do (Lambda
//! developer guide, "Control access to Lambda function URLs"; see `permission.rs`).

use async_trait::async_trait;
use aws_sdk_lambda::operation::get_function_url_config::GetFunctionUrlConfigOutput;
use aws_sdk_lambda::types::{FunctionUrlAuthType, InvokeMode};
use place_config::Function;

use super::url_key;
use crate::aws::{Answer, AwsError, AwsResult, Class};
use crate::engine::Failure;
use crate::steps::drift::Drift;
use crate::steps::lifecycle::{Card, Kind, Reading, Trouble, Whose};
use crate::steps::{Stack, keys};

/// The function that has one.
const FUNCTION: Function = Function::Page;

/// The address of the page function.
pub(super) struct FunctionUrl;

#[async_trait(?Send)]
impl Kind for FunctionUrl {
    type Found = GetFunctionUrlConfigOutput;

    fn card(&self, stack: &Stack) -> Card {
        let name = stack.names.function(FUNCTION);
        let card = Card::new(4, url_key(), "function URL", name);
        let card = card.needs([keys::function(FUNCTION)]);
        // It goes with its function.
        let card = card.removed_after([keys::function(FUNCTION)]);
        card.wanted(stack.config.page.enabled)
    }

    async fn find(&self, stack: &Stack) -> Result<Vec<Self::Found>, Trouble> {
        if stack.found.functions.get(FUNCTION).is_none() {
            return Ok(Vec::new());
        }
        let look = stack.aws.lambda.get_function_url_config();
        let look = look.function_name(stack.names.function(FUNCTION));
        let answer = look.send().await.during("lambda:GetFunctionUrlConfig");
        Ok(answer.absent_as_none()?.into_iter().collect())
    }

    fn read(&self, _: &Stack, found: &Self::Found) -> Reading {
        Reading::new(found.function_url(), Whose::Parents)
    }

    fn compare(&self, _: &Stack, found: &Self::Found, drift: &mut Drift) {
        drift.compare(
            "AuthType",
            found.auth_type().as_str(),
            FunctionUrlAuthType::None.as_str(),
        );
        let buffered = InvokeMode::Buffered;
        let mode = found.invoke_mode().unwrap_or(&buffered);
        drift.compare("InvokeMode", mode.as_str(), buffered.as_str());
        // The function answers browsers of other origins itself; two answers would be refused.
        let cors = found
            .cors()
            .is_some_and(|cors| !cors.allow_origins().is_empty());
        drift.compare("Cors", if cors { "set" } else { "none" }, "none");
    }

    async fn create(&self, stack: &Stack) -> Result<Self::Found, Trouble> {
        let name = stack.names.function(FUNCTION);
        let create = stack.aws.lambda.create_function_url_config();
        let create = create.function_name(&name);
        let create = create.auth_type(FunctionUrlAuthType::None);
        let create = create.invoke_mode(InvokeMode::Buffered).send().await;
        let created = create.during("lambda:CreateFunctionUrlConfig");
        created.map_err(|error| refused(error, &name))?;
        let look = stack.aws.lambda.get_function_url_config();
        let look = look.function_name(name).send().await;
        Ok(look.during("lambda:GetFunctionUrlConfig")?)
    }

    async fn mend(&self, stack: &Stack, _: &Self::Found, _: &Drift) -> Result<(), Trouble> {
        let update = stack.aws.lambda.update_function_url_config();
        let update = update.function_name(stack.names.function(FUNCTION));
        let update = update.auth_type(FunctionUrlAuthType::None);
        let update = update.invoke_mode(InvokeMode::Buffered);
        // An empty one takes all of it away.
        let update = update.cors(aws_sdk_lambda::types::Cors::builder().build());
        let updated = update.send().await;
        updated.during("lambda:UpdateFunctionUrlConfig")?;
        Ok(())
    }

    async fn delete(&self, stack: &Stack, _: &Self::Found) -> Result<(), Trouble> {
        let delete = stack.aws.lambda.delete_function_url_config();
        let delete = delete.function_name(stack.names.function(FUNCTION));
        delete
            .send()
            .await
            .during("lambda:DeleteFunctionUrlConfig")?;
        Ok(())
    }

    fn leave(&self, stack: &Stack, found: Option<&Self::Found>) {
        let url = found.map(|found| found.function_url().to_owned());
        stack.found.page_url.replace(url);
    }
}

/// Where the organisation forbids what the operator's own policy allows, a stack goes on without a
/// page.
fn refused(error: AwsError, function: &str) -> Trouble {
    if error.class != Class::Denied {
        return error.into();
    }
    let failure = error.failure(format!("creating an address for function `{function}`"));
    let hint = failure.hint.clone().unwrap_or_default();
    Trouble::Failed(failure.hint(format!(
        "{hint}; where the organisation forbids addresses that are open to everybody, set \
         `page.enabled = false` in place.toml: the stack does without a page"
    )))
}

/// Where people open the page, once its function has an address.
pub(crate) fn page_url(stack: &Stack) -> Option<String> {
    let own = stack.found.page_url.get()?;
    if let Some(address) = &stack.config.page.address {
        return Some(address.clone());
    }
    let Some(template) = &stack.config.endpoints.page else {
        return Some(own);
    };
    let host = own.split_once("://").map_or(own.as_str(), |(_, rest)| rest);
    let id = host.split('.').next().unwrap_or_default();
    Some(template.replace("{id}", id))
}

/// Looks where people open the page; none where there is no page.
pub(crate) async fn find_page(stack: &Stack) -> Result<Option<String>, Failure> {
    let name = stack.names.function(FUNCTION);
    let look = stack.aws.lambda.get_function_url_config();
    let answer = look.function_name(&name).send().await;
    let answer = answer
        .during("lambda:GetFunctionUrlConfig")
        .absent_as_none();
    let found = answer.or_failure(|| format!("reading the address of function `{name}`"))?;
    FunctionUrl.leave(stack, found.as_ref());
    Ok(page_url(stack))
}

#[cfg(test)]
mod tests {
    use aws_sdk_lambda::types::Cors;
    use place_config::StackConfig;

    use super::*;
    use crate::steps::Options;
    use crate::steps::scripted::Script;

    fn found(auth: FunctionUrlAuthType, cors: Option<&str>) -> GetFunctionUrlConfigOutput {
        let cors = cors.map(|origin| Cors::builder().allow_origins(origin).build());
        let found = GetFunctionUrlConfigOutput::builder()
            .function_url("https://abc.lambda-url.eu-west-1.on.aws/")
            .function_arn("arn")
            .creation_time("2026-11-28T00:00:00Z")
            .last_modified_time("2026-11-28T00:00:00Z")
            .auth_type(auth)
            .set_cors(cors);
        found.build().unwrap()
    }

    #[test]
    fn an_address_that_asks_for_a_signature_or_answers_browsers_itself_is_drift() {
        let script = Script::default();
        let stack = script.stack();
        let drift = |found: &GetFunctionUrlConfigOutput| {
            let mut drift = Drift::default();
            FunctionUrl.compare(&stack, found, &mut drift);
            drift
        };
        let none = FunctionUrlAuthType::None;
        assert_eq!(drift(&found(none.clone(), None)), Drift::default());
        assert!(drift(&found(FunctionUrlAuthType::AwsIam, None)).has("AuthType"));
        assert!(drift(&found(none, Some("*"))).has("Cors"));
    }

    #[test]
    fn people_open_the_address_in_front_if_there_is_one() {
        let open = |edit: fn(&mut StackConfig)| {
            let mut config = StackConfig::default();
            edit(&mut config);
            let script = Script::default();
            let stack = script.stack_of(config, Options::default());
            FunctionUrl.leave(&stack, Some(&found(FunctionUrlAuthType::None, None)));
            page_url(&stack).unwrap()
        };
        let own = "https://abc.lambda-url.eu-west-1.on.aws/";
        assert_eq!(open(|_| ()), own);
        let local = open(|c| c.endpoints.page = Some("http://127.0.0.1:1/_aws/{id}/".into()));
        assert_eq!(local, "http://127.0.0.1:1/_aws/abc/");
        let front = open(|c| c.page.address = Some("https://place.example/".into()));
        assert_eq!(front, "https://place.example/");
    }
}
