//! The clients: built once, with one HTTP client, one retry policy, one set of time-outs.

use std::time::Duration;

use aws_config::{BehaviorVersion, ConfigLoader, Region, SdkConfig};
use aws_credential_types::Credentials;
use aws_smithy_http_client::{Builder as HttpClientBuilder, tls};
use aws_smithy_runtime_api::client::http::SharedHttpClient;
use aws_smithy_runtime_api::client::interceptors::SharedInterceptor;
use aws_smithy_types::retry::RetryConfig;
use aws_smithy_types::timeout::TimeoutConfig;

use super::account::Identity;
use super::calls::{Calls, Meter};
use super::connect_error::ConnectError;
use super::throttle::TooManyRequests;
use crate::engine::event::SharedSink;
use crate::local::Secrets;

/// Region of the local cloud where nothing else is said.
const LOCAL_REGION: &str = "us-east-1";

/// Attempts of one call, the first included. Standard mode backs off with jitter between them.
const ATTEMPTS: u32 = 6;

/// Longest time for one attempt, unless the operator says otherwise. An upload of a 50 MB function
/// takes its time on a slow line.
const ATTEMPT_LIMIT: Duration = Duration::from_mins(1);

/// Attempts without an answer after which a call ends.
const HANGING_ATTEMPTS: u32 = 3;

/// How to reach AWS, or what stands in for it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Access {
    /// Named profile of the SDK's configuration files.
    pub(crate) profile: Option<String>,
    /// Region; the SDK's own chain decides when absent.
    pub(crate) region: Option<String>,
    /// Address that every call goes to instead of AWS's own.
    pub(crate) endpoint: Option<String>,
    /// The local cloud: no profile.
    pub(crate) local: bool,
    /// What the local cloud lets in.
    pub(crate) secrets: Option<Secrets>,
    /// Longest time for one attempt of a call.
    pub(crate) attempt_limit: Option<Duration>,
}

/// All clients, and whose account they work in.
#[derive(Clone, Debug)]
pub(crate) struct Aws {
    /// Whose account.
    pub(crate) identity: Identity,
    /// Region of every client.
    pub(crate) region: String,
    /// Address that every call goes to instead of AWS's own, whoever said so.
    pub(crate) endpoint: Option<String>,
    /// The local cloud stands in for AWS.
    pub(crate) local: bool,
    /// What was called how often.
    pub(crate) calls: Calls,
    /// VPC, NAT, route tables, security groups.
    pub(crate) ec2: aws_sdk_ec2::Client,
    /// The cache.
    pub(crate) elasticache: aws_sdk_elasticache::Client,
    /// The WebSocket API.
    pub(crate) apigatewayv2: aws_sdk_apigatewayv2::Client,
    /// Functions.
    pub(crate) lambda: aws_sdk_lambda::Client,
    /// Queues.
    pub(crate) sqs: aws_sdk_sqs::Client,
    /// Tables, and the operator lease.
    pub(crate) dynamodb: aws_sdk_dynamodb::Client,
    /// The schedule.
    pub(crate) scheduler: aws_sdk_scheduler::Client,
    /// Roles.
    pub(crate) iam: aws_sdk_iam::Client,
    /// Log groups.
    pub(crate) logs: aws_sdk_cloudwatchlogs::Client,
}

/// A client whose every call is counted.
macro_rules! client {
    ($service:ident, $sdk:expr, $meter:expr) => {
        $service::Client::from_conf(
            $service::config::Builder::from($sdk)
                .interceptor($meter.clone())
                .retry_classifier(TooManyRequests)
                .build(),
        )
    };
}

