//! Waits for resources that are changing their state by themselves, and changes nothing.

use std::time::Duration;

use super::outcome::{Failure, Observed};
use super::resource::ResourceKey;
use super::runner::Runner;
use super::survey::{Look, Survey, look_at};
use super::wait::{Poll, Wait};

/// AWS's slowest: a cache that is modified.
const WITHIN: Duration = Duration::from_mins(30);

impl Runner {
    /// `survey` with a new look at each of `keys` that does not stand, once it is at rest. What
    /// could not be looked at is looked at once more.
    pub(crate) async fn at_rest(
        &self,
        survey: &Survey,
        keys: &[ResourceKey],
    ) -> Result<Survey, Failure> {
        let mut survey = survey.clone();
        for (node, (key, resource)) in self.graph.resources().enumerate() {
            if !keys.contains(key) || survey.stands(key) {
                continue;
            }
            let what = format!("{} `{}` to become stable", resource.kind(), resource.name());
            let look = async || {
                Ok(match look_at(&**resource).await {
                    Look::Seen(Observed::Changing { state, .. }) => Poll::Pending(state),
                    look => Poll::Ready(look),
                })
            };
            let wait = Wait::new(what, WITHIN).usual(1, 120);
            survey.replace(node, self.progress(node).until(wait, look).await?);
        }
        Ok(survey)
    }
}

#[cfg(test)]
mod tests {
    use super::super::world::{Moment, Standing, World, thing};
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn what_is_on_its_way_is_waited_for_and_what_failed_is_looked_at_again() {
        let things = [thing("busy"), thing("blind"), thing("other")];
        let world = World::default();
        for key in ["busy", "blind", "other"] {
            world.put(key, Standing::Ready);
        }
        world.keep_busy("busy", 5);
        world.fail("blind", Moment::Observing);
        world.fail("other", Moment::Observing);
        let runner = world.runner(&things);
        let keys = ["busy", "blind"].map(ResourceKey::new);
        let survey = runner.survey().await;
        assert!(keys.iter().all(|key| !survey.stands(key)));
        let survey = runner.at_rest(&survey, &keys).await.unwrap();
        assert!(survey.stands(&keys[0]) && !survey.stands(&keys[1]));
        world.mend();
        let survey = runner.at_rest(&survey, &keys).await.unwrap();
        assert!(survey.stands(&keys[1]) && !survey.stands(&ResourceKey::new("other")));
        assert_eq!(world.log(), Vec::<String>::new());
    }
}
