//! What every function does when it starts: log as JSON, read the environment, get ready what it
//! needs.
//!
//! Nothing here opens a connection or reads certificates: the first call does, so that a cold
//! start costs a few milliseconds.

use std::sync::OnceLock;
use std::time::{Duration, SystemTime};

use aws_config::SdkConfig;
use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, Region};
use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_smithy_async::rt::sleep::{SharedAsyncSleep, TokioSleep};
use aws_smithy_http_client::tls::{Provider, rustls_provider::CryptoMode};
use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnectorSettings, SharedHttpClient, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use place_canvas::tables::Tables;
use place_canvas::{Geometry, StoreConfig};
use place_config::FunctionEnv;
use tokio::time::Instant;

use crate::adapters::Cache;
use crate::error::Error;
use crate::gateway::ConnectionsEndpoint;
use crate::queues::Queues;

/// Time-outs of one try and of a whole call to AWS.
const TRY_TIMEOUT: Duration = Duration::from_secs(5);
const CALL_TIMEOUT: Duration = Duration::from_secs(15);

/// A function's environment, checked.
pub struct Boot {
    /// What placectl set.
    pub env: FunctionEnv,
    /// Size of the canvas.
    pub geometry: Geometry,
    region: String,
    endpoint: Option<String>,
    credentials: Credentials,
}

impl Boot {
    /// Starts logging and reads the environment.
    pub fn from_process() -> Result<Self, Error> {
        start_log();
        let env = FunctionEnv::from_process()?;
        let geometry = Geometry::new(env.width, env.height)
            .map_err(|_| Error::Value("PLACE_WIDTH x PLACE_HEIGHT"))?;
        let region = aws_variable("AWS_REGION")?;
        // Lambda gives a process its credentials for life: a process is replaced before they end.
        let credentials = Credentials::new(
            aws_variable("AWS_ACCESS_KEY_ID")?,
            aws_variable("AWS_SECRET_ACCESS_KEY")?,
            std::env::var("AWS_SESSION_TOKEN").ok(),
            None,
            "lambda",
        );
        let endpoint = std::env::var("AWS_ENDPOINT_URL")
            .ok()
            .filter(|url| !url.is_empty());
        Ok(Self {
            env,
            geometry,
            region,
            endpoint,
            credentials,
        })
    }

    /// The cache.
    pub fn cache(&self) -> Result<Cache, Error> {
        let background = self
            .env
            .background
            .parse()
            .map_err(|_| Error::Value("PLACE_BACKGROUND"))?;
        let config = StoreConfig {
            background,
            shards: self.env.shards,
            cluster: self.env.redis_cluster,
            max_clients: self.env.max_clients.into(),
            max_unsaved: self.env.max_unsaved_changes,
            cooldown_ms: self.env.cooldown_ms,
            max_messages_per_second_per_source: self.env.max_messages_per_second_per_ip,
            ..StoreConfig::new(self.env.stack.clone(), self.geometry)
        };
        Ok(Cache::new(self.env.redis_url.clone(), config))
    }

    /// The queues.
    pub fn queues(&self) -> Queues {
        Queues::new(
            aws_sdk_sqs::Client::new(&self.aws()),
            self.env.initialize_queue_url.clone(),
            self.env.request_queue_url.clone(),
        )
    }

    /// The tables.
    pub fn tables(&self) -> Tables {
        let client = aws_sdk_dynamodb::Client::new(&self.aws());
        Tables::new(client, &self.env.mru_table, &self.env.history_table)
            .with_journal(&self.env.journal_table)
    }

    /// The clients' connections.
    pub fn gateway(&self) -> ConnectionsEndpoint {
        let credentials = self.credentials.clone();
        let idle = usize::try_from(self.env.concurrency).unwrap_or(usize::MAX);
        ConnectionsEndpoint::new(&self.env.gateway_url, &self.region, credentials, idle)
    }

    /// How the SDK's clients call AWS. Built by hand: the SDK's own loader would look for
    /// profiles, SSO sessions and instance metadata that no function has.
    pub fn aws(&self) -> SdkConfig {
        let timeouts = TimeoutConfig::builder()
            .connect_timeout(Duration::from_secs(2))
            .operation_attempt_timeout(TRY_TIMEOUT)
            .operation_timeout(CALL_TIMEOUT)
            .build();
        let mut config = SdkConfig::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new(self.region.clone()))
            .credentials_provider(SharedCredentialsProvider::new(self.credentials.clone()))
            .timeout_config(timeouts)
            .sleep_impl(SharedAsyncSleep::new(TokioSleep::new()))
            .http_client(SharedHttpClient::new(LazyHttps::default()));
        config.set_endpoint_url(self.endpoint.clone());
        config.build()
    }
}

/// When Lambda ends an invocation, on the clock that the functions wait by.
pub fn deadline(context: &lambda_runtime::Context) -> Instant {
    let left = context
        .deadline()
        .duration_since(SystemTime::now())
        .unwrap_or_default();
    Instant::now() + left
}

fn aws_variable(name: &'static str) -> Result<String, Error> {
    std::env::var(name).map_err(|_| Error::Runtime(name))
}

fn start_log() {
    tracing_subscriber::fmt()
        .json()
        .flatten_event(true)
        .with_current_span(false)
        .with_span_list(false)
        .with_target(false)
        .with_ansi(false)
        .with_max_level(tracing::Level::INFO)
        .init();
}

/// An HTTPS client that is made when it is first used.
#[derive(Debug, Default)]
struct LazyHttps {
    client: OnceLock<SharedHttpClient>,
}

impl HttpClient for LazyHttps {
    fn http_connector(
        &self,
        settings: &HttpConnectorSettings,
        components: &RuntimeComponents,
    ) -> SharedHttpConnector {
        let client = self.client.get_or_init(|| {
            aws_smithy_http_client::Builder::new()
                .tls_provider(Provider::Rustls(CryptoMode::Ring))
                .build_https()
        });
        client.http_connector(settings, components)
    }
}
