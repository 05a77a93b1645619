-- When a client connected.
--
-- KEYS  1 clients, 2 joined
-- ARGV  1 connection id
-- Answers {ms since 1970, ms since then}, or nothing when it is not connected.

if redis.call('SISMEMBER', KEYS[1], ARGV[1]) == 0 then
  return false
end
local joined = tonumber((redis.call('HGET', KEYS[2], ARGV[1]) or '0'):match('^%d+'))
return {joined, math.max(0, math.floor(now_ms() - joined))}
