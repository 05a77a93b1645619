//! The calls to DynamoDB about a table, and the waits for what comes of them.

use aws_sdk_dynamodb::types::{BillingMode, Select, TableClass, TableDescription, TableStatus};

use super::super::repeat::{doing, while_answer_is};
use super::key_schema::key_attribute;
use super::{Found, PATIENCE, Table};
use crate::aws::{Answer, AwsError, AwsResult, Class};
use crate::engine::{Failure, Poll, Progress, Resource, Wait};

impl Table {
    pub(super) async fn describe(&self) -> Result<Option<TableDescription>, AwsError> {
        let answer = self
            .stack
            .aws
            .dynamodb
            .describe_table()
            .table_name(self.name())
            .send()
            .await;
        let answer = answer.during("dynamodb:DescribeTable").absent_as_none()?;
        Ok(answer.and_then(|answer| answer.table))
    }

    pub(super) async fn look(&self) -> Result<Option<Found>, AwsError> {
        let Some(description) = self.describe().await? else {
            return Ok(None);
        };
        let list = self.stack.aws.dynamodb.list_tags_of_resource();
        let list = list.resource_arn(description.table_arn().unwrap_or_default());
        let tags = list
            .send()
            .await
            .during("dynamodb:ListTagsOfResource")
            .absent_as_none()?;
        let tags = tags.map(|answer| answer.tags.unwrap_or_default());
        Ok(Some(Found::new(description, tags)))
    }

    pub(super) async fn try_create(&self) -> Result<Option<()>, AwsError> {
        let mut request = self.stack.aws.dynamodb.create_table();
        request = request.table_name(self.name());
        for (attribute, kind) in self.schema() {
            let (definition, element) = key_attribute(attribute, kind);
            request = request
                .attribute_definitions(definition)
                .key_schema(element);
        }
        let request = request
            .billing_mode(BillingMode::PayPerRequest)
            .table_class(TableClass::from(self.class()))
            .set_tags(Some(self.stack.ownership.list(&self.key())));
        let created = request
            .send()
            .await
            .during("dynamodb:CreateTable")
            .exists_as_none()?;
        Ok(created.map(drop))
    }

    pub(super) async fn until_active(&self, progress: &Progress) -> Result<(), Failure> {
        let wait = Wait::new(format!("table `{}` to be active", self.name()), PATIENCE);
        progress
            .until(wait.usual(0, 15), async || {
                let table = self
                    .describe()
                    .await
                    .or_failure(|| doing("looking at", self))?;
                let status = table.as_ref().and_then(TableDescription::table_status);
                Ok(match status {
                    Some(TableStatus::Active) => Poll::Ready(()),
                    Some(status) => Poll::Pending(status.to_string()),
                    None => Poll::Pending("not seen yet".to_owned()),
                })
            })
            .await
    }

    pub(super) async fn is_empty(&self) -> Result<bool, Failure> {
        let scan = self.stack.aws.dynamodb.scan().table_name(self.name());
        let scan = scan.limit(1).select(Select::Count).send().await;
        let scanned = scan
            .during("dynamodb:Scan")
            .or_failure(|| doing("looking into", self))?;
        Ok(scanned.count == 0)
    }

    pub(super) async fn delete(&self, progress: &Progress) -> Result<(), Failure> {
        let delete = async || {
            let delete = self
                .stack
                .aws
                .dynamodb
                .delete_table()
                .table_name(self.name())
                .send()
                .await;
            delete.during("dynamodb:DeleteTable").absent_as_none()
        };
        let wait = Wait::new(format!("table `{}` to take calls", self.name()), PATIENCE);
        let action = doing("removing", self);
        while_answer_is(
            progress,
            wait.usual(0, 15),
            &[Class::Conflict],
            &action,
            delete,
        )
        .await?;
        self.until_deleted(progress).await
    }

    /// Waits until a table on its way out is gone.
    pub(super) async fn until_deleted(&self, progress: &Progress) -> Result<(), Failure> {
        let wait = Wait::new(format!("table `{}` to be deleted", self.name()), PATIENCE);
        progress
            .until(wait.usual(0, 30), async || {
                let table = self
                    .describe()
                    .await
                    .or_failure(|| doing("removing", self))?;
                Ok(match table.and_then(|table| table.table_status) {
                    None => Poll::Ready(()),
                    Some(status) => Poll::Pending(status.to_string()),
                })
            })
            .await
    }
}
