//! A queue is made, put right and deleted.

use super::super::drift;
use super::super::lost::{Creation, Made};
use super::super::repeat::doing;
use super::{FifoQueue, Found, PATIENCE};
use crate::aws::{Answer, AwsResult};
use crate::engine::{Failure, Progress, Resource, Wait};

impl FifoQueue {
    /// Creates it and answers its URL, or finds the one that is there already.
    pub(super) async fn create(&self, progress: &Progress) -> Result<Made<String, Found>, Failure> {
        let create = async || {
            let create = self.stack.aws.sqs.create_queue().queue_name(self.name());
            let create = create.set_attributes(Some(self.wanted().to_create()));
            let create = create.set_tags(Some(self.stack.ownership.map(&self.key())));
            let created = create.send().await.during("sqs:CreateQueue");
            let created = created.exists_as_none()?;
            Ok(created.and_then(|created| created.queue_url))
        };
        let what = format!("the name of queue `{}` to be free again", self.name());
        let wait = Wait::new(what, PATIENCE).usual(0, 60);
        let action = doing("creating", self);
        let creation = Creation::new(&self.stack, progress, &action).waiting(wait);
        creation.run_named(async || self.look().await, create).await
    }

    pub(super) async fn delete(&self, url: &str, progress: &Progress) -> Result<(), Failure> {
        let call = self.stack.aws.sqs.delete_queue().queue_url(url);
        let deleted = call.send().await.during("sqs:DeleteQueue");
        let deleted = deleted.absent_as_none();
        deleted.or_failure(|| doing("removing", self))?;
        self.until_gone(progress).await
    }

    pub(super) async fn repair(&self, found: &Found, progress: &Progress) -> Result<(), Failure> {
        let sqs = &self.stack.aws.sqs;
        let drift = self.compare(found);
        if drift.has(drift::TAGS) {
            let tag = sqs.tag_queue().queue_url(&found.url);
            let tag = tag
                .set_tags(Some(self.stack.ownership.map(&self.key())))
                .send()
                .await;
            tag.during("sqs:TagQueue")
                .or_failure(|| doing("tagging", self))?;
        }
        if drift.has_beside(&[drift::TAGS]) {
            let set = sqs.set_queue_attributes().queue_url(&found.url);
            let set = set
                .set_attributes(Some(self.wanted().to_change()))
                .send()
                .await;
            set.during("sqs:SetQueueAttributes")
                .or_failure(|| doing("updating", self))?;
            self.until_shown(&found.url, &drift, progress).await?;
        }
        Ok(())
    }
}
