//! A DynamoDB in memory that is as strict as the real one about batches, and can be told to fail.

use std::collections::{BTreeMap, HashSet};
use std::sync::{Arc, Mutex};

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::config::retry::RetryConfig;
use aws_sdk_dynamodb::config::{BehaviorVersion, Credentials, Region};
use aws_smithy_runtime_api::client::http::{
    HttpConnector, HttpConnectorFuture, SharedHttpConnector, http_client_fn,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_types::body::SdkBody;
use serde_json::{Value, json};

use super::Tables;

/// What happens to a call: chosen by its number, from 0.
pub(super) type Fault = fn(usize) -> Option<Failure>;

/// How a call fails.
#[derive(Clone, Copy, Debug)]
pub(super) enum Failure {
    /// Nothing is done; the error has this code.
    Error(&'static str),
    /// All but so many rows are left undone.
    Partial(usize),
    /// Everything is done, and the answer is this status.
    Status(u16),
    /// Everything is done, and the answer never comes.
    Silence,
}

type Rows = BTreeMap<(String, String), Value>;

#[derive(Debug, Default)]
struct State {
    tables: BTreeMap<String, Rows>,
    calls: usize,
    in_flight: usize,
    most_in_flight: usize,
}

/// The fake service; clones share their tables.
#[derive(Clone, Debug)]
pub(super) struct FakeDynamo {
    state: Arc<Mutex<State>>,
    fault: Fault,
}

impl FakeDynamo {
    pub(super) fn new() -> Self {
        Self::failing(|_| None)
    }

    pub(super) fn failing(fault: Fault) -> Self {
        Self {
            state: Arc::default(),
            fault,
        }
    }

    pub(super) fn tables(&self) -> Tables {
        let connector = SharedHttpConnector::new(self.clone());
        let config = aws_sdk_dynamodb::Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new("eu-west-1"))
            .credentials_provider(Credentials::new("id", "secret", None, None, "test"))
            .retry_config(RetryConfig::disabled())
            .http_client(http_client_fn(move |_, _| connector.clone()))
            .build();
        Tables::new(Client::from_conf(config), "mru", "history")
    }

    pub(super) fn rows(&self, table: &str) -> Vec<Value> {
        let state = self.state.lock().unwrap();
        state
            .tables
            .get(table)
            .into_iter()
            .flat_map(|rows| rows.values().cloned())
            .collect()
    }

    pub(super) fn put(&self, table: &str, row: Value) {
        let mut state = self.state.lock().unwrap();
        state
            .tables
            .entry(table.into())
            .or_default()
            .insert(key(&row), row);
    }

    pub(super) fn calls(&self) -> usize {
        self.state.lock().unwrap().calls
    }

    pub(super) fn most_in_flight(&self) -> usize {
        self.state.lock().unwrap().most_in_flight
    }

    fn answer(
        &self,
        operation: &str,
        input: &Value,
        fault: Option<Failure>,
    ) -> Result<Value, &'static str> {
        let mut state = self.state.lock().unwrap();
        let done = match fault {
            Some(Failure::Partial(done)) => done,
            Some(Failure::Error(code)) => return Err(code),
            _ => usize::MAX,
        };
        match operation {
            "BatchWriteItem" => state.write(input, done),
            "BatchGetItem" => state.get(input, done),
            "Scan" => Ok(state.scan(input)),
            "Query" => Ok(state.query(input)),
            _ => Err("UnknownOperationException"),
        }
    }
}

