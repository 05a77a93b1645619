//! What the rest of placectl needs to know of a running local cloud: addresses and credentials.

use place_config::StackConfig;

use super::state::Running;

/// The region of a local stack that names none.
pub(crate) const DEFAULT_REGION: &str = "us-east-1";

impl Running {
    /// Fills in the addresses, where the operator's own file left them empty.
    pub(crate) fn fill(&self, config: &mut StackConfig) {
        let endpoints = &mut config.endpoints;
        let address = |scheme: &str| {
            // Addressed by path: names like `<api>.execute-api.localhost` don't resolve everywhere.
            let port = self.port;
            format!("{scheme}://127.0.0.1:{port}/_aws/execute-api/{{api}}/{{stage}}")
        };
        endpoints.aws.get_or_insert_with(|| self.endpoint.clone());
        endpoints.gateway.get_or_insert_with(|| address("http"));
        endpoints.websocket.get_or_insert_with(|| address("ws"));
        let port = self.port;
        endpoints
            .page
            .get_or_insert_with(|| format!("http://127.0.0.1:{port}/_aws/lambda-url/{{id}}/"));
        endpoints.redis.get_or_insert_with(|| self.redis_address());
        config
            .region
            .get_or_insert_with(|| DEFAULT_REGION.to_owned());
    }

    /// Where the functions reach Redis: the password is in it.
    fn redis_address(&self) -> String {
        let (password, port) = (&self.secrets.password, self.redis_port);
        format!("redis://:{password}@127.0.0.1:{port}")
    }
}

#[cfg(test)]
mod tests {
    use super::super::secrets::Secrets;
    use super::*;

    fn running() -> Running {
        Running {
            port: 4566,
            redis_port: 7000,
            endpoint: "http://127.0.0.1:4566".into(),
            redis_url: "redis://127.0.0.1:7000".into(),
            credentials: "/s/credentials".into(),
            secrets: Secrets {
                key: "PLACE".into(),
                password: "secret".into(),
            },
            version: "1".into(),
            emulator_pid: 1,
            redis_pid: 2,
            state_dir: "/s".into(),
        }
    }

    #[test]
    fn empty_addresses_are_filled() {
        let mut config = StackConfig::default();
        running().fill(&mut config);
        let endpoints = config.endpoints;
        assert_eq!(endpoints.aws.as_deref(), Some("http://127.0.0.1:4566"));
        assert_eq!(
            endpoints.websocket.as_deref(),
            Some("ws://127.0.0.1:4566/_aws/execute-api/{api}/{stage}")
        );
        assert_eq!(
            endpoints.gateway.as_deref(),
            Some("http://127.0.0.1:4566/_aws/execute-api/{api}/{stage}")
        );
        let redis = Some("redis://:secret@127.0.0.1:7000");
        assert_eq!(endpoints.redis.as_deref(), redis);
        assert_eq!(config.region.as_deref(), Some("us-east-1"));
    }

    #[test]
    fn the_operators_addresses_stay() {
        let mut config = StackConfig {
            region: Some("eu-west-1".into()),
            ..Default::default()
        };
        config.endpoints.aws = Some("http://127.0.0.1:9".into());
        running().fill(&mut config);
        assert_eq!(config.endpoints.aws.as_deref(), Some("http://127.0.0.1:9"));
        assert_eq!(config.region.as_deref(), Some("eu-west-1"));
    }
}
