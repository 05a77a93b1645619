//! Waits for a function to become active, updated or deleted. Lambda refuses other calls meanwhile.

use std::time::Duration;

use aws_sdk_lambda::types::{
    FunctionConfiguration, LastUpdateStatus, LastUpdateStatusReasonCode, State, StateReasonCode,
};

use crate::aws::{Answer, Aws, AwsError, AwsResult};
use crate::engine::{Failure, Left, Poll, Progress, Wait};
use crate::steps::lifecycle::Trouble;

/// Longest wait for a function. Network interfaces may take several minutes.
const LIMIT: Duration = Duration::from_mins(10);

/// Where a function stands between two calls.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Readiness {
    /// Usable. `Inactive` counts: its interfaces were reclaimed after weeks without a call, and
    /// the next call brings them back.
    Ready,
    /// On its way: AWS's word for the state, and its reason.
    Changing(String),
    /// Failed for good, and its replacement is the only remedy: AWS's reason.
    Failed(String),
    /// The last update failed; the function before it still works: AWS's reason.
    UpdateFailed(String),
}

/// What is to be said about a usable function that sleeps.
pub(super) fn sleep(configuration: &FunctionConfiguration) -> Option<String> {
    let state = configuration.state.as_ref()?;
    let sleeps = *state == State::Inactive && Readiness::of(configuration) == Readiness::Ready;
    sleeps.then(|| {
        let why = why(configuration);
        let why = if why.is_empty() { "idle" } else { &why };
        format!("{state}: {why}; the next call fails and reactivates the function")
    })
}

/// AWS's reason for the state.
fn why(configuration: &FunctionConfiguration) -> String {
    let code = configuration.state_reason_code.as_ref();
    let code = code.map(StateReasonCode::as_str);
    reason(code, configuration.state_reason.as_deref())
}

fn reason(code: Option<&str>, text: Option<&str>) -> String {
    let both = [code, text].into_iter().flatten();
    let both: Vec<&str> = both.filter(|text| !text.is_empty()).collect();
    both.join(": ")
}

impl Readiness {
    pub(super) fn of(configuration: &FunctionConfiguration) -> Self {
        let why_update = || {
            let code = configuration.last_update_status_reason_code.as_ref();
            let code = code.map(LastUpdateStatusReasonCode::as_str);
            reason(code, configuration.last_update_status_reason.as_deref())
        };
        match (&configuration.state, &configuration.last_update_status) {
            (Some(State::Failed), _) => Self::Failed(why(configuration)),
            (Some(state @ (State::Pending | State::Deleting | State::Deactivating)), _) => {
                Self::Changing(format!("{state}: {}", why(configuration)))
            }
            (_, Some(LastUpdateStatus::InProgress)) => Self::Changing("update in progress".into()),
            (_, Some(LastUpdateStatus::Failed)) => Self::UpdateFailed(why_update()),
            _ => Self::Ready,
        }
    }
}

/// Waits until the function takes calls again, and answers its configuration.
pub(super) async fn until_ready(
    aws: &Aws,
    name: &str,
    progress: &Progress,
) -> Result<FunctionConfiguration, Failure> {
    let wait = Wait::new(format!("function `{name}` to be active"), LIMIT).usual(1, 90);
    let action = || format!("waiting for function `{name}`");
    progress
        .until(wait, async || {
            let configuration = configuration(aws, name).await.or_failure(action)?;
            let Some(configuration) = configuration else {
                return Ok(Poll::Pending("not visible yet".to_owned()));
            };
            match Readiness::of(&configuration) {
                Readiness::Ready => Ok(Poll::Ready(configuration)),
                Readiness::Changing(state) => Ok(Poll::Pending(state)),
                Readiness::Failed(reason) | Readiness::UpdateFailed(reason) => {
                    Err(Failure::new(action()).caused_by(reason).left(Left::Ours))
                }
            }
        })
        .await
}

/// Says that the function is not yet usable again after an update, if so.
pub(super) async fn ready(aws: &Aws, name: &str) -> Result<(), Trouble> {
    let found = configuration(aws, name).await?;
    let state = match found.as_ref().map(Readiness::of) {
        Some(Readiness::Ready) => return Ok(()),
        Some(Readiness::Failed(reason) | Readiness::UpdateFailed(reason)) => {
            let failure = Failure::new(format!("waiting for function `{name}`"));
            return Err(failure.caused_by(reason).left(Left::Ours).into());
        }
        Some(Readiness::Changing(state)) => state,
        None => "not visible yet".to_owned(),
    };
    Err(AwsError::not_yet("lambda:GetFunctionConfiguration", state).into())
}

