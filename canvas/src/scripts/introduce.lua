-- Notes which player a client is: under a short name, a salted hash of what the client gave.
--
-- KEYS  1 joined of the client's shard, 2 meta
-- ARGV  as `a` says: `connection` id, `player` what the client gave
-- Answers whether the client is there.

local a = {
  connection = ARGV[1], player = ARGV[2],
}
local joined = redis.call('HGET', KEYS[1], a.connection)
if not joined then
  return 0
end
-- A canvas that was never opened has no salt; nobody paints on it either.
local salt = redis.call('HGET', KEYS[2], 'salt')
if salt then
  local name = redis.sha1hex(salt .. a.player):sub(1, 16)
  redis.call('HSET', KEYS[1], a.connection, joined:match('^%d+') .. ' ' .. name)
end
return 1
