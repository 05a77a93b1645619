//! Who is let in by a function's policy: the API, for its one route, or everybody, through the
//! function's own address.

use async_trait::async_trait;
use aws_sdk_lambda::operation::add_permission::builders::AddPermissionFluentBuilder;
use aws_sdk_lambda::types::FunctionUrlAuthType;
use place_config::Function;
use serde_json::Value;

use super::{callers, permission_key, url_key};
use crate::aws::Answer;
use crate::engine::Failure;
use crate::steps::drift::Drift;
use crate::steps::lifecycle::{Card, Kind, Reading, Trouble, Whose};
use crate::steps::{Stack, api, keys};

const API: &str = "apigateway.amazonaws.com";
const EVERYBODY: &str = "*";
const INVOKE: &str = "lambda:InvokeFunction";
const INVOKE_URL: &str = "lambda:InvokeFunctionUrl";

/// The statements of a function's policy.
pub(super) struct Permission(pub(super) Function);

/// A statement of a function's policy.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Statement {
    /// Its id.
    sid: &'static str,
    principal: &'static str,
    action: &'static str,
    condition: Condition,
}

/// When a statement holds.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Condition {
    /// For this caller.
    Source(String),
    /// For an address that asks for no signature.
    Unsigned,
    /// For calls through the function's address.
    ThroughUrl,
}

impl Permission {
    /// The statements that the function needs; a failure that names what is not there yet.
    fn wanted(&self, stack: &Stack) -> Result<Vec<Statement>, Failure> {
        let Some(route) = self.0.route() else {
            return Ok(everybody().into());
        };
        let api = stack.found.api.require(&api::KEY)?;
        let source = format!("{api}/{}/{route}", stack.names.stage());
        Ok(vec![Statement {
            sid: "place-api",
            principal: API,
            action: INVOKE,
            condition: Condition::Source(stack.aws.arn("execute-api", &source)),
        }])
    }

    /// The ids of ours, whatever they say.
    fn ids(&self) -> Vec<&'static str> {
        match self.0.route() {
            Some(_) => vec!["place-api"],
            None => everybody().map(|statement| statement.sid).into(),
        }
    }

    fn others<'a>(&self, found: &'a [Value]) -> Vec<&'a str> {
        callers::others(found, &self.ids())
    }

    async fn add(&self, stack: &Stack, statement: Statement) -> Result<(), Trouble> {
        let add = stack.aws.lambda.add_permission();
        let add = add
            .function_name(stack.names.function(self.0))
            .statement_id(statement.sid)
            .action(statement.action)
            .principal(statement.principal);
        let added = statement.condition.put(add).send().await;
        added.during("lambda:AddPermission")?;
        Ok(())
    }
}

/// Lets everybody in. Since October 2025 Lambda demands both (Lambda developer guide, "Control access
/// to Lambda function URLs").
fn everybody() -> [Statement; 2] {
    [
        Statement {
            sid: "place-page-url",
            principal: EVERYBODY,
            action: INVOKE_URL,
            condition: Condition::Unsigned,
        },
        Statement {
            sid: "place-page-invoke",
            principal: EVERYBODY,
            action: INVOKE,
            condition: Condition::ThroughUrl,
        },
    ]
}

impl Condition {
    fn put(&self, add: AddPermissionFluentBuilder) -> AddPermissionFluentBuilder {
        match self {
            Self::Source(arn) => add.source_arn(arn),
            Self::Unsigned => add.function_url_auth_type(FunctionUrlAuthType::None),
            Self::ThroughUrl => add.invoked_via_function_url(true),
        }
    }

    /// Attribute as differences name it, what a statement has, and what it should have.
    fn compare(&self, statement: &Value, drift: &mut Drift) {
        let condition = &statement["Condition"];
        let (name, found, wanted) = match self {
            Self::Source(arn) => {
                let like = &condition["ArnLike"];
                let source = like["AWS:SourceArn"].as_str();
                (
                    "SourceArn",
                    source.or(like["aws:SourceArn"].as_str()),
                    arn.as_str(),
                )
            }
            Self::Unsigned => {
                let found = condition["StringEquals"]["lambda:FunctionUrlAuthType"].as_str();
                ("FunctionUrlAuthType", found, "NONE")
            }
            Self::ThroughUrl => {
                let found = condition["Bool"]["lambda:InvokedViaFunctionUrl"].as_str();
                ("InvokedViaFunctionUrl", found, "true")
            }
        };
        drift.compare(name, found.unwrap_or("anything"), wanted);
    }
}

