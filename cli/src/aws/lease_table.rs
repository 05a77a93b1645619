//! The table that holds the operator lease: made when it is first needed, tagged like everything
//! else, and the very last thing that goes.

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

/// Looks for tags that DynamoDB does not tell right after the table was made: eventual consistency.
const LOOKS: usize = 8;

/// Pause between two of them, and the wait that is worth a word.
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

    /// Removes the table with whatever it holds, if it is there and the stack's own, and waits
    /// until it is gone.
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

    /// Why no lease can be in it, where that is known before one is taken: it is somebody else's.
    pub(crate) async fn objection(&self) -> Option<Failure> {
        self.is_usable().await.err()
    }

    /// Whether there is a table that the lease can be in. Somebody else's under its name is
    /// refused before anything is written into it.
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

    /// Whose the table is, once it is made: a run that was cut off may have left it on its way, and
    /// until then it can neither be used nor deleted. `None` where there is none, it is on its way
    /// out (it would take a row, and lose it), or DynamoDB does not tell.
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

    /// Creates the table and waits until it can be used.
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
            // Another operator may be creating it at the same moment, or have just removed it.
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

    /// Whose the table is; `None` where it is gone by now. Asked only of a table that was seen: for
    /// one that is not there `AccessDeniedException` may come, as for somebody else's.
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
