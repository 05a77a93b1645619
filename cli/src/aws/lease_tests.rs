//! Tests of the lease against a scripted DynamoDB.

use place_config::{Names, StackConfig};
use serde_json::{Value, json};

use super::super::fake::Fake;
use super::super::{Aws, Ownership};
use super::*;

const DONE: (u16, &str) = (200, "{}");

const NO_TABLE: (u16, &str) = (
    400,
    r#"{"__type":"com.amazonaws.dynamodb.v20120810#ResourceNotFoundException","message":"none"}"#,
);

async fn acquire(aws: &Aws) -> Result<Option<Lease>, LeaseError> {
    let names = Names::new(&StackConfig::default(), "us-east-1");
    let ownership = Ownership::new("place");
    LeaseTable::new(aws, &names, &ownership)
        .acquire_if_there("up")
        .await
}

/// The refusal of a write, because of the row `holder`.
fn held_by(holder: &Holder) -> String {
    let plain = |value: &AttributeValue| match value {
        AttributeValue::N(number) => json!({ "N": number }),
        other => json!({ "S": other.as_s().unwrap() }),
    };
    let row: serde_json::Map<String, Value> = holder
        .to_row()
        .iter()
        .map(|(name, value)| (name.clone(), plain(value)))
        .collect();
    let code = "com.amazonaws.dynamodb.v20120810#ConditionalCheckFailedException";
    json!({ "__type": code, "message": "no", "Item": row }).to_string()
}

fn dead() -> Holder {
    let mut row = Holder::this_process("up", LENGTH).to_row();
    row.insert("started".to_owned(), AttributeValue::N("1".to_owned()));
    Holder::from_row(&row)
}

fn body(request: &str) -> Value {
    serde_json::from_str(request.split_once("\r\n\r\n").unwrap().1).unwrap()
}

#[tokio::test]
async fn it_is_taken_and_given_back_by_token() {
    let (fake, aws) = Fake::connected(&[DONE, DONE]).await;
    acquire(&aws)
        .await
        .unwrap()
        .unwrap()
        .release()
        .await
        .unwrap();
    let requests = fake.requests();
    let (taken, released) = (body(&requests[1]), body(&requests[2]));
    assert_eq!(taken["TableName"], "place-operator-lease");
    assert_eq!(
        released["ExpressionAttributeValues"][":token"],
        taken["Item"]["token"]
    );
}

#[tokio::test]
async fn without_a_table_there_is_nothing_to_guard() {
    let (_fake, aws) = Fake::connected(&[NO_TABLE]).await;
    assert!(acquire(&aws).await.unwrap().is_none());
}

#[tokio::test]
async fn a_living_holder_is_named() {
    let holder = Holder::this_process("teardown", LENGTH);
    let refusal = held_by(&holder);
    let (fake, aws) = Fake::connected(&[(400, refusal.as_str())]).await;
    let error = acquire(&aws).await.unwrap_err();
    assert!(error.to_string().contains(&holder.who), "{error}");
    assert!(error.to_string().contains("`teardown`"), "{error}");
    assert_eq!(fake.requests().len(), 2, "nobody takes it from the living");
}

#[tokio::test]
async fn it_is_taken_from_the_dead() {
    let holder = dead();
    let refusal = held_by(&holder);
    let (fake, aws) = Fake::connected(&[(400, refusal.as_str()), DONE]).await;
    assert!(acquire(&aws).await.unwrap().is_some());
    let second = body(&fake.requests()[2]);
    assert_eq!(
        second["ExpressionAttributeValues"][":dead"]["S"],
        holder.token
    );
}

#[tokio::test]
async fn a_lease_that_is_anothers_by_now_is_left_alone() {
    let refusal = held_by(&Holder::this_process("up", LENGTH));
    let (_fake, aws) = Fake::connected(&[DONE, (400, refusal.as_str())]).await;
    let lease = acquire(&aws).await.unwrap().unwrap();
    assert!(!*lease.lost().borrow());
    lease.release().await.unwrap();
}

#[tokio::test]
async fn a_renewal_that_finds_another_says_that_it_is_lost() {
    let refusal = held_by(&Holder::this_process("up", LENGTH));
    let (_fake, aws) = Fake::connected(&[(400, refusal.as_str())]).await;
    let answer = prolong(&aws.dynamodb, "place-operator-lease", "mine").await;
    assert!(is_another_s(&answer.unwrap_err()));
}
