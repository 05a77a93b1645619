//! The names of the keys.

use std::fmt;

use crate::connection::Shard;

/// The keys of one stack, all with one hash tag.
#[derive(Clone, Debug)]
pub(super) struct Keys {
    prefix: String,
}

impl Keys {
    pub(super) fn new(stack: &str) -> Self {
        Self {
            prefix: format!("{{place:{stack}}}:"),
        }
    }

    fn key(&self, suffix: &str) -> String {
        format!("{}{suffix}", self.prefix)
    }

    fn of(&self, name: &str, one: impl fmt::Display) -> String {
        format!("{}{name}:{one}", self.prefix)
    }

    pub(super) fn canvas(&self) -> String {
        self.key("canvas")
    }

    pub(super) fn history(&self) -> String {
        self.key("history")
    }

    pub(super) fn meta(&self) -> String {
        self.key("meta")
    }

    pub(super) fn sharding(&self) -> String {
        self.key("sharding")
    }

    pub(super) fn pruning(&self) -> String {
        self.key("pruning")
    }

    pub(super) fn saved(&self) -> String {
        self.key("saved")
    }

    pub(super) fn unsaved(&self) -> String {
        self.key("unsaved")
    }

    pub(super) fn saving(&self) -> String {
        self.key("saving")
    }

    pub(super) fn last_save(&self) -> String {
        self.key("last_save")
    }

    pub(super) fn cooldown(&self) -> String {
        self.key("cooldown")
    }

    /// What is written to see whether the cache takes it.
    pub(super) fn probe(&self) -> String {
        self.key("probe")
    }

    /// A canvas that is being prepared.
    pub(super) fn next(&self) -> String {
        self.key("next")
    }

    /// What messages painted, by their names: two hashes that take turns.
    pub(super) fn done(&self) -> [String; 2] {
        [self.of("done", 0), self.of("done", 1)]
    }

    pub(super) fn doubtful(&self) -> String {
        self.key("doubtful")
    }

    pub(super) fn clients(&self, shard: Shard) -> String {
        self.of("clients", shard)
    }

    pub(super) fn joined(&self, shard: Shard) -> String {
        self.of("joined", shard)
    }

    pub(super) fn roster(&self, shard: Shard) -> String {
        self.of("roster", shard)
    }

    pub(super) fn cursor(&self, shard: Shard) -> String {
        self.of("cursor", shard)
    }

    pub(super) fn awake(&self, shard: Shard) -> String {
        self.of("awake", shard)
    }
}
