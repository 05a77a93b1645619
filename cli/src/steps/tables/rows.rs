//! What the tables hold, which is the canvas's business: here it gets the names, and what DynamoDB
//! refuses becomes a failure that tells the operator what helps.

use std::error::Error;

use aws_sdk_dynamodb::error::ProvideErrorMetadata;
use aws_sdk_dynamodb::operation::describe_table::DescribeTableError;
use aws_sdk_dynamodb::operation::get_item::GetItemError;
use aws_sdk_dynamodb::operation::scan::ScanError;
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use place_canvas::tables::{Tables, TablesError};

use crate::aws::{AwsError, Class};
use crate::engine::Failure;
use crate::steps::Stack;

/// What DynamoDB said, whatever the type of the call's error.
type Said = Box<dyn Error + Send + Sync>;

/// The rows of a stack's tables.
pub(crate) fn rows(stack: &Stack) -> Tables {
    let names = &stack.names;
    let client = stack.aws.dynamodb.clone();
    Tables::new(client, names.mru_table(), names.history_table())
        .with_journal(names.journal_table())
}

/// Why rows could not be read.
pub(crate) fn failure(error: TablesError) -> Failure {
    let TablesError::Call {
        doing,
        table,
        source,
    } = error
    else {
        return Failure::new("reading the tables").caused_by(error);
    };
    let action = format!("{doing} table `{table}`");
    let said = of::<ScanError>("dynamodb:Scan", source)
        .or_else(|source| of::<GetItemError>("dynamodb:GetItem", source))
        .or_else(|source| of::<DescribeTableError>("dynamodb:DescribeTable", source));
    match said {
        Ok(said) => said.failure(action),
        Err(source) => Failure::new(action).caused_by(source),
    }
}

/// Whether the table of current colours holds all that was saved. One that was made anew, by
/// whomever, holds what was saved since.
pub(crate) async fn are_whole(stack: &Stack) -> Result<bool, Failure> {
    let rows = rows(stack);
    let (table, state) = tokio::join!(rows.table_id(), rows.state());
    let (table, state) = (unless_absent(table)?, unless_absent(state)?);
    Ok(match (table, state.flatten()) {
        // DynamoDB tells no id: nothing speaks against it.
        (Some(None), _) => true,
        (Some(Some(table)), Some(state)) => state.lacks(&table).is_none(),
        _ => false,
    })
}

/// `None` where the table is not there.
fn unless_absent<T>(answer: Result<T, TablesError>) -> Result<Option<T>, Failure> {
    match answer.map_err(failure) {
        Ok(value) => Ok(Some(value)),
        Err(failure) => {
            let cause = failure.cause.as_ref();
            let said = cause.and_then(|cause| cause.downcast_ref::<AwsError>());
            let is_absent = said.is_some_and(|said| said.class == Class::Absent);
            is_absent.then_some(None).ok_or(failure)
        }
    }
}

/// The error of `operation`, if that is what was called.
fn of<E>(operation: &'static str, source: Said) -> Result<AwsError, Said>
where
    E: ProvideErrorMetadata + Error + Send + Sync + 'static,
{
    let said = source.downcast::<SdkError<E, HttpResponse>>()?;
    Ok(AwsError::of(operation, &said))
}
