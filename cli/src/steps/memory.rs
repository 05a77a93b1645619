//! Whether the cache has room for what may be unsaved.

use place_canvas::store::{self, Stats};
use place_config::{StackConfig, memory};

use crate::ui::words;

/// What an operator has to know of it.
pub(crate) enum Room {
    /// Nobody knows how large the cache is.
    Unknown(String),
    /// Everything fits.
    Enough(String),
    /// The cache is full first; what happens then, and what helps.
    Short {
        /// What happens.
        detail: String,
        /// What helps.
        hint: String,
    },
}

/// What it means that the cache is full: a save frees the memory of saved changes only.
pub(crate) const fn full(stats: &Stats) -> Full {
    if stats.unsaved_changes > 0 {
        Full::UntilSaved
    } else {
        Full::TooSmall
    }
}

/// A cache that is full.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Full {
    /// The next save frees memory.
    UntilSaved,
    /// Everything is saved: no save frees any.
    TooSmall,
}

/// What helps against a cache that is too small.
pub(crate) const ENLARGE: &str = "choose a larger `redis.node_type` or `redis.max_storage_gb` in place.toml, and run `placectl up`";

/// Compares `canvas.max_unsaved_changes` with the cache, for messages of one pixel, which take most.
pub(crate) fn room(config: &StackConfig) -> Room {
    let (has, changes) = (
        memory::history_bytes(config),
        config.canvas.max_unsaved_changes,
    );
    if has == 0 {
        return Room::Unknown(format!(
            "the memory of a `{}` is unknown: only `canvas.max_unsaved_changes` limits unsaved \
             changes",
            config.redis.node_type
        ));
    }
    let needs = store::history_bytes(changes, changes);
    let (has_text, needs_text) = (words::bytes(has), words::bytes(needs));
    if needs <= has {
        return Room::Enough(format!(
            "{changes} unsaved changes take at most {needs_text}; the cache has {has_text} for \
             changes"
        ));
    }
    let fit = has / store::history_bytes(10, 10) * 10;
    Room::Short {
        detail: format!(
            "{changes} unsaved changes may take {needs_text}, but the cache has {has_text} for \
             changes: paints are refused from {fit} unsaved changes on"
        ),
        hint: format!(
            "set `canvas.max_unsaved_changes = {fit}`, or choose a larger `redis.node_type` or \
             `redis.max_storage_gb`"
        ),
    }
}

#[cfg(test)]
mod tests {
    use place_config::stack::RedisMode;

    use super::*;

    #[test]
    fn what_may_be_unsaved_is_compared_with_the_cache() {
        let mut config = StackConfig::default();
        assert!(matches!(room(&config), Room::Enough(_)));
        config.redis.mode = RedisMode::ReplicationGroup;
        let Room::Short { hint, .. } = room(&config) else {
            panic!("a micro node has no room for five million");
        };
        let fit = hint.split(['=', '`']).nth(2).unwrap().trim();
        config.canvas.max_unsaved_changes = fit.parse().unwrap();
        assert!(matches!(room(&config), Room::Enough(_)), "{hint}");
        config.redis.node_type = "cache.x9.huge".to_owned();
        assert!(matches!(room(&config), Room::Unknown(_)));
    }
}
