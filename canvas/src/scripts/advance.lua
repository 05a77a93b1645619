-- Moves a cursor, but never back.
--
-- KEYS  1 cursor
-- ARGV  1 position

forward(KEYS[1], ARGV[1])
return redis.status_reply('OK')
