//! AWS's part played from a script: for what an emulator never does, such as refusing a young role.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use aws_sdk_sts::config::{BehaviorVersion, Credentials, Region};
use aws_smithy_runtime_api::client::http::{
    HttpConnector, HttpConnectorFuture, SharedHttpConnector, http_client_fn,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_types::body::SdkBody;
use place_config::StackConfig;

use super::{Options, Stack};
use crate::aws::calls::Calls;
use crate::aws::{Aws, Identity};
use crate::engine::{Event, EventSink, Progress, ResourceKey};

/// One answer of AWS.
#[derive(Clone, Debug)]
struct Line {
    operation: String,
    status: u16,
    body: String,
}

/// What AWS answers, and what it was asked.
#[derive(Debug, Default)]
struct Scene {
    lines: Vec<Line>,
    refrain: Vec<Line>,
    asked: Vec<String>,
    queries: Vec<String>,
    bodies: Vec<String>,
}

/// A script: each call takes the first line left for its operation. A status of 0 loses the answer.
#[derive(Clone, Default)]
pub(crate) struct Script(Arc<Mutex<Scene>>);

impl fmt::Debug for Script {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Script")
    }
}

impl Script {
    /// The same with one more answer. An operation is `METHOD /path` (Lambda, API Gateway, the
    /// scheduler) or its name (all others).
    pub(crate) fn answer(self, operation: &str, status: u16, body: &str) -> Self {
        let (operation, body) = (operation.to_owned(), body.to_owned());
        self.scene(|scene| {
            scene.lines.push(Line {
                operation,
                status,
                body,
            });
        });
        self
    }

    /// The same with what an operation is answered whenever no line is left for it.
    pub(crate) fn always(self, operation: &str, status: u16, body: &str) -> Self {
        let (operation, body) = (operation.to_owned(), body.to_owned());
        self.scene(|scene| {
            scene.refrain.push(Line {
                operation,
                status,
                body,
            });
        });
        self
    }

    /// How often an operation was asked for.
    pub(crate) fn times(&self, operation: &str) -> usize {
        let asked = self.asked();
        asked.iter().filter(|asked| *asked == operation).count()
    }

    /// The bodies of the requests for an operation.
    pub(crate) fn bodies(&self, operation: &str) -> Vec<String> {
        self.scene(|scene| {
            let all = scene.asked.iter().zip(&scene.bodies);
            let of = all.filter(|(asked, _)| *asked == operation);
            of.map(|(_, body)| body.clone()).collect()
        })
    }

    /// The queries (`maxResults=5`, or nothing) of the requests for an operation.
    pub(crate) fn queries(&self, operation: &str) -> Vec<String> {
        self.scene(|scene| {
            let all = scene.asked.iter().zip(&scene.queries);
            let of = all.filter(|(asked, _)| *asked == operation);
            of.map(|(_, query)| query.clone()).collect()
        })
    }

    /// The operations that were asked for, in order.
    pub(crate) fn asked(&self) -> Vec<String> {
        self.scene(|scene| scene.asked.clone())
    }

    /// A stack of the default configuration on AWS, whose part this script plays.
    pub(crate) fn stack(&self) -> Arc<Stack> {
        self.stack_with(Options::default())
    }

    /// The same with what the operator allowed.
    pub(crate) fn stack_with(&self, options: Options) -> Arc<Stack> {
        self.stack_of(StackConfig::default(), options)
    }

    /// The stack of any configuration.
    pub(crate) fn stack_of(&self, config: StackConfig, options: Options) -> Arc<Stack> {
        Arc::new(Stack::new(config, self.aws(), options))
    }

    /// Answers that nobody asked for.
    pub(crate) fn left(&self) -> usize {
        self.scene(|scene| scene.lines.len())
    }

    fn scene<T>(&self, look: impl FnOnce(&mut Scene) -> T) -> T {
        look(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn aws(&self) -> Aws {
        macro_rules! client {
            ($service:ident) => {{
                let connector = SharedHttpConnector::new(self.clone());
                let config = $service::Config::builder()
                    .behavior_version(BehaviorVersion::latest())
                    .region(Region::new("eu-west-1"))
                    .credentials_provider(Credentials::new("key", "secret", None, None, "test"))
                    .http_client(http_client_fn(move |_, _| connector.clone()));
                $service::Client::from_conf(config.build())
            }};
        }
        Aws {
            identity: Identity {
                account: "123456789012".to_owned(),
                partition: "aws".to_owned(),
                arn: "arn:aws:iam::123456789012:user/ann".to_owned(),
            },
            region: "eu-west-1".to_owned(),
            endpoint: None,
            local: false,
            calls: Calls::default(),
            ec2: client!(aws_sdk_ec2),
            elasticache: client!(aws_sdk_elasticache),
            apigatewayv2: client!(aws_sdk_apigatewayv2),
            lambda: client!(aws_sdk_lambda),
            sqs: client!(aws_sdk_sqs),
            dynamodb: client!(aws_sdk_dynamodb),
            scheduler: client!(aws_sdk_scheduler),
            iam: client!(aws_sdk_iam),
            logs: client!(aws_sdk_cloudwatchlogs),
        }
    }

    fn play(&self, request: &HttpRequest) -> Result<HttpResponse, ConnectorError> {
        let operation = operation(request);
        let query = request.uri().split_once('?').map_or("", |(_, query)| query);
        let query = query.to_owned();
        let body = request.body().bytes().unwrap_or_default();
        let body = String::from_utf8_lossy(body).into_owned();
        let line = self.scene(|scene| {
            scene.asked.push(operation.clone());
            scene.queries.push(query);
            scene.bodies.push(body);
            let next = scene
                .lines
                .iter()
                .position(|line| line.operation == operation);
            let next = next.map(|next| scene.lines.remove(next));
            let mut refrain = scene.refrain.iter();
            next.or_else(|| refrain.find(|line| line.operation == operation).cloned())
        });
        let (status, body) = match line {
            Some(line) => (line.status, line.body),
            None => (
                400,
                format!(r#"{{"__type":"NotInTheScript","message":"{operation}"}}"#),
            ),
        };
        if status == 0 {
            return Err(ConnectorError::io("the connection was lost".into()));
        }
        let status = status.try_into().expect("scripts have valid status codes");
        Ok(HttpResponse::new(status, SdkBody::from(body)))
    }
}

impl HttpConnector for Script {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        HttpConnectorFuture::ready(self.play(&request))
    }
}

fn operation(request: &HttpRequest) -> String {
    if let Some(target) = request.headers().get("x-amz-target") {
        return target.rsplit('.').next().unwrap_or(target).to_owned();
    }
    let body = request
        .body()
        .bytes()
        .and_then(|body| std::str::from_utf8(body).ok());
    let action = body.and_then(|body| body.strip_prefix("Action="));
    if let Some(action) = action.and_then(|action| action.split('&').next()) {
        return action.to_owned();
    }
    let path = request
        .uri()
        .split_once("amazonaws.com")
        .map_or("", |(_, path)| path);
    let path = path.split('?').next().unwrap_or_default();
    format!("{} {path}", request.method())
}

/// Where events go that nobody watches.
pub(crate) struct Nowhere;

impl EventSink for Nowhere {
    fn event(&self, _: &Event) {}
}

/// A progress that nobody watches.
pub(crate) fn unwatched() -> Progress {
    let (_, interrupted) = tokio::sync::watch::channel(false);
    let now = tokio::time::Instant::now();
    Progress::new(
        ResourceKey::new("under-test"),
        now,
        Arc::new(Nowhere),
        interrupted,
    )
}
