-- Opens the canvas: from now on people paint on it, under a new epoch.
--
-- KEYS  1 saving, 2 meta, 3 canvas, 4 next, 5 history, 6 saved, 7 unsaved, then cursor of each shard
-- ARGV  as `a` says: `token`, `epoch`, `width`, `height`, `background`, `salt`
--       `after` position that the first entry must come after
--       `source`: `next` when all of `next` is the canvas and nothing is to be saved, `replaced` when
--       it takes the place of the canvas, whose history stays, `kept` when the canvas stays as it is
-- Answers the position of the entry that says so, 'lost' when the lease is not the caller's, or
-- 'gone' when the bytes are not there.

local a = {
  token = ARGV[1], epoch = ARGV[2], width = ARGV[3], height = ARGV[4], background = ARGV[5],
  salt = ARGV[6], after = ARGV[7], source = ARGV[8],
}
if holder(KEYS[1]) ~= a.token then
  return 'lost'
end
-- The answer to an earlier try may have been lost.
local opened = redis.call('HMGET', KEYS[2], 'epoch', 'first')
if opened[1] == a.epoch then
  return opened[2]
end
local bytes = a.source == 'kept' and KEYS[3] or KEYS[4]
if redis.call('STRLEN', bytes) ~= tonumber(a.width) * tonumber(a.height) * 3 then
  return 'gone'
end

-- Above everything that was ever saved or sent, whatever the clock says.
local floor = a.after
for _, other in ipairs({newest(KEYS[5]), redis.call('GET', KEYS[6]) or '0-0'}) do
  if before(floor, other) then
    floor = other
  end
end
local ms = math.floor(now_ms())
if not before(floor, whole(ms) .. '-0') then
  ms = tonumber(floor:match('^(%d+)')) + 1
end
local first, previous = whole(ms) .. '-1', whole(ms) .. '-0'

if a.source == 'kept' then
  -- What somebody wrote there who was killed.
  redis.call('DEL', KEYS[4])
else
  redis.call('RENAME', KEYS[4], KEYS[3])
end
if a.source == 'next' or redis.call('EXISTS', KEYS[5]) == 0 then
  -- History of a canvas that is gone is of no use to the new one, and where it was lost there is
  -- nothing to be read after `saved`.
  redis.call('DEL', KEYS[5])
  redis.call('SET', KEYS[6], first)
  redis.call('SET', KEYS[7], 0)
end
redis.call('XADD', KEYS[5], first, 'n', 'opened')
redis.call('HSET', KEYS[2], 'epoch', a.epoch, 'width', a.width, 'height', a.height,
  'background', a.background, 'salt', a.salt, 'first', first, 'opened', whole(ms),
  'replid', replication_id())
redis.call('HDEL', KEYS[2], 'to')
for key = 8, #KEYS do
  -- Whoever is connected finds a gap, and gets a new picture.
  redis.call('SET', KEYS[key], previous)
end
return first
