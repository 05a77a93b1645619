-- Moves `saved` forward and trims history.
--
-- KEYS  1 saving, 2 saved, 3 unsaved, 4 history, then clients, awake and cursor of each shard
-- ARGV  1 token, 2 position that `saved` must be at, 3 position to move it to,
--       4 changes between the two, 5 age below which an entry stays (ms),
--       6 age from which no cursor keeps an entry (ms)
-- Answers {1, trimmed entries, unsaved changes}, or {0, 0, 0} when the lease or the place is lost.

if holder(KEYS[1]) ~= ARGV[1] then
  return {0, 0, 0}
end
local saved, to = redis.call('GET', KEYS[2]) or '0-0', ARGV[3]
if saved == ARGV[2] and before(saved, to) then
  if before(newest(KEYS[4]), to) then
    return redis.error_reply('ERR history does not reach to ' .. to)
  end
  redis.call('SET', KEYS[2], to)
  -- A counter that was lost, or counts what is lost, is right again as soon as all is saved.
  local left = redis.call('DECRBY', KEYS[3], ARGV[4])
  if left < 0 or not before(to, newest(KEYS[4])) then
    redis.call('SET', KEYS[3], 0)
  end
elseif saved ~= to then
  return {0, 0, 0}
end
-- When `saved` is at the goal already, the answer to an earlier try was lost.

local function aged(ms)
  return string.format('%.0f-0', math.max(0, now_ms() - tonumber(ms)))
end

local floor, young, old = to, aged(ARGV[5]), aged(ARGV[6])
if before(young, floor) then
  floor = young
end
for key = 5, #KEYS, 3 do
  if needs_history(KEYS[key], KEYS[key + 1]) then
    local cursor = redis.call('GET', KEYS[key + 2]) or '0-0'
    -- Clients that have been without news for so long see a gap, and connect anew.
    if before(cursor, old) then
      cursor = old
    end
    if before(cursor, floor) then
      floor = cursor
    end
  end
end
-- The last entry up to the floor stays. So the newest entry always does, and whoever finds the entry
-- of its own position gone knows that it has missed something.
local kept = redis.call('XREVRANGE', KEYS[4], floor, '-', 'COUNT', 1)[1]
floor = kept and kept[1] or floor
local trimmed = redis.call('XTRIM', KEYS[4], 'MINID', floor)
return {1, trimmed, math.max(0, tonumber(redis.call('GET', KEYS[3]) or '0'))}
