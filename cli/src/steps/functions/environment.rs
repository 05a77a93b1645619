//! The environment variables of a function: a resource of their own, because the function is made
//! while the cache still comes up, and learns the cache's address afterwards.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use aws_sdk_lambda::types::Environment as LambdaEnvironment;
use place_config::env::OriginList;
use place_config::{Function, FunctionEnv, Queue};

use super::{environment_key, settle};
use crate::aws::{Answer, Class};
use crate::engine::{Failure, Observed, Progress, Resource, ResourceKey, Step, Wait};
use crate::steps::drift::Drift;
use crate::steps::found::Slots;
use crate::steps::repeat::while_answer_is;
use crate::steps::{Stack, api, keys};

/// Prefix of every variable that is ours; what an operator adds (`RUST_LOG`) stays.
const PREFIX: &str = "PLACE_";

/// Variables by name.
pub(crate) type Variables = BTreeMap<String, String>;

/// What each function's environment was when the function was last looked at or changed: the
/// answer about the function has it, so nobody needs to ask again.
pub(crate) type Environments = Slots<Function, Variables>;

/// The environment of a function.
#[derive(Debug)]
pub(crate) struct Environment {
    stack: Arc<Stack>,
    function: Function,
    environments: Arc<Environments>,
}

impl Environment {
    /// The environment of `function`.
    pub(crate) fn new(
        stack: &Arc<Stack>,
        function: Function,
        environments: &Arc<Environments>,
    ) -> Arc<Self> {
        let environments = Arc::clone(environments);
        Arc::new(Self {
            stack: Arc::clone(stack),
            function,
            environments,
        })
    }
}

#[async_trait(?Send)]
impl Resource for Environment {
    fn key(&self) -> ResourceKey {
        environment_key(self.function)
    }

    fn step(&self) -> Step {
        Step(4)
    }

    fn kind(&self) -> &'static str {
        "Lambda environment"
    }

    fn name(&self) -> String {
        self.stack.names.function(self.function)
    }

    fn needs(&self) -> Vec<ResourceKey> {
        let mut needs = vec![keys::function(self.function), keys::CACHE, api::KEY];
        needs.extend(Queue::ALL.map(keys::queue));
        needs
    }

    /// It goes with its function.
    fn removed_after(&self) -> Option<Vec<ResourceKey>> {
        Some(vec![keys::function(self.function)])
    }

    async fn observe(&self) -> Result<Observed, Failure> {
        let found = self.environments.get(self.function);
        let Some(found) = found.filter(|found| !ours(found).is_empty()) else {
            return Ok(Observed::Absent);
        };
        Ok(compare(&found, wanted(&self.stack).ok().as_ref()).verdict(self.name()))
    }

    async fn ensure(&self, _: &Observed, progress: &Progress) -> Result<(), Failure> {
        let name = self.name();
        let found = self
            .environments
            .require(self.function, &keys::function(self.function))?;
        let variables = merged(found, wanted(&self.stack)?);
        let wait = Wait::new(
            format!("function `{name}` to take calls"),
            Duration::from_mins(5),
        );
        let action = format!("setting the environment of function `{name}`");
        let update = async || {
            let update = self
                .stack
                .aws
                .lambda
                .update_function_configuration()
                .function_name(&name);
            let update = update.environment(environment(&variables)).send().await;
            update.during("lambda:UpdateFunctionConfiguration")
        };
        let passing = [Class::Conflict, Class::NotYet];
        while_answer_is(progress, wait.usual(0, 10), &passing, &action, update).await?;
        settle::until_ready(&self.stack.aws, &name, progress).await?;
        self.environments.set(self.function, variables);
        Ok(())
    }

    async fn remove(&self, _: &Progress) -> Result<(), Failure> {
        self.environments.clear(self.function);
        Ok(())
    }
}

