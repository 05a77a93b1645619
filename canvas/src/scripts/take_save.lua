-- Takes the save's lease, unless another save has it.
--
-- KEYS  1 saving, 2 saved
-- ARGV  1 token, 2 length of the lease (ms)
-- Answers the position up to which everything is saved, or nothing when another save runs.

local holder = redis.call('GET', KEYS[1])
if holder and holder ~= ARGV[1] then
  return false
end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return redis.call('GET', KEYS[2]) or '0-0'
