-- A loop's tick: moves the cursor, renews the lease and reads on.
--
-- KEYS  1 awake, 2 cursor, 3 roster, 4 history, 5 meta
-- ARGV  1 token, 2 length of the lease (ms), 3 position that is sent, 4 most entries
-- Answers {1, roster, entries, first}, or {0, 0, {}, ''} when the lease is lost. `entries` begin with
-- the one at the position, unless it is trimmed; `first` is where the canvas was opened.

forward(KEYS[2], ARGV[3])
if holder(KEYS[1]) ~= ARGV[1] then
  return {0, 0, {}, ''}
end
give(KEYS[1], ARGV[1], ARGV[2])
local entries = redis.call('XRANGE', KEYS[4], ARGV[3], '+', 'COUNT', ARGV[4] + 1)
local first = redis.call('HGET', KEYS[5], 'first') or ''
return {1, tonumber(redis.call('GET', KEYS[3]) or '0'), entries, first}
