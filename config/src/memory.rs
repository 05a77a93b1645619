//! How much of a cache's memory history may take, so that saves, clients and the canvas itself always
//! have room.

use crate::stack::{RedisMode, StackConfig};

const GB: u64 = 1_000_000_000;
const MIB: u64 = 1 << 20;

/// `maxmemory` of node types, in MiB (ElastiCache user guide, "Redis OSS node-type specific
/// parameters").
const NODES: [(&str, u64); 12] = [
    ("cache.t4g.micro", 512),
    ("cache.t4g.small", 1402),
    ("cache.t4g.medium", 3164),
    ("cache.t3.micro", 512),
    ("cache.t3.small", 1402),
    ("cache.t3.medium", 3164),
    ("cache.m6g.large", 6537),
    ("cache.m7g.large", 6537),
    ("cache.m6g.xlarge", 13_261),
    ("cache.m7g.xlarge", 13_261),
    ("cache.r6g.large", 13_387),
    ("cache.r7g.large", 13_387),
];

/// Bytes of history past which paints are refused; 0 when nobody knows how large the cache is.
///
/// Three quarters of what a cache can hold, less the canvas twice, because it is there twice while it
/// is opened.
pub fn history_bytes(config: &StackConfig) -> u64 {
    match usable_bytes(config) {
        0 => 0,
        usable => room(usable)
            .saturating_sub(2 * canvas_bytes(config))
            .max(MIB),
    }
}

/// Whether the cache holds the canvas twice and a little history; `true` when nobody knows how large
/// the cache is.
pub(crate) fn holds_canvas(config: &StackConfig) -> bool {
    let usable = usable_bytes(config);
    usable == 0 || 2 * canvas_bytes(config) + MIB <= room(usable)
}

/// Bytes of the canvas in the cache: three a pixel.
pub(crate) fn canvas_bytes(config: &StackConfig) -> u64 {
    u64::from(config.canvas.width) * u64::from(config.canvas.height) * 3
}

/// What saves, clients and what is remembered of messages leave.
const fn room(usable: u64) -> u64 {
    usable / 4 * 3
}

/// Bytes that a cache takes. Of a node's memory a quarter is reserved for backups and failover
/// (`reserved-memory-percent`, 25 by default).
fn usable_bytes(config: &StackConfig) -> u64 {
    match config.redis.mode {
        RedisMode::Serverless => u64::from(config.redis.max_storage_gb) * GB,
        RedisMode::ReplicationGroup => {
            let is_it = |(name, _): &&(&str, u64)| *name == config.redis.node_type;
            let node = NODES.iter().find(is_it);
            node.map_or(0, |(_, mib)| mib * MIB / 4 * 3)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn history_leaves_room_for_the_rest() {
        let mut config = StackConfig::default();
        assert_eq!(history_bytes(&config), 5 * GB / 4 * 3 - 6_000_000);
        config.redis.mode = RedisMode::ReplicationGroup;
        let small = history_bytes(&config);
        assert!((200 * MIB..300 * MIB).contains(&small), "{small}");
        config.redis.node_type = "cache.x9.huge".to_owned();
        assert_eq!(history_bytes(&config), 0, "unknown is no limit");
    }

    #[test]
    fn a_canvas_that_fits_only_once_is_too_large() {
        let mut config = StackConfig::default();
        (config.canvas.width, config.canvas.height) = (8192, 8192);
        assert!(holds_canvas(&config));
        config.redis.mode = RedisMode::ReplicationGroup;
        assert!(!holds_canvas(&config), "201 MB twice, in 302 MB");
        config.redis.node_type = "cache.x9.huge".to_owned();
        assert!(holds_canvas(&config));
    }
}
