//! The table that holds the operator lease: created when the lease is first needed, tagged like
//! every resource, and removed last.

use std::time::Duration;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::{
    AttributeDefinition, BillingMode, KeySchemaElement, KeyType, ScalarAttributeType,
    TableDescription, TableStatus,
};
use place_config::Names;
use tokio::time::Instant;

use super::classify::{Answer, AwsError, AwsResult};
use super::sdk::Aws;
use super::tags::{Owner, Ownership};
use crate::engine::{Failure, FailureKind, Left, ResourceKey};

/// Name of the partition key.
pub(super) const KEY: &str = "lease";

/// Value of the key in the only row.
pub(super) const ROW: &str = "operator";

/// The table's key in the tag `place:resource`.
const RESOURCE: ResourceKey = ResourceKey::new("operator-lease");

/// DynamoDB takes some seconds to create or delete a table.
const WITHIN: Duration = Duration::from_mins(2);

/// The table of one stack.
pub(crate) struct LeaseTable<'a> {
    aws: &'a Aws,
    ownership: &'a Ownership,
    name: String,
    tell: Tell,
}

/// How the operator learns what a wait is for.
pub(crate) type Tell = Box<dyn Fn(&str) + Send + Sync>;

/// Looks for the tags of a new table: `ListTagsOfResource` is eventually consistent.
const LOOKS: usize = 8;

/// Pause between two looks, and the wait after which the operator is told.
const PAUSE: Duration = Duration::from_secs(1);

impl<'a> LeaseTable<'a> {
    /// The table of the stack with these names.
    pub(crate) fn new(aws: &'a Aws, names: &Names, ownership: &'a Ownership, tell: Tell) -> Self {
        Self {
            aws,
            ownership,
            tell,
            name: names.lease_table(),
        }
    }

    /// Removes the table with all rows, if the table exists and is the stack's own, and waits until
    /// the table is deleted.
    pub(crate) async fn remove(&self) -> Result<(), Failure> {
        let action = || format!("removing table `{}`", self.name);
        match self.whose(&action).await? {
            Some(Owner::Us) => {
                let call = self.client().delete_table().table_name(&self.name);
                let answer = call.send().await.during("dynamodb:DeleteTable");
                answer.absent_as_none().or_failure(action)?;
            }
            Some(_) => return Ok(()),
            None => {}
        }
        self.until("deleted", Option::is_none, action)
            .await
            .map(drop)
    }

    /// Why the table can't hold a lease, known before a lease is taken: the table has another
    /// owner.
    pub(crate) async fn objection(&self) -> Option<Failure> {
        self.is_usable().await.err()
    }

    /// Whether the stack's own table exists. A table of another owner under the same name is
    /// refused before anything is written.
    pub(super) async fn is_usable(&self) -> Result<bool, Failure> {
        let action = || format!("taking the operator lease in table `{}`", self.name);
        match self.whose(action).await? {
            None => Ok(false),
            Some(Owner::Us) => Ok(true),
            Some(other) => Err(Failure::new(action())
                .caused_by(format!("the table is {}", other.describe()))
                .hint("give the stack another name (`--stack`)")),
        }
    }

    /// The owner of the table, after a wait while the table is `CREATING`: DynamoDB refuses use and
    /// deletion of such a table, and an interrupted run may leave one. `None` where there is no
    /// table, where the table is `DELETING` (a new row would be lost), or where DynamoDB returns no
    /// tags.
    async fn whose(&self, action: impl Fn() -> String) -> Result<Option<Owner>, Failure> {
        let mut owner = None;
        for look in 1..=LOOKS {
            let made = |table: &Option<TableDescription>| {
                status(table.as_ref()) != Some(&TableStatus::Creating)
            };
            let table = self.until("created", made, &action).await?;
            let deleting = status(table.as_ref()) == Some(&TableStatus::Deleting);
            let Some(table) = table.filter(|_| !deleting) else {
                return Ok(None);
            };
            owner = self.owner(&table).await.or_failure(&action)?;
            if !matches!(owner, None | Some(Owner::Nobody)) {
                break;
            }
            if look < LOOKS {
                tokio::time::sleep(PAUSE).await;
            }
        }
        Ok(owner)
    }

