//! How far a stack came: whether it was whole, so that people may have painted on it, and how far a
//! teardown came with the last save and picture. A row beside the operator lease, which goes with
//! its table.
//!
//! The API and the schedule go before the picture is kept, and somebody else may remove anything.
//! From then on nothing else tells a stack that people painted on from one that was never whole.

use aws_sdk_dynamodb::types::AttributeValue;

use super::classify::{Answer, AwsResult};
use super::lease_table::{KEY, LeaseTable};
use crate::engine::Failure;

/// Value of the key in the row.
const ROW: &str = "farewell";

/// Attribute that says how far.
const STATE: &str = "state";

/// Its value where an `up` came to its end.
const WHOLE: &str = "whole";

/// Its value where a teardown has begun and the picture is still to be kept.
const BEGUN: &str = "begun";

/// Its value where it is kept.
const KEPT: &str = "kept";

/// How far a stack came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FarewellMark {
    /// People may have painted on it since.
    Whole,
    /// The stack was about to be closed, and what was painted may not be kept yet.
    Begun,
    /// Everything is saved, and the picture is a file.
    Kept,
}

impl LeaseTable<'_> {
    /// What the last `up` that came to its end said, or a teardown that was cut off since.
    pub(crate) async fn farewell(&self) -> Result<Option<FarewellMark>, Failure> {
        let call = self.client().get_item().table_name(self.name());
        let call = call.key(KEY, AttributeValue::S(ROW.to_owned()));
        let answer = call.consistent_read(true).send().await;
        let answer = answer.during("dynamodb:GetItem").absent_as_none();
        let table = self.name();
        let answer = answer
            .or_failure(|| format!("reading the state of the last picture from table `{table}`"))?;
        let Some(row) = answer.and_then(|answer| answer.item) else {
            return Ok(None);
        };
        let state = row.get(STATE).and_then(|state| state.as_s().ok());
        Ok(Some(match state.map(String::as_str) {
            Some(KEPT) => FarewellMark::Kept,
            Some(WHOLE) => FarewellMark::Whole,
            _ => FarewellMark::Begun,
        }))
    }

    /// Says to later teardowns how far the stack came. Without a table there is nowhere to say it.
    pub(crate) async fn mark_farewell(&self, mark: FarewellMark) -> Result<(), Failure> {
        let state = match mark {
            FarewellMark::Whole => WHOLE,
            FarewellMark::Begun => BEGUN,
            FarewellMark::Kept => KEPT,
        };
        let call = self.client().put_item().table_name(self.name());
        let call = call.item(KEY, AttributeValue::S(ROW.to_owned()));
        let call = call.item(STATE, AttributeValue::S(state.to_owned()));
        let answer = call.send().await.during("dynamodb:PutItem");
        let answer = answer.absent_as_none();
        let table = self.name();
        answer
            .or_failure(|| format!("writing the state of the stack to table `{table}`: {state}"))
            .map(drop)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::steps::scripted::Script;

    async fn read(answer: &str) -> Option<FarewellMark> {
        let stack = Script::default().answer("GetItem", 200, answer).stack();
        let tell = Box::new(|_: &str| ());
        let table = LeaseTable::new(&stack.aws, &stack.names, &stack.ownership, tell);
        table.farewell().await.unwrap()
    }

    #[tokio::test]
    async fn what_an_earlier_teardown_said_is_read() {
        assert_eq!(read("{}").await, None);
        let begun = r#"{"Item":{"lease":{"S":"farewell"},"state":{"S":"begun"}}}"#;
        assert_eq!(read(begun).await, Some(FarewellMark::Begun));
        let kept = r#"{"Item":{"lease":{"S":"farewell"},"state":{"S":"kept"}}}"#;
        assert_eq!(read(kept).await, Some(FarewellMark::Kept));
        let whole = r#"{"Item":{"lease":{"S":"farewell"},"state":{"S":"whole"}}}"#;
        assert_eq!(read(whole).await, Some(FarewellMark::Whole));
    }
}
