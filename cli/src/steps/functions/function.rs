//! A Lambda function: code, settings, network, tags.
//!
//! It implements [`Resource`] by itself. Five parts of it are put right one after the other, each by
//! calls that Lambda refuses while the one before is under way, and a function leaves the VPC before
//! it goes, which may fail without harm.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use aws_sdk_lambda::primitives::Blob;
use aws_sdk_lambda::types::{
    Architecture, Concurrency, FunctionCode, FunctionConfiguration, Runtime,
};
use place_config::Function;

use super::artifacts::Problems;
use super::environment::{self, Environments, Variables};
use super::settings::Settings;
use super::settle::{self, Readiness};
use super::{Holder, code, deletion, log_group_key, role_key};
use super::{asynchronous, callers, concurrency, grant};
use crate::aws::{Answer, AwsResult, Class};
use crate::engine::{Failure, Observed, Progress, Resource, ResourceKey, Step, Wait};
use crate::steps::drift::{self, Drift};
use crate::steps::repeat::{once_visible, while_answer_is};
use crate::steps::{Stack, keys};

/// How long Lambda may refuse a function because its role is too young; usually some seconds. Ten
/// minutes, because EC2 may also throttle the making of network interfaces.
const PATIENCE: Duration = Duration::from_mins(10);

/// Attribute as differences name it: the last update failed.
const LAST_UPDATE: &str = "LastUpdateStatus";

/// A function.
#[derive(Debug)]
pub(crate) struct LambdaFunction {
    stack: Arc<Stack>,
    function: Function,
    environments: Arc<Environments>,
}

/// A function as Lambda answers it.
struct Found {
    configuration: FunctionConfiguration,
    concurrency: Option<Concurrency>,
    tags: HashMap<String, String>,
}

impl LambdaFunction {
    /// The function `function`.
    pub(crate) fn new(
        stack: &Arc<Stack>,
        function: Function,
        environments: &Arc<Environments>,
    ) -> Arc<Self> {
        Arc::new(Self {
            stack: Arc::clone(stack),
            function,
            environments: Arc::clone(environments),
        })
    }

    async fn look(&self) -> Result<Option<Found>, Failure> {
        let answer = self
            .stack
            .aws
            .lambda
            .get_function()
            .function_name(self.name())
            .send()
            .await;
        let answer = answer.during("lambda:GetFunction").absent_as_none();
        let answer = answer.or_failure(|| self.looking())?;
        Ok(answer.and_then(|got| {
            let tags = got.tags.unwrap_or_default();
            Some(Found {
                configuration: got.configuration?,
                concurrency: got.concurrency,
                tags,
            })
        }))
    }

    fn looking(&self) -> String {
        format!("reading function `{}`", self.name())
    }

    /// Leaves what dependants and the environment's node read.
    fn leave(&self, arn: &str, variables: Variables) {
        self.stack
            .found
            .functions
            .set(self.function, arn.to_owned());
        self.environments.set(self.function, variables);
    }

    fn forget(&self) {
        self.stack.found.functions.clear(self.function);
        self.environments.clear(self.function);
    }

    /// Compares everything but the environment. Without binaries at hand (another machine may ask
    /// for the status) the code need only be what was uploaded last.
    async fn compare(&self, found: &Found) -> Drift {
        let mut drift = Drift::default();
        drift.tags(&self.stack, &self.key(), &found.tags);
        Settings::wanted(&self.stack, self.function).compare(&found.configuration, &mut drift);
        drift.extend(grant::difference(
            &self.stack,
            self.function,
            &found.configuration,
        ));
        concurrency::compare(
            &self.stack,
            self.function,
            found.concurrency.as_ref(),
            &mut drift,
        );
        let code = match self.stack.artifacts.get(self.function).await {
            Ok(artifact) => code::difference(&found.configuration, &found.tags, artifact),
            Err(_) => code::replaced(&found.configuration, &found.tags),
        };
        drift.note_all(code);
        if let Readiness::UpdateFailed(reason) = Readiness::of(&found.configuration) {
            drift.compare(LAST_UPDATE, format!("Failed: {reason}"), "Successful");
        }
        drift
    }

    /// Compares who may call it, and how Lambda itself does.
    async fn compare_calls(&self) -> Result<Drift, Failure> {
        let (stack, function) = (&self.stack, self.function);
        let lambda = asynchronous::compare(stack, function);
        let (lambda, others) = tokio::join!(lambda, callers::compare(stack, function));
        let mut drift = lambda.or_failure(|| self.looking())?;
        let others = others.or_failure(|| self.looking())?;
        drift.note_all(others.into_differences());
        Ok(drift)
    }

