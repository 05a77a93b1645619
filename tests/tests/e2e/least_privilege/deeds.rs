//! A stack on which one permission at a time is missing, and what misses it.

use std::collections::BTreeSet;
use std::time::Duration;

use aws_sdk_cloudwatchlogs::operation::filter_log_events::FilterLogEventsOutput;
use aws_sdk_lambda::primitives::Blob;
use place_canvas::store::Painter;
use place_canvas::{ConnectionId, Store, Token};
use place_config::{Function, Names};
use place_tests::{LocalCloud, Operator, Sdk, Socket};
use redis::AsyncCommands;
use serde_json::{Value, json};

use super::roles::{Loss, NOT_SENT, granted, policy, without};
use crate::support::{eventually, red};

/// How long a refusal may take: a loop hands over after some seconds.
const PATIENCE: Duration = Duration::from_secs(40);
/// Longer than an answer takes on a busy machine.
const HEARD_WITHIN: Duration = Duration::from_secs(3);

/// A stack on which permissions are missed.
pub(super) struct Rig {
    pub(super) operator: Operator,
    sdk: Sdk,
    _cloud: LocalCloud,
}

impl Rig {
    /// `operator`'s stack on `cloud`.
    pub(super) fn new(cloud: LocalCloud, operator: Operator) -> Self {
        let sdk = operator.sdk();
        Self {
            operator,
            sdk,
            _cloud: cloud,
        }
    }

    /// Lines of a function's log with each of `parts`.
    async fn said(&self, function: Function, parts: &[&str]) -> usize {
        let group = self.operator.names().log_group(function);
        let call = self.sdk.logs.filter_log_events().log_group_name(group);
        let pages: Result<Vec<_>, _> = call.into_paginator().send().collect().await;
        let pages = pages.unwrap();
        let events = pages.iter().flat_map(FilterLogEventsOutput::events);
        let lines = events.filter_map(|event| event.message());
        let has = |line: &&str| parts.iter().all(|part| line.contains(part));
        lines.filter(has).count()
    }

    async fn put(&self, role: &str, name: &str, policy: &Value) {
        let call = self.sdk.iam.put_role_policy().role_name(role);
        let call = call.policy_name(name).policy_document(policy.to_string());
        call.send().await.unwrap();
    }

    /// Misses the permission, and gives it back.
    pub(super) async fn miss(&self, loss: &Loss) {
        let role = self.operator.names().role(loss.function);
        let (name, whole) = policy(&self.sdk, &role).await;
        let before = self.said(loss.function, loss.log).await;
        self.put(&role, &name, &without(&whole, loss.permission))
            .await;
        (loss.deed)(self).await;
        let what = format!("{} to miss `{}`", loss.function, loss.permission);
        if !loss.log.is_empty() {
            eventually(&what, PATIENCE, async || {
                self.said(loss.function, loss.log).await > before
            })
            .await;
        }
        self.put(&role, &name, &whole).await;
    }

    pub(super) async fn asks_in_vain_who_painted(&self) {
        let get = json!({ "http": { "method": "GET" } });
        let request = json!({ "rawPath": "/pixels/1/1", "requestContext": get });
        let answer = self.invoke(Function::Page, request).await;
        assert_eq!(answer["statusCode"], 503, "{answer}");
    }

    async fn ask(&self, request: Value) -> Value {
        self.invoke(Function::Admin, request).await
    }

    async fn invoke(&self, function: Function, request: Value) -> Value {
        let function = self.operator.names().function(function);
        let call = self.sdk.lambda.invoke().function_name(function);
        let payload = Blob::new(request.to_string());
        let answer = call.payload(payload).send().await.unwrap();
        serde_json::from_slice(answer.payload().unwrap().as_ref()).unwrap()
    }

    pub(super) async fn is_not_let_in(&self) {
        let url = self.operator.websocket_url().await;
        let refused = tokio_tungstenite::connect_async(url).await;
        assert!(refused.is_err(), "{refused:?}");
    }

    pub(super) async fn connects(&self) {
        let url = self.operator.websocket_url().await;
        Socket::connect(&url).await.close().await;
    }

