-- Removes clients of one shard, but for those that are too young.
--
-- KEYS  1 clients, 2 joined, 3 roster
-- ARGV  1 age below which a client stays (ms), then connection ids
-- Answers the ids that were removed.

local grace = tonumber(ARGV[1])
local born_before = now_ms() - grace
local removed = {}
for index = 2, #ARGV do
  local id = ARGV[index]
  local joined = tonumber((redis.call('HGET', KEYS[2], id) or '0'):match('^%d+'))
  -- By a clock that has stepped back it may not have joined yet.
  if grace == 0 or joined <= born_before then
    redis.call('HDEL', KEYS[2], id)
    if redis.call('SREM', KEYS[1], id) == 1 then
      removed[#removed + 1] = id
    end
  end
end
if #removed > 0 then
  redis.call('INCRBY', KEYS[3], #removed)
end
return removed
