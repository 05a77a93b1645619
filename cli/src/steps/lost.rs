//! Creates that AWS takes no idempotency token for: an answer that gets lost must not lead to a
//! second one.

use std::time::Duration;

use tokio::time::Instant;

use super::repeat::CATCHING_UP;
use crate::aws::AwsError;
use crate::engine::{Failure, Poll, Progress, Wait};
use crate::steps::Stack;
use crate::steps::lifecycle::Trouble;

/// How many creates in a row may stay without an answer. Refusals don't count.
const BLIND_ATTEMPTS: u32 = 5;

/// How long what an unanswered create made may take to be listed (eventual consistency).
const LISTED_WITHIN: Duration = Duration::from_secs(8);

/// The same where something stands in for AWS, which lists at once what it made.
const LISTED_WITHIN_HERE: Duration = Duration::from_millis(300);

/// Longest wait for a create to be taken, where nothing else is said.
const TAKEN_WITHIN: Duration = Duration::from_mins(2);

/// A creation that AWS takes no token for.
pub(crate) struct Creation<'a> {
    progress: &'a Progress,
    action: &'a str,
    wait: Wait,
    listed_within: Duration,
}

impl<'a> Creation<'a> {
    /// `action` ("creating NAT gateway `place`") of a resource of `stack`.
    pub(crate) fn new(stack: &Stack, progress: &'a Progress, action: &'a str) -> Self {
        let stands_in = stack.config.endpoints.aws.is_some();
        Self {
            progress,
            action,
            wait: Wait::new(format!("AWS to accept the call for {action}"), TAKEN_WITHIN)
                .usual(0, 5),
            listed_within: if stands_in {
                LISTED_WITHIN_HERE
            } else {
                LISTED_WITHIN
            },
        }
    }

    /// The same with another wait than the usual one of two minutes.
    pub(crate) fn waiting(mut self, wait: Wait) -> Self {
        self.wait = wait;
        self
    }

    /// Makes `create` again while AWS's answer is a passing one, or does not come. After an answer
    /// that got lost, `look` comes first, for as long as the thing may take to be listed: it may
    /// have been made all the same.
    ///
    /// `create` must not retry by itself.
    pub(crate) async fn run<T, E: Into<Trouble>>(
        self,
        mut look: impl AsyncFnMut() -> Result<Option<T>, E>,
        mut create: impl AsyncFnMut() -> Result<T, E>,
    ) -> Result<T, Failure> {
        let action = self.action;
        let (mut blind, mut lost): (u32, Option<(Instant, AwsError)>) = (0, None);
        let attempt = async || {
            if let Some((since, error)) = &lost {
                let found = look().await.map_err(Into::into);
                if let Some(made) = found.map_err(|trouble| trouble.failure(action))? {
                    return Ok(Poll::Ready(made));
                }
                if since.elapsed() < self.listed_within {
                    return Ok(Poll::Pending(error.to_string()));
                }
                lost = None;
            }
            let error = match create().await.map_err(Into::into) {
                Ok(made) => return Ok(Poll::Ready(made)),
                Err(Trouble::Failed(failure)) => return Err(failure),
                Err(Trouble::Aws(error)) => error,
            };
            match error {
                error if error.refused && CATCHING_UP.contains(&error.class) => {
                    Ok(Poll::Pending(error.to_string()))
                }
                // An internal error is no answer either: nobody knows what AWS did before.
                error if !error.refused && blind + 1 < BLIND_ATTEMPTS => {
                    blind += 1;
                    let blocker = error.to_string();
                    lost = Some((Instant::now(), error));
                    Ok(Poll::Pending(blocker))
                }
                error => Err(error.failure(action)),
            }
        };
        self.progress.until(self.wait, attempt).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aws::Aws;
    use crate::aws::Class;
    use crate::engine::{FailureKind, Left};
    use crate::steps::Options;
    use crate::steps::scripted::unwatched;

    fn error(class: Class, refused: bool) -> AwsError {
        AwsError {
            operation: "apigateway:CreateDeployment",
            code: None,
            message: "no".to_owned(),
            request_id: None,
            class,
            refused,
        }
    }

    /// Creates against answers given one by one, the last one again and again; the thing is listed
    /// from the look `listed` on. The number of creates and what came of it.
    async fn create(
        answers: &[Option<AwsError>],
        listed: Option<u32>,
    ) -> (usize, Result<&'static str, Failure>) {
        let (mut creates, mut looks) = (0, 0);
        let stack = Stack::new(
            place_config::StackConfig::default(),
            Aws::offline(),
            Options::default(),
        );
        let outcome = Creation::new(&stack, &unwatched(), "creating")
            .run(
                async || {
                    looks += 1;
                    Ok(listed.is_some_and(|from| looks >= from).then_some("found"))
                },
                async || {
                    creates += 1;
                    let answer = answers.get(creates - 1).or(answers.last());
                    answer.cloned().flatten().map_or(Ok("created"), Err)
                },
            )
            .await;
        (creates, outcome)
    }

    #[tokio::test(start_paused = true)]
    async fn it_waits_for_its_turn_however_often_it_is_refused() {
        for class in CATCHING_UP {
            let mut answers = vec![Some(error(class, true)); 12];
            answers.push(None);
            let (creates, outcome) = create(&answers, None).await;
            assert_eq!((creates, outcome.unwrap()), (13, "created"));
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_turn_that_never_comes_ends_in_incomplete() {
        let (_, outcome) = create(&[Some(error(Class::Throttled, true))], None).await;
        assert_eq!(outcome.unwrap_err().kind, FailureKind::Incomplete);
    }

    #[tokio::test(start_paused = true)]
    async fn a_lost_answer_or_an_internal_error_makes_no_second_one() {
        for class in [Class::Unreachable, Class::Other] {
            let (creates, outcome) = create(&[Some(error(class, false))], Some(1)).await;
            assert_eq!((creates, outcome.unwrap()), (1, "found"));
        }
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_listed_only_after_some_seconds_is_not_made_twice() {
        let began = Instant::now();
        let (creates, outcome) = create(&[Some(error(Class::Unreachable, false))], Some(10)).await;
        assert_eq!((creates, outcome.unwrap()), (1, "found"));
        assert!(began.elapsed() > Duration::from_millis(900));
    }

    #[tokio::test(start_paused = true)]
    async fn what_was_not_made_after_all_is_made_again() {
        let (creates, outcome) = create(&[Some(error(Class::Other, false)), None], None).await;
        assert_eq!((creates, outcome.unwrap()), (2, "created"));
    }

    #[tokio::test(start_paused = true)]
    async fn any_other_refusal_ends_it() {
        let (creates, outcome) = create(&[Some(error(Class::Invalid, true))], None).await;
        assert_eq!((creates, outcome.unwrap_err().left), (1, Left::Nothing));
    }

    #[tokio::test(start_paused = true)]
    async fn silence_for_good_leaves_the_unknown() {
        let (creates, outcome) = create(&[Some(error(Class::Unreachable, false))], None).await;
        let failure = outcome.unwrap_err();
        assert_eq!(
            (failure.left, failure.kind),
            (Left::Unknown, FailureKind::Incomplete)
        );
        assert_eq!(creates, 5);
    }
}