impl Aws {
    /// Builds the clients and asks AWS who is calling: the first call, which tells missing
    /// credentials and dead endpoints apart before anything else is tried.
    pub(crate) async fn connect(access: &Access, sink: SharedSink) -> Result<Self, ConnectError> {
        let sdk = load(access).await;
        let region = sdk.region().ok_or(ConnectError::NoRegion)?.to_string();
        let calls = Calls::default();
        let meter = SharedInterceptor::new(Meter::new(calls.clone(), sink));
        let sts = client!(aws_sdk_sts, &sdk, meter);
        let identity = Identity::of_caller(&sts)
            .await
            .map_err(|error| ConnectError::of(error, sdk.endpoint_url(), &region))?;
        Ok(Self {
            identity,
            region,
            endpoint: sdk.endpoint_url().map(str::to_owned),
            local: access.local,
            calls,
            ec2: client!(aws_sdk_ec2, &sdk, meter),
            elasticache: client!(aws_sdk_elasticache, &sdk, meter),
            apigatewayv2: client!(aws_sdk_apigatewayv2, &sdk, meter),
            lambda: client!(aws_sdk_lambda, &sdk, meter),
            sqs: client!(aws_sdk_sqs, &sdk, meter),
            dynamodb: client!(aws_sdk_dynamodb, &sdk, meter),
            scheduler: client!(aws_sdk_scheduler, &sdk, meter),
            iam: client!(aws_sdk_iam, &sdk, meter),
            logs: client!(aws_sdk_cloudwatchlogs, &sdk, meter),
        })
    }

    /// ARN of `resource` of a regional `service` in this account and region.
    pub(crate) fn arn(&self, service: &str, resource: &str) -> String {
        self.identity.resource_name(service, &self.region, resource)
    }

    /// ARN of `resource` (`role/place-save`) of IAM, which knows no region.
    pub(crate) fn iam_arn(&self, resource: &str) -> String {
        self.identity.resource_name("iam", "", resource)
    }
}

/// Time-outs for a call that may take as long as `limit`, such as the invocation of a function.
/// One attempt takes it all: a second invocation would be another one.
pub(crate) fn patient(limit: Duration) -> TimeoutConfig {
    timeouts(limit)
        .to_builder()
        .operation_attempt_timeout(limit)
        .operation_timeout(limit)
        .build()
}

async fn load(access: &Access) -> SdkConfig {
    let mut loader = aws_config::defaults(BehaviorVersion::latest())
        .http_client(http_client(access))
        .retry_config(RetryConfig::standard().with_max_attempts(ATTEMPTS))
        .timeout_config(timeouts(access.attempt_limit.unwrap_or(ATTEMPT_LIMIT)));
    if let Some(region) = region(access) {
        loader = loader.region(Region::new(region));
    }
    if let Some(endpoint) = &access.endpoint {
        loader = loader.endpoint_url(endpoint);
    }
    credentials(loader, access).load().await
}

fn credentials(loader: ConfigLoader, access: &Access) -> ConfigLoader {
    if access.local {
        // Only its own key: real ones must never reach it, nor their absence matter.
        let (key, secret) = access.secrets.as_ref().map_or(("none", "none"), |secrets| {
            (secrets.key.as_str(), secrets.password.as_str())
        });
        return loader.credentials_provider(Credentials::new(key, secret, None, None, "local"));
    }
    match &access.profile {
        Some(profile) => loader.profile_name(profile),
        None => loader,
    }
}

fn region(access: &Access) -> Option<String> {
    let local = access.local.then(|| LOCAL_REGION.to_owned());
    access.region.clone().or(local)
}

/// Limits of a call whose attempts may take as long as `attempt`.
fn timeouts(attempt: Duration) -> TimeoutConfig {
    TimeoutConfig::builder()
        .connect_timeout(Duration::from_secs(5))
        .operation_attempt_timeout(attempt)
        .operation_timeout(attempt * HANGING_ATTEMPTS)
        .build()
}

/// HTTPS with ring. The local cloud speaks plain HTTP, and reading this machine's certificates
/// would cost a good part of the time that an idle `up` takes.
fn http_client(access: &Access) -> SharedHttpClient {
    let plain = access
        .endpoint
        .as_deref()
        .is_some_and(|url| url.starts_with("http://"));
    if access.local && plain {
        return HttpClientBuilder::new().build_http();
    }
    let ring = tls::Provider::Rustls(tls::rustls_provider::CryptoMode::Ring);
    HttpClientBuilder::new().tls_provider(ring).build_https()
}

#[cfg(test)]
#[path = "sdk_tests.rs"]
mod tests;
