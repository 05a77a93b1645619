//! Stubs of SQS and DynamoDB behind one address, as `AWS_ENDPOINT_URL` has it.

use std::collections::{BTreeMap, HashSet};
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

/// The rows of a table by partition key and sort key (empty in the table of current colours).
pub type Rows = BTreeMap<(String, String), Value>;

#[derive(Debug, Default)]
struct State {
    messages: Mutex<Vec<Message>>,
    /// Bodies of the writes as they came: they are read when somebody asks for rows, so that a
    /// measured save does not wait for it.
    writes: Mutex<Vec<Vec<u8>>>,
    calls: AtomicU64,
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

    /// Calls to DynamoDB so far.
    pub fn writes(&self) -> u64 {
        self.state.calls.load(Ordering::SeqCst)
    }

    /// What a table holds after all writes so far.
    ///
    /// # Panics
    /// When a write was one that DynamoDB would have refused: more than 25 rows, none, or one key
    /// twice.
    pub fn rows(&self, table: &str) -> Rows {
        self.state.rows(table)
    }

    /// Forgets messages and rows.
    pub fn clear(&self) {
        self.state.messages().clear();
        self.state.writes().clear();
        self.state.calls.store(0, Ordering::SeqCst);
    }
}

fn apply(write: &[u8], table: &str, rows: &mut Rows) {
    let input: Value = serde_json::from_slice(write).expect("a write is JSON");
    let Some(requests) = input["RequestItems"][table].as_array() else {
        return;
    };
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
    rows.extend(written);
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

    fn writes(&self) -> MutexGuard<'_, Vec<Vec<u8>>> {
        self.writes.lock().expect("nobody panics while holding it")
    }

    fn rows(&self, table: &str) -> Rows {
        let mut rows = Rows::new();
        for write in self.writes().iter() {
            apply(write, table, &mut rows);
        }
        rows
    }

    fn get(&self, body: &[u8]) -> Reply {
        let input: Value = serde_json::from_slice(body).unwrap_or_default();
        let tables = input["RequestItems"].as_object().into_iter().flatten();
        let found = tables.map(|(table, wanted)| {
            let rows = self.rows(table);
            let keys = wanted["Keys"].as_array().into_iter().flatten();
            let found: Vec<_> = keys.filter_map(|wanted| rows.get(&key(wanted))).collect();
            (table.clone(), json!(found))
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

    fn write(&self, body: &[u8]) -> Reply {
        self.calls.fetch_add(1, Ordering::SeqCst);
        self.writes().push(body.to_vec());
        json_reply(&json!({ "UnprocessedItems": {} }))
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
