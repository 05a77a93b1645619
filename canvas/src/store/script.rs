//! Calling the Lua scripts.

use redis::{
    Cmd, ErrorKind, FromRedisValue, RedisError, RedisResult, ServerErrorKind, ToRedisArgs,
};

use super::{Store, StoreError};

/// One script: its text, and what it does in the words of an error.
pub(super) struct Script {
    pub(super) doing: &'static str,
    text: &'static str,
    hash: String,
}

impl Script {
    pub(super) fn new(doing: &'static str, text: &'static str) -> Self {
        let hash = redis::Script::new(text).get_hash().to_owned();
        Self { doing, text, hash }
    }

    /// A call of this script, to be given keys and arguments.
    pub(super) const fn call(&self) -> Call<'_> {
        Call {
            script: self,
            keys: Vec::new(),
            args: Vec::new(),
        }
    }
}

/// `scripts/<name>.lua` after `scripts/lib.lua`, hashed once.
///
/// `script!` is for what takes memory: a cache that is full refuses it before its first command, so
/// that it never does a part of its work. `script_when_full!` is for what must go on then, above all
/// what frees memory (Redis 7, "Script flags").
macro_rules! script {
    (flags $flags:literal, $doing:literal, $name:literal) => {
        std::sync::LazyLock::new(|| {
            let text = concat!(
                "#!lua",
                $flags,
                "\n",
                include_str!("../scripts/lib.lua"),
                include_str!(concat!("../scripts/", $name, ".lua")),
            );
            $crate::store::script::Script::new($doing, text)
        })
    };
    ($doing:literal, $name:literal) => {
        $crate::store::script::script!(flags "", $doing, $name)
    };
}
macro_rules! script_when_full {
    ($doing:literal, $name:literal) => {
        $crate::store::script::script!(flags " flags=allow-oom", $doing, $name)
    };
}
pub(super) use {script, script_when_full};

/// A script with its keys and arguments.
pub(super) struct Call<'a> {
    script: &'a Script,
    keys: Vec<String>,
    args: Vec<Vec<u8>>,
}

impl Call<'_> {
    pub(super) fn key(mut self, key: String) -> Self {
        self.keys.push(key);
        self
    }

    pub(super) fn keys(mut self, keys: impl IntoIterator<Item = String>) -> Self {
        self.keys.extend(keys);
        self
    }

    pub(super) fn arg(mut self, arg: impl ToRedisArgs) -> Self {
        arg.write_redis_args(&mut self.args);
        self
    }

    /// An argument that the script reads by its name.
    pub(super) fn named(self, name: &'static str, value: impl ToRedisArgs) -> Self {
        self.arg(name).arg(value)
    }

    fn command(&self, name: &str, script: &str) -> Cmd {
        let mut command = redis::cmd(name);
        command
            .arg(script)
            .arg(self.keys.len())
            .arg(&self.keys)
            .arg(&self.args);
        command
    }
}

impl Store {
    /// Runs a script that does no harm when it runs twice, again if the connection broke.
    ///
    /// A warm function finds its connection closed after a long freeze, so that is no rare case.
    pub(super) async fn run<T: FromRedisValue>(&self, call: Call<'_>) -> Result<T, StoreError> {
        let first = self.run_once(&call).await;
        let answer = match first {
            Err(error) if broke(&error) => self.run_once(&call).await,
            answer => answer,
        };
        answer.map_err(|source| StoreError::Redis {
            doing: call.script.doing,
            source,
        })
    }

    /// Runs a script: one round trip, but for the first time on a new cache.
    pub(super) async fn run_once<T: FromRedisValue>(&self, call: &Call<'_>) -> RedisResult<T> {
        let mut link = self.link.clone();
        match call
            .command("EVALSHA", &call.script.hash)
            .query_async(&mut link)
            .await
        {
            Err(error) if error.kind() == ErrorKind::Server(ServerErrorKind::NoScript) => {
                call.command("EVAL", call.script.text)
                    .query_async(&mut link)
                    .await
            }
            answer => answer,
        }
    }

    /// Sends a command that reads, again if the connection broke.
    pub(super) async fn read<T: FromRedisValue>(
        &self,
        doing: &'static str,
        command: &Cmd,
    ) -> Result<T, StoreError> {
        let mut link = self.link.clone();
        let answer = match command.query_async(&mut link).await {
            Err(error) if broke(&error) => command.query_async(&mut link).await,
            answer => answer,
        };
        answer.map_err(|source| StoreError::Redis { doing, source })
    }
}

/// Whether the cache refused because its memory is full.
pub(super) fn is_full(error: &StoreError) -> bool {
    let StoreError::Redis { source, .. } = error else {
        return false;
    };
    let said = source.clone().into_server_errors();
    said.is_some_and(|said| said.iter().any(|(_, error)| error.code() == "OOM"))
}

/// Whether the connection broke before the answer came.
pub(super) fn broke(error: &RedisError) -> bool {
    error.is_connection_dropped() || error.is_io_error() && !error.is_timeout()
}