/// Waits until the function rests, whether in good health or not.
pub(super) async fn until_at_rest(
    aws: &Aws,
    name: &str,
    progress: &Progress,
) -> Result<(), Failure> {
    let wait = Wait::new(format!("function `{name}` to accept calls"), LIMIT).usual(1, 90);
    progress
        .until(wait, async || {
            let configuration = configuration(aws, name).await;
            let configuration =
                configuration.or_failure(|| format!("waiting for function `{name}`"))?;
            match configuration.as_ref().map(Readiness::of) {
                Some(Readiness::Changing(state)) => Ok(Poll::Pending(state)),
                _ => Ok(Poll::Ready(())),
            }
        })
        .await
}

/// Waits until the function is gone.
pub(super) async fn until_gone(aws: &Aws, name: &str, progress: &Progress) -> Result<(), Failure> {
    let wait = Wait::new(format!("function `{name}` to be deleted"), LIMIT).usual(0, 30);
    progress
        .until(wait, async || {
            let found = configuration(aws, name).await;
            match found.or_failure(|| format!("waiting for function `{name}` to be deleted"))? {
                None => Ok(Poll::Ready(())),
                Some(_) => Ok(Poll::Pending("not deleted yet".to_owned())),
            }
        })
        .await
}

async fn configuration(aws: &Aws, name: &str) -> Result<Option<FunctionConfiguration>, AwsError> {
    let answer = aws
        .lambda
        .get_function_configuration()
        .function_name(name)
        .send()
        .await;
    let answer = answer
        .during("lambda:GetFunctionConfiguration")
        .absent_as_none()?;
    Ok(answer.map(|answer| {
        FunctionConfiguration::builder()
            .set_state(answer.state)
            .set_state_reason(answer.state_reason)
            .set_state_reason_code(answer.state_reason_code)
            .set_last_update_status(answer.last_update_status)
            .set_last_update_status_reason(answer.last_update_status_reason)
            .set_last_update_status_reason_code(answer.last_update_status_reason_code)
            .set_function_arn(answer.function_arn)
            .build()
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn configuration(state: State, update: LastUpdateStatus) -> FunctionConfiguration {
        FunctionConfiguration::builder()
            .state(state)
            .state_reason("no address left")
            .state_reason_code(StateReasonCode::SubnetOutOfIpAddresses)
            .last_update_status(update)
            .last_update_status_reason_code(LastUpdateStatusReasonCode::InvalidSubnet)
            .build()
    }

    #[test]
    fn a_failed_function_says_why() {
        let failed = configuration(State::Failed, LastUpdateStatus::Successful);
        assert_eq!(
            Readiness::of(&failed),
            Readiness::Failed("SubnetOutOfIPAddresses: no address left".to_owned())
        );
        let update = configuration(State::Active, LastUpdateStatus::Failed);
        assert_eq!(
            Readiness::of(&update),
            Readiness::UpdateFailed("InvalidSubnet".to_owned())
        );
    }

    #[test]
    fn active_counts_only_once_the_update_is_through() {
        let of = |state, update| Readiness::of(&configuration(state, update));
        assert_eq!(
            of(State::Active, LastUpdateStatus::Successful),
            Readiness::Ready
        );
        assert_eq!(
            of(State::Inactive, LastUpdateStatus::Successful),
            Readiness::Ready
        );
        let updating = of(State::Active, LastUpdateStatus::InProgress);
        assert!(matches!(updating, Readiness::Changing(_)));
        let pending = of(State::Pending, LastUpdateStatus::Successful);
        assert!(matches!(pending, Readiness::Changing(_)));
        let sleeping = configuration(State::Inactive, LastUpdateStatus::Successful);
        let note = sleep(&sleeping).unwrap();
        assert!(
            note.starts_with("Inactive: SubnetOutOfIPAddresses"),
            "{note}"
        );
        let awake = configuration(State::Active, LastUpdateStatus::Successful);
        assert_eq!(sleep(&awake), None);
        // A state that AWS adds later must not block `up`.
        assert_eq!(
            of(State::from("Resting"), LastUpdateStatus::Successful),
            Readiness::Ready
        );
    }
}