    pub(super) const fn client(&self) -> &Client {
        &self.aws.dynamodb
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// Creates the table and waits until the table is `ACTIVE`.
    pub(super) async fn create(&self) -> Result<(), Failure> {
        let action = || format!("creating table `{}`", self.name);
        let attribute = AttributeDefinition::builder().attribute_name(KEY);
        let attribute = attribute.attribute_type(ScalarAttributeType::S).build();
        let key = KeySchemaElement::builder()
            .attribute_name(KEY)
            .key_type(KeyType::Hash)
            .build();
        let call = self.client().create_table().table_name(&self.name);
        let call = call.attribute_definitions(attribute.expect("name and type are set"));
        let call = call.key_schema(key.expect("name and type are set"));
        let call = call.billing_mode(BillingMode::PayPerRequest);
        let call = call.set_tags(Some(self.ownership.list(&RESOURCE)));
        let began = Instant::now();
        while let Err(error) = call.clone().send().await.during("dynamodb:CreateTable") {
            if !error.is("ResourceInUseException") || began.elapsed() > WITHIN {
                return Err(error.failure(action()));
            }
            // Another operator may be creating the table at the same moment, or have just removed
            // the table.
            let found = self.find().await.or_failure(action)?;
            if status(found.as_ref()) != Some(&TableStatus::Deleting) {
                break;
            }
            self.until("deleted", Option::is_none, action).await?;
        }
        let active =
            |table: &Option<TableDescription>| status(table.as_ref()) == Some(&TableStatus::Active);
        self.until("active", active, action).await.map(drop)
    }

    async fn find(&self) -> Result<Option<TableDescription>, AwsError> {
        let call = self.client().describe_table().table_name(&self.name);
        let answer = call
            .send()
            .await
            .during("dynamodb:DescribeTable")
            .absent_as_none()?;
        Ok(answer.and_then(|answer| answer.table))
    }

    /// The owner of the table; `None` where the table was deleted meanwhile. Asked only of a table
    /// that was seen: DynamoDB may answer `AccessDeniedException` for a missing table, too.
    async fn owner(&self, table: &TableDescription) -> Result<Option<Owner>, AwsError> {
        let arn = table.table_arn().unwrap_or_default();
        let call = self.client().list_tags_of_resource().resource_arn(arn);
        let answer = call
            .send()
            .await
            .during("dynamodb:ListTagsOfResource")
            .absent_as_none()?;
        Ok(answer.map(|answer| self.ownership.owner(&RESOURCE, answer.tags())))
    }

    /// The table in the state that `reached` knows.
    async fn until(
        &self,
        state: &str,
        reached: impl Fn(&Option<TableDescription>) -> bool,
        action: impl Fn() -> String,
    ) -> Result<Option<TableDescription>, Failure> {
        let began = Instant::now();
        let mut pause = Duration::from_millis(50);
        let mut told = false;
        loop {
            let found = self.find().await.or_failure(&action)?;
            if reached(&found) {
                return Ok(found);
            }
            if began.elapsed() > WITHIN {
                return Err(Failure::new(action())
                    .caused_by(format!(
                        "the table is not {state} after {} s",
                        began.elapsed().as_secs()
                    ))
                    .hint("run the same command again")
                    .left(Left::Ours)
                    .kind(FailureKind::Incomplete));
            }
            if began.elapsed() > PAUSE && !told {
                let name = &self.name;
                (self.tell)(&format!(
                    "waiting for table `{name}` to be {state} (usually 5 to 30 s)"
                ));
                told = true;
            }
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(Duration::from_secs(2));
        }
    }
}

fn status(table: Option<&TableDescription>) -> Option<&TableStatus> {
    table?.table_status()
}
