-- Calls the shards that lack updates and have no loop.
--
-- KEYS  1 history, then clients, awake and cursor of each shard
-- ARGV  1 name of the caller, 2 length of a call (ms)
-- Answers their numbers.

local last = newest(KEYS[1])
local lagging = {}
for key = 2, #KEYS, 3 do
  if redis.call('SCARD', KEYS[key]) > 0
    and before(redis.call('GET', KEYS[key + 2]) or '0-0', last)
    and call_loop(KEYS[key + 1], ARGV[1], ARGV[2]) then
    lagging[#lagging + 1] = (key - 2) / 3
  end
end
return lagging
