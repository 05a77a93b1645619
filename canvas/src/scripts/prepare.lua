-- Writes a part of the canvas that is about to be opened.
--
-- KEYS  1 saving, 2 next
-- ARGV  1 token, 2 offset, 3 bytes
-- Answers whether the lease is the caller's.

if holder(KEYS[1]) ~= ARGV[1] then
  return 0
end
if ARGV[2] == '0' then
  redis.call('DEL', KEYS[2])
end
redis.call('SETRANGE', KEYS[2], ARGV[2], ARGV[3])
return 1
