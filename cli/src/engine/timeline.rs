//! A forecast of `up`: when each resource's turn comes, and which of them the whole time hangs on.

use std::time::Duration;

use serde::{Serialize, Serializer};

use super::graph::NodeId;
use super::outcome::Observed;
use super::resource::{Resource, ResourceKey, Step};
use super::runner::Runner;
use super::survey::{Look, Survey};

/// One resource's part of the time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Span {
    /// Its key.
    pub(crate) key: ResourceKey,
    /// Its step.
    pub(crate) step: Step,
    /// AWS's word for it.
    pub(crate) kind: &'static str,
    /// Its name.
    pub(crate) name: String,
    /// When it begins.
    #[serde(rename = "start_s", serialize_with = "seconds")]
    pub(crate) start: Duration,
    /// How long it takes.
    #[serde(rename = "length_s", serialize_with = "seconds")]
    pub(crate) length: Duration,
    /// The whole time hangs on it.
    pub(crate) critical: bool,
}

impl Span {
    /// When it ends.
    pub(crate) fn end(&self) -> Duration {
        self.start + self.length
    }
}

/// When what is to be done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Timeline {
    /// What is to be done, in the order of the plan.
    pub(crate) spans: Vec<Span>,
    /// How long all of it takes: the length of the critical path.
    #[serde(rename = "total_s", serialize_with = "seconds")]
    pub(crate) total: Duration,
    /// How long it would take one after the other.
    #[serde(rename = "one_by_one_s", serialize_with = "seconds")]
    pub(crate) one_by_one: Duration,
}

impl Runner {
    /// When `up` would do what it has to do after `survey`, if each resource takes as long as
    /// `pace` says.
    pub(crate) fn timeline(
        &self,
        survey: &Survey,
        pace: impl Fn(&dyn Resource) -> Duration,
    ) -> Timeline {
        let lengths: Vec<Option<Duration>> = (0..self.graph.len())
            .map(|node| is_pending(survey.look(node)).then(|| pace(&**self.graph.resource(node))))
            .collect();
        let ends = self.ends(&lengths);
        let critical = self.critical(&lengths, &ends);
        let spans = lengths.iter().enumerate().filter_map(|(node, length)| {
            let (resource, length) = (self.graph.resource(node), (*length)?);
            Some(Span {
                key: self.graph.key(node).clone(),
                step: resource.step(),
                kind: resource.kind(),
                name: resource.name(),
                start: ends[node].saturating_sub(length),
                length,
                critical: critical.contains(&node),
            })
        });
        Timeline {
            spans: spans.collect(),
            total: ends.iter().max().copied().unwrap_or_default(),
            one_by_one: lengths.iter().flatten().sum(),
        }
    }

    /// When each node ends; what is there already ends at once.
    fn ends(&self, lengths: &[Option<Duration>]) -> Vec<Duration> {
        let mut ends = vec![Duration::ZERO; lengths.len()];
        for node in self.graph.up().sorted() {
            let needs = self.graph.up().before(node).iter();
            let start = needs.map(|need| ends[*need]).max().unwrap_or_default();
            ends[node] = start + lengths[node].unwrap_or_default();
        }
        ends
    }

    /// From the node that ends last back through what each waited for.
    fn critical(&self, lengths: &[Option<Duration>], ends: &[Duration]) -> Vec<NodeId> {
        let mut path = Vec::new();
        let mut next = (0..ends.len()).max_by_key(|node| ends[*node]);
        while let Some(node) = next {
            path.push(node);
            let start = ends[node].saturating_sub(lengths[node].unwrap_or_default());
            let needs = self.graph.up().before(node).iter().copied();
            next = needs
                .filter(|need| !start.is_zero() && ends[*need] == start)
                .max();
        }
        path
    }
}

const fn is_pending(look: &Look) -> bool {
    !matches!(look, Look::Seen(Observed::Ready { .. }))
}

fn seconds<S: Serializer>(duration: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_u64(duration.as_secs())
}

#[cfg(test)]
mod tests {
    use super::super::world::{Standing, World, diamond};
    use super::*;

    fn pace(resource: &dyn Resource) -> Duration {
        Duration::from_secs(match resource.name().as_str() {
            "root" => 10,
            "long" => 60,
            "short" => 20,
            _ => 5,
        })
    }

    #[tokio::test(start_paused = true)]
    async fn the_longest_chain_decides() {
        let (world, things) = (World::default(), diamond());
        let runner = world.runner(&things);
        let timeline = runner.timeline(&runner.survey().await, pace);
        let spans = timeline.spans.iter();
        let spans: Vec<_> = spans
            .map(|s| (s.start.as_secs(), s.end().as_secs(), s.critical))
            .collect();
        assert_eq!(
            spans,
            [
                (0, 10, true),
                (10, 70, true),
                (10, 30, false),
                (70, 75, true)
            ]
        );
        assert_eq!(timeline.total, Duration::from_secs(75));
        assert_eq!(timeline.one_by_one, Duration::from_secs(95));
    }

    #[tokio::test(start_paused = true)]
    async fn what_stands_takes_no_time() {
        let (world, things) = (World::default(), diamond());
        world.put("root", Standing::Ready);
        world.put("long", Standing::Ready);
        let runner = world.runner(&things);
        let timeline = runner.timeline(&runner.survey().await, pace);
        assert_eq!(timeline.total, Duration::from_secs(25));
        assert_eq!(timeline.spans.len(), 2);
    }
}
