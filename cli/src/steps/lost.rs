//! Creates that AWS both refuses for a while and takes no token for.

use crate::aws::{AwsError, Class};
use crate::engine::{Failure, Progress, Wait};
use crate::steps::repeat::while_answer_is;

/// Makes `create` again while AWS answers with one of the `passing` classes, or not at all. After
/// an answer that got lost, `look` comes first: the thing may have been made all the same.
///
/// `create` must not retry by itself.
pub(crate) async fn create_patiently<T>(
    progress: &Progress,
    wait: Wait,
    passing: &[Class],
    action: &str,
    mut look: impl AsyncFnMut() -> Result<Option<T>, AwsError>,
    mut create: impl AsyncFnMut() -> Result<T, AwsError>,
) -> Result<T, Failure> {
    let mut lost = false;
    let passing: Vec<Class> = passing
        .iter()
        .copied()
        .chain([Class::Unreachable])
        .collect();
    let attempt = async || {
        if lost && let Some(made) = look().await? {
            return Ok(made);
        }
        let created = create().await;
        lost = created.as_ref().is_err_and(|error| !error.refused);
        created.map_err(|error| {
            // An internal error of AWS is no answer either: nobody knows what it did before.
            let class = if error.refused {
                error.class
            } else {
                Class::Unreachable
            };
            AwsError { class, ..error }
        })
    };
    while_answer_is(progress, wait, &passing, action, attempt).await
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::Duration;

    use super::*;
    use crate::engine::{Event, EventSink, Left, ResourceKey};

    struct Nowhere;

    impl EventSink for Nowhere {
        fn event(&self, _: &Event) {}
    }

    fn progress() -> Progress {
        let (_, interrupted) = tokio::sync::watch::channel(false);
        let now = tokio::time::Instant::now();
        Progress::new(
            ResourceKey::new("api-deployment"),
            now,
            Arc::new(Nowhere),
            interrupted,
        )
    }

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

    /// Creates against answers given one by one; the number of creates and what came of it.
    async fn create(
        answers: &[Option<AwsError>],
        made: bool,
    ) -> (usize, Result<&'static str, Failure>) {
        let mut calls = 0;
        let progress = progress();
        let outcome = create_patiently(
            &progress,
            Wait::new("its turn", Duration::from_mins(2)),
            &[Class::Throttled],
            "creating",
            async || Ok(made.then_some("found")),
            async || {
                calls += 1;
                let answer = answers.get(calls - 1).or(answers.last()).cloned().flatten();
                answer.map_or(Ok("created"), Err)
            },
        )
        .await;
        (calls, outcome)
    }

    #[tokio::test(start_paused = true)]
    async fn it_waits_for_its_turn() {
        let throttled = Some(error(Class::Throttled, true));
        let (calls, outcome) = create(&[throttled.clone(), throttled, None], false).await;
        assert_eq!((calls, outcome.unwrap()), (3, "created"));
    }

    #[tokio::test(start_paused = true)]
    async fn a_lost_answer_or_an_internal_error_makes_no_second_one() {
        for class in [Class::Unreachable, Class::Other] {
            let (calls, outcome) = create(&[Some(error(class, false))], true).await;
            assert_eq!((calls, outcome.unwrap()), (1, "found"));
        }
    }

    #[tokio::test(start_paused = true)]
    async fn what_was_not_made_after_all_is_made_again() {
        let (calls, outcome) = create(&[Some(error(Class::Other, false)), None], false).await;
        assert_eq!((calls, outcome.unwrap()), (2, "created"));
    }

    #[tokio::test(start_paused = true)]
    async fn any_other_refusal_ends_it() {
        let (calls, outcome) = create(&[Some(error(Class::Invalid, true))], false).await;
        assert_eq!((calls, outcome.unwrap_err().left), (1, Left::Nothing));
    }
}
