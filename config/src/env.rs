//! The environment of the functions: written by the CLI, read by the handlers, one type for both.

use std::collections::BTreeMap;
use std::fmt::Display;
use std::str::FromStr;

use thiserror::Error;

/// Why the environment could not be read.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum EnvError {
    /// A variable is not set.
    #[error("environment variable `{0}` is not set")]
    Missing(&'static str),
    /// A variable has a value that doesn't parse.
    #[error("environment variable `{name}` has the unusable value `{value}`: {cause}")]
    Invalid {
        /// The variable.
        name: &'static str,
        /// Its value.
        value: String,
        /// What the parser said.
        cause: String,
    },
}

/// A struct of variables. One that came later has a default (`= "NAME" or value`), so that new code
/// runs with the settings of before.
macro_rules! contract {
    (@default) => { None };
    (@default $default:expr) => { Some($default) };
    ($(#[$meta:meta])* $name:ident {
        $($(#[$field_meta:meta])*
        $field:ident: $type:ty = $variable:literal $(or $default:expr)?,)*
    }) => {
        $(#[$meta])*
        #[derive(Clone, Debug, PartialEq, Eq)]
        pub struct $name {
            $($(#[$field_meta])* pub $field: $type,)*
        }

        impl $name {
            /// The variables to set on a function.
            pub fn to_variables(&self) -> BTreeMap<String, String> {
                BTreeMap::from([$(($variable.to_owned(), self.$field.to_string()),)*])
            }

            /// Reads the variables through `lookup`.
            pub fn from_variables(
                lookup: impl Fn(&str) -> Option<String>,
            ) -> Result<Self, EnvError> {
                Ok(Self { $($field: read(&lookup, $variable, contract!(@default $($default)?))?,)* })
            }
        }
    };
}

contract! {
    /// What every function is told.
    FunctionEnv {
        /// Stack name: part of every Redis key.
        stack: String = "PLACE_STACK",
        /// Redis: `redis://host:port`, or `rediss://host:port` with TLS.
        redis_url: String = "PLACE_REDIS_URL",
        /// The cache speaks the cluster protocol (ElastiCache serverless does).
        redis_cluster: bool = "PLACE_REDIS_CLUSTER",
        /// Where posts to clients go: `https://api.execute-api.region.amazonaws.com/stage`.
        gateway_url: String = "PLACE_GATEWAY_URL",
        /// Queue of connection ids that wait for the picture.
        initialize_queue_url: String = "PLACE_INITIALIZE_QUEUE_URL",
        /// Queue of wake-ups.
        request_queue_url: String = "PLACE_REQUEST_QUEUE_URL",
        /// Table of each pixel's current colour.
        mru_table: String = "PLACE_MRU_TABLE",
        /// Table of every change.
        history_table: String = "PLACE_HISTORY_TABLE",
        /// Table of the journal and of the stack's state; empty for none.
        journal_table: String = "PLACE_JOURNAL_TABLE" or String::new(),
        /// Canvas width in pixels.
        width: u16 = "PLACE_WIDTH",
        /// Canvas height in pixels.
        height: u16 = "PLACE_HEIGHT",
        /// Colour of an untouched pixel, `#rrggbb`.
        background: String = "PLACE_BACKGROUND",
        /// Pixels that one message may paint.
        max_pixels_per_message: u32 = "PLACE_MAX_PIXELS_PER_MESSAGE",
        /// Unsaved changes past which paints are refused.
        max_unsaved_changes: u64 = "PLACE_MAX_UNSAVED_CHANGES",
        /// Bytes of history past which paints are refused; 0 for no limit.
        max_history_bytes: u64 = "PLACE_MAX_HISTORY_BYTES" or 0,
        /// Pause between two messages of one connection, in milliseconds; 0 for none.
        cooldown_ms: u32 = "PLACE_COOLDOWN_MS",
        /// Messages a second from one source address; 0 for no limit.
        max_messages_per_second_per_ip: u32 = "PLACE_MAX_MESSAGES_PER_SECOND_PER_IP",
        /// Origins that may connect, comma-separated; empty admits every origin.
        allowed_origins: OriginList = "PLACE_ALLOWED_ORIGINS",
        /// Connections admitted at once.
        max_clients: u32 = "PLACE_MAX_CLIENTS",
        /// Largest frame sent to a client, in bytes.
        frame_bytes: u32 = "PLACE_FRAME_BYTES",
        /// Shortest time between two frames to one client, in milliseconds.
        tick_ms: u32 = "PLACE_TICK_MS",
        /// Posts a second that all loops together may make.
        max_posts_per_second: u32 = "PLACE_MAX_POSTS_PER_SECOND",
        /// Loops that share the clients.
        shards: u16 = "PLACE_SHARDS",
        /// Posts in flight in one loop.
        concurrency: u32 = "PLACE_CONCURRENCY",
        /// How long an encoded picture serves further newcomers, in milliseconds.
        reuse_ms: u32 = "PLACE_REUSE_MS",
        /// Deliveries of a queue's message before it goes to the dead-letter queue.
        max_receive_count: u32 = "PLACE_MAX_RECEIVE_COUNT" or 5,
        /// Where clients connect: `wss://api.execute-api.region.amazonaws.com/stage`.
        websocket_url: String = "PLACE_WEBSOCKET_URL" or String::new(),
        /// Title of the page.
        page_title: String = "PLACE_PAGE_TITLE" or "place".to_owned(),
        /// Address of the imprint; empty for none.
        page_imprint: String = "PLACE_PAGE_IMPRINT" or String::new(),
        /// Address of the privacy notice; empty for none.
        page_privacy: String = "PLACE_PAGE_PRIVACY" or String::new(),
        /// Whether other sites may show the page in a frame.
        page_allow_framing: bool = "PLACE_PAGE_ALLOW_FRAMING" or false,
    }
}

impl FunctionEnv {
    /// Reads the environment of this process.
    pub fn from_process() -> Result<Self, EnvError> {
        Self::from_variables(|name| std::env::var(name).ok())
    }
}

/// Origins that may connect; empty admits every origin.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OriginList(Vec<String>);

impl OriginList {
    /// The list of `origins`.
    pub const fn new(origins: Vec<String>) -> Self {
        Self(origins)
    }

    /// Whether a client from `origin` (its `Origin` header, if it sent one) may connect.
    pub fn admits(&self, origin: Option<&str>) -> bool {
        self.0.is_empty()
            || origin.is_some_and(|given| self.0.iter().any(|o| o.eq_ignore_ascii_case(given)))
    }
}

impl Display for OriginList {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0.join(","))
    }
}

impl FromStr for OriginList {
    type Err = std::convert::Infallible;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let origins = text.split(',').map(str::trim).filter(|o| !o.is_empty());
        Ok(Self(origins.map(str::to_owned).collect()))
    }
}

fn read<T>(
    lookup: &impl Fn(&str) -> Option<String>,
    name: &'static str,
    default: Option<T>,
) -> Result<T, EnvError>
where
    T: FromStr<Err: Display>,
{
    let Some(value) = lookup(name) else {
        return default.ok_or(EnvError::Missing(name));
    };
    value.parse().map_err(|error: T::Err| EnvError::Invalid {
        name,
        value,
        cause: error.to_string(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> FunctionEnv {
        FunctionEnv {
            stack: "place".into(),
            redis_url: "redis://127.0.0.1:6379".into(),
            redis_cluster: false,
            gateway_url: "http://127.0.0.1:4566/_aws/execute-api/a/production".into(),
            initialize_queue_url: "http://127.0.0.1:4566/1/a.fifo".into(),
            request_queue_url: "http://127.0.0.1:4566/1/b.fifo".into(),
            mru_table: "mru_pixels".into(),
            history_table: "pixel_history".into(),
            journal_table: "place_journal".into(),
            width: 1000,
            height: 1000,
            background: "#ffffff".into(),
            max_pixels_per_message: 256,
            max_unsaved_changes: 5_000_000,
            max_history_bytes: 3_000_000_000,
            cooldown_ms: 0,
            max_messages_per_second_per_ip: 0,
            allowed_origins: OriginList::new(vec!["https://a.example".into()]),
            max_clients: 10,
            frame_bytes: 32_768,
            tick_ms: 100,
            max_posts_per_second: 5000,
            shards: 1,
            concurrency: 64,
            reuse_ms: 1000,
            max_receive_count: 7,
            websocket_url: "ws://127.0.0.1:4566/_aws/execute-api/a/production".into(),
            page_title: "Art".into(),
            page_imprint: "https://a.example/imprint".into(),
            page_privacy: String::new(),
            page_allow_framing: true,
        }
    }

    #[test]
    fn what_the_cli_writes_the_handlers_read() {
        let written = sample().to_variables();
        let read = FunctionEnv::from_variables(|name| written.get(name).cloned());
        assert_eq!(read, Ok(sample()));
    }

    #[test]
    fn a_missing_and_an_unusable_variable_are_named() {
        let mut variables = sample().to_variables();
        variables.insert("PLACE_WIDTH".into(), "70000".into());
        let read = |v: &BTreeMap<String, String>| {
            FunctionEnv::from_variables(|name| v.get(name).cloned())
                .unwrap_err()
                .to_string()
        };
        assert!(read(&variables).contains("`PLACE_WIDTH` has the unusable value `70000`"));
        variables.remove("PLACE_STACK");
        assert_eq!(
            read(&variables),
            "environment variable `PLACE_STACK` is not set"
        );
    }

    #[test]
    fn new_code_runs_with_the_settings_of_before() {
        let mut variables = sample().to_variables();
        let read = |v: &BTreeMap<String, String>| {
            FunctionEnv::from_variables(|name| v.get(name).cloned())
                .map(|env| env.max_receive_count)
        };
        assert_eq!(read(&variables), Ok(7));
        variables.remove("PLACE_MAX_RECEIVE_COUNT");
        assert_eq!(read(&variables), Ok(5));
        // What is set and can't be read is no reason to guess.
        variables.insert("PLACE_MAX_RECEIVE_COUNT".into(), "five".into());
        assert!(matches!(read(&variables), Err(EnvError::Invalid { .. })));
    }

    #[test]
    fn old_code_runs_with_new_settings() {
        let mut variables = sample().to_variables();
        variables.insert("PLACE_OF_TOMORROW".into(), "1".into());
        let read = FunctionEnv::from_variables(|name| variables.get(name).cloned());
        assert_eq!(read, Ok(sample()));
    }

    #[test]
    fn an_empty_origin_list_admits_everyone() {
        let some: OriginList = "https://a.example, https://b.example".parse().unwrap();
        assert!(OriginList::default().admits(None));
        assert!(some.admits(Some("https://B.example")));
        assert!(!some.admits(Some("https://c.example")));
        assert!(!some.admits(None));
    }
}
