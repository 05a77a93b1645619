//! Whether the caller has the permissions of the policy, according to IAM's policy simulator.

use std::collections::BTreeSet;

use aws_sdk_iam::types::{ContextEntry, ContextKeyTypeEnum, PolicyEvaluationDecisionType};

use super::policy::{Scope, Statement, statements};
use super::{Check, State};
use crate::aws::{Answer, AwsError, Class};
use crate::steps::Stack;
use crate::ui::words;

const NAME: &str = "permissions";

/// Actions that are said one by one.
const SAID: usize = 8;

/// Asks the simulator about every statement of the policy.
pub(super) async fn check(stack: &Stack, scope: Scope<'_>) -> Check {
    if scope.identity.arn.ends_with(":root") {
        return Check::new(
            NAME,
            State::Ok,
            "the account's root user has every permission",
        );
    }
    let caller = caller(stack, scope).await;
    let statements = statements(scope);
    let asked = statements
        .iter()
        .map(|statement| denied(stack, &caller, statement));
    let answers: Result<Vec<_>, AwsError> = futures::future::try_join_all(asked).await;
    match answers {
        Ok(answers) => {
            let count = statements.iter().map(|s| s.actions.len()).sum::<usize>();
            verdict(&answers.into_iter().flatten().collect(), count)
        }
        Err(error) => {
            let why = match error.class {
                Class::Denied => "the caller lacks `iam:SimulatePrincipalPolicy`".to_owned(),
                _ => error.to_string(),
            };
            Check::new(NAME, State::Unknown, why)
                .hint("`placectl doctor --print-policy` prints the required policy")
        }
    }
}

/// The user or role to simulate. Only `iam:GetRole` tells a role's path; without that permission
/// the path is taken to be empty.
async fn caller(stack: &Stack, scope: Scope<'_>) -> String {
    let Some(role) = scope.assumed_role() else {
        return scope.caller();
    };
    let answer = stack.aws.iam.get_role().role_name(role).send().await;
    let role = answer.during("iam:GetRole").ok();
    let role = role.and_then(|answer| answer.role);
    role.map_or_else(|| scope.caller(), |role| role.arn)
}

fn verdict(denied: &BTreeSet<String>, count: usize) -> Check {
    if denied.is_empty() {
        let detail = format!("all {} allowed", words::count(count as u64, "action"));
        return Check::new(NAME, State::Ok, detail);
    }
    let mut said: Vec<String> = denied.iter().take(SAID).cloned().collect();
    if denied.len() > SAID {
        said.push(format!("{} more", denied.len() - SAID));
    }
    // The simulator knows neither the session's own policy nor every resource: it may be wrong.
    Check::new(
        NAME,
        State::Warning,
        format!("not allowed: {}", said.join(", ")),
    )
    .hint("`placectl doctor --print-policy` prints the required policy")
}

/// The actions of `statement` that the caller may not take.
async fn denied(
    stack: &Stack,
    caller: &str,
    statement: &Statement,
) -> Result<Vec<String>, AwsError> {
    let mut denied = Vec::new();
    let mut marker = None;
    loop {
        let call = stack.aws.iam.simulate_principal_policy();
        let actions = statement.actions.iter().map(|a| (*a).to_owned()).collect();
        let call = call
            .policy_source_arn(caller)
            .set_action_names(Some(actions))
            .set_resource_arns(statement.resources.first().map(|arn| vec![arn.clone()]))
            .set_context_entries(Some(context(statement)))
            .set_marker(marker);
        let answer = call.send().await.during("iam:SimulatePrincipalPolicy")?;
        let refused = answer
            .evaluation_results()
            .iter()
            .filter(|result| *result.eval_decision() != PolicyEvaluationDecisionType::Allowed);
        denied.extend(refused.map(|result| result.eval_action_name().to_owned()));
        marker = answer.marker;
        if marker.is_none() {
            return Ok(denied);
        }
    }
}

/// The circumstances in which the statement allows its actions.
fn context(statement: &Statement) -> Vec<ContextEntry> {
    let entry = |(operator, key, values): &(&str, String, Vec<String>)| {
        let kind = if operator.starts_with("ForAllValues") {
            ContextKeyTypeEnum::StringList
        } else {
            ContextKeyTypeEnum::String
        };
        let first = values.iter().take(1).cloned().collect();
        ContextEntry::builder()
            .context_key_name(key)
            .context_key_type(kind)
            .set_context_key_values(Some(first))
            .build()
    };
    // `Null` is about a key that is not there.
    let conditions = statement.conditions.iter();
    let given = conditions.filter(|(operator, _, _)| *operator != "Null");
    given.map(entry).collect()
}

