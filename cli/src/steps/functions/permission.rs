//! The API's permission to invoke a function, for its one route.

use std::sync::Arc;

use async_trait::async_trait;
use place_config::Function;
use serde_json::Value;

use super::{callers, permission_key};
use crate::aws::{Answer, AwsResult};
use crate::engine::{Failure, Observed, Progress, Resource, ResourceKey, Step};
use crate::steps::drift::Drift;
use crate::steps::repeat::once_visible;
use crate::steps::{Stack, api, keys};

/// Id of our statement in the function's policy.
const STATEMENT: &str = "place-api";

/// Attribute as differences name it.
const SOURCE: &str = "SourceArn";

/// A permission.
#[derive(Debug)]
pub(crate) struct Permission {
    stack: Arc<Stack>,
    function: Function,
}

impl Permission {
    /// The API's permission to invoke `function`.
    pub(crate) fn new(stack: &Arc<Stack>, function: Function) -> Arc<Self> {
        Arc::new(Self {
            stack: Arc::clone(stack),
            function,
        })
    }

    fn function_name(&self) -> String {
        self.stack.names.function(self.function)
    }

    /// The one route that may invoke the function.
    fn source(&self, api: &str) -> String {
        let route = self.function.route().unwrap_or_default();
        let stage = self.stack.names.stage();
        self.stack
            .aws
            .arn("execute-api", &format!("{api}/{stage}/{route}"))
    }

    async fn look(&self) -> Result<Vec<Value>, Failure> {
        let found = callers::statements(&self.stack, self.function).await;
        found.or_failure(|| format!("looking at {}", self.describe()))
    }

    fn compare(&self, statement: &Value) -> Drift {
        let mut drift = Drift::default();
        let api = self.stack.found.api.get();
        let wanted = api.map_or_else(|| "this API".to_owned(), |api| self.source(&api));
        let condition = &statement["Condition"]["ArnLike"];
        let source = condition["AWS:SourceArn"]
            .as_str()
            .or(condition["aws:SourceArn"].as_str());
        drift.compare(SOURCE, source.unwrap_or("anything"), wanted);
        let principal = statement["Principal"]["Service"]
            .as_str()
            .unwrap_or("anybody");
        drift.compare("Principal", principal, PRINCIPAL);
        drift.compare(
            "Action",
            statement["Action"].as_str().unwrap_or("several"),
            ACTION,
        );
        drift
    }

    /// Adds it; false where there is a statement of that name already.
    async fn add(&self, api: &str, progress: &Progress) -> Result<bool, Failure> {
        let add = async || {
            let add = self.stack.aws.lambda.add_permission();
            let add = add.function_name(self.function_name());
            let add = add.statement_id(STATEMENT).action(ACTION);
            let add = add.principal(PRINCIPAL).source_arn(self.source(api));
            let added = add.send().await.during("lambda:AddPermission");
            Ok(added.exists_as_none()?.is_some())
        };
        let action = format!("adding {}", self.describe());
        once_visible(progress, &action, add).await
    }

    async fn delete(&self, statement: &str, progress: &Progress) -> Result<(), Failure> {
        let remove = async || callers::remove(&self.stack, self.function, statement).await;
        let action = format!("removing {}", self.describe());
        once_visible(progress, &action, remove).await
    }

    fn describe(&self) -> String {
        format!("the API's permission to invoke `{}`", self.function_name())
    }
}

/// Who may.
const PRINCIPAL: &str = "apigateway.amazonaws.com";

/// What the API may do.
const ACTION: &str = "lambda:InvokeFunction";

#[async_trait(?Send)]
impl Resource for Permission {
    fn key(&self) -> ResourceKey {
        permission_key(self.function)
    }

    fn step(&self) -> Step {
        Step(4)
    }

    fn kind(&self) -> &'static str {
        "Lambda permission"
    }

    fn name(&self) -> String {
        let route = self.function.route().unwrap_or_default();
        format!("{route} invokes {}", self.function_name())
    }

    fn needs(&self) -> Vec<ResourceKey> {
        vec![keys::function(self.function), api::KEY]
    }

    /// It goes with its function.
    fn removed_after(&self) -> Option<Vec<ResourceKey>> {
        Some(vec![keys::function(self.function)])
    }

    async fn observe(&self) -> Result<Observed, Failure> {
        if self.stack.found.functions.get(self.function).is_none() {
            return Ok(Observed::Absent);
        }
        let found = self.look().await?;
        let others = callers::difference(&others(&found));
        let mut drift = match ours(&found) {
            Some(ours) => self.compare(ours),
            None if others.is_none() => return Ok(Observed::Absent),
            None => Drift::default(),
        };
        drift.compare("Sid", ours(&found).map_or("none", |_| STATEMENT), STATEMENT);
        drift.extend(others);
        Ok(drift.verdict(STATEMENT))
    }

    async fn ensure(&self, observed: &Observed, progress: &Progress) -> Result<(), Failure> {
        let api = self.stack.found.api.require(&api::KEY)?;
        if *observed != Observed::Absent {
            let found = self.look().await?;
            for other in others(&found) {
                self.delete(other, progress).await?;
            }
            if ours(&found).is_some_and(|ours| self.compare(ours) == Drift::default()) {
                return Ok(());
            }
            // A statement can't be changed, only put anew.
            self.delete(STATEMENT, progress).await?;
        }
        if !self.add(&api, progress).await? {
            // Added meanwhile, by a call whose answer was lost or by hand for something else.
            self.delete(STATEMENT, progress).await?;
            self.add(&api, progress).await?;
        }
        Ok(())
    }

    async fn remove(&self, progress: &Progress) -> Result<(), Failure> {
        if self.stack.found.functions.get(self.function).is_none() {
            return Ok(());
        }
        self.delete(STATEMENT, progress).await
    }
}

/// Ours among them.
fn ours(statements: &[Value]) -> Option<&Value> {
    let mut statements = statements.iter();
    statements.find(|statement| statement["Sid"] == STATEMENT)
}

/// The ids of the others: nobody but the API is to invoke the function.
fn others(statements: &[Value]) -> Vec<&str> {
    callers::others(statements, Some(STATEMENT))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn our_statement_is_told_from_others() {
        let sid = |id: &str| serde_json::json!({ "Sid": id });
        let found = [sid("other"), sid("place-api")];
        assert_eq!(ours(&found), Some(&found[1]));
        assert_eq!(others(&found), ["other"]);
        assert_eq!(ours(&[sid("place-api2")]), None);
    }
}
