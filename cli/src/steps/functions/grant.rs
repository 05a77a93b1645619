//! The KMS grant by which a function's environment is decrypted.
//!
//! Lambda writes it for the unique id of the function's role. A role that was deleted and made anew
//! under the same name has another id, so every call fails ("Lambda was unable to decrypt the
//! environment variables because KMS access was denied") while function and role look as they
//! should (terraform-provider-aws#6352). An update to another role and one back make Lambda write
//! it anew (serverless/examples#279; AWS re:Post, "lambda-kmsaccessdeniedexception-errors").

use std::time::Duration;

use aws_sdk_lambda::types::FunctionConfiguration;
use aws_smithy_types::DateTime;
use aws_smithy_types::date_time::Format;
use place_config::Function;

use super::settle;
use crate::aws::{Answer, Class};
use crate::engine::outcome::Difference;
use crate::engine::{Failure, Poll, Progress, Wait};
use crate::steps::Stack;
use crate::steps::found::FunctionRole;
use crate::steps::repeat::while_answer_is;

/// Attribute as differences name it.
pub(super) const ROLE_ID: &str = "RoleId";

/// How much younger than its function a role may seem to be, in seconds: IAM and Lambda have clocks
/// of their own.
const CLOCKS: i64 = 60;

/// How long another role may take to be made and to be assumable.
const PATIENCE: Duration = Duration::from_mins(3);

/// What is to be said where the role is younger than everything that Lambda was told of it, or has
/// to be made anew.
pub(super) fn difference(
    stack: &Stack,
    function: Function,
    found: &FunctionConfiguration,
) -> Option<Difference> {
    let is_of_old = match stack.found.roles.get(function)? {
        FunctionRole::Absent => true,
        FunctionRole::Made(made) => {
            let told = found.last_modified().and_then(moment);
            told.is_some_and(|told| made.secs() - told.secs() > CLOCKS)
        }
    };
    // The emulator has no grants.
    let is_due = is_of_old && !stack.is_local();
    is_due.then(|| Difference::new(ROLE_ID, "of a deleted role", "of the new role"))
}

/// Hands the function another of the stack's roles. The update to its own that has to follow makes
/// Lambda write the grant; a run that is killed in between leaves a wrong role, which is drift.
pub(super) async fn revoke(
    stack: &Stack,
    function: Function,
    progress: &Progress,
) -> Result<(), Failure> {
    let name = stack.names.function(function);
    let other = other_role(stack, function, progress).await?;
    let role = stack.names.role(other);
    let role = stack.aws.iam_arn(&format!("role/{role}"));
    let update = async || {
        let update = stack.aws.lambda.update_function_configuration();
        let update = update.function_name(&name).role(&role).send().await;
        update.during("lambda:UpdateFunctionConfiguration")
    };
    let wait = Wait::new(
        format!("function `{name}` to accept another role"),
        PATIENCE,
    )
    .usual(0, 15);
    let action = format!("renewing the KMS grant of function `{name}`");
    let passing = [Class::NotYet, Class::Conflict];
    while_answer_is(progress, wait, &passing, &action, update).await?;
    settle::until_ready(&stack.aws, &name, progress)
        .await
        .map(drop)
}

/// A function, other than `function`, whose role exists: the other roles may still be in creation.
async fn other_role(
    stack: &Stack,
    function: Function,
    progress: &Progress,
) -> Result<Function, Failure> {
    let wait = Wait::new("another role of the stack to exist", PATIENCE).usual(0, 10);
    let is_there = |of: &Function| {
        *of != function && matches!(stack.found.roles.get(*of), Some(FunctionRole::Made(_)))
    };
    let look = async || {
        let other = Function::ALL.into_iter().find(is_there);
        let none = || Poll::Pending("no role yet".to_owned());
        Ok(other.map_or_else(none, Poll::Ready))
    };
    progress.until(wait, look).await
}

/// A moment as Lambda writes it, with a zone that RFC 3339 wants a colon in.
fn moment(text: &str) -> Option<DateTime> {
    let utc = text.strip_suffix("+0000").map(|time| format!("{time}Z"));
    let text = utc.as_deref().unwrap_or(text);
    DateTime::from_str(text, Format::DateTimeWithOffset).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::steps::scripted::Script;

    /// Seconds since 1970 at `LAST`.
    const SECONDS: i64 = 1_704_067_200;

    const LAST: &str = "2024-01-01T00:00:00.000+0000";

    fn made(seconds: i64) -> FunctionRole {
        FunctionRole::Made(DateTime::from_secs(seconds))
    }

    /// Whether a function that was changed at `last` has the grant of a role of old.
    fn is_due(role: Option<FunctionRole>, last: Option<&str>) -> bool {
        let stack = Script::default().stack();
        stack.found.roles.replace(Function::Save, role);
        let last = last.map(str::to_owned);
        let found = FunctionConfiguration::builder().set_last_modified(last);
        difference(&stack, Function::Save, &found.build()).is_some()
    }

    #[test]
    fn a_role_that_is_younger_than_the_last_update_is_another_one() {
        let role = |after: i64| Some(made(SECONDS + after));
        assert!(is_due(role(61), Some(LAST)));
        assert!(!is_due(role(60), Some(LAST)));
        assert!(!is_due(role(-100), Some(LAST)));
    }

    #[test]
    fn a_role_that_is_gone_will_be_another_one_and_one_that_nobody_saw_is_not() {
        assert!(is_due(Some(FunctionRole::Absent), Some(LAST)));
        assert!(!is_due(None, Some(LAST)));
    }

    #[test]
    fn a_moment_that_can_not_be_read_says_nothing() {
        for last in [None, Some(""), Some("yesterday")] {
            assert!(!is_due(Some(made(i64::MAX)), last), "{last:?}");
        }
        let seconds = |text: &str| moment(text).map(|moment| moment.secs());
        for text in [LAST, "2024-01-01T00:00:00Z", "2024-01-01T01:00:00+01:00"] {
            assert_eq!(seconds(text), Some(SECONDS), "{text}");
        }
    }
}
