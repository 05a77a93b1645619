-- Adds a client to its shard.
--
-- KEYS  1 clients, 2 joined, 3 roster, 4 cursor, 5 awake of its shard, 6 history, 7 sharding,
--       then clients of each shard
-- ARGV  1 connection id, 2 most clients, 3 shards
-- Answers {1, clients}, or {0, clients} when there are too many.

local clients = 0
for key = 8, #KEYS do
  clients = clients + redis.call('SCARD', KEYS[key])
end
if redis.call('SISMEMBER', KEYS[1], ARGV[1]) == 1 then
  return {1, clients}
end
if clients >= tonumber(ARGV[2]) then
  return {0, clients}
end
if not redis.call('GET', KEYS[4]) or not needs_history(KEYS[1], KEYS[5]) then
  -- The shard's first client: its picture will show at least what is painted now.
  forward(KEYS[4], newest(KEYS[6]))
end
redis.call('SETNX', KEYS[7], ARGV[3])
redis.call('SADD', KEYS[1], ARGV[1])
redis.call('HSET', KEYS[2], ARGV[1], string.format('%.0f', math.floor(now_ms())))
redis.call('INCR', KEYS[3])
return {1, clients + 1}
