//! A look at AWS that several resources share, so that each does not make the same call.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::sync::Mutex;
use tokio::time::Instant;

/// How long an answer serves: long enough for the resources of one pass, which ask at the same
/// moment, and too short for a change made elsewhere to matter.
const FRESH: Duration = Duration::from_millis(500);

/// A shared look: callers that come while a call is in flight share its answer.
///
/// Whoever changes what it shows calls [`Lookup::forget`], after which no answer is served whose
/// call began before the change.
#[derive(Debug, Default)]
pub(crate) struct Lookup<T> {
    generation: AtomicU64,
    answer: Mutex<Option<Answer<T>>>,
}

#[derive(Debug)]
struct Answer<T> {
    generation: u64,
    began: Instant,
    value: T,
}

impl<T: Clone> Lookup<T> {
    /// The fresh answer, or the one that `call` gets now.
    pub(crate) async fn get<E>(&self, call: impl AsyncFnOnce() -> Result<T, E>) -> Result<T, E> {
        let mut answer = self.answer.lock().await;
        let generation = self.generation.load(Ordering::SeqCst);
        if let Some(answer) = &*answer
            && answer.generation == generation
            && answer.began.elapsed() < FRESH
        {
            return Ok(answer.value.clone());
        }
        let began = Instant::now();
        let value = call().await?;
        *answer = Some(Answer {
            generation,
            began,
            value: value.clone(),
        });
        Ok(value)
    }

    /// The last answer is stale: something it shows was changed.
    pub(crate) fn forget(&self) {
        self.generation.fetch_add(1, Ordering::SeqCst);
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;
    use std::sync::atomic::AtomicU32;

    use super::*;

    async fn ask(lookup: &Lookup<u32>, calls: &AtomicU32) -> u32 {
        let call = async || Ok::<_, Infallible>(calls.fetch_add(1, Ordering::SeqCst) + 1);
        lookup.get(call).await.unwrap()
    }

    #[tokio::test(start_paused = true)]
    async fn one_call_serves_all_until_it_is_old_or_forgotten() {
        let (lookup, calls) = (Lookup::default(), AtomicU32::new(0));
        assert_eq!(ask(&lookup, &calls).await, 1);
        assert_eq!(ask(&lookup, &calls).await, 1);
        lookup.forget();
        assert_eq!(ask(&lookup, &calls).await, 2);
        tokio::time::advance(FRESH).await;
        assert_eq!(ask(&lookup, &calls).await, 3);
    }

    #[tokio::test(start_paused = true)]
    async fn an_answer_that_was_on_its_way_during_a_change_is_not_served_again() {
        let lookup: Lookup<u32> = Lookup::default();
        let overtaken = lookup
            .get(async || {
                lookup.forget();
                Ok::<_, Infallible>(1)
            })
            .await;
        assert_eq!(overtaken.unwrap(), 1);
        assert_eq!(ask(&lookup, &AtomicU32::new(41)).await, 42);
    }
}
