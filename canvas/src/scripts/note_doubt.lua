-- Notes pixels whose rows are in doubt, in the place of what was noted under the same name.
--
-- KEYS  1 doubtful
-- ARGV  1 name, 2 places as bytes; none settle the doubt

if #ARGV[2] == 0 then
  redis.call('HDEL', KEYS[1], ARGV[1])
else
  redis.call('HSET', KEYS[1], ARGV[1], string.format('%.0f:', math.floor(now_ms())) .. ARGV[2])
end
return redis.status_reply('OK')
