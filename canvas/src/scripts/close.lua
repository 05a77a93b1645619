-- Closes the canvas, so that it can be opened in another size: until then nobody paints.
--
-- KEYS  1 saving, 2 meta
-- ARGV  1 token, 2 the size that it is to have, `width x height`
-- Answers whether the lease is the caller's.

if holder(KEYS[1]) ~= ARGV[1] then
  return 0
end
redis.call('HSET', KEYS[2], 'to', ARGV[2])
redis.call('HDEL', KEYS[2], 'epoch')
return 1
