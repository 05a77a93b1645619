-- Records what a save did and gives its lease back.
--
-- KEYS  1 saving, 2 last_save
-- ARGV  1 token, 2 summary as JSON
-- Answers whether the lease was the caller's.

if holder(KEYS[1]) ~= ARGV[1] then
  return 0
end
local summary = cjson.decode(ARGV[2])
summary.ended_ms = math.floor(now_ms())
redis.call('SET', KEYS[2], cjson.encode(summary))
redis.call('DEL', KEYS[1])
return 1
