//! The names of the keys.

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

    fn of_shard(&self, name: &str, shard: Shard) -> String {
        format!("{}{name}:{shard}", self.prefix)
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

    pub(super) fn clients(&self, shard: Shard) -> String {
        self.of_shard("clients", shard)
    }

    pub(super) fn joined(&self, shard: Shard) -> String {
        self.of_shard("joined", shard)
    }

    pub(super) fn roster(&self, shard: Shard) -> String {
        self.of_shard("roster", shard)
    }

    pub(super) fn cursor(&self, shard: Shard) -> String {
        self.of_shard("cursor", shard)
    }

    pub(super) fn awake(&self, shard: Shard) -> String {
        self.of_shard("awake", shard)
    }
}