impl Statement {
    fn compare(&self, found: &[Value], drift: &mut Drift) {
        let Some(found) = found.iter().find(|of| of["Sid"] == self.sid) else {
            return drift.compare("Sid", "none", self.sid);
        };
        self.condition.compare(found, drift);
        let principal = &found["Principal"];
        let principal = [principal, &principal["Service"], &principal["AWS"]]
            .into_iter()
            .find_map(Value::as_str);
        drift.compare(
            "Principal",
            principal.unwrap_or("somebody else"),
            self.principal,
        );
        let action = found["Action"].as_str();
        drift.compare("Action", action.unwrap_or("several"), self.action);
    }
}

#[async_trait(?Send)]
impl Kind for Permission {
    /// Every statement of the policy.
    type Found = Vec<Value>;

    fn card(&self, stack: &Stack) -> Card {
        let function = stack.names.function(self.0);
        let (name, needs) = match self.0.route() {
            Some(route) => (format!("{route} invokes {function}"), api::KEY),
            None => (format!("everybody reaches {function}"), url_key()),
        };
        let card = Card::new(4, permission_key(self.0), "Lambda permission", name);
        // It goes with its function.
        let card = card.removed_after([keys::function(self.0)]);
        let card = card.needs([keys::function(self.0), needs]);
        card.wanted(self.0.route().is_some() || stack.config.page.enabled)
    }

    async fn find(&self, stack: &Stack) -> Result<Vec<Self::Found>, Trouble> {
        if stack.found.functions.get(self.0).is_none() {
            return Ok(Vec::new());
        }
        let found = callers::statements(stack, self.0).await?;
        let is_there = found.iter().any(|statement| statement["Sid"].is_string());
        Ok(is_there.then_some(found).into_iter().collect())
    }

    fn read(&self, _: &Stack, _: &Self::Found) -> Reading {
        Reading::new(self.ids().join(", "), Whose::Parents)
    }

    fn compare(&self, stack: &Stack, found: &Self::Found, drift: &mut Drift) {
        match self.wanted(stack) {
            Ok(wanted) => {
                for statement in wanted {
                    statement.compare(found, drift);
                }
            }
            Err(_) => drift.compare("SourceArn", "an API that is gone", "this API"),
        }
        drift.extend(callers::difference(&self.others(found)));
    }

    async fn create(&self, stack: &Stack) -> Result<Self::Found, Trouble> {
        for statement in self.wanted(stack)? {
            self.add(stack, statement).await?;
        }
        Ok(Vec::new())
    }

    /// Nobody else is to invoke the function, and a statement can't be changed, only put anew.
    async fn mend(&self, stack: &Stack, found: &Self::Found, _: &Drift) -> Result<(), Trouble> {
        for other in self.others(found) {
            callers::remove(stack, self.0, other).await?;
        }
        for statement in self.wanted(stack)? {
            let mut drift = Drift::default();
            statement.compare(found, &mut drift);
            if drift == Drift::default() {
                continue;
            }
            if found.iter().any(|of| of["Sid"] == statement.sid) {
                callers::remove(stack, self.0, statement.sid).await?;
            }
            self.add(stack, statement).await?;
        }
        Ok(())
    }

    async fn delete(&self, stack: &Stack, found: &Self::Found) -> Result<(), Trouble> {
        let ids = self.ids();
        let ours = found.iter().filter_map(|of| of["Sid"].as_str());
        for sid in ours.filter(|sid| ids.contains(sid)) {
            callers::remove(stack, self.0, sid).await?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn statements_of_others_are_told_from_ours() {
        let sid = |id: &str| json!({ "Sid": id });
        let found = [sid("other"), sid("place-api")];
        assert_eq!(Permission(Function::Connect).others(&found), ["other"]);
        let page = Permission(Function::Page);
        assert_eq!(page.others(&found), ["other", "place-api"]);
        assert_eq!(page.others(&[sid("place-page-url")]), [""; 0]);
    }

    #[test]
    fn a_statement_is_read_in_lambdas_words() {
        let lambda = [
            json!({
                "Sid": "place-page-url", "Effect": "Allow", "Principal": "*",
                "Action": "lambda:InvokeFunctionUrl",
                "Condition": { "StringEquals": { "lambda:FunctionUrlAuthType": "NONE" } },
            }),
            json!({
                "Sid": "place-page-invoke", "Effect": "Allow", "Principal": { "AWS": "*" },
                "Action": "lambda:InvokeFunction",
                "Condition": { "Bool": { "lambda:InvokedViaFunctionUrl": "true" } },
            }),
        ];
        let differences = |found: &[Value]| {
            let mut drift = Drift::default();
            for statement in everybody() {
                statement.compare(found, &mut drift);
            }
            drift
        };
        assert_eq!(differences(&lambda), Drift::default());
        let mut open = lambda.clone();
        open[1]["Condition"] = Value::Null;
        assert!(differences(&open).has("InvokedViaFunctionUrl"));
        assert!(differences(&lambda[..1]).has("Sid"));
    }
}
