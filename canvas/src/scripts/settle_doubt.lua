-- Notes what is left of a doubt, if the save that clears up the rest still has its lease.
--
-- KEYS  1 saving, 2 doubtful
-- ARGV  1 token, 2 name, 3 places that stay in doubt, as bytes; none settle it
-- Answers whether the lease is the caller's.

if holder(KEYS[1]) ~= ARGV[1] then
  return 0
end
if #ARGV[3] == 0 then
  redis.call('HDEL', KEYS[2], ARGV[2])
else
  redis.call('HSET', KEYS[2], ARGV[2], string.format('%.0f:', math.floor(now_ms())) .. ARGV[3])
end
return 1
