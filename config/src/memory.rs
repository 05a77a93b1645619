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
/// is opened. Of a node's memory a quarter is reserved for backups and failover
/// (`reserved-memory-percent`, 25 by default).
pub fn history_bytes(config: &StackConfig) -> u64 {
    let usable = match config.redis.mode {
        RedisMode::Serverless => u64::from(config.redis.max_storage_gb) * GB,
        RedisMode::ReplicationGroup => {
            let node = NODES
                .iter()
                .find(|(name, _)| *name == config.redis.node_type);
            node.map_or(0, |(_, mib)| mib * MIB / 4 * 3)
        }
    };
    let canvas = u64::from(config.canvas.width) * u64::from(config.canvas.height) * 3;
    match usable {
        0 => 0,
        usable => (usable / 4 * 3).saturating_sub(2 * canvas).max(MIB),
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
}
