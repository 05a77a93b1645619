//! The API's permission to invoke a function, for its one route.

use async_trait::async_trait;
use place_config::Function;
use serde_json::Value;

use super::{callers, permission_key};
use crate::aws::Answer;
use crate::steps::drift::Drift;
use crate::steps::lifecycle::{Card, Kind, Reading, Trouble, Whose};
use crate::steps::{Stack, api, keys};

/// Id of our statement in the function's policy.
const STATEMENT: &str = "place-api";

/// Who may.
const PRINCIPAL: &str = "apigateway.amazonaws.com";

/// What the API may do.
const ACTION: &str = "lambda:InvokeFunction";

/// The API's permission to invoke a function: a statement of the function's policy.
pub(super) struct Permission(pub(super) Function);

impl Permission {
    /// The one route that may invoke the function.
    fn source(&self, stack: &Stack, api: &str) -> String {
        let route = self.0.route().unwrap_or_default();
        let stage = stack.names.stage();
        let source = format!("{api}/{stage}/{route}");
        stack.aws.arn("execute-api", &source)
    }

    fn compare_ours(&self, stack: &Stack, statement: &Value, drift: &mut Drift) {
        let wanted = stack.found.api.get().map(|api| self.source(stack, &api));
        let wanted = wanted.unwrap_or_else(|| "this API".to_owned());
        let condition = &statement["Condition"]["ArnLike"];
        let source = condition["AWS:SourceArn"].as_str();
        let source = source.or(condition["aws:SourceArn"].as_str());
        drift.compare("SourceArn", source.unwrap_or("anything"), wanted);
        let principal = statement["Principal"]["Service"].as_str();
        drift.compare("Principal", principal.unwrap_or("anybody"), PRINCIPAL);
        let action = statement["Action"].as_str();
        drift.compare("Action", action.unwrap_or("several"), ACTION);
    }
}

#[async_trait(?Send)]
impl Kind for Permission {
    /// Every statement of the policy.
    type Found = Vec<Value>;

    fn card(&self, stack: &Stack) -> Card {
        let route = self.0.route().unwrap_or_default();
        let name = format!("{route} invokes {}", stack.names.function(self.0));
        let card = Card::new(4, permission_key(self.0), "Lambda permission", name);
        // It goes with its function.
        let card = card.removed_after([keys::function(self.0)]);
        card.needs([keys::function(self.0), api::KEY])
    }

    async fn find(&self, stack: &Stack) -> Result<Vec<Self::Found>, Trouble> {
        if stack.found.functions.get(self.0).is_none() {
            return Ok(Vec::new());
        }
        let found = callers::statements(stack, self.0).await?;
        let none = ours(&found).is_none() && others(&found).is_empty();
        Ok((!none).then_some(found).into_iter().collect())
    }

    fn read(&self, _: &Stack, _: &Self::Found) -> Reading {
        Reading::new(STATEMENT, Whose::Parents)
    }

    fn compare(&self, stack: &Stack, found: &Self::Found, drift: &mut Drift) {
        match ours(found) {
            Some(ours) => self.compare_ours(stack, ours, drift),
            None => drift.compare("Sid", "none", STATEMENT),
        }
        drift.extend(callers::difference(&others(found)));
    }

    async fn create(&self, stack: &Stack) -> Result<Self::Found, Trouble> {
        let api = stack.found.api.require(&api::KEY)?;
        let add = stack.aws.lambda.add_permission();
        let add = add
            .function_name(stack.names.function(self.0))
            .statement_id(STATEMENT)
            .action(ACTION)
            .principal(PRINCIPAL)
            .source_arn(self.source(stack, &api));
        add.send().await.during("lambda:AddPermission")?;
        Ok(Vec::new())
    }

    /// Nobody but the API is to invoke the function, and a statement can't be changed, only put
    /// anew.
    async fn mend(&self, stack: &Stack, found: &Self::Found, _: &Drift) -> Result<(), Trouble> {
        for other in others(found) {
            callers::remove(stack, self.0, other).await?;
        }
        let mut drift = Drift::default();
        if let Some(ours) = ours(found) {
            self.compare_ours(stack, ours, &mut drift);
            if drift == Drift::default() {
                return Ok(());
            }
            callers::remove(stack, self.0, STATEMENT).await?;
        }
        self.create(stack).await.map(drop)
    }

    async fn delete(&self, stack: &Stack, _: &Self::Found) -> Result<(), Trouble> {
        Ok(callers::remove(stack, self.0, STATEMENT).await?)
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
