//! Which addresses of `[endpoints]` are taken.
//!
//! place.toml may come with a stranger's checkout, and an endpoint gets whatever would go to AWS:
//! signed calls with a session token in them, pictures, the cache. An address of this machine is
//! taken where an emulator stands in for AWS. Any other is taken where the operator names it outside
//! of place.toml, and over TLS.

use std::net::IpAddr;

use place_config::StackConfig;
use url::Url;

use crate::error::CommandError;

/// The variable that names allowed hosts, as `--allow-endpoint` does.
pub(crate) const VARIABLE: &str = "PLACECTL_ALLOW_ENDPOINT";

/// An address that place.toml sets.
struct Endpoint<'a> {
    key: &'static str,
    address: &'a str,
}

/// Refuses the first address that the operator has to allow.
pub(crate) fn check(
    config: &StackConfig,
    allowed: &[String],
    has_emulator: bool,
) -> Result<(), CommandError> {
    let endpoints = &config.endpoints;
    let aws = endpoints.aws.as_deref();
    let is_emulated = has_emulator
        || config.local.enabled
        || aws
            .and_then(host)
            .is_some_and(|host| is_this_machine(&host));
    let all = [
        ("endpoints.aws", &endpoints.aws),
        ("endpoints.gateway", &endpoints.gateway),
        ("endpoints.websocket", &endpoints.websocket),
        ("endpoints.redis", &endpoints.redis),
    ];
    for (key, address) in all {
        if let Some(address) = address {
            Endpoint { key, address }.check(allowed, is_emulated)?;
        }
    }
    Ok(())
}

impl Endpoint<'_> {
    fn check(&self, allowed: &[String], is_emulated: bool) -> Result<(), CommandError> {
        let (key, address) = (self.key, without_user(self.address));
        let Some(host) = host(self.address) else {
            return Err(CommandError::Usage {
                message: format!("`{key}` is `{address}`, which has no plain host"),
                hint: "write the address as scheme://host:port".to_owned(),
            });
        };
        let is_here = is_this_machine(&host);
        if is_here && (is_emulated || key == "endpoints.aws") {
            return Ok(());
        }
        if !is_here && !is_encrypted(self.address) {
            return Err(CommandError::Usage {
                message: format!(
                    "`{key}` is `{address}`: beyond this machine everybody on the way reads along"
                ),
                hint: "use https://, wss:// or rediss://".to_owned(),
            });
        }
        if allowed.iter().any(|one| one.eq_ignore_ascii_case(&host)) {
            return Ok(());
        }
        Err(CommandError::Usage {
            message: format!(
                "`{key}` of the configuration file leads away from AWS, to `{address}`"
            ),
            hint: format!(
                "if that is right, add `--allow-endpoint {host}`, or set {VARIABLE}={host} in your \
                 environment"
            ),
        })
    }
}

/// The host of an address, in lower case; `None` where programs may read different ones out of it.
fn host(address: &str) -> Option<String> {
    // Filled in later; a host of them is nobody's that could be named.
    let address = address.replace("{api}", "api").replace("{stage}", "stage");
    if address.contains('\\') {
        return None;
    }
    let url = Url::parse(&address).ok()?;
    let is_cache = matches!(url.scheme(), "redis" | "rediss");
    if !is_cache && (!url.username().is_empty() || url.password().is_some()) {
        return None;
    }
    Some(url.host_str()?.to_ascii_lowercase())
}

fn is_this_machine(host: &str) -> bool {
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost" || bare.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

fn is_encrypted(address: &str) -> bool {
    ["https://", "wss://", "rediss://"]
        .iter()
        .any(|scheme| address.starts_with(scheme))
}

/// An address as it may be printed.
fn without_user(address: &str) -> String {
    let parts = address.split_once("://");
    match parts.and_then(|(scheme, rest)| Some((scheme, rest.rsplit_once('@')?.1))) {
        Some((scheme, host)) => format!("{scheme}://***@{host}"),
        None => address.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is refused of a configuration with these endpoints.
    fn refusal(aws: &str, gateway: &str, redis: &str, allowed: &[&str]) -> Option<String> {
        let mut config = StackConfig::default();
        let told = |text: &str| Some(text.to_owned()).filter(|text| !text.is_empty());
        config.endpoints.aws = told(aws);
        config.endpoints.gateway = told(gateway);
        config.endpoints.redis = told(redis);
        let allowed: Vec<String> = allowed.iter().map(|&host| host.to_owned()).collect();
        let error = check(&config, &allowed, false).err()?;
        Some(format!("{error} {}", error.hint().unwrap_or_default()))
    }

    #[test]
    fn an_emulator_on_this_machine_is_taken() {
        for aws in [
            "http://127.0.0.1:4566",
            "http://localhost",
            "http://[::1]:1",
            "https://127.0.0.2",
        ] {
            let gateway = "http://127.0.0.1:4566/_aws/execute-api/{api}/{stage}";
            assert_eq!(
                refusal(aws, gateway, "redis://:secret@127.0.0.1:1", &[]),
                None,
                "{aws}"
            );
        }
    }

    #[test]
    fn another_machine_is_taken_when_the_operator_names_it() {
        let aws = "https://aws.example.com/x";
        let said = refusal(aws, "", "", &[]).unwrap();
        assert!(
            said.contains("endpoints.aws") && said.contains("aws.example.com"),
            "{said}"
        );
        assert!(said.contains("--allow-endpoint aws.example.com"), "{said}");
        assert!(refusal(aws, "", "", &["example.com"]).is_some());
        assert_eq!(refusal(aws, "", "", &["AWS.example.com"]), None);
    }

    #[test]
    fn another_machine_is_never_reached_in_clear() {
        for aws in [
            "http://aws.example.com",
            "http://10.0.0.1",
            "http://169.254.169.254",
        ] {
            let said = refusal(aws, "", "", &["aws.example.com", "10.0.0.1"]).unwrap();
            assert!(said.contains("https://"), "{said}");
        }
        let said = refusal(
            "",
            "",
            "redis://:secret@cache.example.com",
            &["cache.example.com"],
        );
        let said = said.unwrap();
        assert!(
            said.contains("rediss://") && !said.contains("secret"),
            "{said}"
        );
    }

    #[test]
    fn the_functions_of_a_stack_on_aws_are_not_sent_elsewhere() {
        assert!(refusal("", "http://127.0.0.1:1", "", &[]).is_some());
        assert!(refusal("", "", "redis://127.0.0.1:1", &[]).is_some());
        assert!(refusal("", "https://gateway.example.com", "", &[]).is_some());
        assert_eq!(
            refusal("", "https://{api}.example.com", "", &["api.example.com"]),
            None
        );
    }

    #[test]
    fn an_address_that_can_be_read_in_two_ways_is_refused() {
        for aws in [
            "http://127.0.0.1@evil.example",
            "http://127.0.0.1:80@evil.example",
            "http://127.0.0.1\\@evil.example",
            "http://evil.example\\@127.0.0.1",
        ] {
            assert!(refusal(aws, "", "", &["evil.example"]).is_some(), "{aws}");
        }
        for aws in [
            "http://127.0.0.1.evil.example",
            "http://localhost.evil.example",
        ] {
            assert!(refusal(aws, "", "", &[]).is_some(), "{aws}");
        }
    }
}
