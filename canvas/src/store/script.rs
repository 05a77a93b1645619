//! Calling the Lua scripts, and reading.
//!
//! A node that was demoted answers reads with old news for as long as somebody stays connected. So
//! every script begins with `#!lua`, and does not say that it writes nothing: then a replica refuses
//! all of it before it runs, whether it would have come to a write or not. Plain reads follow a
//! script of that kind in the same round trip, see [`Store::reading`].

use redis::{Cmd, ErrorKind, FromRedisValue, Pipeline, RedisResult, ServerErrorKind, ToRedisArgs};

use super::{Store, StoreError};

/// What a replica refuses to run: it may write, for all that the server knows. It costs no round
/// trip of its own and needs no permission to write, nor memory.
const PRIMARY_ONLY: &str = "#!lua flags=allow-oom\nreturn 1";

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

    /// Whether the script says `name = ARGV[number],`.
    fn takes(&self, name: &str, number: usize) -> bool {
        let line = format!(" {name} = ARGV[{number}],");
        self.text.contains(&line)
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

/// `scripts/<name>.lua` after `scripts/lib.lua`, hashed once, which no replica runs.
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

    /// The argument that the script takes for `name`, which must be the next one.
    pub(super) fn named(self, name: &'static str, value: impl ToRedisArgs) -> Self {
        debug_assert!(
            self.script.takes(name, self.args.len() + 1),
            "`{name}` is not the next argument of {}",
            self.script.doing
        );
        self.arg(value)
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
    /// Runs a script: one round trip, but for the first time on a new cache.
    ///
    /// It is run again if the connection breaks or the cache fails over, so it must do no harm when
    /// it runs twice.
    pub(super) async fn run<T: FromRedisValue>(&self, call: Call<'_>) -> Result<T, StoreError> {
        let answer = self.run_once(&call).await;
        answer.map_err(|source| StoreError::Redis {
            doing: call.script.doing,
            source,
        })
    }

    pub(super) async fn run_once<T: FromRedisValue>(&self, call: &Call<'_>) -> RedisResult<T> {
        let mut link = self.link.for_one_call();
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

    /// Reads in one round trip, begun with what a replica refuses; to be given commands.
    pub(super) fn reading(&self) -> Pipeline {
        let mut reading = redis::pipe();
        let command = reading.cmd("EVAL").arg(PRIMARY_ONLY).arg(1);
        command.arg(self.keys.meta()).ignore();
        reading
    }

    /// Sends one command that reads, to a primary.
    pub(super) async fn read<T: FromRedisValue>(
        &self,
        doing: &'static str,
        command: &Cmd,
    ) -> Result<T, StoreError> {
        let mut reading = self.reading();
        reading.add_command(command.clone());
        let (answer,) = self.read_all(doing, &reading).await?;
        Ok(answer)
    }

    /// Sends what [`Store::reading`] began. It is sent again if the connection breaks or the cache
    /// fails over.
    pub(super) async fn read_all<T: FromRedisValue>(
        &self,
        doing: &'static str,
        reading: &Pipeline,
    ) -> Result<T, StoreError> {
        let answer = reading.query_async(&mut self.link.clone()).await;
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
