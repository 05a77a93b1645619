//! Stubs of SQS and DynamoDB behind one address, as `AWS_ENDPOINT_URL` has it.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};

use serde_json::{Value, json};

use super::http::{Reply, Request, Server, Service};

/// Rows that DynamoDB takes in one call.
const MAX_BATCH: usize = 25;

/// A message that was sent to a queue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// The queue's name.
    pub queue: String,
    /// Message group.
    pub group: String,
    /// Deduplication id.
    pub deduplication: String,
    /// What was sent.
    pub body: String,
}

/// A delivered message that shall come again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Again {
    /// Names its delivery.
    pub handle: String,
    /// After so many seconds.
    pub seconds: u64,
}

/// The rows of a table by partition key and sort key (empty in the table of current colours).
pub type Rows = BTreeMap<(String, String), Value>;

#[derive(Debug, Default)]
struct State {
    messages: Mutex<Vec<Message>>,
    again: Mutex<Vec<Again>>,
    /// Bodies of the writes as they came: they are read when somebody asks for rows, so that a
    /// measured save does not wait for it.
    writes: Mutex<Vec<Vec<u8>>>,
    /// What the writes that were read come to.
    tables: Mutex<HashMap<String, Table>>,
    calls: AtomicU64,
    reads: AtomicU64,
    /// Every write of this number leaves rows undone; 0 for none.
    leaving: AtomicU64,
    left: AtomicU64,
}

#[derive(Debug, Default)]
struct Table {
    rows: Rows,
    /// Rows that were written, each as often as it was.
    written: u64,
}

/// The running stub.
#[derive(Debug)]
pub struct AwsStub {
    server: Server,
    state: Arc<State>,
}

impl AwsStub {
    /// Empty queues and tables.
    pub fn start() -> Self {
        let state = Arc::<State>::default();
        Self {
            server: Server::start(Arc::clone(&state)),
            state,
        }
    }

    /// The value of `AWS_ENDPOINT_URL`.
    pub fn endpoint(&self) -> String {
        format!("http://127.0.0.1:{}", self.server.port())
    }

    /// The address of a queue.
    pub fn queue_url(&self, name: &str) -> String {
        format!("{}/000000000000/{name}", self.endpoint())
    }

    /// The messages that were sent to a queue so far.
    pub fn messages(&self, queue: &str) -> Vec<Message> {
        let messages = self.state.messages();
        messages
            .iter()
            .filter(|message| message.queue == queue)
            .cloned()
            .collect()
    }

    /// The delivered messages that shall come again before their queue's time-out.
    pub fn again(&self) -> Vec<Again> {
        self.state.again().clone()
    }

    /// Calls to DynamoDB so far that write.
    pub fn writes(&self) -> u64 {
        self.state.calls.load(Ordering::SeqCst)
    }

    /// Calls to DynamoDB so far that read.
    pub fn reads(&self) -> u64 {
        self.state.reads.load(Ordering::SeqCst)
    }

    /// From now on DynamoDB leaves the last rows of every `nth` write undone, as it does when it is
    /// busy (0 for none).
    pub fn leave_undone(&self, nth: u64) {
        self.state.leaving.store(nth, Ordering::SeqCst);
    }

    /// Rows that were left undone so far.
    pub fn left_undone(&self) -> u64 {
        self.state.left.load(Ordering::SeqCst)
    }

    /// What a table holds after all writes so far.
    ///
    /// # Panics
    /// When a write was one that DynamoDB would have refused: more than 25 rows, none, or one key
    /// twice.
    pub fn rows(&self, table: &str) -> Rows {
        let tables = self.state.tables();
        let table = tables.get(table);
        table.map(|table| table.rows.clone()).unwrap_or_default()
    }

    /// How many rows were written to a table so far, each counted as often as it was.
    ///
    /// # Panics
    /// As [`Self::rows`] does.
    pub fn rows_written(&self, table: &str) -> u64 {
        let tables = self.state.tables();
        tables.get(table).map_or(0, |table| table.written)
    }

    /// Forgets messages and rows.
    pub fn clear(&self) {
        self.state.messages().clear();
        self.state.writes().clear();
        self.state.tables().clear();
        self.state.calls.store(0, Ordering::SeqCst);
    }
}

impl Table {
    fn apply(&mut self, requests: &[Value]) {
        let written: Vec<_> = requests
            .iter()
            .map(|request| &request["PutRequest"]["Item"])
            .map(|row| (key(row), row.clone()))
            .collect();
        let keys: HashSet<_> = written.iter().map(|(key, _)| key).collect();
        assert!(
            keys.len() == requests.len() && (1..=MAX_BATCH).contains(&keys.len()),
            "DynamoDB refuses {} rows with {} keys",
            requests.len(),
            keys.len()
        );
        self.written += requests.len() as u64;
        self.rows.extend(written);
    }
}

/// The two tables are told apart by their rows: only those of the history have a painter.
fn key(row: &Value) -> (String, String) {
    let text = |name: &str| row[name]["S"].as_str().unwrap_or_default().to_owned();
    let sort = if row.get("by").is_some() {
        text("t")
    } else {
        String::new()
    };
    (text("pixel"), sort)
}

