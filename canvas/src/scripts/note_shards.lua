-- Notes the number of shards that clients are laid out for.
--
-- KEYS  1 sharding
-- ARGV  1 number of shards

redis.call('SET', KEYS[1], ARGV[1])
