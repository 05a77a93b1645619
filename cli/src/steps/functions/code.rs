//! The code of a function: compared by hash, uploaded only when it differs.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use aws_sdk_lambda::primitives::Blob;
use aws_sdk_lambda::types::{Architecture as LambdaArchitecture, FunctionConfiguration};
use place_config::Function;

use super::artifacts::{Artifact, Package, Problems};
use super::settle;
use crate::aws::{Answer, AwsResult, Class};
use crate::engine::outcome::Difference;
use crate::engine::{Failure, Observed, Progress, Resource, ResourceKey, Step, Wait};
use crate::steps::drift::{self, Drift};
use crate::steps::repeat::while_answer_is;
use crate::steps::{Stack, keys};

/// Attribute as differences name it.
pub(super) const CODE: &str = "CodeSha256";

/// Tag that says which binary is in which zip: `<SHA-256 of the binary>:<CodeSha256 of the zip>`.
/// It saves packing seven binaries only to learn that nothing changed.
const TAG_CODE: &str = "place:code";

/// The tag for a package.
pub(super) fn tag(package: &Package) -> (String, String) {
    (
        TAG_CODE.to_owned(),
        format!("{}:{}", package.fingerprint, package.sha256),
    )
}

/// How AWS's code differs from the binary, as far as that can be told without packing it.
pub(super) fn difference(
    configuration: &FunctionConfiguration,
    tags: &HashMap<String, String>,
    artifact: &Artifact,
) -> Option<Difference> {
    let found = configuration.code_sha256.as_deref().unwrap_or("none");
    let known = tags.get(TAG_CODE).and_then(|tag| tag.split_once(':'));
    let same_code = known == Some((artifact.fingerprint.as_str(), found));
    let wanted = LambdaArchitecture::from(artifact.architecture.as_str());
    let same_architecture = configuration.architectures().contains(&wanted);
    if same_code && same_architecture {
        return None;
    }
    let short = artifact.fingerprint.get(..12).unwrap_or_default();
    Some(Difference::new(
        CODE,
        found,
        format!("binary {short} for {}", artifact.architecture),
    ))
}

/// How AWS's code differs from what was uploaded last, as its tag tells where no binary is at hand.
pub(super) fn replaced(
    configuration: &FunctionConfiguration,
    tags: &HashMap<String, String>,
) -> Option<Difference> {
    let (_, uploaded) = tags.get(TAG_CODE)?.split_once(':')?;
    let found = configuration.code_sha256.as_deref().unwrap_or("none");
    (found != uploaded).then(|| Difference::new(CODE, found, uploaded))
}

/// Uploads the binary unless the same zip is there already, and tags the function with it.
pub(super) async fn upload(
    stack: &Stack,
    function: Function,
    configuration: &FunctionConfiguration,
    artifact: &Artifact,
    progress: &Progress,
) -> Result<(), Failure> {
    let name = stack.names.function(function);
    let package = artifact.package().await?;
    let architecture = LambdaArchitecture::from(artifact.architecture.as_str());
    let there = configuration.code_sha256.as_deref() == Some(&package.sha256)
        && configuration.architectures().contains(&architecture);
    if !there {
        let wait = Wait::new(
            format!("function `{name}` to accept code"),
            Duration::from_mins(5),
        );
        let action = format!("uploading the code of function `{name}`");
        let update = async || {
            let update = stack.aws.lambda.update_function_code().function_name(&name);
            let update = update.zip_file(Blob::new(package.bytes.clone()));
            let update = update.architectures(architecture.clone());
            update.send().await.during("lambda:UpdateFunctionCode")
        };
        while_answer_is(
            progress,
            wait.usual(0, 30),
            &[Class::Conflict],
            &action,
            update,
        )
        .await?;
        settle::until_ready(&stack.aws, &name, progress).await?;
    }
    let (tag, value) = tag(&package);
    let arn = stack.aws.arn("lambda", &format!("function:{name}"));
    let tagged = stack
        .aws
        .lambda
        .tag_resource()
        .resource(arn)
        .tags(tag, value)
        .send()
        .await;
    tagged
        .during("lambda:TagResource")
        .or_failure(|| format!("tagging function `{name}`"))
        .map(drop)
}

/// What `deploy` does to one function: nothing but its code. It implements [`Resource`] by itself,
/// because `deploy` creates and removes nothing, and a missing function is a failure.
#[derive(Debug)]
pub(crate) struct FunctionCode {
    stack: Arc<Stack>,
    function: Function,
}

