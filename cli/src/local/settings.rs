//! Where a local cloud lives and which ports it takes.

use std::env;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use place_config::stack::LocalConfig;

use super::error::LocalError;

/// Everything that tells one local cloud from another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct LocalSettings {
    /// Port of the emulator on 127.0.0.1; it names the local cloud.
    pub(crate) port: u16,
    /// Port of Redis on 127.0.0.1; a free one when absent.
    pub(crate) redis_port: Option<u16>,
    /// State file, logs, and whatever the children write.
    pub(crate) state_dir: PathBuf,
    /// Where that is when nobody says otherwise.
    pub(crate) default_state_dir: PathBuf,
    /// Holds the virtual environment, shared by all local clouds of this user.
    pub(crate) cache_dir: PathBuf,
}

impl LocalSettings {
    /// The settings of `[local]`, with the user's cache directory from the environment.
    pub(crate) fn from_config(config: &LocalConfig) -> Result<Self, LocalError> {
        Self::resolve(config, |name| env::var_os(name))
    }

    fn resolve(
        config: &LocalConfig,
        lookup: impl Fn(&str) -> Option<OsString>,
    ) -> Result<Self, LocalError> {
        let cache_dir = cache_home(lookup)?.join("placectl");
        let default_state_dir = cache_dir.join(format!("local-{}", config.port));
        let told = config.state_dir.as_ref().map(PathBuf::from);
        let state_dir = told.unwrap_or_else(|| default_state_dir.clone());
        Ok(Self {
            port: config.port,
            redis_port: config.redis_port,
            state_dir: absolute(&state_dir)?,
            default_state_dir,
            cache_dir,
        })
    }
}

/// The XDG base directory rules: an unset, empty or relative `XDG_CACHE_HOME` means `~/.cache`.
fn cache_home(lookup: impl Fn(&str) -> Option<OsString>) -> Result<PathBuf, LocalError> {
    let absolute = |value: OsString| Some(PathBuf::from(value)).filter(|path| path.is_absolute());
    lookup("XDG_CACHE_HOME")
        .and_then(absolute)
        .or_else(|| {
            lookup("HOME")
                .and_then(absolute)
                .map(|home| home.join(".cache"))
        })
        .ok_or(LocalError::NoCacheDirectory)
}

/// The children work in the state directory, so a path relative to here would mean another there.
fn absolute(path: &Path) -> Result<PathBuf, LocalError> {
    std::path::absolute(path).map_err(|source| LocalError::File {
        action: "resolving",
        path: path.to_owned(),
        source,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resolve(
        variables: &[(&str, &str)],
        config: &LocalConfig,
    ) -> Result<LocalSettings, LocalError> {
        LocalSettings::resolve(config, |name| {
            let found = variables.iter().find(|(variable, _)| *variable == name);
            found.map(|(_, value)| OsString::from(value))
        })
    }

    #[test]
    fn state_lives_in_the_users_cache_one_folder_a_port() {
        let config = LocalConfig {
            port: 4600,
            ..LocalConfig::default()
        };
        let settings = resolve(&[("HOME", "/home/a")], &config).unwrap();
        assert_eq!(
            settings.state_dir,
            Path::new("/home/a/.cache/placectl/local-4600")
        );
        let variables = [("XDG_CACHE_HOME", "/var/c"), ("HOME", "/home/a")];
        let settings = resolve(&variables, &config).unwrap();
        assert_eq!(settings.cache_dir, Path::new("/var/c/placectl"));
    }

    #[test]
    fn a_relative_cache_home_is_ignored_and_none_is_an_error() {
        let config = LocalConfig::default();
        let settings = resolve(&[("XDG_CACHE_HOME", "c"), ("HOME", "/h")], &config).unwrap();
        assert_eq!(settings.cache_dir, Path::new("/h/.cache/placectl"));
        let error = resolve(&[("HOME", "")], &config).unwrap_err();
        assert!(matches!(error, LocalError::NoCacheDirectory), "{error}");
    }

    #[test]
    fn an_explicit_state_directory_becomes_absolute() {
        let config = LocalConfig {
            state_dir: Some("x".into()),
            ..LocalConfig::default()
        };
        let settings = resolve(&[("HOME", "/h")], &config).unwrap();
        assert!(settings.state_dir.is_absolute());
        assert!(settings.state_dir.ends_with("x"));
    }
}
