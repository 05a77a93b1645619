//! The environment variables of a function: a resource of their own, because the function is made
//! while the cache still comes up, and learns the cache's address afterwards.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use async_trait::async_trait;
use aws_sdk_lambda::types::Environment as LambdaEnvironment;
use place_config::env::OriginList;
use place_config::{Function, FunctionEnv, Queue};

use super::{environment_key, page_url, settle, url_key};
use crate::aws::Answer;
use crate::engine::Failure;
use crate::engine::outcome::Difference;
use crate::steps::drift::Drift;
use crate::steps::found::Slots;
use crate::steps::lifecycle::{Card, Kind, Reading, Trouble, Whose};
use crate::steps::{Stack, api, keys};

/// Prefix of every variable that is ours; what an operator adds (`RUST_LOG`) stays.
const PREFIX: &str = "PLACE_";

/// Variables by name.
pub(crate) type Variables = BTreeMap<String, String>;

/// What each function's environment was when the function was last looked at or changed: the
/// answer about the function has it, so nobody needs to ask again.
pub(crate) type Environments = Slots<Function, Variables>;

/// The environment of a function.
pub(super) struct Environment {
    pub(super) function: Function,
    pub(super) environments: Arc<Environments>,
}

impl Environment {
    /// Sets it, unless it was set by an attempt before, and sees that Lambda is done with it.
    async fn set(&self, stack: &Stack) -> Result<Variables, Trouble> {
        let (key, name) = (
            keys::function(self.function),
            stack.names.function(self.function),
        );
        let found = self.environments.require(self.function, &key)?;
        let variables = merged(found.clone(), wanted(stack)?);
        if variables != found {
            let update = stack.aws.lambda.update_function_configuration();
            let update = update.function_name(&name);
            let update = update.environment(environment(&variables)).send().await;
            update.during("lambda:UpdateFunctionConfiguration")?;
            self.environments.set(self.function, variables.clone());
        }
        settle::ready(&stack.aws, &name).await?;
        Ok(variables)
    }
}

#[async_trait(?Send)]
impl Kind for Environment {
    type Found = Variables;

    fn card(&self, stack: &Stack) -> Card {
        let function = self.function;
        let name = stack.names.function(function);
        let card = Card::new(4, environment_key(function), "Lambda environment", name);
        // Updates are refused while the last one is under way.
        let card = card.takes(0, 10).makes(0, 10);
        // It goes with its function.
        let card = card.removed_after([keys::function(function)]);
        let card = card.needs([keys::function(function), keys::CACHE, api::KEY]);
        // A list of origins must have the page's own, or the page could not connect.
        let names_page = stack.config.page.enabled && !stack.config.api.allowed_origins.is_empty();
        let card = card.needs(names_page.then(url_key));
        card.needs(Queue::ALL.map(keys::queue))
    }

    async fn find(&self, _: &Stack) -> Result<Vec<Variables>, Trouble> {
        let found = self.environments.get(self.function);
        let found = found.filter(|found| !ours(found).is_empty());
        Ok(found.into_iter().collect())
    }

    fn read(&self, stack: &Stack, _: &Variables) -> Reading {
        Reading::new(stack.names.function(self.function), Whose::Parents)
    }

    fn compare(&self, stack: &Stack, found: &Variables, drift: &mut Drift) {
        drift.note_all(compare(found, wanted(stack).ok().as_ref()).into_differences());
    }

    async fn create(&self, stack: &Stack) -> Result<Variables, Trouble> {
        self.set(stack).await
    }

    async fn mend(&self, stack: &Stack, _: &Variables, _: &Drift) -> Result<(), Trouble> {
        self.set(stack).await.map(drop)
    }

    async fn delete(&self, _: &Stack, _: &Variables) -> Result<(), Trouble> {
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
        allowed_origins: OriginList::new(admitted(
            &config.api.allowed_origins,
            page_url(stack).as_deref(),
        )),
        max_clients: config.api.max_clients,
        frame_bytes: config.api.frame_bytes,
        tick_ms: config.broadcast.tick_ms,
        max_posts_per_second: config.broadcast.posts_per_second(&stack.aws.region),
        shards: config.broadcast.shards,
        concurrency: config.broadcast.concurrency,
        reuse_ms: config.init.reuse_ms,
        max_receive_count: config.queues.max_receive_count,
        websocket_url: api::websocket_url(stack).unwrap_or_default(),
        page_title: config.page.title.clone(),
        page_imprint: config.page.imprint.clone().unwrap_or_default(),
        page_privacy: config.page.privacy.clone().unwrap_or_default(),
        page_allow_framing: config.page.allow_framing,
    };
    Ok(environment.to_variables())
}

/// The origins that may connect: those of the list and the page's own; every origin where the list is
/// empty.
fn admitted(configured: &[String], page: Option<&str>) -> Vec<String> {
    let mut origins = configured.to_vec();
    let page = page.filter(|_| !origins.is_empty());
    let origin = page.and_then(|page| {
        let (scheme, rest) = page.split_once("://")?;
        Some(format!("{scheme}://{}", rest.split('/').next()?))
    });
    origins.extend(origin);
    origins
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
        let (found, wanted) = (value(&found), value(wanted));
        if found != wanted {
            drift.note(difference(name, &found, &wanted));
        }
    }
    drift
}

/// A difference in words; the password of an address is in none of them.
fn difference(name: &str, found: &str, wanted: &str) -> Difference {
    let (found, wanted) = (without_password(found), without_password(wanted));
    if found == wanted {
        return Difference::new(name, "another password", "the cache's password");
    }
    Difference::new(name, found, wanted)
}

/// `redis://:secret@host:1` as `redis://***@host:1`.
fn without_password(value: &str) -> String {
    let parts = value.split_once("://");
    match parts.and_then(|(scheme, rest)| Some((scheme, rest.rsplit_once('@')?.1))) {
        Some((scheme, host)) => format!("{scheme}://***@{host}"),
        None => value.to_owned(),
    }
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
    fn no_password_is_in_a_difference() {
        let said = |found: &str, wanted: &str| {
            let name = "PLACE_REDIS_URL";
            let drift = compare(
                &variables(&[(name, found)]),
                Some(&variables(&[(name, wanted)])),
            );
            format!("{:?}", drift.into_differences())
        };
        let ours = "redis://:secret@127.0.0.1:7000";
        assert_eq!(said(ours, ours), "[]");
        let moved = said(ours, "redis://:secret@127.0.0.1:7001");
        assert!(
            !moved.contains("secret") && moved.contains("7001"),
            "{moved}"
        );
        let renewed = said("redis://:older@127.0.0.1:7000", ours);
        assert!(renewed.contains("another password"), "{renewed}");
        assert!(!renewed.contains("secret"), "{renewed}");
    }

    #[test]
    fn a_list_of_origins_admits_the_page_and_no_list_admits_everybody() {
        let page = Some("https://abc.lambda-url.eu-west-1.on.aws/");
        let listed = ["https://a.example".to_owned()];
        assert_eq!(
            admitted(&listed, page),
            [
                "https://a.example",
                "https://abc.lambda-url.eu-west-1.on.aws"
            ]
        );
        assert_eq!(admitted(&listed, None), listed);
        assert_eq!(admitted(&[], page), [""; 0]);
    }

    #[test]
    fn without_the_addresses_an_environment_cannot_be_right() {
        assert_ne!(
            compare(&variables(&[("PLACE_WIDTH", "5")]), None),
            Drift::default()
        );
    }
}