/// What the functions are told; a failure that names what is not there yet.
pub(super) fn wanted(stack: &Stack) -> Result<Variables, Failure> {
    let cache = stack.found.cache.require(&keys::CACHE)?;
    let queue = |queue| stack.found.queues.require(queue, &keys::queue(queue));
    let gateway = api::gateway_url(stack, &stack.found.api.require(&api::KEY)?);
    let config = &stack.config;
    let environment = FunctionEnv {
        stack: stack.names.stack().to_owned(),
        redis_url: cache.url,
        redis_cluster: cache.cluster,
        gateway_url: gateway,
        initialize_queue_url: queue(Queue::Initialize)?.url,
        request_queue_url: queue(Queue::Request)?.url,
        mru_table: stack.names.mru_table(),
        history_table: stack.names.history_table(),
        journal_table: stack.names.journal_table(),
        width: config.canvas.width,
        height: config.canvas.height,
        background: config.canvas.background.clone(),
        max_pixels_per_message: config.canvas.max_pixels_per_message,
        max_unsaved_changes: config.canvas.max_unsaved_changes,
        max_history_bytes: place_config::memory::history_bytes(config),
        cooldown_ms: config.canvas.cooldown_ms,
        max_messages_per_second_per_ip: config.canvas.max_messages_per_second_per_ip,
        allowed_origins: OriginList::new(config.api.allowed_origins.clone()),
        max_clients: config.api.max_clients,
        frame_bytes: config.api.frame_bytes,
        tick_ms: config.broadcast.tick_ms,
        max_posts_per_second: config.broadcast.posts_per_second(&stack.aws.region),
        shards: config.broadcast.shards,
        concurrency: config.broadcast.concurrency,
        reuse_ms: config.init.reuse_ms,
        max_receive_count: config.queues.max_receive_count,
    };
    Ok(environment.to_variables())
}

/// Variables as Lambda takes them.
pub(super) fn environment(variables: &Variables) -> LambdaEnvironment {
    let variables: HashMap<String, String> = variables.clone().into_iter().collect();
    LambdaEnvironment::builder()
        .set_variables(Some(variables))
        .build()
}

fn ours(variables: &Variables) -> Variables {
    variables
        .clone()
        .into_iter()
        .filter(|(name, _)| name.starts_with(PREFIX))
        .collect()
}

/// The operator's own variables, and ours as wanted.
fn merged(found: Variables, wanted: Variables) -> Variables {
    let kept = found
        .into_iter()
        .filter(|(name, _)| !name.starts_with(PREFIX));
    kept.chain(wanted).collect()
}

fn compare(found: &Variables, wanted: Option<&Variables>) -> Drift {
    let mut drift = Drift::default();
    let found = ours(found);
    let Some(wanted) = wanted else {
        drift.compare(
            "Environment",
            "addresses of what is gone",
            "addresses of what is there",
        );
        return drift;
    };
    let names: std::collections::BTreeSet<&String> = found.keys().chain(wanted.keys()).collect();
    for name in names {
        let value = |variables: &Variables| {
            variables
                .get(name)
                .map_or("unset", String::as_str)
                .to_owned()
        };
        drift.compare(name, value(&found), value(wanted));
    }
    drift
}

#[cfg(test)]
mod tests {
    use super::*;

    fn variables(pairs: &[(&str, &str)]) -> Variables {
        pairs
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect()
    }

    #[test]
    fn what_the_operator_added_stays_and_what_is_no_longer_ours_goes() {
        let found = variables(&[
            ("RUST_LOG", "debug"),
            ("PLACE_OLD", "1"),
            ("PLACE_WIDTH", "5"),
        ]);
        let wanted = variables(&[("PLACE_WIDTH", "1000")]);
        let expected = variables(&[("PLACE_WIDTH", "1000"), ("RUST_LOG", "debug")]);
        assert_eq!(merged(found.clone(), wanted.clone()), expected);
        let drift = compare(&found, Some(&wanted));
        assert!(drift.has("PLACE_OLD") && drift.has("PLACE_WIDTH") && !drift.has("RUST_LOG"));
        assert_eq!(compare(&expected, Some(&wanted)), Drift::default());
    }

    #[test]
    fn without_the_addresses_an_environment_cannot_be_right() {
        assert_ne!(
            compare(&variables(&[("PLACE_WIDTH", "5")]), None),
            Drift::default()
        );
    }
}
