//! Calls that are to be made again: because AWS has not caught up yet, because something else is
//! still in the way, or because nobody knows whether the last one worked.

use std::time::Duration;

use crate::aws::{AwsError, Class};
use crate::engine::{Failure, Left, Poll, Progress, Resource, Wait};

/// How long AWS may take until what was made a moment ago is visible everywhere. EC2's own advice
/// on eventual consistency is up to five minutes.
const VISIBLE_WITHIN: Duration = Duration::from_mins(5);

/// Creates that AWS gives no token for are tried this often, each time after a look.
const BLIND_ATTEMPTS: u32 = 5;

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

/// Makes `call` until everything that it names is visible to AWS.
pub(crate) async fn once_visible<T, F>(
    progress: &Progress,
    action: &str,
    call: F,
) -> Result<T, Failure>
where
    F: AsyncFnMut() -> Result<T, AwsError>,
{
    let wait = Wait::new(
        format!("AWS to see what {action} builds on"),
        VISIBLE_WITHIN,
    );
    while_answer_is(
        progress,
        wait,
        &[Class::Absent, Class::NotYet],
        action,
        call,
    )
    .await
}

/// Creates something for which AWS takes no idempotency token, so that an answer that got lost
/// does not lead to a second one: `create` must not retry by itself, and `look` finds by tag what
/// an unanswered `create` made after all.
pub(crate) async fn create_once<T, L, C>(
    progress: &Progress,
    action: &str,
    mut look: L,
    mut create: C,
) -> Result<T, Failure>
where
    L: AsyncFnMut() -> Result<Option<T>, AwsError>,
    C: AsyncFnMut() -> Result<T, AwsError>,
{
    let wait = Wait::new(format!("an answer while {action}"), VISIBLE_WITHIN);
    let mut attempts = 0;
    progress
        .until(wait, async || {
            if attempts > 0
                && let Some(made) = look().await.map_err(|error| error.failure(action))?
            {
                return Ok(Poll::Ready(made));
            }
            attempts += 1;
            match create().await {
                Ok(made) => Ok(Poll::Ready(made)),
                Err(error) if attempts < BLIND_ATTEMPTS && worth_another(&error) => {
                    Ok(Poll::Pending(error.to_string()))
                }
                Err(error) => Err(error.failure(action)),
            }
        })
        .await
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

fn worth_another(error: &AwsError) -> bool {
    !error.refused || error.class == Class::Throttled
}

/// What a verb is doing to which resource: "creating NAT gateway `place`".
pub(crate) fn doing(verb: &str, resource: &(impl Resource + ?Sized)) -> String {
    format!("{verb} {} `{}`", resource.kind(), resource.name())
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;
    use std::sync::Arc;

    use super::*;
    use crate::engine::{Event, EventSink, ResourceKey};

    struct Nowhere;

    impl EventSink for Nowhere {
        fn event(&self, _: &Event) {}
    }

    fn progress() -> Progress {
        let (_, interrupted) = tokio::sync::watch::channel(false);
        let now = tokio::time::Instant::now();
        Progress::new(
            ResourceKey::new("elastic-ip"),
            now,
            Arc::new(Nowhere),
            interrupted,
        )
    }

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
    async fn a_lost_answer_leads_to_a_look_and_not_to_a_second_one() {
        let made = Cell::new(0);
        let progress = progress();
        let answer = create_once(
            &progress,
            "allocating",
            async || Ok((made.get() > 0).then_some("found")),
            async || {
                made.set(made.get() + 1);
                Err(error(Class::Unreachable, false))
            },
        );
        assert_eq!(answer.await.unwrap(), "found");
        assert_eq!(made.get(), 1);
    }

    #[tokio::test(start_paused = true)]
    async fn a_refusal_ends_it_at_once() {
        let progress = progress();
        let failure = create_once(
            &progress,
            "allocating",
            async || Ok(None::<&str>),
            async || Err(error(Class::Quota, true)),
        );
        assert_eq!(failure.await.unwrap_err().left, Left::Nothing);
    }

    #[tokio::test(start_paused = true)]
    async fn silence_for_good_leaves_the_unknown() {
        let attempts = Cell::new(0);
        let progress = progress();
        let failure = create_once(
            &progress,
            "allocating",
            async || Ok(None::<&str>),
            async || {
                attempts.set(attempts.get() + 1);
                Err(error(Class::Unreachable, false))
            },
        );
        assert_eq!(failure.await.unwrap_err().left, Left::Unknown);
        assert_eq!(attempts.get(), BLIND_ATTEMPTS);
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_not_visible_yet_is_asked_for_again() {
        let calls = Cell::new(0);
        let progress = progress();
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
