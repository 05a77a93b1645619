-- Notes pixels whose rows are in doubt.
--
-- KEYS  1 doubtful
-- ARGV  1 name, 2 places as bytes
-- Answers how many doubts are noted now.

redis.call('HSET', KEYS[1], ARGV[1], string.format('%.0f:', math.floor(now_ms())) .. ARGV[2])
return redis.call('HLEN', KEYS[1])
