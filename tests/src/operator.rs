//! An operator: a working directory with a `place.toml`, and the commands run in it.

use std::path::Path;

use place_canvas::tables::Tables;
use place_canvas::{Geometry, Picture, Store, StoreConfig};
use place_config::{Names, StackConfig};
use tempfile::TempDir;

use crate::cloud::{LocalCloud, REGION};
use crate::key::{key, password};
use crate::placectl::{Placectl, artifacts};
use crate::sdk::Sdk;
use crate::socket::Socket;

/// Somebody who runs `placectl` against a local cloud, maybe through a proxy.
#[derive(Debug)]
pub struct Operator {
    directory: TempDir,
    config: StackConfig,
    cloud_endpoint: String,
}

impl Operator {
    /// An operator of `cloud`, with a canvas that is small enough for quick tests.
    pub fn new(cloud: &LocalCloud) -> Self {
        Self::with(cloud, |_| ())
    }

    /// The same with a configuration changed by `edit`.
    pub fn with(cloud: &LocalCloud, edit: impl FnOnce(&mut StackConfig)) -> Self {
        Self::at(&cloud.endpoint(), |config| {
            local_addresses(config, cloud);
            edit(config);
        })
    }

    /// An operator of whatever answers AWS's calls at `endpoint`.
    ///
    /// # Panics
    /// When the configuration can't be written.
    pub fn at(endpoint: &str, edit: impl FnOnce(&mut StackConfig)) -> Self {
        let directory = tempfile::Builder::new()
            .prefix("place-operator-")
            .tempdir()
            .expect("a directory for the operator");
        let mut config = base(endpoint);
        edit(&mut config);
        let text = toml::to_string(&config).expect("a configuration is a table");
        std::fs::write(directory.path().join("place.toml"), text).expect("a written place.toml");
        Self {
            directory,
            config,
            cloud_endpoint: endpoint.to_owned(),
        }
    }

    /// `placectl` in the operator's directory, with the key that the tests' clouds let in.
    pub fn placectl(&self) -> Placectl {
        Placectl::new(self.directory())
            .env("AWS_ACCESS_KEY_ID", key())
            .env("AWS_SECRET_ACCESS_KEY", password())
            .env("AWS_REGION", REGION)
    }

    /// `placectl up`, which must succeed.
    pub async fn up(&self) {
        let _ = self.placectl().args(["up"]).succeed().await;
    }

    /// `placectl teardown --yes` without a last save and picture, which must succeed.
    pub async fn teardown(&self) {
        let words = ["teardown", "--yes", "--no-export"];
        let _ = self.placectl().args(words).succeed().await;
    }

    /// The directory that holds `place.toml`.
    pub fn directory(&self) -> &Path {
        self.directory.path()
    }

    /// What `place.toml` says.
    pub const fn config(&self) -> &StackConfig {
        &self.config
    }

    /// The stack's names.
    pub fn names(&self) -> Names {
        Names::new(&self.config, REGION)
    }

    /// AWS's clients, straight at the emulator.
    pub fn sdk(&self) -> Sdk {
        Sdk::new(&self.cloud_endpoint)
    }

    /// The stack's Redis, read directly: on the local cloud there is a way in.
    ///
    /// # Panics
    /// When Redis doesn't answer.
    pub async fn store(&self) -> Store {
        let mut config = StoreConfig::new(&self.config.stack, self.geometry());
        config.shards = self.config.broadcast.shards;
        let url = self
            .config
            .endpoints
            .redis
            .as_deref()
            .expect("the local cloud's address");
        Store::connect(url, config)
            .await
            .expect("the local cloud's Redis answers")
    }

    /// The stack's tables.
    pub fn tables(&self) -> Tables {
        let names = self.names();
        Tables::new(
            self.sdk().dynamodb,
            names.mru_table(),
            names.history_table(),
        )
        .with_journal(names.journal_table())
    }

    /// Size of the canvas.
    ///
    /// # Panics
    /// When `place.toml` says an impossible one.
    pub fn geometry(&self) -> Geometry {
        let canvas = &self.config.canvas;
        Geometry::new(canvas.width, canvas.height).expect("a possible canvas")
    }

    /// What Redis holds of the canvas right now.
    ///
    /// # Panics
    /// When Redis doesn't answer.
    pub async fn canvas(&self) -> Picture {
        self.store()
            .await
            .read_canvas()
            .await
            .expect("the canvas in Redis")
            .picture
    }

    /// The address that browsers connect to, put together from what AWS's API says.
    ///
    /// # Panics
    /// When there is not exactly one API of the stack's name.
    pub async fn websocket_url(&self) -> String {
        let names = self.names();
        let answer = self
            .sdk()
            .api
            .get_apis()
            .send()
            .await
            .expect("the list of APIs");
        let mut ids = answer
            .items()
            .iter()
            .filter(|api| api.name() == Some(&names.api()));
        let api = ids
            .next()
            .and_then(|api| api.api_id())
            .expect("the stack's API");
        assert!(ids.next().is_none(), "one API of the stack's name");
        let host = self.cloud_endpoint.trim_start_matches("http://");
        format!("ws://{host}/_aws/execute-api/{api}/{}", names.stage())
    }

    /// A client that has the whole picture.
    pub async fn join(&self) -> Socket {
        Socket::join(&self.websocket_url().await).await
    }
}

/// The defaults, a small canvas, and where AWS's calls go.
fn base(endpoint: &str) -> StackConfig {
    let mut config = StackConfig::default();
    (config.canvas.width, config.canvas.height) = (64, 48);
    config.functions.artifacts = artifacts().to_string_lossy().into_owned();
    config.endpoints.aws = Some(endpoint.to_owned());
    config
}

/// Where everything else of the local cloud is.
fn local_addresses(config: &mut StackConfig, cloud: &LocalCloud) {
    let path = "{api}/{stage}";
    let host = format!("127.0.0.1:{}", cloud.port());
    config.endpoints.gateway = Some(format!("http://{host}/_aws/execute-api/{path}"));
    config.endpoints.websocket = Some(format!("ws://{host}/_aws/execute-api/{path}"));
    config.endpoints.page = Some(format!("http://{host}/_aws/lambda-url/{{id}}/"));
    config.endpoints.redis = Some(cloud.redis_url());
}
