//! Calls that are to be made again: because AWS has not caught up yet, or because something else is
//! still in the way.

use std::time::Duration;

use crate::aws::{AwsError, Class};
use crate::engine::{Failure, Left, Poll, Progress, Resource, Wait};

/// How long AWS may take until what was made a moment ago is visible everywhere. EC2's own advice
/// on eventual consistency is up to five minutes.
const VISIBLE_WITHIN: Duration = Duration::from_mins(5);

/// Answers that pass by themselves: AWS throttles, works on something else of the same parent
/// (API Gateway's "concurrent modification"), or has not caught up with what was made before.
pub(crate) const CATCHING_UP: [Class; 4] = [
    Class::Absent,
    Class::NotYet,
    Class::Conflict,
    Class::Throttled,
];

/// Makes `call` again as long as AWS answers with one of `classes`, as `wait` allows.
///
/// `action` ("creating NAT gateway `place`") names the failure if AWS answers something else.
pub(crate) async fn while_answer_is<T, F>(
    progress: &Progress,
    wait: Wait,
    classes: &[Class],
    action: &str,
    mut call: F,
) -> Result<T, Failure>
where
    F: AsyncFnMut() -> Result<T, AwsError>,
{
    progress
        .until(wait, async || match call().await {
            Ok(value) => Ok(Poll::Ready(value)),
            Err(error) if classes.contains(&error.class) => Ok(Poll::Pending(error.to_string())),
            Err(error) => Err(error.failure(action)),
        })
        .await
}

/// Makes `call` until AWS has caught up: everything that it names is visible, and nothing else is
/// being done to it (or, at API Gateway, to another part of the same API).
pub(crate) async fn once_visible<T, F>(
    progress: &Progress,
    action: &str,
    call: F,
) -> Result<T, Failure>
where
    F: AsyncFnMut() -> Result<T, AwsError>,
{
    let wait = Wait::new(format!("AWS to be ready for {action}"), VISIBLE_WITHIN);
    while_answer_is(progress, wait.usual(0, 10), &CATCHING_UP, action, call).await
}

/// Waits until `look` finds nothing any more; what it finds is what the wait hangs on.
pub(crate) async fn until_gone<F>(
    progress: &Progress,
    wait: Wait,
    action: &str,
    mut look: F,
) -> Result<(), Failure>
where
    F: AsyncFnMut() -> Result<Option<String>, AwsError>,
{
    progress
        .until(wait, async || {
            let found = look()
                .await
                .map_err(|error| error.failure(action).left(Left::Ours))?;
            Ok(found.map_or(Poll::Ready(()), Poll::Pending))
        })
        .await
}

/// What a verb is doing to which resource: "creating NAT gateway `place`".
pub(crate) fn doing(verb: &str, resource: &(impl Resource + ?Sized)) -> String {
    format!("{verb} {} `{}`", resource.kind(), resource.name())
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;
    use crate::steps::scripted::unwatched;

    fn error(class: Class, refused: bool) -> AwsError {
        AwsError {
            operation: "ec2:AllocateAddress",
            code: None,
            message: "lost".to_owned(),
            request_id: None,
            class,
            refused,
        }
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_not_visible_yet_is_asked_for_again() {
        let calls = Cell::new(0);
        let progress = unwatched();
        let answer = once_visible(&progress, "creating", async || {
            calls.set(calls.get() + 1);
            if calls.get() < 3 {
                Err(error(Class::Absent, true))
            } else {
                Ok(calls.get())
            }
        });
        assert_eq!(answer.await.unwrap(), 3);
    }
}
