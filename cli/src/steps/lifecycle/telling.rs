//! Tags that AWS does not tell yet: of a thing that is being made, was made a moment ago, or is on
//! its way out. Until they are told nobody knows whose it is, and no tags do not mean no owner.

use std::time::Duration;

use tokio::time::Instant;

/// How long a thing at rest may hide the tags that it was made with (eventual consistency).
const TOLD_WITHIN: Duration = Duration::from_secs(8);

/// Asks for the tags of one thing, again and again.
#[derive(Debug, Default)]
pub(crate) struct Telling {
    at_rest_since: Option<Instant>,
}

impl Telling {
    /// Whether it is to be asked once more, of a thing that shows tags or not, and is at rest or on
    /// its way to another state.
    pub(crate) fn is_due(&mut self, tagged: bool, at_rest: bool) -> bool {
        if tagged || !at_rest {
            return !tagged;
        }
        let since = self.at_rest_since.get_or_insert_with(Instant::now);
        since.elapsed() < TOLD_WITHIN
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn tags_are_asked_for_as_long_as_they_may_be_hidden() {
        let mut telling = Telling::default();
        assert!(!telling.is_due(true, false));
        assert!(telling.is_due(false, false));
        tokio::time::advance(TOLD_WITHIN * 100).await;
        assert!(
            telling.is_due(false, false),
            "it may take minutes to settle"
        );
        assert!(telling.is_due(false, true));
        tokio::time::advance(TOLD_WITHIN).await;
        assert!(!telling.is_due(false, true), "it has none");
    }
}
