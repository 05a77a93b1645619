//! The connection to the cache: one node, or the cluster protocol.

use std::time::Duration;

use redis::aio::{ConnectionLike, ConnectionManager, ConnectionManagerConfig};
use redis::cluster::ClusterClientBuilder;
use redis::cluster_async::ClusterConnection;
use redis::{Client, Cmd, Pipeline, RedisFuture, Value};

use super::StoreError;

const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);
const RESPONSE_TIMEOUT: Duration = Duration::from_secs(5);
const CONNECT_RETRIES: usize = 2;
const FIRST_PAUSE_MS: u64 = 10;
const LONGEST_PAUSE_MS: u64 = 500;

/// A connection that is shared by all clones and mends itself.
#[derive(Clone)]
pub(super) enum Link {
    /// One address.
    Single(ConnectionManager),
    /// A cache that speaks the cluster protocol.
    Cluster(ClusterConnection),
}

impl Link {
    pub(super) async fn connect(url: &str, cluster: bool) -> Result<Self, StoreError> {
        // Rustls asks for one provider a process; it is no matter who installed it first.
        let _ = rustls::crypto::ring::default_provider().install_default();
        if cluster {
            Self::cluster(url).await
        } else {
            Self::single(url).await
        }
    }

    async fn single(url: &str) -> Result<Self, StoreError> {
        let config = ConnectionManagerConfig::new()
            .set_connection_timeout(Some(CONNECT_TIMEOUT))
            .set_response_timeout(Some(RESPONSE_TIMEOUT))
            .set_number_of_retries(CONNECT_RETRIES)
            .set_max_delay(Duration::from_millis(LONGEST_PAUSE_MS));
        let client = Client::open(url).map_err(StoreError::Address)?;
        let manager = ConnectionManager::new_with_config(client, config).await;
        manager.map(Self::Single).map_err(StoreError::Connect)
    }

    async fn cluster(url: &str) -> Result<Self, StoreError> {
        let client = ClusterClientBuilder::new([url])
            .connection_timeout(CONNECT_TIMEOUT)
            .response_timeout(RESPONSE_TIMEOUT)
            .overall_response_timeout(Some(2 * RESPONSE_TIMEOUT))
            .retries(3)
            // The library's own first pause is 1.3 s, which everybody who waits for a paint would
            // feel whenever a warm function finds its connection closed.
            .min_retry_wait(FIRST_PAUSE_MS)
            .retry_wait_formula(2 * FIRST_PAUSE_MS, 4)
            .max_retry_wait(LONGEST_PAUSE_MS)
            .build()
            .map_err(StoreError::Address)?;
        let connecting = tokio::time::timeout(2 * CONNECT_TIMEOUT, client.get_async_connection());
        let timed_out = |_| std::io::Error::from(std::io::ErrorKind::TimedOut).into();
        let connected = connecting.await.map_err(timed_out).flatten();
        connected.map(Self::Cluster).map_err(StoreError::Connect)
    }
}

impl ConnectionLike for Link {
    fn req_packed_command<'a>(&'a mut self, cmd: &'a Cmd) -> RedisFuture<'a, Value> {
        match self {
            Self::Single(connection) => connection.req_packed_command(cmd),
            Self::Cluster(connection) => connection.req_packed_command(cmd),
        }
    }

    fn req_packed_commands<'a>(
        &'a mut self,
        pipeline: &'a Pipeline,
        offset: usize,
        count: usize,
    ) -> RedisFuture<'a, Vec<Value>> {
        match self {
            Self::Single(connection) => connection.req_packed_commands(pipeline, offset, count),
            Self::Cluster(connection) => connection.req_packed_commands(pipeline, offset, count),
        }
    }

    fn get_db(&self) -> i64 {
        match self {
            Self::Single(connection) => connection.get_db(),
            Self::Cluster(connection) => connection.get_db(),
        }
    }
}