impl FunctionCode {
    /// The code of `function`.
    pub(crate) fn new(stack: &Arc<Stack>, function: Function) -> Arc<Self> {
        Arc::new(Self {
            stack: Arc::clone(stack),
            function,
        })
    }

    async fn look(
        &self,
    ) -> Result<Option<(FunctionConfiguration, HashMap<String, String>)>, Failure> {
        let answer = self
            .stack
            .aws
            .lambda
            .get_function()
            .function_name(self.name())
            .send()
            .await;
        let answer = answer.during("lambda:GetFunction").absent_as_none();
        let answer = answer.or_failure(|| format!("reading function `{}`", self.name()))?;
        Ok(answer.and_then(|got| Some((got.configuration?, got.tags.unwrap_or_default()))))
    }

    async fn artifact(&self) -> Result<&Artifact, Failure> {
        self.stack
            .artifacts
            .get(self.function)
            .await
            .map_err(Problems::failure)
    }

    fn absent(&self) -> Failure {
        Failure::new(format!("uploading the code of function `{}`", self.name()))
            .caused_by("the stack has no function of this name")
            .hint("`placectl up` creates the function")
    }
}

#[async_trait(?Send)]
impl Resource for FunctionCode {
    fn key(&self) -> ResourceKey {
        keys::function(self.function)
    }

    fn step(&self) -> Step {
        Step(4)
    }

    fn kind(&self) -> &'static str {
        "Lambda code"
    }

    fn name(&self) -> String {
        self.stack.names.function(self.function)
    }

    fn needs(&self) -> Vec<ResourceKey> {
        Vec::new()
    }

    async fn observe(&self) -> Result<Observed, Failure> {
        let artifact = self.artifact().await?;
        let Some((configuration, tags)) = self.look().await? else {
            return Err(self.absent());
        };
        if let Some(foreign) = drift::foreign(&self.stack, self.name(), &self.key(), &tags) {
            return Ok(foreign);
        }
        let mut drift = Drift::default();
        if let Some(difference) = difference(&configuration, &tags, artifact) {
            drift.note(difference);
        }
        Ok(drift.verdict(self.name()))
    }

    async fn ensure(&self, _: &Observed, progress: &Progress) -> Result<(), Failure> {
        let artifact = self.artifact().await?;
        settle::until_at_rest(&self.stack.aws, &self.name(), progress).await?;
        let Some((configuration, tags)) = self.look().await? else {
            return Err(self.absent());
        };
        let what = format!("code of `{}`", self.name());
        drift::refuse_foreign(&self.stack, &what, &self.key(), &tags)?;
        upload(
            &self.stack,
            self.function,
            &configuration,
            artifact,
            progress,
        )
        .await
    }

    /// Code goes with its function.
    async fn remove(&self, _: &Progress) -> Result<(), Failure> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::elf::Architecture;
    use super::*;

    fn configuration(sha256: &str, architecture: &str) -> FunctionConfiguration {
        FunctionConfiguration::builder()
            .code_sha256(sha256)
            .architectures(LambdaArchitecture::from(architecture))
            .build()
    }

    #[test]
    fn code_is_the_same_only_when_binary_zip_and_processor_are() {
        let artifact = Artifact::for_test("abcdef0123456789", Architecture::Arm64);
        let tags = HashMap::from([(TAG_CODE.to_owned(), "abcdef0123456789:zip1".to_owned())]);
        let differs = |sha256: &str, architecture: &str, tags: &HashMap<String, String>| {
            difference(&configuration(sha256, architecture), tags, &artifact).is_some()
        };
        assert!(!differs("zip1", "arm64", &tags));
        assert!(
            differs("zip2", "arm64", &tags),
            "the code was changed behind our back"
        );
        assert!(differs("zip1", "x86_64", &tags), "the processor changed");
        assert!(
            differs("zip1", "arm64", &HashMap::new()),
            "nobody knows which binary it is"
        );
        let replaced = |sha256: &str| replaced(&configuration(sha256, "arm64"), &tags).is_some();
        assert!(replaced("zip2"), "no binary is needed to tell that");
        assert!(!replaced("zip1"));
        let old = HashMap::from([(TAG_CODE.to_owned(), "0000:zip1".to_owned())]);
        assert!(differs("zip1", "arm64", &old), "another binary is in it");
    }
}