#[cfg(test)]
mod tests {
    use place_config::StackConfig;

    use super::*;
    use crate::aws::Identity;
    use crate::steps::scripted::Script;

    const ASK: &str = "SimulatePrincipalPolicy";

    async fn checked(script: Script) -> Check {
        checked_as(script, "arn:aws:iam::123456789012:user/ann").await
    }

    async fn checked_as(script: Script, arn: &str) -> Check {
        let stack = script.stack_of(StackConfig::default(), crate::steps::Options::default());
        let identity = Identity {
            arn: arn.to_owned(),
            ..stack.aws.identity.clone()
        };
        let scope = Scope {
            identity: &identity,
            region: &stack.aws.region,
            names: &stack.names,
            config: &stack.config,
        };
        check(&stack, scope).await
    }

    fn answer(decision: &str) -> String {
        format!(
            "<SimulatePrincipalPolicyResponse><SimulatePrincipalPolicyResult>\
             <IsTruncated>false</IsTruncated><EvaluationResults><member>\
             <EvalActionName>ec2:CreateNatGateway</EvalActionName>\
             <EvalDecision>{decision}</EvalDecision></member></EvaluationResults>\
             </SimulatePrincipalPolicyResult></SimulatePrincipalPolicyResponse>"
        )
    }

    fn all(script: Script, decision: &str) -> Script {
        (0..30).fold(script, |script, _| {
            script.answer(ASK, 200, &answer(decision))
        })
    }

    #[tokio::test]
    async fn what_the_simulator_denies_is_a_warning_that_names_it() {
        let check = checked(all(Script::default(), "implicitDeny")).await;
        assert_eq!(check.state, State::Warning, "{check:?}");
        assert!(check.detail.contains("ec2:CreateNatGateway"), "{check:?}");
        assert!(check.hint.unwrap().contains("--print-policy"));
        let check = checked(all(Script::default(), "allowed")).await;
        assert_eq!(check.state, State::Ok, "{check:?}");
    }

    /// What IAM Identity Center makes is not where a session's ARN says.
    #[tokio::test]
    async fn a_session_of_a_role_with_a_path_is_asked_about_by_the_roles_own_arn() {
        let role = "AWSReservedSSO_Admin_0123456789abcdef";
        let session = format!("arn:aws:sts::123456789012:assumed-role/{role}/ann");
        let path = "aws-reserved/sso.amazonaws.com/eu-west-1";
        let arn = format!("arn:aws:iam::123456789012:role/{path}/{role}");
        let found = format!(
            "<GetRoleResponse><GetRoleResult><Role><Path>/{path}/</Path><RoleName>{role}</RoleName>\
             <RoleId>AROA1</RoleId><Arn>{arn}</Arn><CreateDate>2024-01-01T00:00:00Z</CreateDate>\
             </Role></GetRoleResult></GetRoleResponse>"
        );
        let script = Script::default().answer("GetRole", 200, &found);
        let script = script.always(ASK, 200, &answer("allowed"));
        let check = checked_as(script.clone(), &session).await;
        assert_eq!(check.state, State::Ok, "{check:?}");
        let asked = arn.replace(':', "%3A").replace('/', "%2F");
        let asked = format!("PolicySourceArn={asked}&");
        for body in script.bodies(ASK) {
            assert!(body.contains(&asked), "{body}");
        }
        // Who may not ask for the role guesses.
        let script = Script::default().always(ASK, 200, &answer("allowed"));
        let _ = checked_as(script.clone(), &session).await;
        let guess = format!("%3Arole%2F{role}&");
        assert!(script.bodies(ASK)[0].contains(&guess));
    }

    #[tokio::test]
    async fn who_may_not_ask_does_not_know() {
        let denied = "<ErrorResponse><Error><Type>Sender</Type><Code>AccessDenied</Code>\
                      <Message>no</Message></Error><RequestId>r</RequestId></ErrorResponse>";
        let script = (0..30).fold(Script::default(), |s, _| s.answer(ASK, 403, denied));
        let check = checked(script).await;
        assert_eq!(check.state, State::Unknown, "{check:?}");
    }
}
