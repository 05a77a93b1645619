//! Tests of the lease against a scripted DynamoDB.

use place_config::{Names, StackConfig};
use serde_json::{Value, json};

use super::super::fake::Fake;
use super::super::{Aws, Ownership};
use super::*;
use crate::steps::scripted::Script;

const DONE: (u16, &str) = (200, "{}");

const NO_TABLE: (u16, &str) = (
    400,
    r#"{"__type":"com.amazonaws.dynamodb.v20120810#ResourceNotFoundException","message":"none"}"#,
);

const THERE: (u16, &str) = (
    200,
    r#"{"Table":{"TableStatus":"ACTIVE","TableArn":"arn:aws:dynamodb:us-east-1:1:table/t"}}"#,
);

/// The table's tags.
const OURS: (u16, &str) = (200, r#"{"Tags":[{"Key":"place:stack","Value":"place"}]}"#);

async fn acquire(aws: &Aws) -> Result<Option<Lease>, LeaseError> {
    let names = Names::new(&StackConfig::default(), "us-east-1");
    let ownership = Ownership::new("place");
    LeaseTable::new(aws, &names, &ownership, Box::new(|_| ()))
        .acquire_if_there("up", &mut Watch::default())
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
    let (fake, aws) = Fake::connected(&[THERE, OURS, DONE, DONE]).await;
    acquire(&aws)
        .await
        .unwrap()
        .unwrap()
        .release()
        .await
        .unwrap();
    let requests = fake.requests();
    let (taken, released) = (body(&requests[3]), body(&requests[4]));
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
    let (fake, aws) = Fake::connected(&[THERE, OURS, (400, refusal.as_str())]).await;
    let error = acquire(&aws).await.unwrap_err();
    assert!(error.to_string().contains(&holder.who), "{error}");
    assert!(error.to_string().contains("`teardown`"), "{error}");
    assert_eq!(fake.requests().len(), 4, "nobody takes it from the living");
}

#[tokio::test]
async fn it_is_taken_from_the_dead() {
    let holder = dead();
    let refusal = held_by(&holder);
    let (fake, aws) = Fake::connected(&[THERE, OURS, (400, refusal.as_str()), DONE]).await;
    let lease = acquire(&aws).await.unwrap().unwrap();
    assert!(lease.succeeds, "what was seen before may be old");
    let second = body(&fake.requests()[4]);
    assert_eq!(
        second["ExpressionAttributeValues"][":dead"]["S"],
        holder.token
    );
}

/// Its holder was on another machine, whose clock may say anything.
#[tokio::test(start_paused = true)]
async fn it_is_taken_from_whoever_did_not_renew_it_for_its_length() {
    for expires in ["0", "99999999999999"] {
        let mut row = Holder::this_process("up", LENGTH).to_row();
        row.insert(
            "machine".to_owned(),
            AttributeValue::S("another".to_owned()),
        );
        row.insert("expires".to_owned(), AttributeValue::N(expires.to_owned()));
        let refusal = held_by(&Holder::from_row(&row));
        let script = Script::default()
            .always("DescribeTable", THERE.0, THERE.1)
            .always("ListTagsOfResource", OURS.0, OURS.1)
            .answer("PutItem", 400, &refusal)
            .answer("PutItem", 400, &refusal)
            .answer("PutItem", 200, r#"{"Attributes":{"token":{"S":"theirs"}}}"#);
        let stack = script.stack();
        let ownership = Ownership::new("place");
        let table = LeaseTable::new(&stack.aws, &stack.names, &ownership, Box::new(|_| ()));
        let mut watch = Watch::default();
        let held = table.acquire_if_there("up", &mut watch).await;
        assert!(matches!(held, Err(LeaseError::Held(_))));
        tokio::time::advance(LENGTH).await;
        let lease = table.acquire_if_there("up", &mut watch).await.unwrap();
        let lease = lease.unwrap();
        assert_eq!(
            (lease.before.as_deref(), lease.succeeds),
            (Some("theirs"), true)
        );
        let last = script.bodies("PutItem").pop().unwrap();
        let last: Value = serde_json::from_str(&last).unwrap();
        assert_eq!(last["ExpressionAttributeValues"][":seen"]["N"], expires);
    }
}

#[tokio::test]
async fn a_lease_that_is_anothers_by_now_is_left_alone() {
    let refusal = held_by(&Holder::this_process("up", LENGTH));
    let (_fake, aws) = Fake::connected(&[THERE, OURS, DONE, (400, refusal.as_str())]).await;
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

#[tokio::test(start_paused = true)]
async fn nothing_is_written_into_a_foreign_table() {
    let foreign = (200, r#"{"Tags":[{"Key":"place:stack","Value":"another"}]}"#);
    let script = Script::default()
        .answer("DescribeTable", THERE.0, THERE.1)
        .answer("ListTagsOfResource", foreign.0, foreign.1);
    let error = acquire(&script.stack().aws).await.unwrap_err().to_string();
    assert!(error.contains("place-operator-lease"), "{error}");
    assert_eq!(script.asked(), ["DescribeTable", "ListTagsOfResource"]);
}

fn table(status: &str) -> String {
    THERE.1.replace("ACTIVE", status)
}

fn in_use(script: Script) -> Script {
    let code = r#"{"__type":"ResourceInUseException","message":"in use"}"#;
    script.answer("CreateTable", 400, code)
}

async fn create(script: &Script) -> Result<(), Failure> {
    let names = Names::new(&StackConfig::default(), "us-east-1");
    let ownership = Ownership::new("place");
    let stack = script.stack();
    LeaseTable::new(&stack.aws, &names, &ownership, Box::new(|_| ()))
        .create()
        .await
}

#[tokio::test(start_paused = true)]
async fn a_table_that_is_on_its_way_out_is_made_again() {
    let script = in_use(Script::default())
        .answer("DescribeTable", 200, &table("DELETING"))
        .answer("DescribeTable", 200, &table("DELETING"))
        .answer("DescribeTable", NO_TABLE.0, NO_TABLE.1)
        .answer("CreateTable", 200, "{}")
        .answer("DescribeTable", 200, &table("ACTIVE"));
    create(&script).await.unwrap();
    assert_eq!(script.left(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_table_that_another_operator_just_makes_is_waited_for() {
    let script = in_use(Script::default())
        .answer("DescribeTable", 200, &table("CREATING"))
        .answer("DescribeTable", 200, &table("CREATING"))
        .answer("DescribeTable", 200, &table("ACTIVE"));
    create(&script).await.unwrap();
    assert_eq!(script.left(), 0);
}

const NO_TAGS: (u16, &str) = (200, r#"{"Tags":[]}"#);

async fn acquire_from(script: &Script) -> Result<Option<Lease>, LeaseError> {
    acquire(&script.stack().aws).await
}

/// An `up` that was killed right after its first call left it so: without the lease the teardown
/// would leave it behind.
#[tokio::test(start_paused = true)]
async fn a_lease_waits_for_its_table() {
    let script = Script::default()
        .answer("DescribeTable", 200, &table("CREATING"))
        .answer("DescribeTable", 200, &table("CREATING"))
        .answer("DescribeTable", 200, &table("ACTIVE"))
        .always("ListTagsOfResource", OURS.0, OURS.1)
        .answer("PutItem", 200, "{}");
    assert!(acquire_from(&script).await.unwrap().is_some());
    assert_eq!(script.left(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_lease_waits_for_what_says_whose_its_table_is() {
    let script = Script::default()
        .always("DescribeTable", 200, &table("ACTIVE"))
        .answer("ListTagsOfResource", NO_TABLE.0, NO_TABLE.1)
        .answer("ListTagsOfResource", NO_TAGS.0, NO_TAGS.1)
        .answer("ListTagsOfResource", OURS.0, OURS.1)
        .answer("PutItem", 200, "{}");
    assert!(acquire_from(&script).await.unwrap().is_some());
    assert_eq!(script.left(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_table_on_its_way_out_takes_no_lease() {
    let script = Script::default()
        .answer("DescribeTable", 200, &table("DELETING"))
        .always("ListTagsOfResource", OURS.0, OURS.1);
    assert!(acquire_from(&script).await.unwrap().is_none());
    assert_eq!(script.left(), 0);
    assert_eq!(script.times("PutItem"), 0);
}

#[tokio::test(start_paused = true)]
async fn a_table_that_is_just_being_made_is_removed_when_it_is_made() {
    let script = Script::default()
        .answer("DescribeTable", 200, &table("CREATING"))
        .answer("DescribeTable", 200, &table("CREATING"))
        .answer("DescribeTable", 200, &table("ACTIVE"))
        .answer("ListTagsOfResource", NO_TAGS.0, NO_TAGS.1)
        .answer("DescribeTable", 200, &table("ACTIVE"))
        .answer("ListTagsOfResource", OURS.0, OURS.1)
        .answer("DeleteTable", 200, "{}")
        .answer("DescribeTable", NO_TABLE.0, NO_TABLE.1);
    let names = Names::new(&StackConfig::default(), "us-east-1");
    let ownership = Ownership::new("place");
    let stack = script.stack();
    let table = LeaseTable::new(&stack.aws, &names, &ownership, Box::new(|_| ()));
    table.remove().await.unwrap();
    assert_eq!(script.left(), 0);
}

/// Whoever can't renew must have stopped when the lease runs out, not when AWS at last answers.
#[tokio::test(start_paused = true)]
async fn a_renewal_without_an_answer_is_a_loss_when_the_lease_runs_out() {
    let silent = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let config = aws_sdk_dynamodb::Config::builder()
        .behavior_version(aws_sdk_dynamodb::config::BehaviorVersion::latest())
        .region(aws_sdk_dynamodb::config::Region::from_static("us-east-1"))
        .endpoint_url(format!("http://{}", silent.local_addr().unwrap()))
        .credentials_provider(aws_sdk_dynamodb::config::Credentials::new(
            "k", "s", None, None, "test",
        ));
    let client = Client::from_conf(config.build());
    let (loss, listener) = watch::channel(false);
    let began = Instant::now();
    let renewal = renew(client, "table".to_owned(), "mine".to_owned(), began, loss);
    let ended = tokio::time::timeout(LENGTH * 5, renewal).await;
    assert!(ended.is_ok() && *listener.borrow());
    assert!(began.elapsed() <= LENGTH, "{:?}", began.elapsed());
}

/// Who still holds it may change anything after this run has looked around.
#[tokio::test]
async fn only_who_gave_it_back_is_the_last_holder() {
    let row = |more: &str| format!(r#"{{"Item":{{"token":{{"S":"theirs"}}{more}}}}}"#);
    let asked = async |answer: &str| {
        let stack = Script::default().answer("GetItem", 200, answer).stack();
        let ownership = Ownership::new("place");
        let table = LeaseTable::new(&stack.aws, &stack.names, &ownership, Box::new(|_| ()));
        table.last_holder().await
    };
    let released = row(r#","released":{"BOOL":true}"#);
    assert_eq!(asked(&released).await.as_deref(), Some("theirs"));
    assert_eq!(asked(&row("")).await, None);
    assert_eq!(asked("{}").await, None);
}
