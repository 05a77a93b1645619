//! Whose a table is: nothing is done to one before that is known.

use aws_sdk_dynamodb::types::{TableDescription, TableStatus, Tag};

use super::super::repeat::doing;
use super::super::telling::Telling;
use super::{PATIENCE, Table};
use crate::aws::AwsResult;
use crate::engine::{Failure, FailureKind, Poll, Progress, Resource, Wait};

/// A table as DynamoDB answers it.
pub(super) struct Found {
    pub(super) description: TableDescription,
    /// None where DynamoDB does not tell: it may not know the ARN of a table that is being made or
    /// deleted.
    tags: Option<Vec<Tag>>,
}

impl Found {
    pub(super) const fn new(description: TableDescription, tags: Option<Vec<Tag>>) -> Self {
        Self { description, tags }
    }

    pub(super) fn arn(&self) -> &str {
        self.description.table_arn().unwrap_or_default()
    }

    /// Its tags, as far as they are told.
    pub(super) fn tags(&self) -> &[Tag] {
        self.tags.as_deref().unwrap_or_default()
    }

    /// Whether it is usable, and takes changes.
    pub(super) fn is_active(&self) -> bool {
        matches!(self.status(), Some(TableStatus::Active) | None)
    }

    /// Whether nobody can know yet whose it is.
    pub(super) fn is_untold(&self) -> bool {
        self.tags.is_none() || (self.tags().is_empty() && !self.is_at_rest())
    }

    /// DynamoDB's word for its state.
    pub(super) fn state(&self) -> String {
        let status = self.status().unwrap_or(&TableStatus::Active);
        status.to_string()
    }

    /// Neither being made nor on its way out.
    fn is_at_rest(&self) -> bool {
        let moving = [TableStatus::Creating, TableStatus::Deleting];
        self.status().is_none_or(|status| !moving.contains(status))
    }

    fn status(&self) -> Option<&TableStatus> {
        self.description.table_status()
    }
}

impl Table {
    /// The table once its tags are told, or it turns out to have none; nothing once it is gone.
    pub(super) async fn told(&self, progress: &Progress) -> Result<Option<Found>, Failure> {
        let what = format!("DynamoDB to tell whose table `{}` is", self.name());
        let mut telling = Telling::default();
        let look = async || {
            let found = self.look().await.or_failure(|| doing("looking at", self))?;
            Ok(match found {
                Some(found) if telling.is_due(!found.tags().is_empty(), found.is_at_rest()) => {
                    Poll::Pending(found.state())
                }
                found => Poll::Ready(found),
            })
        };
        progress
            .until(Wait::new(what, PATIENCE).usual(0, 15), look)
            .await
    }

    pub(super) fn vanished(&self) -> Failure {
        Failure::new(doing("looking at", self))
            .caused_by("it was removed by somebody else meanwhile")
            .hint("run `placectl up` again: it looks first and makes what is missing")
            .kind(FailureKind::Incomplete)
    }
}