impl State {
    fn write(&mut self, input: &Value, done: usize) -> Result<Value, &'static str> {
        let (table, requests) = only(&input["RequestItems"]);
        let requests = requests.as_array().unwrap();
        let row = |request: &Value| request["PutRequest"]["Item"].clone();
        let keys: HashSet<_> = requests.iter().map(|request| key(&row(request))).collect();
        if requests.is_empty() || requests.len() > 25 || keys.len() < requests.len() {
            return Err("ValidationException");
        }
        let rows = self.tables.entry(table.clone()).or_default();
        let (written, left) = requests.split_at(done.min(requests.len()));
        rows.extend(
            written
                .iter()
                .map(|request| (key(&row(request)), row(request))),
        );
        let unprocessed = if left.is_empty() {
            json!({})
        } else {
            json!({ table: left })
        };
        Ok(json!({ "UnprocessedItems": unprocessed }))
    }

    fn get(&self, input: &Value, done: usize) -> Result<Value, &'static str> {
        let (table, wanted) = only(&input["RequestItems"]);
        let keys = wanted["Keys"].as_array().unwrap();
        let distinct: HashSet<_> = keys.iter().map(key).collect();
        if keys.is_empty() || keys.len() > 100 || distinct.len() < keys.len() {
            return Err("ValidationException");
        }
        let (read, left) = keys.split_at(done.min(keys.len()));
        let row = |wanted: &Value| self.tables.get(&table)?.get(&key(wanted)).cloned();
        let found: Vec<_> = read.iter().filter_map(row).collect();
        let left = if left.is_empty() {
            json!({})
        } else {
            json!({ &table: { "Keys": left } })
        };
        Ok(json!({ "Responses": { table: found }, "UnprocessedKeys": left }))
    }

    /// Rows of the segment, two a page.
    fn scan(&self, input: &Value) -> Value {
        let number = |name: &str| usize::try_from(input[name].as_u64().unwrap()).unwrap();
        let (segment, segments) = (number("Segment"), number("TotalSegments"));
        let rows = self.tables.get(input["TableName"].as_str().unwrap());
        let rows = rows.into_iter().flatten().enumerate();
        let of_segment = rows
            .filter(|(n, _)| n % segments == segment)
            .map(|(_, row)| row);
        page(of_segment, input, 2)
    }

    /// Rows of the partition from the newest on, three a page.
    fn query(&self, input: &Value) -> Value {
        assert_eq!(input["ScanIndexForward"], json!(false));
        let pixel = input["ExpressionAttributeValues"][":pixel"]["S"]
            .as_str()
            .unwrap();
        let rows = self.tables.get(input["TableName"].as_str().unwrap());
        let rows = rows
            .into_iter()
            .flatten()
            .rev()
            .filter(|((name, _), _)| name == pixel);
        let limit = input["Limit"].as_u64().map_or(3, |limit| limit.min(3));
        page(rows, input, usize::try_from(limit).unwrap())
    }
}

fn page<'a>(
    rows: impl Iterator<Item = (&'a (String, String), &'a Value)>,
    input: &Value,
    size: usize,
) -> Value {
    let start = input.get("ExclusiveStartKey").map(key);
    let mut rest: Vec<_> = rows.collect();
    if let Some(start) = start {
        let place = rest.iter().position(|(key, _)| **key == start).unwrap();
        rest.drain(..=place);
    }
    let more = rest.len() > size;
    rest.truncate(size);
    let items: Vec<_> = rest.iter().map(|(_, row)| (*row).clone()).collect();
    let mut answer = json!({ "Items": items });
    if more {
        answer["LastEvaluatedKey"] = items.last().cloned().unwrap();
    }
    answer
}

fn only(tables: &Value) -> (String, Value) {
    let tables = tables.as_object().unwrap();
    assert_eq!(tables.len(), 1);
    tables
        .iter()
        .next()
        .map(|(name, value)| (name.clone(), value.clone()))
        .unwrap()
}

/// Partition key and sort key, the latter empty in the table of current colours.
///
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

impl HttpConnector for FakeDynamo {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let this = self.clone();
        HttpConnectorFuture::new(async move {
            this.count_in();
            // Calls that are let go at once get the chance to overlap.
            tokio::time::sleep(std::time::Duration::from_millis(2)).await;
            let target = request.headers().get("x-amz-target").unwrap().to_owned();
            let operation = target.split('.').nth(1).unwrap();
            let body = request.body().bytes().unwrap();
            let fault = this.next_fault();
            let answer = this.answer(operation, &serde_json::from_slice(body).unwrap(), fault);
            this.count_out();
            let (status, body) = match (answer, fault) {
                (_, Some(Failure::Silence)) => {
                    return Err(ConnectorError::timeout("as the test wants it".into()));
                }
                (Ok(_), Some(Failure::Status(status))) => (status, json!({})),
                (Ok(body), _) => (200, body),
                (Err(code), _) => (400, json!({ "__type": code, "message": "a fault" })),
            };
            Ok(HttpResponse::new(
                status.try_into().unwrap(),
                SdkBody::from(body.to_string()),
            ))
        })
    }
}

impl FakeDynamo {
    fn next_fault(&self) -> Option<Failure> {
        let mut state = self.state.lock().unwrap();
        let fault = (self.fault)(state.calls);
        state.calls += 1;
        fault
    }

    fn count_in(&self) {
        let mut state = self.state.lock().unwrap();
        state.in_flight += 1;
        state.most_in_flight = state.most_in_flight.max(state.in_flight);
    }

    fn count_out(&self) {
        self.state.lock().unwrap().in_flight -= 1;
    }
}
