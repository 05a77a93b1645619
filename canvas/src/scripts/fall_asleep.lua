-- Gives a shard's lease back, if everything in history was sent.
--
-- KEYS  1 awake, 2 cursor, 3 history
-- ARGV  1 token
-- Answers 'asleep', 'more' (and keeps the lease) or 'lost'.

if holder(KEYS[1]) ~= ARGV[1] then
  return 'lost'
end
if before(redis.call('GET', KEYS[2]) or '0-0', newest(KEYS[3])) then
  return 'more'
end
redis.call('DEL', KEYS[1])
return 'asleep'