impl State {
    fn messages(&self) -> MutexGuard<'_, Vec<Message>> {
        self.messages
            .lock()
            .expect("nobody panics while holding it")
    }

    fn again(&self) -> MutexGuard<'_, Vec<Again>> {
        self.again.lock().expect("nobody panics while holding it")
    }

    fn writes(&self) -> MutexGuard<'_, Vec<Vec<u8>>> {
        self.writes.lock().expect("nobody panics while holding it")
    }

    /// The tables after all writes so far.
    fn tables(&self) -> MutexGuard<'_, HashMap<String, Table>> {
        let mut tables = self.tables.lock().expect("no write is one to refuse");
        for write in std::mem::take(&mut *self.writes()) {
            let input: Value = serde_json::from_slice(&write).expect("a write is JSON");
            for (table, requests) in input["RequestItems"].as_object().into_iter().flatten() {
                let requests = requests.as_array().map(Vec::as_slice);
                let table = tables.entry(table.clone()).or_default();
                table.apply(requests.unwrap_or_default());
            }
        }
        tables
    }

    fn get(&self, body: &[u8]) -> Reply {
        self.reads.fetch_add(1, Ordering::SeqCst);
        let input: Value = serde_json::from_slice(body).unwrap_or_default();
        let tables = self.tables();
        let wanted = input["RequestItems"].as_object().into_iter().flatten();
        let found = wanted.map(|(name, wanted)| {
            let rows = tables.get(name).map(|table| &table.rows);
            let keys = wanted["Keys"].as_array().into_iter().flatten();
            let row = |wanted| rows.and_then(|rows| rows.get(&key(wanted)));
            let found: Vec<_> = keys.filter_map(row).collect();
            (name.clone(), json!(found))
        });
        let found: serde_json::Map<_, _> = found.collect();
        json_reply(&json!({ "Responses": found, "UnprocessedKeys": {} }))
    }

    fn send_message(&self, body: &[u8]) -> Reply {
        let input: Value = serde_json::from_slice(body).unwrap_or_default();
        let text = |name: &str| input[name].as_str().unwrap_or_default().to_owned();
        let url = text("QueueUrl");
        let message = Message {
            queue: url.rsplit('/').next().unwrap_or_default().to_owned(),
            group: text("MessageGroupId"),
            deduplication: text("MessageDeduplicationId"),
            body: text("MessageBody"),
        };
        let mut messages = self.messages();
        messages.push(message);
        let id = format!("message-{}", messages.len());
        let answer =
            json!({ "MessageId": id, "MD5OfMessageBody": "00000000000000000000000000000000" });
        json_reply(&answer)
    }

    fn change_visibility(&self, body: &[u8]) -> Reply {
        let input: Value = serde_json::from_slice(body).unwrap_or_default();
        let mut done = Vec::new();
        for entry in input["Entries"].as_array().into_iter().flatten() {
            self.again().push(Again {
                handle: entry["ReceiptHandle"]
                    .as_str()
                    .unwrap_or_default()
                    .to_owned(),
                seconds: entry["VisibilityTimeout"].as_u64().unwrap_or(u64::MAX),
            });
            done.push(json!({ "Id": entry["Id"] }));
        }
        json_reply(&json!({ "Successful": done, "Failed": [] }))
    }

    fn write(&self, body: &[u8]) -> Reply {
        let number = self.calls.fetch_add(1, Ordering::SeqCst) + 1;
        let leaving = self.leaving.load(Ordering::SeqCst);
        if leaving > 0 && number.is_multiple_of(leaving) {
            return self.write_some(body);
        }
        self.writes().push(body.to_vec());
        json_reply(&json!({ "UnprocessedItems": {} }))
    }

    /// Writes the first half of the rows.
    fn write_some(&self, body: &[u8]) -> Reply {
        let mut input: Value = serde_json::from_slice(body).unwrap_or_default();
        let mut undone = serde_json::Map::new();
        let tables = input["RequestItems"].as_object_mut();
        for (table, requests) in tables.into_iter().flatten() {
            let Some(requests) = requests.as_array_mut() else {
                continue;
            };
            // At least one is done, so that whoever repeats the rest gets there.
            let left = requests.split_off(requests.len().div_ceil(2));
            self.left.fetch_add(left.len() as u64, Ordering::SeqCst);
            if !left.is_empty() {
                undone.insert(table.clone(), Value::Array(left));
            }
        }
        self.writes().push(input.to_string().into_bytes());
        json_reply(&json!({ "UnprocessedItems": undone }))
    }
}

fn json_reply(value: &Value) -> Reply {
    Reply::Now {
        status: 200,
        headers: "content-type: application/x-amz-json-1.0\r\n".to_owned(),
        body: value.to_string().into_bytes(),
    }
}

impl Service for State {
    fn answer(&self, request: &Request<'_>) -> Reply {
        let target = request.header("x-amz-target").unwrap_or_default();
        match target.rsplit('.').next().unwrap_or_default() {
            "SendMessage" => self.send_message(request.body),
            "ChangeMessageVisibilityBatch" => self.change_visibility(request.body),
            "BatchWriteItem" => self.write(request.body),
            "BatchGetItem" => self.get(request.body),
            // What the yardstick writes with: counted, and not kept.
            "PutItem" => {
                self.calls.fetch_add(1, Ordering::SeqCst);
                json_reply(&json!({}))
            }
            _ => Reply::status(400, r#"{"__type":"UnknownOperationException"}"#),
        }
    }
}