    /// Creates the function; false when a function of that name exists.
    async fn create(&self, progress: &Progress) -> Result<bool, Failure> {
        let artifact = self
            .stack
            .artifacts
            .get(self.function)
            .await
            .map_err(Problems::failure)?;
        let package = artifact.package().await?;
        let settings = Settings::wanted(&self.stack, self.function);
        let vpc = settings.vpc()?;
        // Often everything is known by now, and then no second update is needed.
        let variables = environment::wanted(&self.stack).unwrap_or_default();
        let mut tags = self.stack.ownership.map(&self.key());
        tags.extend([code::tag(&package)]);
        let name = self.name();
        let create = async || {
            let request = self.stack.aws.lambda.create_function().function_name(&name);
            let request = request
                .runtime(Runtime::Providedal2023)
                .handler(super::settings::HANDLER)
                .code(
                    FunctionCode::builder()
                        .zip_file(Blob::new(package.bytes.clone()))
                        .build(),
                )
                .architectures(Architecture::from(artifact.architecture.as_str()))
                .role(&settings.role)
                .timeout(settings.timeout)
                .memory_size(settings.memory)
                .vpc_config(vpc.clone())
                .logging_config(settings.logging())
                .environment(environment::environment(&variables))
                .set_tags(Some(tags.clone()));
            request
                .send()
                .await
                .during("lambda:CreateFunction")
                .exists_as_none()
        };
        let wait = Wait::new(
            format!("role of function `{name}` to be assumable"),
            PATIENCE,
        );
        let action = format!("creating function `{name}`");
        let passing = [Class::NotYet, Class::Conflict];
        let created =
            while_answer_is(progress, wait.usual(0, 15), &passing, &action, create).await?;
        drop(package);
        let Some(created) = created else {
            return Ok(false);
        };
        settle::until_ready(&self.stack.aws, &name, progress).await?;
        asynchronous::put(&self.stack, self.function, progress).await?;
        if concurrency::is_wanted(&self.stack, self.function) {
            concurrency::put(&self.stack, self.function, progress).await?;
        }
        self.leave(
            created.function_arn.as_deref().unwrap_or_default(),
            variables,
        );
        Ok(true)
    }

    async fn repair(&self, found: &Found, progress: &Progress) -> Result<(), Failure> {
        let drift = self.compare(found).await;
        if drift.has(drift::TAGS) {
            let arn = found.configuration.function_arn.clone().unwrap_or_default();
            let tag = async || {
                let tag = self.stack.aws.lambda.tag_resource().resource(&arn);
                let tag = tag.set_tags(Some(self.stack.ownership.map(&self.key())));
                tag.send().await.during("lambda:TagResource").map(drop)
            };
            let action = format!("tagging function `{}`", self.name());
            once_visible(progress, &action, tag).await?;
        }
        if drift.has(concurrency::RESERVED) {
            concurrency::put(&self.stack, self.function, progress).await?;
        }
        if drift.has(grant::ROLE_ID) {
            grant::revoke(&self.stack, self.function, progress).await?;
        }
        if drift.has_beside(&[drift::TAGS, code::CODE, concurrency::RESERVED]) {
            self.update_settings(progress).await?;
        }
        if drift.has(code::CODE) {
            let artifact = self
                .stack
                .artifacts
                .get(self.function)
                .await
                .map_err(Problems::failure)?;
            let configuration = &found.configuration;
            code::upload(
                &self.stack,
                self.function,
                configuration,
                artifact,
                progress,
            )
            .await?;
        }
        if self.compare_calls().await? != Drift::default() {
            asynchronous::put(&self.stack, self.function, progress).await?;
            callers::keep_out(&self.stack, self.function, progress).await?;
        }
        Ok(())
    }

    async fn update_settings(&self, progress: &Progress) -> Result<(), Failure> {
        let name = self.name();
        let settings = Settings::wanted(&self.stack, self.function);
        let vpc = settings.vpc()?;
        let update = async || {
            let request = self.stack.aws.lambda.update_function_configuration();
            let request = request
                .function_name(&name)
                .runtime(Runtime::Providedal2023)
                .handler(super::settings::HANDLER)
                .role(&settings.role)
                .timeout(settings.timeout)
                .memory_size(settings.memory)
                .vpc_config(vpc.clone())
                .logging_config(settings.logging());
            request
                .send()
                .await
                .during("lambda:UpdateFunctionConfiguration")
        };
        let wait = Wait::new(format!("function `{name}` to accept settings"), PATIENCE);
        let action = format!("updating function `{name}`");
        let passing = [Class::NotYet, Class::Conflict];
        while_answer_is(progress, wait.usual(0, 15), &passing, &action, update).await?;
        settle::until_ready(&self.stack.aws, &name, progress)
            .await
            .map(drop)
    }
}

