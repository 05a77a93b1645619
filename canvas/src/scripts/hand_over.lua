-- Turns a loop's lease into a call for the next one.
--
-- KEYS  1 awake
-- ARGV  1 token, 2 length of a call (ms)
-- Answers whether the lease was the caller's.

if redis.call('GET', KEYS[1]) ~= ARGV[1] then
  return 0
end
redis.call('SET', KEYS[1], 'called', 'PX', ARGV[2])
return 1
