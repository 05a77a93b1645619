-- Moves clients from one shard's set to another's.
--
-- KEYS  1 clients, 2 joined, 3 roster, 4 cursor of the old shard, 5 to 8 the same of the new one,
--       9 awake of the new one, 10 history
-- ARGV  connection ids
-- Answers how many were moved.

local old, new = redis.call('GET', KEYS[4]) or '0-0', redis.call('GET', KEYS[8])
if not new or not needs_history(KEYS[5], KEYS[9]) then
  new = newest(KEYS[10])
end
-- What the clients lack is sent to the new shard's clients again, who drop it, unless it is gone
-- from history; then the clients find a gap and reconnect.
local first = redis.call('XRANGE', KEYS[10], '-', '+', 'COUNT', 1)[1]
if first and before(old, new) and not before(old, first[1]) then
  new = old
end
redis.call('SET', KEYS[8], new)

local moved = 0
for _, id in ipairs(ARGV) do
  if redis.call('SREM', KEYS[1], id) == 1 then
    local joined = redis.call('HGET', KEYS[2], id) or string.format('%.0f', math.floor(now_ms()))
    redis.call('HDEL', KEYS[2], id)
    redis.call('SADD', KEYS[5], id)
    redis.call('HSET', KEYS[6], id, joined)
    moved = moved + 1
  end
end
redis.call('INCR', KEYS[3])
redis.call('INCR', KEYS[7])
return moved
