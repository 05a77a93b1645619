-- Reads on from a position.
--
-- KEYS  1 history, 2 meta
-- ARGV  1 position, 2 most entries
-- Answers {entries, first}. `entries` begin with the one at the position, unless it is trimmed; `first`
-- is where the canvas was opened.

local entries = redis.call('XRANGE', KEYS[1], ARGV[1], '+', 'COUNT', ARGV[2] + 1)
return {entries, redis.call('HGET', KEYS[2], 'first') or ''}
