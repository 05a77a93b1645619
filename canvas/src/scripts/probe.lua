-- Writes something, as a paint would: a cache that is full, or no primary, refuses it.
--
-- KEYS  1 probe

redis.call('SET', KEYS[1], '1', 'PX', 1000)
return 1
