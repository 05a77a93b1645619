//! Step 4: the functions, with their roles, log groups, environments and triggers.

mod artifacts;
mod asynchronous;
mod callers;
mod code;
mod concurrency;
mod deletion;
mod elf;
mod environment;
mod event_source;
mod function;
mod grant;
mod invoke;
mod log_group;
mod other_policies;
mod permission;
mod policies;
mod policy_drift;
mod role;
mod settings;
mod settle;
mod url;

use std::sync::Arc;

use place_config::Function;

use super::{Stack, lifecycle};
use crate::engine::{Failure, Resource, ResourceKey};

pub(crate) use artifacts::Artifacts;
pub(crate) use environment::Environments;
pub(crate) use invoke::{FunctionError, invoke, invoke_within};
pub(crate) use role::{Holder, Role};
pub(crate) use settings::timeout;
pub(crate) use url::{find_page, page_url};

use code::FunctionCode;
use environment::Environment;
use event_source::EventSource;
use function::LambdaFunction;
use log_group::LogGroup;
use permission::Permission;
use url::FunctionUrl;

/// The role of a function, or of the schedule.
pub(crate) fn role_key(holder: Holder) -> ResourceKey {
    match holder {
        Holder::Function(function) => ResourceKey::of("role", function),
        Holder::Scheduler => ResourceKey::new("role:scheduler"),
    }
}

/// The log group of a function.
pub(crate) fn log_group_key(function: Function) -> ResourceKey {
    ResourceKey::of("log-group", function)
}

/// The environment variables of a function.
pub(crate) fn environment_key(function: Function) -> ResourceKey {
    ResourceKey::of("environment", function)
}

/// The address of the page function.
pub(crate) const fn url_key() -> ResourceKey {
    ResourceKey::new("function-url")
}

/// What lets callers into a function.
pub(crate) fn permission_key(function: Function) -> ResourceKey {
    ResourceKey::of("permission", function)
}

/// The mapping that feeds a queue to a function.
pub(crate) fn event_source_key(function: Function) -> ResourceKey {
    ResourceKey::of("event-source", function)
}

/// The resources of step 4.
pub(crate) fn resources(stack: &Arc<Stack>) -> Vec<Arc<dyn Resource>> {
    let environments = Arc::new(Environments::default());
    let mut resources: Vec<Arc<dyn Resource>> = Vec::new();
    for function in Function::ALL {
        resources.push(lifecycle::resource(stack, Role(Holder::Function(function))));
        resources.push(lifecycle::resource(stack, LogGroup(function)));
        resources.push(LambdaFunction::new(stack, function, &environments));
        let environment = Environment {
            function,
            environments: Arc::clone(&environments),
        };
        resources.push(lifecycle::resource(stack, environment));
        if function == Function::Page {
            resources.push(lifecycle::resource(stack, FunctionUrl));
        }
        if function.has_callers() {
            resources.push(lifecycle::resource(stack, Permission(function)));
        }
        if let Some(queue) = function.queue() {
            let source = EventSource { function, queue };
            resources.push(lifecycle::resource(stack, source));
        }
    }
    resources
}

/// What `deploy` works on: the functions' code, and nothing else.
pub(crate) fn deployment(stack: &Arc<Stack>) -> Vec<Arc<dyn Resource>> {
    let code = |function| FunctionCode::new(stack, function) as Arc<dyn Resource>;
    Function::ALL.into_iter().map(code).collect()
}

/// Judges the handlers' binaries before the first change, all problems at once.
pub(crate) async fn check_artifacts(stack: &Stack) -> Result<(), Failure> {
    // Whichever is asked for, all of them are judged.
    let save = stack.artifacts.get(Function::Save).await;
    save.map(drop).map_err(artifacts::Problems::failure)
}
