//! Connecting to the cache, each time to whoever its name stands for then.

use std::time::Duration;

use redis::aio::{ConnectionLike, MultiplexedConnection};
use redis::cluster::{ClusterClient, ClusterClientBuilder};
use redis::cluster_async::ClusterConnection;
use redis::io::tcp::TcpSettings;
use redis::{
    AsyncConnectionConfig, Client, Cmd, ConnectionInfo, IntoConnectionInfo, Pipeline, RedisFuture,
    RedisResult, Value,
};
use tokio::time::timeout;

/// Longer than a lost packet takes to be sent again. The host of a node that died answers nothing.
const CONNECT_TIMEOUT: Duration = Duration::from_millis(1500);
/// How long what was sent may go unacknowledged: by the host, which does so however busy the cache is.
#[cfg(target_os = "linux")]
const DEAD_HOST: Duration = Duration::from_millis(1500);
/// Whoever asks gives up earlier.
const RESPONSE_TIMEOUT: Duration = Duration::from_secs(5);
const FIRST_PAUSE_MS: u64 = 10;
const LONGEST_PAUSE_MS: u64 = 500;

/// The cache's address.
pub(super) enum Server {
    /// One address.
    Single(Box<Client>),
    /// A cache that speaks the cluster protocol.
    Cluster(Box<ClusterClient>),
}

/// A connection that all clones share.
#[derive(Clone)]
pub(super) enum Connection {
    Single(MultiplexedConnection),
    Cluster(ClusterConnection),
}

impl Server {
    pub(super) fn new(url: &str, cluster: bool) -> RedisResult<Self> {
        // Rustls asks for one provider a process; it is no matter who installed it first.
        let _ = rustls::crypto::ring::default_provider().install_default();
        if cluster {
            cluster_client(url).map(Box::new).map(Self::Cluster)
        } else {
            let info: ConnectionInfo = url.into_connection_info()?;
            let client = Client::open(info.set_tcp_settings(tcp_settings()))?;
            Ok(Self::Single(Box::new(client)))
        }
    }

    /// A new connection. The name is resolved again.
    pub(super) async fn connect(&self) -> RedisResult<Connection> {
        match self {
            Self::Single(client) => {
                let config = AsyncConnectionConfig::new()
                    .set_connection_timeout(Some(CONNECT_TIMEOUT))
                    .set_response_timeout(Some(RESPONSE_TIMEOUT));
                let connecting = client.get_multiplexed_async_connection_with_config(&config);
                connecting.await.map(Connection::Single)
            }
            Self::Cluster(client) => {
                // Several nodes, one after the other.
                let connecting = timeout(2 * CONNECT_TIMEOUT, client.get_async_connection());
                let timed_out = |_| std::io::Error::from(std::io::ErrorKind::TimedOut).into();
                let connected = connecting.await.map_err(timed_out).flatten();
                connected.map(Connection::Cluster)
            }
        }
    }

    pub(super) fn database(&self) -> i64 {
        match self {
            Self::Single(client) => client.get_connection_info().redis_settings().db(),
            Self::Cluster(_) => 0,
        }
    }
}

fn cluster_client(url: &str) -> RedisResult<ClusterClient> {
    ClusterClientBuilder::new([url])
        .connection_timeout(CONNECT_TIMEOUT)
        .response_timeout(RESPONSE_TIMEOUT)
        .overall_response_timeout(Some(RESPONSE_TIMEOUT))
        .tcp_settings(tcp_settings())
        .retries(3)
        // The library's own first pause is 1.3 s, which everybody who waits for a paint would
        // feel whenever a warm function finds its connection closed.
        .min_retry_wait(FIRST_PAUSE_MS)
        .retry_wait_formula(2 * FIRST_PAUSE_MS, 4)
        .max_retry_wait(LONGEST_PAUSE_MS)
        .build()
}

fn tcp_settings() -> TcpSettings {
    let settings = TcpSettings::default().set_nodelay(true);
    #[cfg(target_os = "linux")]
    let settings = settings.set_user_timeout(DEAD_HOST);
    settings
}

impl ConnectionLike for Connection {
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
