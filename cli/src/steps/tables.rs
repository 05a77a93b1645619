//! Step 6: the tables.

mod key_schema;
mod rows;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use aws_sdk_dynamodb::types::{
    BillingMode, Select, TableClass, TableDescription, TableStatus, Tag,
};
use place_canvas::tables::schema::{self, KeyKind};
use place_config::Function;

pub(crate) use self::rows::{are_whole, failure, rows};

use self::key_schema::{key_attribute, schema_of, schema_text};
use super::drift::Drift;
use super::lifecycle::{self, Card, Kind, Reading, State, Trouble, Whose, tag_map};
use super::{Stack, keys};
use crate::aws::{Answer, AwsError, AwsResult};
use crate::engine::outcome::Difference;
use crate::engine::{Failure, Resource, ResourceKey};

/// Attributes as differences name them.
const BILLING_MODE: &str = "BillingMode";
const TABLE_CLASS: &str = "TableClass";

/// Longest wait for a table. Changing the class of a big one takes its time.
const PATIENCE: Duration = Duration::from_mins(10);

/// The resources of step 6.
pub(crate) fn resources(stack: &Arc<Stack>) -> Vec<Arc<dyn Resource>> {
    let table = |content| lifecycle::resource(stack, Table(content));
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
struct Table(Content);

/// A table as DynamoDB answers it.
struct Found {
    description: TableDescription,
    /// None where DynamoDB does not tell: it may not know the ARN of a table that is being made or
    /// deleted.
    tags: Option<Vec<Tag>>,
}

impl Found {
    fn arn(&self) -> &str {
        self.description.table_arn().unwrap_or_default()
    }
}

impl Table {
    fn name(&self, stack: &Stack) -> String {
        match self.0 {
            Content::Current => stack.names.mru_table(),
            Content::History => stack.names.history_table(),
            Content::Journal => stack.names.journal_table(),
        }
    }

    fn schema(&self) -> Vec<(&'static str, KeyKind)> {
        match self.0 {
            Content::Current => schema::mru().into(),
            Content::History => schema::history().into(),
            Content::Journal => schema::journal().into(),
        }
    }

    fn class(&self, stack: &Stack) -> TableClass {
        let tables = &stack.config.tables;
        TableClass::from(match self.0 {
            Content::Current => tables.mru_class.as_str(),
            Content::History => tables.history_class.as_str(),
            Content::Journal => tables.journal_class.as_str(),
        })
    }

    /// DynamoDB answers no class for a table that never had another than the standard one. What
    /// stands in for it may answer none at all (moto 5.2), and then there is nothing to compare.
    fn compare_class(&self, stack: &Stack, table: &TableDescription, drift: &mut Drift) {
        let class = table.table_class_summary().and_then(|of| of.table_class());
        if class.is_none() && stack.config.endpoints.aws.is_some() {
            return;
        }
        let class = class.unwrap_or(&TableClass::Standard);
        drift.compare(TABLE_CLASS, class, self.class(stack));
    }

    async fn is_empty(&self, stack: &Stack) -> Result<bool, AwsError> {
        let scan = stack.aws.dynamodb.scan().table_name(self.name(stack));
        let scan = scan.limit(1).select(Select::Count).send().await;
        Ok(scan.during("dynamodb:Scan")?.count == 0)
    }
}

#[async_trait(?Send)]
impl Kind for Table {
    type Found = Found;

    fn card(&self, stack: &Stack) -> Card {
        let card = Card::new(6, key(self.0), "table", self.name(stack)).holds_data();
        let card = card.patience(PATIENCE).takes(0, 30).makes(5, 15);
        let card = card.seen_off(0, 30).shows_within(PATIENCE);
        // Once nothing writes to it any more.
        card.removed_after([keys::SCHEDULE, keys::function(Function::Save)])
    }

    async fn find(&self, stack: &Stack) -> Result<Vec<Found>, Trouble> {
        let dynamodb = &stack.aws.dynamodb;
        let look = dynamodb.describe_table().table_name(self.name(stack));
        let answer = look.send().await.during("dynamodb:DescribeTable");
        let answer = answer.absent_as_none()?;
        let Some(description) = answer.and_then(|answer| answer.table) else {
            return Ok(Vec::new());
        };
        let list = dynamodb.list_tags_of_resource();
        let list = list.resource_arn(description.table_arn().unwrap_or_default());
        let tags = list.send().await.during("dynamodb:ListTagsOfResource");
        let tags = tags.absent_as_none()?;
        let tags = tags.map(|answer| answer.tags.unwrap_or_default());
        Ok(vec![Found { description, tags }])
    }

    fn read(&self, stack: &Stack, found: &Found) -> Reading {
        let whose = found.tags.as_deref().map(tag_map).map(Whose::Tagged);
        let reading = Reading::new(self.name(stack), whose.unwrap_or(Whose::Untold));
        match found.description.table_status() {
            None | Some(TableStatus::Active) => reading,
            Some(TableStatus::Deleting) => reading.state(State::Leaving("DELETING".to_owned())),
            Some(status) => reading.state(State::Changing(status.to_string())),
        }
    }

    fn compare(&self, stack: &Stack, found: &Found, drift: &mut Drift) {
        let table = &found.description;
        let (has, should) = (schema_of(table), schema_text(&self.schema()));
        if has != should {
            drift.note(Difference::new("KeySchema", has, should).needs_replacement());
        }
        let billing = table
            .billing_mode_summary()
            .and_then(|of| of.billing_mode());
        let billing = billing.unwrap_or(&BillingMode::Provisioned);
        drift.compare(BILLING_MODE, billing, BillingMode::PayPerRequest);
        self.compare_class(stack, table, drift);
    }

    async fn create(&self, stack: &Stack) -> Result<Found, Trouble> {
        let tags = stack.ownership.list(&key(self.0));
        let mut create = stack
            .aws
            .dynamodb
            .create_table()
            .table_name(self.name(stack));
        for (attribute, kind) in self.schema() {
            let (definition, element) = key_attribute(attribute, kind);
            create = create.attribute_definitions(definition).key_schema(element);
        }
        let create = create.billing_mode(BillingMode::PayPerRequest);
        let create = create.table_class(self.class(stack));
        let created = create.set_tags(Some(tags.clone())).send().await;
        let created = created.during("dynamodb:CreateTable")?.table_description;
        // What it is like is seen once it is active.
        let made = TableDescription::builder().table_status(TableStatus::Creating);
        Ok(Found {
            description: created.unwrap_or_else(|| made.build()),
            tags: Some(tags),
        })
    }

    async fn tag(&self, stack: &Stack, found: &Found) -> Result<(), Trouble> {
        let tag = stack.aws.dynamodb.tag_resource().resource_arn(found.arn());
        let tagged = tag
            .set_tags(Some(stack.ownership.list(&key(self.0))))
            .send();
        Ok(tagged.await.during("dynamodb:TagResource").map(drop)?)
    }

    /// DynamoDB takes one kind of change at a time.
    async fn mend(&self, stack: &Stack, _: &Found, drift: &Drift) -> Result<(), Trouble> {
        let update = stack
            .aws
            .dynamodb
            .update_table()
            .table_name(self.name(stack));
        let update = if drift.has(BILLING_MODE) {
            update.billing_mode(BillingMode::PayPerRequest)
        } else {
            update.table_class(self.class(stack))
        };
        Ok(update
            .send()
            .await
            .during("dynamodb:UpdateTable")
            .map(drop)?)
    }

    /// Refuses to replace a table with rows: `--replace` is no consent to delete saved pixels.
    async fn spare(&self, stack: &Stack, _: &Found) -> Result<(), Trouble> {
        if self.is_empty(stack).await? {
            return Ok(());
        }
        let (name, wanted) = (self.name(stack), schema_text(&self.schema()));
        Err(Failure::new(format!("repairing table `{name}`"))
            .caused_by(format!(
                "the key schema is not `{wanted}`, and DynamoDB can't change a key schema"
            ))
            .hint(
                "set another name under `[tables]` in place.toml, or export and delete this table; \
                 `--replace` replaces only an empty table",
            )
            .into())
    }

    async fn delete(&self, stack: &Stack, _: &Found) -> Result<(), Trouble> {
        let delete = stack.aws.dynamodb.delete_table();
        let deleted = delete.table_name(self.name(stack)).send().await;
        Ok(deleted.during("dynamodb:DeleteTable").map(drop)?)
    }
}