#[async_trait(?Send)]
impl Resource for LambdaFunction {
    fn key(&self) -> ResourceKey {
        keys::function(self.function)
    }

    fn step(&self) -> Step {
        Step(4)
    }

    fn kind(&self) -> &'static str {
        "Lambda function"
    }

    fn name(&self) -> String {
        self.stack.names.function(self.function)
    }

    fn needs(&self) -> Vec<ResourceKey> {
        let role = role_key(Holder::Function(self.function));
        let mut needs = vec![role, log_group_key(self.function), keys::FUNCTION_GROUP];
        needs.extend(keys::PRIVATE_SUBNETS);
        // Lambda refuses a time-out above the visibility time-out of the queue behind it.
        needs.extend(self.function.queue().map(keys::queue));
        needs
    }

    /// Pending until Lambda's network interfaces are there: "a minute or so" (Lambda guide).
    fn usual(&self) -> Duration {
        Duration::from_secs(75)
    }

    /// What reads a queue for it goes first, so that no message is taken and then lost.
    fn removed_after(&self) -> Option<Vec<ResourceKey>> {
        let source = self
            .function
            .queue()
            .map(|_| super::event_source_key(self.function));
        Some(source.into_iter().collect())
    }

    async fn observe(&self) -> Result<Observed, Failure> {
        self.forget();
        let Some(found) = self.look().await? else {
            return Ok(Observed::Absent);
        };
        if let Some(foreign) = drift::foreign(&self.stack, self.name(), &self.key(), &found.tags) {
            return Ok(foreign);
        }
        let arn = found.configuration.function_arn.clone().unwrap_or_default();
        self.leave(&arn, variables(&found.configuration));
        match Readiness::of(&found.configuration) {
            Readiness::Changing(state) => Ok(Observed::Changing {
                id: self.name(),
                state,
            }),
            Readiness::Failed(reason) => Ok(Observed::Broken {
                id: self.name(),
                reason,
            }),
            Readiness::Ready | Readiness::UpdateFailed(_) => {
                let mut drift = self.compare(&found).await;
                drift.note_all(self.compare_calls().await?.into_differences());
                let sleep = settle::sleep(&found.configuration);
                Ok(drift.verdict(self.name()).remark(sleep))
            }
        }
    }

    async fn ensure(&self, observed: &Observed, progress: &Progress) -> Result<(), Failure> {
        if *observed == Observed::Absent && self.create(progress).await? {
            return Ok(());
        }
        settle::until_at_rest(&self.stack.aws, &self.name(), progress).await?;
        let found = self.look().await?;
        if let Some(found) = &found {
            let what = format!("function `{}`", self.name());
            drift::refuse_foreign(&self.stack, &what, &self.key(), &found.tags)?;
        }
        let failed =
            |found: &Found| matches!(Readiness::of(&found.configuration), Readiness::Failed(_));
        match found {
            // Lambda refuses updates of a `Failed` function; the function holds no data and is
            // replaced.
            Some(found) if failed(&found) => {
                deletion::delete(&self.stack, &self.name(), progress).await?;
                self.create(progress).await.map(drop)
            }
            None => self.create(progress).await.map(drop),
            Some(found) => {
                self.repair(&found, progress).await?;
                let arn = found
                    .configuration
                    .function_arn
                    .as_deref()
                    .unwrap_or_default();
                self.leave(arn, variables(&found.configuration));
                Ok(())
            }
        }
    }

    async fn remove(&self, progress: &Progress) -> Result<(), Failure> {
        let Some(found) = self.look().await? else {
            return Ok(());
        };
        if !self.stack.ownership.owns(&self.key(), &found.tags) {
            return Ok(());
        }
        let name = self.name();
        deletion::leave_network(&self.stack, &name, &found.configuration, progress).await?;
        deletion::delete(&self.stack, &name, progress).await?;
        self.forget();
        Ok(())
    }
}

fn variables(configuration: &FunctionConfiguration) -> Variables {
    let environment = configuration.environment.as_ref();
    let variables = environment.and_then(|environment| environment.variables.clone());
    variables.unwrap_or_default().into_iter().collect()
}
