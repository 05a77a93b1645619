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
redis.call('SETNX', KEYS[7], ARGV[3])
local shard = {clients = KEYS[1], joined = KEYS[2], roster = KEYS[3], cursor = KEYS[4], awake = KEYS[5]}
join(shard, KEYS[6], ARGV[1])
return {1, clients + 1}
