-- Takes a shard's lease, unless another loop has it.
--
-- KEYS  1 awake, 2 cursor, 3 clients, 4 history
-- ARGV  1 token, 2 length of the lease (ms)
-- Answers the cursor, or nothing when another loop has the lease.

local who = holder(KEYS[1])
if who and not is_call(who) and who ~= ARGV[1] then
  return false
end
give(KEYS[1], ARGV[1], ARGV[2])
if redis.call('SCARD', KEYS[3]) == 0 then
  -- Nobody is there who lacks anything, and what the cursor points at may be trimmed.
  forward(KEYS[2], newest(KEYS[4]))
end
return redis.call('GET', KEYS[2]) or '0-0'
