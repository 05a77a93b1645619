//! Step 6: the tables.

mod calls;
mod claim;
mod key_schema;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use aws_sdk_dynamodb::types::{BillingMode, TableClass, TableDescription, TableStatus};
use place_canvas::tables::schema::{self, KeyKind};
use place_config::Function;

use self::claim::Found;
use self::key_schema::{schema_of, schema_text};
use super::drift::{self, Drift};
use super::lost::{Creation, Made};
use super::repeat::doing;
use super::{Stack, keys, schedule};
use crate::aws::{Answer, AwsResult};
use crate::engine::outcome::Difference;
use crate::engine::{Failure, Observed, Progress, Resource, ResourceKey, Step, Wait};

/// Attributes as differences name them.
const KEY_SCHEMA: &str = "KeySchema";
const BILLING_MODE: &str = "BillingMode";
const TABLE_CLASS: &str = "TableClass";

/// Longest wait for a table. Changing the class of a big one takes its time.
const PATIENCE: Duration = Duration::from_mins(10);

/// The resources of step 6.
pub(crate) fn resources(stack: &Arc<Stack>) -> Vec<Arc<dyn Resource>> {
    let table = |content| {
        Arc::new(Table {
            stack: Arc::clone(stack),
            content,
        }) as Arc<dyn Resource>
    };
    Content::ALL.map(table).into()
}

/// The key of a table.
pub(crate) const fn key(content: Content) -> ResourceKey {
    ResourceKey::new(match content {
        Content::Current => "table:mru",
        Content::History => "table:history",
        Content::Journal => "table:journal",
    })
}

/// What a table holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Content {
    /// Each pixel's current colour.
    Current,
    /// Every change.
    History,
    /// The journal, and what must outlive the cache.
    Journal,
}

impl Content {
    /// All of them.
    pub(crate) const ALL: [Self; 3] = [Self::Current, Self::History, Self::Journal];
}

/// A table.
#[derive(Debug)]
struct Table {
    stack: Arc<Stack>,
    content: Content,
}

impl Table {
    fn schema(&self) -> Vec<(&'static str, KeyKind)> {
        match self.content {
            Content::Current => schema::mru().into(),
            Content::History => schema::history().into(),
            Content::Journal => schema::journal().into(),
        }
    }

    fn class(&self) -> &'static str {
        let tables = &self.stack.config.tables;
        match self.content {
            Content::Current => tables.mru_class.as_str(),
            Content::History => tables.history_class.as_str(),
            Content::Journal => tables.journal_class.as_str(),
        }
    }

    fn compare(&self, found: &Found) -> Drift {
        let mut drift = Drift::default();
        drift.tags(&self.stack, &self.key(), found.tags());
        let table = &found.description;
        let (has, should) = (schema_of(table), schema_text(&self.schema()));
        if has != should {
            drift.note(Difference::new(KEY_SCHEMA, has, should).needs_replacement());
        }
        let billing = table
            .billing_mode_summary()
            .and_then(|summary| summary.billing_mode());
        let billing = billing.unwrap_or(&BillingMode::Provisioned);
        drift.compare(BILLING_MODE, billing, BillingMode::PayPerRequest);
        self.compare_class(table, &mut drift);
        drift
    }

    /// DynamoDB answers no class for a table that never had another than the standard one. What
    /// stands in for it may answer none at all (moto 5.2), and then there is nothing to compare.
    fn compare_class(&self, table: &TableDescription, drift: &mut Drift) {
        let class = table
            .table_class_summary()
            .and_then(|summary| summary.table_class());
        if class.is_none() && self.stack.config.endpoints.aws.is_some() {
            return;
        }
        drift.compare(
            TABLE_CLASS,
            class.unwrap_or(&TableClass::Standard),
            self.class(),
        );
    }

    /// Creates it and answers true, unless one is there already. A name that is still being freed is
    /// waited for.
    async fn create(&self, progress: &Progress) -> Result<bool, Failure> {
        let what = format!("the name of table `{}` to be free", self.name());
        let wait = Wait::new(what, PATIENCE).usual(0, 30);
        let action = doing("creating", self);
        let creation = Creation::new(&self.stack, progress, &action).waiting(wait);
        let look = async || self.describe().await;
        let made = creation.run_named(look, async || self.try_create().await);
        Ok(matches!(made.await?, Made::Now(())))
    }

    async fn repair(&self, found: &Found, progress: &Progress) -> Result<(), Failure> {
        let dynamodb = &self.stack.aws.dynamodb;
        let drift = self.compare(found);
        if drift.has(drift::TAGS) {
            let tag = dynamodb.tag_resource().resource_arn(found.arn());
            let tag = tag
                .set_tags(Some(self.stack.ownership.list(&self.key())))
                .send()
                .await;
            tag.during("dynamodb:TagResource")
                .or_failure(|| doing("tagging", self))?;
        }
        // DynamoDB takes one kind of change at a time.
        if drift.has(BILLING_MODE) {
            let update = dynamodb.update_table().table_name(self.name());
            let update = update.billing_mode(BillingMode::PayPerRequest).send().await;
            update
                .during("dynamodb:UpdateTable")
                .or_failure(|| doing("updating", self))?;
            self.until_active(progress).await?;
        }
        if drift.has(TABLE_CLASS) {
            let update = dynamodb.update_table().table_name(self.name());
            let update = update
                .table_class(TableClass::from(self.class()))
                .send()
                .await;
            update
                .during("dynamodb:UpdateTable")
                .or_failure(|| doing("updating", self))?;
            self.until_active(progress).await?;
        }
        Ok(())
    }

    /// Replaces a table whose keys are others. Not one with rows in it: nobody has said that what
    /// people painted may go.
    async fn replace(&self, progress: &Progress) -> Result<(), Failure> {
        if !self.stack.options.replace || !self.is_empty().await? {
            return Err(self.other_keys());
        }
        self.delete(progress).await?;
        self.create(progress).await?;
        self.until_active(progress).await
    }

    fn other_keys(&self) -> Failure {
        let wanted = schema_text(&self.schema());
        Failure::new(doing("repairing", self))
            .caused_by(format!(
                "its keys are not `{wanted}`, and DynamoDB can't change keys"
            ))
            .hint(
                "give the stack another table (`[tables]` in place.toml), or export and delete \
                 this one; `--replace` replaces it while it is empty",
            )
    }
}