    pub(super) async fn says_nonsense(&self) {
        let mut client = self.operator.join().await;
        client.send(r#"{"action":"sendMessage","data":7}"#).await;
    }

    pub(super) async fn hears_that_others_see_it_late(&self) {
        let mut client = self.operator.join().await;
        let store = self.operator.store().await;
        // A loop that is still awake needs no call, and notes that it is awake time and again.
        eventually("a rejection", PATIENCE, async || {
            self.calls_a_loop(&store, &mut client).await;
            let heard = tokio::time::timeout(HEARD_WITHIN, client.rejection()).await;
            heard.is_ok_and(|code| code == "UNAVAILABLE")
        })
        .await;
    }

    /// Paints so often that the loop which the first paint wakes never falls asleep; if it does
    /// all the same, wakes another.
    pub(super) async fn paints_until(&self, said: &str) {
        let mut client = self.operator.join().await;
        let before = self.said(Function::Broadcast, &[said]).await;
        let check = async || self.said(Function::Broadcast, &[said]).await > before;
        tokio::select! {
            () = self.goes_on_painting(&mut client) => {}
            () = eventually(said, PATIENCE, check) => {}
        }
    }

    async fn goes_on_painting(&self, client: &mut Socket) {
        let store = self.operator.store().await;
        self.calls_a_loop(&store, client).await;
        loop {
            if paint_silently(&store).await {
                self.calls_a_loop(&store, client).await;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Paints as if nobody had been called.
    async fn calls_a_loop(&self, store: &Store, client: &mut Socket) {
        self.forget("awake:*").await;
        let newest = store.newest().await.unwrap();
        client.paint(&[red(4, 4)]).await;
        let painted = async || store.newest().await.unwrap() != newest;
        eventually("a paint", PATIENCE, painted).await;
    }

    pub(super) async fn saves_until(&self, said: &str) {
        let _client = self.operator.join().await;
        let before = self.said(Function::Save, &[said]).await;
        paint_silently(&self.operator.store().await).await;
        let check = async || {
            let _ = self.operator.placectl().args(["save"]).succeed().await;
            self.said(Function::Save, &[said]).await > before
        };
        eventually(said, PATIENCE, check).await;
    }

    pub(super) async fn wakes_in_vain(&self) {
        let _client = self.operator.join().await;
        paint_silently(&self.operator.store().await).await;
        let refused = async || {
            let answer = self.ask(json!({ "request": "wake" })).await;
            answer.to_string().contains(NOT_SENT)
        };
        eventually("a wake-up to be refused", PATIENCE, refused).await;
    }

    pub(super) async fn saves_in_vain(&self) {
        paint_silently(&self.operator.store().await).await;
        self.fails_to_save().await;
    }

    pub(super) async fn reads_no_state(&self) {
        self.fails_to_save().await;
    }

    /// A canvas that the cache has lost is read from the tables.
    pub(super) async fn opens_in_vain(&self) {
        assert!(self.forget("*").await > 0, "the cache held something");
        self.fails_to_save().await;
    }

    /// A save that failed keeps its lease for half a minute: nobody waits for it here.
    async fn fails_to_save(&self) {
        let save = self.operator.placectl().args(["save"]).run().await;
        assert_eq!(save.code, Some(1), "{save}");
        assert_eq!(self.forget("saving").await, 1, "the lease of a save");
    }

    /// Deletes keys of the store; how many.
    async fn forget(&self, pattern: &str) -> u64 {
        let url = self.operator.config().endpoints.redis.as_deref();
        let client = redis::Client::open(url.unwrap()).unwrap();
        let mut connection = client.get_multiplexed_async_connection().await.unwrap();
        let pattern = format!("{{place:place}}:{pattern}");
        let keys: Vec<String> = connection.keys(pattern).await.unwrap();
        if keys.is_empty() {
            return 0;
        }
        connection.del(keys).await.unwrap()
    }

    /// Leaves a row in doubt, as a save that was killed does.
    pub(super) async fn doubts_a_row(&self) {
        let store = self.operator.store().await;
        let noted = store.note_doubt(&Token::random(), &[(5, 5)]).await;
        noted.unwrap();
        self.fails_to_save().await;
    }

    pub(super) async fn disconnects_in_vain(&self) {
        let _client = self.operator.join().await;
        let listed = self.ask(json!({ "request": "clients" })).await;
        let id = &listed["rows"][0]["id"];
        assert!(id.is_string(), "{listed}");
        let _ = self
            .ask(json!({ "request": "disconnect", "ids": [id] }))
            .await;
    }

    pub(super) async fn knows_nothing_of_clients(&self) {
        let _client = self.operator.join().await;
        let listed = self.ask(json!({ "request": "clients" })).await;
        let rows = listed["rows"].as_array().unwrap();
        assert!(!rows.is_empty(), "{listed}");
        for row in rows {
            assert!(row["connected_at"].is_null(), "{listed}");
        }
    }

    /// Every permission of every role, that of the scheduler under no function.
    pub(super) async fn permissions(&self, names: &Names) -> BTreeSet<(String, String)> {
        let functions = Function::ALL.map(|function| names.role(function));
        let mut all = BTreeSet::new();
        for role in functions.into_iter().chain([names.scheduler_role()]) {
            let (_, policy) = policy(&self.sdk, &role).await;
            let statements = policy["Statement"].as_array().unwrap();
            let each = statements.iter().flat_map(granted);
            all.extend(each.map(|permission| (role.clone(), permission)));
        }
        all
    }
}

/// Paints past the function that would wake anybody; whether it would have.
async fn paint_silently(store: &Store) -> bool {
    let nobody = ConnectionId::new("nobody=").unwrap();
    let painted = store
        .paint(Painter::Operator(&nobody), "203.0.113.1", &[red(3, 3)])
        .await;
    !painted.unwrap().wake.is_empty()
}
