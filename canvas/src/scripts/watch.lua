-- Reads what was painted in a stretch of time, for those who watch without a socket.
--
-- KEYS  1 meta, 2 canvas, 3 history, then clients of each shard
-- ARGV  as `a` says: `start` of the stretch, `stop` its end, which is not in it (ms)
-- Answers {'open', now (ms), epoch, newest position, clients of all shards, the last position before
-- the stretch or nothing where history does not reach, where the canvas was opened, entries} or
-- {'closed'}.

local a = {
  start = ARGV[1], stop = ARGV[2],
}
local meta = open_canvas(KEYS[1], KEYS[2], KEYS[3], 'first')
if not meta then
  return {'closed'}
end
local online = 0
for key = 4, #KEYS do
  online = online + redis.call('SCARD', KEYS[key])
end
local previous, entries = '', {}
if a.start ~= a.stop then
  local last = redis.call('XREVRANGE', KEYS[3], '(' .. a.start .. '-0', '-', 'COUNT', 1)[1]
  previous = last and last[1] or ''
  entries = redis.call('XRANGE', KEYS[3], a.start .. '-0', '(' .. a.stop .. '-0')
end
return {
  'open', whole(math.floor(now_ms())), meta[1], newest(KEYS[3]), whole(online), previous,
  meta[4] or '0-0', entries,
}