#[async_trait(?Send)]
impl Resource for Table {
    fn key(&self) -> ResourceKey {
        key(self.content)
    }

    fn step(&self) -> Step {
        Step(6)
    }

    fn kind(&self) -> &'static str {
        "table"
    }

    fn name(&self) -> String {
        match self.content {
            Content::Current => self.stack.names.mru_table(),
            Content::History => self.stack.names.history_table(),
            Content::Journal => self.stack.names.journal_table(),
        }
    }

    fn needs(&self) -> Vec<ResourceKey> {
        Vec::new()
    }

    /// Once nothing writes to it any more.
    fn removed_after(&self) -> Option<Vec<ResourceKey>> {
        Some(vec![schedule::KEY, keys::function(Function::Save)])
    }

    fn holds_data(&self) -> bool {
        true
    }

    async fn observe(&self) -> Result<Observed, Failure> {
        let found = self.look().await.or_failure(|| doing("looking at", self))?;
        let Some(found) = found else {
            return Ok(Observed::Absent);
        };
        let (id, state) = (self.name(), found.state());
        if found.is_untold() {
            // Nobody may touch it before it is known whose it is.
            return Ok(Observed::Changing { id, state });
        }
        if let Some(foreign) = drift::foreign(&self.stack, self.name(), &self.key(), found.tags()) {
            return Ok(foreign);
        }
        Ok(if found.is_active() {
            self.compare(&found).verdict(id)
        } else {
            Observed::Changing { id, state }
        })
    }

    async fn ensure(&self, observed: &Observed, progress: &Progress) -> Result<(), Failure> {
        let mut absent = *observed == Observed::Absent;
        if let Observed::Changing { state, .. } = observed
            && *state == TableStatus::Deleting.as_str()
        {
            self.until_deleted(progress).await?;
            absent = true;
        }
        let made = absent && self.create(progress).await?;
        self.until_active(progress).await?;
        let found = if absent || matches!(observed, Observed::Changing { .. }) {
            self.told(progress).await?
        } else {
            self.look().await.or_failure(|| doing("looking at", self))?
        };
        let found = found.ok_or_else(|| self.vanished())?;
        if !made {
            let what = format!("table `{}`", self.name());
            drift::refuse_foreign(&self.stack, &what, &self.key(), found.tags())?;
        }
        if self.compare(&found).has(KEY_SCHEMA) {
            return self.replace(progress).await;
        }
        self.repair(&found, progress).await
    }

    async fn remove(&self, progress: &Progress) -> Result<(), Failure> {
        let found = self.told(progress).await?;
        let ownership = &self.stack.ownership;
        let ours = |found: &Found| ownership.owns(&self.key(), found.tags());
        if found.as_ref().is_some_and(ours) {
            self.delete(progress).await?;
        }
        Ok(())
    }
}
