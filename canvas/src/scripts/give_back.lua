-- Takes a call back that could not be made, so that the next paint or ping calls at once.
--
-- KEYS  awake of each shard
-- ARGV  1 name of the caller

for key = 1, #KEYS do
  if holder(KEYS[key]) == 'called:' .. ARGV[1] then
    redis.call('DEL', KEYS[key])
  end
end
return redis.status_reply('OK')
